"""What every command shares: `--json`, errors that end with the house's exit codes, one way to print."""

from __future__ import annotations

import errno
import functools
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ledger_node.errors import NodeError

_FIELD = re.compile(r"((?:^|; |(?:^|: )[A-Z][A-Z_]+: ))([a-z][a-z_]*)(?:\.(\d+))?(?=: )")
"""A field of the API at the beginning of what is said of it: of the whole text, behind a code, or behind another."""
F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """Add `--json` (passed on as `as_json`) and turn NodeErrors into messages with the right exit code.

    With `--json` a success prints `{"ok": true, "result": ...}` and an error prints
    `{"ok": false, "error": {"type", "text", "remedy"}}`, both on standard output.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document for scripts.")
    @functools.wraps(function)
    def wrapped(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        try:
            return function(*args, as_json=as_json, **kwargs)
        except NodeError as error:
            error.text = as_typed(error.text)
            fail(error, as_json)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has gone: click ends quietly
                raise
            fail(of_system(error), as_json)

    return wrapped  # type: ignore[return-value]


def as_typed(text: str) -> str:
    """A fault that names fields of the API, with the options and arguments that were typed for them instead.

    Args:
        text: such as "INVALID_INPUT: amount: is empty; parties.0: is empty"; of any other it stays as it is.
    """
    context = click.get_current_context(silent=True)
    typed = {str(each.name): _spelling(each) for each in context.command.params} if context else {}

    def spelled(match: re.Match[str]) -> str:
        before, field, entry = match.groups()
        option = typed.get(field.removesuffix("_minor"))
        if option is None:
            return match[0]
        return f"{before}{option}" + (f" (number {int(entry) + 1})" if entry else "")

    return _FIELD.sub(spelled, text)


def _spelling(parameter: click.Parameter) -> str:
    long = [name for name in parameter.opts if name.startswith("--")]
    return long[0] if long else str(parameter.metavar or parameter.name).upper()


def of_system(error: OSError) -> NodeError:
    """An error of the operating system in words: what it is about decides where to look."""
    import ssl

    from network import disk

    if isinstance(error, ssl.SSLError):
        remedy = "Look at the certificates of both ends: ledger-node network status --certificates"
        return NodeError(f"no TLS connection: {error}", remedy)
    if error.errno == errno.ENOSPC:
        path = Path(error.filename or Path.cwd())
        return NodeError(f"no room is left to write {path}: {disk.room(path)}", "Make room there, then try again.")
    if isinstance(error, ConnectionError | TimeoutError):
        return NodeError(str(error) or type(error).__name__, "Does what was asked run, and listen there?")
    return NodeError(str(error), "Look at that path and its permissions.")


def node_option(function: F) -> F:
    """Add `--node DIR`, the folder of the node on this machine, passed on as `directory`."""
    option = click.option(
        "--node",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        envvar="LEDGER_NODE_NODE",
        show_envvar=True,
        help="The node's folder, which holds node.toml; the current one when left out.",
    )
    return option(function)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as text for people, in columns as wide as what is in them."""
    cells = [list(columns), *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _cell(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def fail(error: NodeError, as_json: bool) -> None:
    """Print the error, with its remedy, and exit with its code."""
    if as_json:
        details = {"type": type(error).__name__, "text": error.text, "remedy": error.remedy}
        click.echo(json.dumps({"ok": False, "error": details}, indent=2))
    else:
        click.echo(f"Error: {error.text}", err=True)
        if error.remedy:
            click.echo(f"  {error.remedy}", err=True)
    sys.exit(error.exit_code)


def emit(result: Any, as_json: bool, text: str) -> None:
    """Print `result` as JSON, or `text` for people."""
    click.echo(json.dumps({"ok": True, "result": result}, indent=2) if as_json else text)
