"""What a file of transport events gives to report: the shipment that it names, its departures and deliveries."""

from __future__ import annotations

from typing import Any

from ledger_node.errors import BadRequest
from ledger_node.formats.facts import EventKind, TransportFacts

TYPES = {EventKind.DEPARTURE: "picked_up", EventKind.DELIVERY: "delivered"}


def shipment_named(facts: TransportFacts) -> str:
    """The one despatch advice or bill of lading that all events speak of.

    Raises: BadRequest when they name none, or several.
    """
    named = sorted({text for event in facts.events for text in event.shipment_references})
    if len(named) != 1:
        raise BadRequest(
            f"the file names {len(named)} shipments, not one: {', '.join(named[:5])}",
            "Register each one: ledger-node shipment register",
        )
    return named[0]


def reports(facts: TransportFacts, shipment_id: str) -> list[dict[str, Any]]:
    """Departures and deliveries as reports of a shipment, but for those that were taken back.

    Raises: BadRequest when there is none.
    """
    told = [event for event in facts.events if event.kind in TYPES]
    if not told:
        raise BadRequest("the file says of no departure and no delivery", "There is nothing to report.")
    about = {"shipment_id": shipment_id, "partial": False}
    return [about | {"type": TYPES[event.kind], "occurred_on": event.day} for event in told]
