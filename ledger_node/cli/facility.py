"""`ledger-node facility`: a financier's standing offers, and the suppliers it has accepted."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import IO, Any

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations, options_of, post
from ledger_node.cli.rest import Writer, identify, writes
from ledger_node.client import JSON, Client, segment
from ledger_node.errors import BadRequest


@click.group()
def command() -> None:
    """Facilities and supplier acceptances: open, list, accept-supplier, change, suspend, close, hold, limit."""


@command.command()
@json_option
@writes
@click.argument("facility_id")
@click.option(
    "--terms", type=click.File("rb"), help="JSON file with all terms, as the API's reference lists them, instead."
)
@options_of("facility change")
def change(facility_id: str, terms: IO[bytes] | None, writer: Writer, as_json: bool, **given: Any) -> None:
    """Give a facility other terms from the next day on, as its financier: what is typed changes, all else stays.

    Terms that wait for the next day already are what is changed. A list that is typed takes the place of all of it.

    \b
    Examples:
      ledger-node facility change c0ffee00c0ffee00c0ffee00c0ffee00 --limit 750000.00
      ledger-node facility change c0ffee00c0ffee00c0ffee00c0ffee00 --terms terms.json
    """
    typed = {name: value for name, value in given.items() if value is not None and value != ()}
    if bool(terms) == bool(typed):
        raise BadRequest("say what to change, or --terms FILE", "ledger-node facility change --help shows both.")
    found = identify(writer.client, "facility_id", facility_id)
    body = _read(terms) if terms else _as_they_are(writer.client, found, given) | typed
    post("facility change", writer, as_json, {"facility_id": found}, body)


def _read(terms: IO[bytes]) -> JSON:
    try:
        body: JSON = json.load(terms)
    except ValueError as error:
        from ledger_node.faults import not_json

        raise BadRequest(f"{terms.name} is not JSON: {not_json(error)}", "Write one JSON object.") from error
    return body


def _as_they_are(client: Client, facility_id: str, names: Collection[str]) -> JSON:
    """The terms that count, or will from the next day on."""
    facility = client.get(f"/v1/facilities/{segment(facility_id)}")
    terms = facility["pending"]["terms"] if facility["pending"] else facility
    return {name: terms[name] for name in names}


add_operations(command, "facility")
add_lists(command, "facility")
