"""Small files, small functions, documented rooms."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
SOURCES = sorted(
    path for folder in ("chaincode", "network", "ledger_node", "tests") for path in (ROOT / folder).rglob("*.py")
)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@functools.cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def long_functions(source: str) -> list[str]:
    """Functions of more lines than fit, their first line counted."""
    lines = {each.name: (each.end_lineno or 0) - each.lineno + 1 for each in functions(parsed(source))}
    return [name for name, count in lines.items() if count > FUNCTION_LINES_MAX]


def identity(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=identity)
def test_a_file_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=identity)
def test_a_function_fits_on_a_page(path: Path) -> None:
    assert long_functions(path.read_text()) == []


def test_a_planted_function_of_one_line_too_many_is_caught() -> None:
    body = "\n".join(["    pass"] * (FUNCTION_LINES_MAX - 1))
    assert long_functions(f"def fits():\n{body}") == []
    assert long_functions(f"def long():\n{body}\n    pass") == ["long"]


@pytest.mark.parametrize("path", [path for path in SOURCES if "tests" not in path.parts], ids=identity)
def test_every_room_and_public_function_says_what_it_is_for(path: Path) -> None:
    tree = parsed(path.read_text())
    assert ast.get_docstring(tree) or not tree.body, "the module has no docstring"
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    assert [node.name for node in public if not node.name.startswith("_") and not ast.get_docstring(node)] == []
