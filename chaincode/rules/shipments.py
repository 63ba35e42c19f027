"""Rules of shipments: registering, taking the carrier's word. What is reported of them is in `reports`."""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Party, Shipment, bodies
from chaincode.rules.parties import require_different, require_new, require_party


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
        events_listed=True,
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


def require_shipment(shipment: Shipment | None, shipment_id: str) -> Shipment:
    """Raises: Refusal: SHIPMENT_UNKNOWN."""
    if shipment is None:
        raise no_shipment(shipment_id)
    return shipment


def no_shipment(shipment_id: str) -> Refusal:
    """That a command names one that does not exist."""
    return Refusal(RefusalCode.SHIPMENT_UNKNOWN, f"there is no shipment {shipment_id}")
