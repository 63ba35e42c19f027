"""Rules of shipments: registering, taking the carrier's word, reporting events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Document, Invoice, Party, Shipment, ShipmentEvent, bodies
from chaincode.rules.days import require_begun
from chaincode.rules.documents import is_financed
from chaincode.rules.parties import require_different, require_new, require_party

EVENTS_PER_PARTY_MAX = 100
"""How many events of one shipment a party may report: a release check reads them all."""


def register(
    existing: Shipment | None,
    buyer: Party | None,
    carrier: Party | None,
    sender: str,
    body: bodies.RegisterShipment,
    day: str,
) -> Shipment:
    """Register a shipment of the sender's.

    Raises: Refusal: ID_TAKEN, SAME_PARTY, PARTY_UNKNOWN.
    """
    require_new(existing, body.shipment_id)
    require_different(sender, body.buyer, body.carrier)
    require_party(buyer, body.buyer, "buyer")
    require_party(carrier, body.carrier, "carrier")
    return Shipment(
        shipment_id=body.shipment_id,
        supplier=sender,
        buyer=body.buyer,
        carrier=body.carrier,
        carrier_accepted=False,
        reference_fingerprint=body.reference_fingerprint,
        day=day,
        invoice_ids=(),
    )


def accept_carrier(shipment: Shipment | None, sender: str, shipment_id: str) -> Shipment:
    """Take the carrier's word, as the shipment's buyer.

    Raises: Refusal: SHIPMENT_UNKNOWN, NOT_THE_BUYER, ALREADY_ACCEPTED.
    """
    found = require_shipment(shipment, shipment_id)
    if sender != found.buyer:
        raise Refusal(RefusalCode.NOT_THE_BUYER, f"only {found.buyer} can accept the carrier")
    if found.carrier_accepted:
        raise Refusal(RefusalCode.ALREADY_ACCEPTED, f"{found.carrier} is accepted already")
    return replace(found, carrier_accepted=True)


def record_event(
    shipment: Shipment,
    existing: ShipmentEvent | None,
    count: int,
    document: Document | None,
    sender: str,
    body: bodies.RecordShipmentEvent,
    day: str,
    latest_date: str,
) -> ShipmentEvent:
    """Report an event of a shipment. A supplier's event is kept and never counts as delivery.

    Args:
        existing: what stands under the event's id.
        count: how many events of the shipment the sender has reported.
        document: what stands under the body's document id, None also when it names none.
        latest_date: that has begun anywhere on Earth.

    Raises: Refusal: NOT_YOUR_SHIPMENT, ID_TAKEN, EVENT_IN_FUTURE, DOCUMENT_UNKNOWN, EVENTS_EXHAUSTED.
    """
    if sender not in (shipment.supplier, shipment.buyer, shipment.carrier):
        raise Refusal(RefusalCode.NOT_YOUR_SHIPMENT, f"{sender} has no part in this shipment")
    require_new(existing, body.event_id)
    require_begun(body.occurred_on, latest_date, RefusalCode.EVENT_IN_FUTURE)
    if body.document_id and document is None:
        raise Refusal(RefusalCode.DOCUMENT_UNKNOWN, f"there is no document {body.document_id}")
    if count >= EVENTS_PER_PARTY_MAX:
        raise Refusal(RefusalCode.EVENTS_EXHAUSTED, f"{sender} has reported {EVENTS_PER_PARTY_MAX} events already")
    return ShipmentEvent(
        shipment_id=body.shipment_id,
        event_id=body.event_id,
        party=sender,
        type=body.type,
        occurred_on=body.occurred_on,
        partial=body.partial,
        document_id=body.document_id,
        day=day,
        withdrawn_on="",
    )


def withdraw_event(
    event: ShipmentEvent | None,
    invoices: Sequence[Invoice],
    sender: str,
    body: bodies.WithdrawShipmentEvent,
    day: str,
) -> ShipmentEvent:
    """Take back an event that the sender has reported: it stays, and counts no more.

    Args:
        invoices: all that rest on the shipment.

    Raises: Refusal: EVENT_UNKNOWN, NOT_YOUR_EVENT, ALREADY_WITHDRAWN, SHIPMENT_FINANCED.
    """
    if event is None:
        raise Refusal(RefusalCode.EVENT_UNKNOWN, f"there is no event {body.event_id} of this shipment")
    if event.party != sender:
        raise Refusal(RefusalCode.NOT_YOUR_EVENT, f"only {event.party} can withdraw this event")
    if event.withdrawn_on:
        raise Refusal(RefusalCode.ALREADY_WITHDRAWN, f"the event was withdrawn on {event.withdrawn_on}")
    if any(is_financed(invoice) for invoice in invoices):
        raise Refusal(RefusalCode.SHIPMENT_FINANCED, "an invoice that rests on the shipment has been paid early")
    return replace(event, withdrawn_on=day)


def require_shipment(shipment: Shipment | None, shipment_id: str) -> Shipment:
    """Raises: Refusal: SHIPMENT_UNKNOWN."""
    if shipment is None:
        raise Refusal(RefusalCode.SHIPMENT_UNKNOWN, f"there is no shipment {shipment_id}")
    return shipment
