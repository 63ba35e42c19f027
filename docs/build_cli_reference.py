"""Writes docs/reference/cli.md from the commands' own `--help`; a house test holds the two together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ledger_node.cli import main

PAGE = Path(__file__).parent / "reference" / "cli.md"
HEAD = """# Command line

Written by `make docs` from the commands' own help. Every command that answers takes `--json`.
Exit codes: 0 done, 1 something broke, 2 wrong input or configuration, 3 not found, 4 the ledger's answer is
still open, 5 refused by the contract, 6 checked and found false.
"""


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Every command below `command` as (path, help text), parents first, in alphabetical order."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands(below, click.Context(below, info_name=name, parent=context, terminal_width=100))


def page() -> str:
    """The whole page as text."""
    root = click.Context(main, info_name="ledger-node", terminal_width=100, **main.context_settings)
    sections = [f"## {path}\n\n```text\n{text.rstrip()}\n```\n" for path, text in commands(main, root)]
    return HEAD + "\n" + "\n".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page())
