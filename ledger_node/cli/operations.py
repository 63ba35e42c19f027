"""Commands at the prompt that are one write each, made from the rows of `operations`.

What the address names is an argument, what the body has is an option. A former name goes on for this version: it works,
stands in no list, and says what it is called now.
"""

from __future__ import annotations

import shlex
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

import click
from pydantic.fields import FieldInfo

from ledger_node.cli.common import json_option
from ledger_node.cli.rest import Writer, emit_submission, identify, writes
from ledger_node.client import segment
from ledger_node.operations.bodies import request_body
from ledger_node.operations.fields import NAMED_KINDS, SAID
from ledger_node.operations.operation import Operation
from ledger_node.operations.table import OPERATIONS

EXAMPLE_WIDTH = 100
ID = "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"


def add_operations(group: click.Group, title: str) -> None:
    """Add all rows of a group that it has no command of its own for.

    Args:
        group: such as `ledger-node invoice`.
        title: how the group is typed.
    """
    for operation in OPERATIONS:
        if not operation.prompt.startswith(f"{title} "):
            continue
        word = operation.prompt.removeprefix(f"{title} ")
        command = group.commands.get(word) or _command(operation, word)
        group.add_command(command)
        for former in operation.former_prompts:
            group.add_command(_renamed(command, former.removeprefix(f"{title} "), operation.prompt))


def post(operation_prompt: str, writer: Writer, as_json: bool, named: Mapping[str, str], body: dict[str, Any]) -> None:
    """Send the write that is typed like this, for a command that is written by hand.

    Args:
        operation_prompt: of its row.
        named: what the address names.
        body: of the request.
    """
    (operation,) = (row for row in OPERATIONS if row.prompt == operation_prompt)
    emit_submission(writer.post(_path(writer, operation, named), body), as_json)


def options_of(operation_prompt: str) -> Callable[[Any], Any]:
    """Adds an option for each field of the body of the write that is typed like this, none of them required."""
    (operation,) = (row for row in OPERATIONS if row.prompt == operation_prompt)
    fields = request_body(operation).model_fields

    def add(command: Any) -> Any:
        for name, field in reversed(fields.items()):
            many, text = _is_list(field), SAID.get(f"{operation.command}.{name}") or SAID.get(name)
            settings: dict[str, Any] = {"multiple": True} if many else {"default": None}
            command = click.option(flag(operation, name), name, type=_kind(field.annotation), help=text, **settings)(
                command
            )
        return command

    return add


def _path(writer: Writer, operation: Operation, named: Mapping[str, str]) -> str:
    path = operation.address
    for name in operation.in_address:
        path = path.replace(f"<{name}>", segment(identify(writer.client, name, named[name])))
    return path


def _command(operation: Operation, word: str) -> click.Command:
    fields = request_body(operation).model_fields

    @json_option
    @writes
    def run(writer: Writer, as_json: bool, **given: Any) -> None:
        named = {name: given.pop(name) for name in operation.in_address}
        body = {name: _typed(writer, name, value) for name, value in given.items()}
        emit_submission(writer.post(_path(writer, operation, named), body), as_json)

    run.__doc__ = f"{operation.text}\n\n\b\nExamples:\n{_example(operation)}"
    for name, field in reversed(fields.items()):
        if name in operation.positional:
            many = _is_list(field)
            run = click.argument(name, nargs=-1 if many else 1, required=True)(run)
        else:
            run = _option(operation, name, field)(run)
    for name in reversed(operation.in_address):
        run = click.argument(name)(run)
    return click.command(name=word)(run)


def _typed(writer: Writer, name: str, value: Any) -> Any:
    """A field of the body as the API takes it: lists for what was repeated, ids for names."""
    if isinstance(value, tuple):
        return [_typed(writer, name, each) for each in value]
    return identify(writer.client, name, value) if name in NAMED_KINDS else value


def _option(operation: Operation, name: str, field: FieldInfo) -> Callable[[Any], Any]:
    help_text = SAID.get(f"{operation.command}.{name}") or SAID.get(name)
    settings: dict[str, Any] = {"help": help_text, "required": field.is_required(), "show_default": bool(field.default)}
    if field.annotation is bool:
        return click.option(flag(operation, name), name, is_flag=True, help=help_text)
    if not field.is_required() and not _is_list(field):
        settings["default"] = field.default
    return click.option(flag(operation, name), name, type=_kind(field.annotation), multiple=_is_list(field), **settings)


def flag(operation: Operation, name: str) -> str:
    """The option of a field, as it is typed."""
    return operation.flags.get(name) or f"--{name.removesuffix('_ids').removesuffix('_id').replace('_', '-')}"


def _kind(hint: Any) -> Any:
    """The type that click checks; texts and numbers are the API's to judge."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return click.Choice(arguments)
    if typing.get_origin(hint) in (list, types.UnionType, typing.Union):
        return _kind(arguments[0])
    return int if hint is int else str


def _is_list(field: FieldInfo) -> bool:
    return typing.get_origin(field.annotation) is list


def _example(operation: Operation) -> str:
    words = ["ledger-node", operation.prompt, *(EXAMPLES.get(name, ID) for name in operation.in_address)]
    for name, field in request_body(operation).model_fields.items():
        if field.is_required():
            value = operation.example.get(name, EXAMPLES.get(name, ID))
            for part in value if isinstance(value, list) else [value]:
                text = shlex.quote(str(part))
                words.append(text if name in operation.positional else f"{flag(operation, name)} {text}")
    lines = [f"  {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + len(word) > EXAMPLE_WIDTH:
            lines[-1] += " \\"
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return "\n".join(lines)


EXAMPLES = {
    "person_id": "5d41402abc4b2a76b9719d911017c592ae2c59a4f0a1c3d5e7f90817265f0c8b",
    "digest": "5d41402abc4b2a76b9719d911017c592ae2c59a4f0a1c3d5e7f90817265f0c8b",
    "facility_id": "c0ffee00c0ffee00c0ffee00c0ffee00",
    "msp_id": "BuyerMSP",
    "peer_url": "https://127.0.0.1:8002",
}


def _renamed(command: click.Command, former: str, now: str) -> click.Command:
    """The command under its former name."""

    def callback(*args: Any, **kwargs: Any) -> Any:
        click.echo(f"note: this command is called `ledger-node {now}` now", err=True)
        assert command.callback is not None
        return command.callback(*args, **kwargs)

    return click.Command(
        former, callback=callback, params=command.params, help=command.help, hidden=True, context_settings={}
    )
