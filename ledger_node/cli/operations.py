"""Commands at the prompt that are one write each, made from the rows of `operations`.

What the address names is an argument, what the body has is an option. A former name goes on for this version: it works,
stands in no list, and says what it is called now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.prompts import parameter, prompts
from ledger_node.cli.rest import Writer, emit_submission, identify, writes
from ledger_node.client import JSON, segment


def add_operations(group: click.Group, title: str) -> None:
    """Add all rows of a group that it has no command of its own for.

    Args:
        group: such as `ledger-node invoice`.
        title: how the group is typed.
    """
    for operation in prompts()["writes"]:
        if not operation["prompt"].startswith(f"{title} "):
            continue
        word = operation["prompt"].removeprefix(f"{title} ")
        command = group.commands.get(word) or _command(operation, word)
        group.add_command(command)
        for former in operation["former"]:
            group.add_command(_renamed(command, former.removeprefix(f"{title} "), operation["prompt"]))


def post(operation_prompt: str, writer: Writer, as_json: bool, named: Mapping[str, str], body: dict[str, Any]) -> None:
    """Send the write that is typed like this, for a command that is written by hand.

    Args:
        operation_prompt: of its row.
        named: what the address names.
        body: of the request.
    """
    (operation,) = (row for row in prompts()["writes"] if row["prompt"] == operation_prompt)
    emit_submission(writer.post(_path(writer, operation, named), body), as_json)


def options_of(operation_prompt: str) -> Callable[[Any], Any]:
    """Adds an option for each field of the body of the write that is typed like this, none of them required."""
    (operation,) = (row for row in prompts()["writes"] if row["prompt"] == operation_prompt)

    def add(command: Any) -> Any:
        for described in reversed(operation["parameters"]):
            if described["flag"]:
                command = parameter({**described, "required": False, "default": None})(command)
        return command

    return add


def _path(writer: Writer, operation: JSON, named: Mapping[str, str]) -> str:
    path: str = operation["address"]
    for name in operation["in_address"]:
        path = path.replace(f"<{name}>", segment(identify(writer.client, name, named[name])))
    return path


def _command(operation: JSON, word: str) -> click.Command:
    @json_option
    @writes
    def run(writer: Writer, as_json: bool, **given: Any) -> None:
        named = {name: given.pop(name) for name in operation["in_address"]}
        body = {name: _typed(writer, name, value) for name, value in given.items()}
        emit_submission(writer.post(_path(writer, operation, named), body), as_json)

    run.__doc__ = operation["text"]
    for described in reversed(operation["parameters"]):
        run = parameter(described)(run)
    return click.command(name=word)(run)


def _typed(writer: Writer, name: str, value: Any) -> Any:
    """A field of the body as the API takes it: lists for what was repeated, ids for names."""
    if isinstance(value, tuple):
        return [_typed(writer, name, each) for each in value]
    return identify(writer.client, name, value) if isinstance(value, str) else value


def _renamed(command: click.Command, former: str, now: str) -> click.Command:
    """The command under its former name."""

    def callback(*args: Any, **kwargs: Any) -> Any:
        click.echo(f"note: this command is called `ledger-node {now}` now", err=True)
        assert command.callback is not None
        return command.callback(*args, **kwargs)

    return click.Command(
        former, callback=callback, params=command.params, help=command.help, hidden=True, context_settings={}
    )
