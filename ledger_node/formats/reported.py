"""What a file of transport events gives to report: the shipment that it names, its departures and deliveries."""

from __future__ import annotations

from collections.abc import Callable
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


def reports(facts: TransportFacts, shipment_id: str, is_its: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Departures and deliveries as reports of a shipment, but for those that were taken back or are of others.

    What names no shipment at all is taken for its.

    Args:
        is_its: whether a reference is that of the shipment.

    Raises: BadRequest when there is none.
    """
    told = [event for event in facts.events if event.kind in TYPES]
    if not told:
        raise BadRequest("the file says of no departure and no delivery", "There is nothing to report.")
    own = [each for each in told if not each.shipment_references or any(map(is_its, each.shipment_references))]
    if not own:
        others = ", ".join(sorted({text for event in told for text in event.shipment_references})[:5])
        raise BadRequest(
            f"the file tells of {others}: none is the reference of the shipment {shipment_id}",
            "Name the shipment that the file tells of; what you know otherwise: ledger-node shipment record-event",
        )
    about = {"shipment_id": shipment_id, "partial": False}
    return [about | {"type": TYPES[event.kind], "occurred_on": event.day} for event in own]
