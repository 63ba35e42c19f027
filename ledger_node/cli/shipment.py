"""`ledger-node shipment`: register shipments, accept carriers, report what happens."""

from __future__ import annotations

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations
from ledger_node.cli.rest import fields, identify, reads
from ledger_node.cli.shipment_submit import submit
from ledger_node.client import JSON, Client

FIELDS = ("shipment_id", "supplier", "buyer", "carrier", "carrier_accepted", "day")


@click.group()
def command() -> None:
    """Shipments: submit, register, accept-carrier, record-event, list, show, timeline."""


command.add_command(submit)


@command.command()
@json_option
@reads
@click.argument("shipment_id")
def show(shipment_id: str, client: Client, as_json: bool) -> None:
    """Show a shipment and what was reported of it.

    \b
    Examples:
      ledger-node shipment show f9e8d7c6b5a493827160f5e4d3c2b1a0
    """
    shipment = client.get(f"/v1/shipments/{identify(client, 'shipment_id', shipment_id)}")
    events = table(shipment["events"], ("type", "occurred_on", "party", "partial", "day"))
    emit(shipment, as_json, f"{_head(shipment)}\n\n{events}")


def _head(shipment: JSON) -> str:
    return fields(shipment | shipment["names"], (FIELDS[0], *shipment["names"], *FIELDS[1:]))


@command.command()
@json_option
@reads
@click.argument("shipment_id")
def timeline(shipment_id: str, client: Client, as_json: bool) -> None:
    """Show what happened to a shipment, in the order of the ledger.

    \b
    Examples:
      ledger-node shipment timeline f9e8d7c6b5a493827160f5e4d3c2b1a0
    """
    told = client.get(f"/v1/shipments/{identify(client, 'shipment_id', shipment_id)}/timeline")
    emit(told, as_json, table(told["items"], ("timestamp", "block_number", "msp_id", "what")))


add_operations(command, "shipment")
add_lists(command, "shipment")
