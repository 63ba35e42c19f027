"""`ledger-node shipment submit`: a file of transport events becomes a shipment, or what is reported of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.rest import Writer, emit_submission, identify, writes
from ledger_node.cli.submitting import base_key, post, upload
from ledger_node.client import JSON
from ledger_node.errors import BadRequest

if TYPE_CHECKING:
    from ledger_node.formats import TransportFacts


@click.command()
@json_option
@writes
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--buyer", default="", help="The buyer's MSP id, to register the shipment that the file names.")
@click.option("--carrier", default="", help="The carrier's MSP id, with --buyer.")
@click.option("--shipment", "shipment_id", default="", metavar="ID", help="To report what the file says of this one.")
@click.option("--entitled", multiple=True, metavar="MSP", help="Who else may fetch and attest the file; repeat.")
def submit(
    file: Path,
    buyer: str,
    carrier: str,
    shipment_id: str,
    entitled: tuple[str, ...],
    writer: Writer,
    as_json: bool,
) -> None:
    """Upload transport events and say what they say: as the supplier a shipment, else its events.

    What the file is, its content tells: EPCIS 2.0 (JSON or XML), DCSA Track & Trace 2.2 or 3.0, a DCSA eBL envelope, or
    a UBL despatch advice, which says that the goods left.

    With --buyer and --carrier the one shipment that the file names is registered. With --shipment its departures and
    deliveries are reported, all of them or none, but for those that were taken back; the file is their proof.

    \b
    Examples:
      ledger-node shipment submit events.json --buyer BuyerMSP --carrier CarrierMSP --entitled FinancierMSP
      ledger-node shipment submit events.json --shipment f9e8d7c6b5a493827160f5e4d3c2b1a0 --entitled BuyerMSP
    """
    from ledger_node.formats import TransportFacts, read_facts

    if bool(shipment_id) == bool(buyer and carrier) or bool(buyer) != bool(carrier):
        raise BadRequest("say --buyer and --carrier, or --shipment", "ledger-node shipment submit --help shows both.")
    facts = read_facts("transport_events", "", file)
    assert isinstance(facts, TransportFacts)
    shipment_id = identify(writer.client, "shipment_id", shipment_id)
    who = tuple(sorted({*entitled, *filter(None, (buyer, carrier))}))
    said = {"buyer": buyer, "carrier": carrier, "shipment": shipment_id, "entitled": who, "kind": "events"}
    told = _reports(facts, shipment_id) if shipment_id else []
    registration = {"buyer": buyer, "carrier": carrier, "reference": "" if shipment_id else _reference(facts)}
    key = base_key(writer, file, said)
    uploaded = upload(writer, key, file, "transport_events", who)
    if shipment_id:
        events = {"events": [event | {"document_id": uploaded["record_id"]} for event in told]}
        emit_submission(post(writer, key, "events", "/v1/shipment-events", events, uploaded), as_json)
    else:
        emit_submission(post(writer, key, "shipment", "/v1/shipments", registration, uploaded), as_json)


def _reference(facts: TransportFacts) -> str:
    """The one despatch advice or bill of lading that all events speak of."""
    named = sorted({text for event in facts.events for text in event.shipment_references})
    if len(named) != 1:
        raise BadRequest(
            f"the file names {len(named)} shipments, not one: {', '.join(named[:5])}",
            "Register each one: ledger-node shipment register",
        )
    return named[0]


def _reports(facts: TransportFacts, shipment_id: str) -> list[JSON]:
    from ledger_node.formats import EventKind

    types = {EventKind.DEPARTURE: "picked_up", EventKind.DELIVERY: "delivered"}
    told = [event for event in facts.events if event.kind in types]
    if not told:
        raise BadRequest("the file says of no departure and no delivery", "There is nothing to report.")
    about = {"shipment_id": shipment_id, "partial": False}
    return [about | {"type": types[event.kind], "occurred_on": event.time[:10]} for event in told]
