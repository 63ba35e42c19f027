"""Writes the pages that follow from the code: `make docs`. A house test holds pages and code together.

The command line from the commands' own help, the API's description from the API itself, the floor plan from the list
that the tests of the imports read.
"""

from __future__ import annotations

import json
import runpy
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from ledger_node.api.app import create_user_app
from ledger_node.cli import main
from ledger_node.cli.init import write_demo
from ledger_node.config import load_settings
from ledger_node.node import open_node

DOCS = Path(__file__).parent
ROOMS = DOCS.parent / "tests" / "house" / "rooms.py"
HEAD = """# Command line

Written by `make docs` from the commands' own help. Every command that answers takes `--json`.
Exit codes: 0 done, 1 something broke, 2 wrong input or configuration, 3 not found, 4 the ledger's answer is
still open, 5 refused by the contract, 6 checked and found false.
"""
PLAN_BEGIN, PLAN_END = "<!-- floor plan: written by make docs -->\n", "<!-- end of the floor plan -->\n"


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Every command below `command` as (path, help text), parents first, in alphabetical order."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands(below, click.Context(below, info_name=name, parent=context, terminal_width=100))


def command_line() -> str:
    """The page of the command line."""
    root = click.Context(main, info_name="ledger-node", terminal_width=100, **main.context_settings)
    sections = [f"## {path}\n\n```text\n{text.rstrip()}\n```\n" for path, text in commands(main, root)]
    return HEAD + "\n" + "\n".join(sections)


def api_description() -> str:
    """What a node answers at /openapi.json, as indented JSON."""
    with tempfile.TemporaryDirectory() as folder:
        name = next(iter(write_demo(Path(folder), None, "embedded")))
        with closing(open_node(load_settings(Path(folder) / "nodes" / name))) as node:
            client = create_user_app(node).test_client()
            return json.dumps(client.get("/openapi.json").get_json(), indent=1, ensure_ascii=False) + "\n"


def architecture() -> str:
    """The page of the architecture, with the floor plan as it is."""
    before, _, rest = (DOCS / "explanation" / "architecture.md").read_text().partition(PLAN_BEGIN)
    _, _, after = rest.partition(PLAN_END)
    return f"{before}{PLAN_BEGIN}\n{runpy.run_path(str(ROOMS))['as_tables']()}\n{PLAN_END}{after}"


PAGES = {
    "reference/cli.md": command_line,
    "reference/openapi.json": api_description,
    "explanation/architecture.md": architecture,
}

if __name__ == "__main__":
    for place, page in PAGES.items():
        (DOCS / place).write_text(page())
