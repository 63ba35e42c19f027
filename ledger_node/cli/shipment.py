"""`ledger-node shipment`: register shipments, accept carriers, report what happens."""

from __future__ import annotations

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import Writer, emit_submission, fields, reads, writes
from ledger_node.cli.steps import Step, add_steps
from ledger_node.client import Client, segment

FIELDS = ("shipment_id", "supplier", "buyer", "carrier", "carrier_accepted", "day")


@click.group()
def command() -> None:
    """Shipments: register, accept-carrier, event, list, show."""


add_steps(
    command,
    "shipment",
    [
        Step(
            "withdraw-event",
            "/v1/shipments/{shipment_id}/events/{event_id}/withdrawal",
            "Take back what the own organisation has reported of a shipment.",
            [],
            ("shipment_id", "event_id"),
        )
    ],
)


@command.command()
@json_option
@writes
@click.option("--buyer", required=True, metavar="MSP", help="Who receives the goods.")
@click.option("--carrier", required=True, metavar="MSP", help="Who carries them.")
@click.option("--reference", required=True, help="The despatch advice's number, as the invoice names it.")
def register(buyer: str, carrier: str, reference: str, writer: Writer, as_json: bool) -> None:
    """Register a shipment, as its supplier.

    \b
    Examples:
      ledger-node shipment register --buyer BuyerMSP --carrier CarrierMSP --reference DESADV-4711
    """
    body = {"buyer": buyer, "carrier": carrier, "reference": reference}
    emit_submission(writer.post("/v1/shipments", body), as_json)


@command.command(name="accept-carrier")
@json_option
@writes
@click.argument("shipment_id")
def accept_carrier(shipment_id: str, writer: Writer, as_json: bool) -> None:
    """Take the word of the shipment's carrier, as its buyer.

    \b
    Examples:
      ledger-node shipment accept-carrier f9e8d7c6b5a493827160f5e4d3c2b1a0
    """
    emit_submission(writer.post(f"/v1/shipments/{segment(shipment_id)}/carrier-acceptance"), as_json)


@command.command()
@json_option
@writes
@click.argument("shipment_id")
@click.option(
    "--type", "kind", required=True, type=click.Choice(["picked_up", "in_transit", "delivered"]), help="What happened."
)
@click.option("--on", "occurred_on", required=True, metavar="YYYY-MM-DD", help="When.")
@click.option("--partial", is_flag=True, help="Only a part of the goods.")
@click.option("--document", "document_id", default="", help="Id of a document that shows it.")
def event(
    shipment_id: str, kind: str, occurred_on: str, partial: bool, document_id: str, writer: Writer, as_json: bool
) -> None:
    """Report what happened to a shipment, as its supplier, buyer or carrier.

    \b
    Examples:
      ledger-node shipment event f9e8d7c6b5a493827160f5e4d3c2b1a0 --type delivered --on 2026-11-22
    """
    body = {"type": kind, "occurred_on": occurred_on, "partial": partial, "document_id": document_id}
    emit_submission(writer.post(f"/v1/shipments/{segment(shipment_id)}/events", body), as_json)


@command.command(name="list")
@json_option
@reads
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
def list_shipments(page: int, client: Client, as_json: bool) -> None:
    """List the shipments on the ledger, the latest first.

    \b
    Examples:
      ledger-node shipment list
    """
    found = client.get("/v1/shipments", {"page": page})
    emit(found, as_json, table(found["items"], FIELDS))


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
    found = client.get(f"/v1/shipments/{segment(shipment_id)}")
    events = table(found["events"], ("type", "occurred_on", "party", "partial", "day"))
    emit(found, as_json, f"{fields(found, FIELDS)}\n\n{events}")
