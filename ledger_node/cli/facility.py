"""`ledger-node facility`: a financier's standing offers, and the suppliers it has accepted."""

from __future__ import annotations

import json
from typing import IO

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations, post
from ledger_node.cli.rest import Writer, writes
from ledger_node.errors import BadRequest


@click.group()
def command() -> None:
    """Facilities and supplier acceptances: open, list, accept-supplier, change, suspend, close, hold, limit."""


@command.command()
@json_option
@writes
@click.argument("facility_id")
@click.option(
    "--terms", required=True, type=click.File("rb"), help="JSON file with all terms, as the API's reference lists them."
)
def change(facility_id: str, terms: IO[bytes], writer: Writer, as_json: bool) -> None:
    """Give a facility other terms, whole, from the next day on, as its financier.

    \b
    Examples:
      ledger-node facility change c0ffee00c0ffee00c0ffee00c0ffee00 --terms terms.json
    """
    try:
        body = json.load(terms)
    except ValueError as error:
        from ledger_node.faults import not_json

        raise BadRequest(f"{terms.name} is not JSON: {not_json(error)}", "Write one JSON object.") from error
    post("facility change", writer, as_json, {"facility_id": facility_id}, body)


add_operations(command, "facility")
add_lists(command, "facility")
