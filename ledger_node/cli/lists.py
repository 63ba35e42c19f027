"""Lists at the prompt, made from the rows of `operations.readings`: a table, or the API's answer with `--json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import identify, reads
from ledger_node.client import JSON, Client
from ledger_node.operations.asked import Asked
from ledger_node.operations.readings import READINGS, Reading

PAGE = click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")


def add_lists(group: click.Group, title: str) -> None:
    """Add the lists of a group.

    Args:
        group: such as `ledger-node invoice`.
        title: how the group is typed.
    """
    for reading in READINGS:
        of, _, word = reading.prompt.partition(" ")
        if of == title:
            group.add_command(_command(reading, word))


def help_text(text: str, prompt: str, example: str) -> str:
    """What the help says of a list or a report."""
    return f"{text}\n\n\b\nExamples:\n  ledger-node {prompt} {example}".rstrip()


def option(asked: Asked) -> Callable[[Any], Any]:
    """The option that a parameter of a query is at the prompt."""
    choices = asked.choices or _choices(asked.hint)
    return click.option(
        asked.flag or f"--{asked.name}",
        asked.name,
        type=click.Choice(choices) if choices else str,
        required=asked.required,
        default=None if asked.required else asked.default,
        show_default=bool(asked.default),
        metavar=asked.metavar or None,
        help=asked.text,
    )


def _flat(row: JSON) -> JSON:
    """A record with its names as columns, and in words whom it waits for and what is expected."""
    flat: JSON = {**row, **row.get("names", {})}
    if row.get("waits") is not None:
        coming = row["expected"]
        flat["waits"] = "; ".join(
            f"{each['for']} since {each['since'][:10]}: {','.join(each['reasons'])}" for each in row["waits"]
        )
        flat["expected"] = f"{coming['day']} {coming['amount']} {coming['what']}".lstrip() if coming else ""
    return flat


def _choices(hint: Any) -> tuple[str, ...]:
    """All texts that a type allows, where it says them one by one."""
    arguments = get_args(hint)
    if all(isinstance(part, str) for part in arguments):
        return arguments
    nested = [_choices(part) for part in arguments]
    return tuple(choice for choices in nested for choice in choices) if all(nested) else ()


def _command(reading: Reading, word: str) -> click.Command:
    @json_option
    @reads
    def run(client: Client, as_json: bool, **query: Any) -> None:
        if query.get("invoice_id"):
            query["invoice_id"] = identify(client, "invoice_id", query["invoice_id"])
        query |= {asked.name: asked.at_prompt for asked in reading.asked if asked.at_prompt}
        answer = client.get(reading.address, query)
        emit(answer, as_json, table([_flat(row) for row in answer["items"]], reading.columns))

    run.__doc__ = help_text(reading.text, reading.prompt, reading.example)
    made: click.Command = click.command(name=word)(run)
    for asked in reading.asked:
        if not asked.at_prompt:
            option(asked)(made)
    return PAGE(made) if reading.is_paged else made
