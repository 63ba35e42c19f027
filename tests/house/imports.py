"""What a file imports, read from its own statements."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from rooms import PACKAGES

ROOT = Path(__file__).resolve().parents[2]


def modules() -> dict[str, Path]:
    """Every module of the house by its dotted name; a package by its own, with its `__init__.py`."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py*")) if path.suffix in _KINDS]
    return {_name(path.relative_to(ROOT)): path for path in files}


_KINDS = (".py", ".pyi")


@functools.cache
def imported(source: str) -> frozenset[str]:
    """Every absolute name that a source imports, at any depth, as dotted module or module.attribute."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import: write the whole name"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def arrows(known: Mapping[str, str]) -> dict[str, set[str]]:
    """Which modules each module imports: the longest known name of each import.

    Args:
        known: sources by the module's dotted name.
    """
    return {name: set(_targets(source, known)) - {name} for name, source in known.items()}


def cycles(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules from which an import leads back to themselves, by name."""
    return sorted(name for name in graph if name in _reached(graph, graph[name]))


def of_own_package(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Modules that import a package which they are inside of."""
    return sorted((name, used) for name, uses in graph.items() for used in uses if name.startswith(used + "."))


def _reached(graph: Mapping[str, set[str]], start: set[str]) -> set[str]:
    found, waiting = set(start), list(start)
    while waiting:
        fresh = graph.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found


def _targets(source: str, known: Mapping[str, str]) -> Iterator[str]:
    for name in imported(source):
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name:
            yield name


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
