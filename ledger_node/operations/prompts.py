"""What the command line needs of the rows, as plain data: it shows help and speaks with a node without the contract.

`make docs` writes it into `ledger_node/cli/prompts.json`; a house test holds the file and the rows together.
"""

from __future__ import annotations

import shlex
import types
import typing
from typing import Any, Literal

from pydantic.fields import FieldInfo

from ledger_node.operations.asked import Asked
from ledger_node.operations.bodies import request_body
from ledger_node.operations.fields import NAMED_KINDS, SAID
from ledger_node.operations.operation import Operation
from ledger_node.operations.readings import READINGS
from ledger_node.operations.reports import REPORTS
from ledger_node.operations.table import OPERATIONS

EXAMPLE_WIDTH = 100
ID = "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"
Plain = dict[str, Any]


def prompts() -> Plain:
    """All commands that follow from rows.

    Returns: `{writes, lists, reports, named_kinds}`. Each of the first three is a list of commands with the words typed
        after `ledger-node` as `prompt`, the help as `text`, the `address` and the `parameters` in their order, as
        `ledger_node.cli.prompts.parameter` takes them.
    """
    return {
        "writes": [_write(row) for row in OPERATIONS if row.prompt],
        "lists": [
            {
                "prompt": row.prompt,
                "text": _help(row.text, row.prompt, row.example),
                "address": row.address,
                "parameters": [_asked(each) for each in row.asked if not each.at_prompt],
                "always": {each.name: each.at_prompt for each in row.asked if each.at_prompt},
                "columns": row.columns,
                "is_paged": row.is_paged,
            }
            for row in READINGS
            if row.prompt
        ],
        "reports": [
            {
                "prompt": f"report {row.name}",
                "text": _help(row.text, f"report {row.name}", row.example),
                "address": row.address,
                "parameters": [_asked(each) for each in row.asked],
            }
            for row in REPORTS
        ],
        "named_kinds": NAMED_KINDS,
    }


def _help(text: str, prompt: str, example: str) -> str:
    return f"{text}\n\n\b\nExamples:\n  ledger-node {prompt} {example}".rstrip()


def _asked(asked: Asked) -> Plain:
    """The option that a parameter of a query is."""
    return {
        "name": asked.name,
        "flag": asked.flag or f"--{asked.name}",
        "type": asked.choices or _choices(asked.hint) or "text",
        "required": asked.required,
        "default": None if asked.required else asked.default,
        "metavar": asked.metavar or None,
        "help": asked.text,
    }


def _choices(hint: Any) -> tuple[str, ...]:
    """All texts that a type allows, where it says them one by one."""
    arguments = typing.get_args(hint)
    if all(isinstance(part, str) for part in arguments):
        return arguments
    nested = [_choices(part) for part in arguments]
    return tuple(choice for choices in nested for choice in choices) if all(nested) else ()


def _write(operation: Operation) -> Plain:
    fields = request_body(operation).model_fields.items()
    return {
        "prompt": operation.prompt,
        "former": operation.former_prompts,
        "text": f"{operation.text}\n\n\b\nExamples:\n{_example(operation)}",
        "address": operation.address,
        "in_address": operation.in_address,
        "parameters": [
            *({"name": name, "flag": "", "many": False} for name in operation.in_address),
            *(
                {"name": name, "flag": "", "many": _is_list(field)}
                if name in operation.positional
                else _option(operation, name, field)
                for name, field in fields
            ),
        ],
    }


def _option(operation: Operation, name: str, field: FieldInfo) -> Plain:
    is_optional = not field.is_required() and not _is_list(field) and field.annotation is not bool
    return {
        "name": name,
        "flag": _flag(operation, name),
        "type": "flag" if field.annotation is bool else _kind(field.annotation),
        "many": _is_list(field),
        "required": field.is_required() and field.annotation is not bool,
        "default": field.default if is_optional else None,
        "help": SAID.get(f"{operation.command}.{name}") or SAID.get(name),
    }


def _flag(operation: Operation, name: str) -> str:
    """The option of a field, as it is typed."""
    return operation.flags.get(name) or f"--{name.removesuffix('_ids').removesuffix('_id').replace('_', '-')}"


def _kind(hint: Any) -> Any:
    """The type that is checked before anything is sent; texts and numbers are the API's to judge."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return arguments
    if typing.get_origin(hint) in (list, types.UnionType, typing.Union):
        return _kind(arguments[0])
    return "int" if hint is int else "text"


def _is_list(field: FieldInfo) -> bool:
    return typing.get_origin(field.annotation) is list


def _example(operation: Operation) -> str:
    words = ["ledger-node", operation.prompt, *(EXAMPLES.get(name, ID) for name in operation.in_address)]
    for name, field in request_body(operation).model_fields.items():
        if field.is_required():
            value = operation.example.get(name, EXAMPLES.get(name, ID))
            for part in value if isinstance(value, list) else [value]:
                text = shlex.quote(str(part))
                words.append(text if name in operation.positional else f"{_flag(operation, name)} {text}")
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
