"""The commands that follow from rows, read from `prompts.json`, which `make docs` writes: nothing else is loaded."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

JSON = dict[str, Any]
FILE = Path(__file__).with_name("prompts.json")
TYPES: dict[str, Any] = {"text": str, "int": int}


@functools.cache
def prompts() -> JSON:
    """What `ledger_node.operations.prompts` says of the rows."""
    read: JSON = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def parameter(described: JSON) -> Callable[[Any], Any]:
    """The argument or option that is described.

    Args:
        described: `name` and `flag`, which is empty for an argument; `many` where it may be given again and again; of
            an option its `type` ("text", "int", "flag", or the list of what may be chosen), `required`, `default`,
            `help`, `metavar`.
    """
    name, flag, many = described["name"], described["flag"], described.get("many", False)
    if not flag:
        return click.argument(name, nargs=-1 if many else 1, required=True)
    kind, default = described["type"], described["default"]
    if kind == "flag":
        return click.option(flag, name, is_flag=True, help=described["help"])
    settings = {} if default is None else {"default": default}
    metavar = described.get("metavar")
    if isinstance(kind, list) and "" in kind:  # what is left out is no choice to be shown
        metavar = f"[{'|'.join(filter(None, kind))}]"
    return click.option(
        flag,
        name,
        type=click.Choice(kind) if isinstance(kind, list) else TYPES[kind],
        multiple=many,
        required=described["required"],
        show_default=bool(default),
        metavar=metavar,
        help=described["help"],
        **settings,
    )
