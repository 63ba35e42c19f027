"""Every `ledger-node` command that a page shows is one that there is, with options and arguments that it takes.

It plays nothing: it holds all pages against the commands, cheaply.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ledger_node.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LEFT_OUT = {"changelog.md", "cli.md"}
"""What was, and what is written from the commands themselves."""
END = re.compile(r"[|;&<>]|\)$|^#")


def typed(page: Path) -> Iterator[list[str]]:
    """The words behind `ledger-node` of each command in the consoles of a page."""
    for console in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
        for line in re.sub(r"\\\n\s*", "", console).splitlines():
            found = re.match(r"^\$ (?:[A-Z_]+=\S+ |sudo (?:-u \S+ )?|nohup )*ledger-node (.*)", line)
            if found:
                words = shlex.split(found[1], comments=True)
                end = next((place for place, word in enumerate(words) if END.search(word)), len(words))
                yield words[:end]


FOUND = [(page, words) for page in PAGES if page.name not in LEFT_OUT for words in typed(page)]


@pytest.mark.parametrize(("page", "words"), FOUND, ids=[f"{page.name}: {' '.join(words)}" for page, words in FOUND])
def test_a_command_on_a_page_is_one_that_there_is_with_options_that_it_takes(page: Path, words: list[str]) -> None:
    command: click.Command = main
    context = click.Context(main, info_name="ledger-node")
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        below = command.get_command(context, name)
        assert below is not None, f"{page.name}: there is no command {name!r} in {' '.join(words)}"
        assert not below.hidden, f"{page.name}: {name!r} is called otherwise now"
        command, context = below, click.Context(below, info_name=name, parent=context)
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {
        "--help",
        "--version",
    }
    options = [word.partition("=")[0] for word in rest if word.startswith("--")]
    assert [option for option in options if option not in known] == [], f"{page.name}: {' '.join(words)}"


def test_pages_show_commands() -> None:
    assert len(FOUND) > 35
