"""Lists at the prompt, made from the rows of `operations.readings`: a table, or the API's answer with `--json`."""

from __future__ import annotations

from typing import Any

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.prompts import parameter, prompts
from ledger_node.cli.rest import identify, reads
from ledger_node.client import JSON, Client

PAGE = click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")


def add_lists(group: click.Group, title: str) -> None:
    """Add the lists of a group.

    Args:
        group: such as `ledger-node invoice`.
        title: how the group is typed.
    """
    for reading in prompts()["lists"]:
        of, _, word = reading["prompt"].partition(" ")
        if of == title:
            group.add_command(_command(reading, word))


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


def _command(reading: JSON, word: str) -> click.Command:
    @json_option
    @reads
    def run(client: Client, as_json: bool, **query: Any) -> None:
        if query.get("invoice_id"):
            query["invoice_id"] = identify(client, "invoice_id", query["invoice_id"])
        answer = client.get(reading["address"], query | reading["always"])
        emit(answer, as_json, table([_flat(row) for row in answer["items"]], reading["columns"]))

    run.__doc__ = reading["text"]
    made: click.Command = click.command(name=word)(run)
    for described in reading["parameters"]:
        parameter(described)(made)
    return PAGE(made) if reading["is_paged"] else made
