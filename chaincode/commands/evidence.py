"""Commands of evidence: documents, attestations, shipments. What completes the evidence also pays."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.commands.links import linked, linked_invoices
from chaincode.commands.release import release
from chaincode.records import Document, EventCount, Reported, Shipment, ShipmentEvent, bodies, keys
from chaincode.rules import documents, shipments


async def register_document(context: Context, body: bodies.RegisterDocument) -> Result:
    """Register a document."""
    key = keys.document(body.document_id)
    existing = await context.read(Document, key)
    entitled = await context.parties(body.entitled)
    context.write(key, documents.register(existing, entitled, context.sender, body, context.day))
    return {"document_id": body.document_id}


async def attest_document(context: Context, body: bodies.AttestDocument) -> Result:
    """Attest a document, and pay what waited for it."""
    found = await context.read(Document, keys.document(body.document_id))
    document = documents.require_document(found, body.document_id)
    submitter = await context.party(document.submitter)
    attestation = documents.attest(document, submitter, await context.own_party(), body, context.day)
    context.write(keys.attestation(body.document_id, context.sender), attestation)
    return {"released": await _release_linked(context, document)}


async def revoke_document(context: Context, body: bodies.RevokeDocument) -> Result:
    """Take a document back, or let another one take its place."""
    key = keys.document(body.document_id)
    successor = await context.read(Document, keys.document(body.superseded_by)) if body.superseded_by else None
    found = documents.require_document(await context.read(Document, key), body.document_id)
    resting = await linked_invoices(context, found)
    document = documents.revoke(found, successor, resting, context.sender, body)
    context.write(key, document)
    return {"status": document.status}


async def register_shipment(context: Context, body: bodies.RegisterShipment) -> Result:
    """Register a shipment."""
    key = keys.shipment(body.shipment_id)
    existing = await context.read(Shipment, key)
    buyer, carrier = await context.parties([body.buyer, body.carrier])
    context.write(key, shipments.register(existing, buyer, carrier, context.sender, body, context.day))
    return {"shipment_id": body.shipment_id}


async def accept_carrier(context: Context, body: bodies.AcceptCarrier) -> Result:
    """Take the carrier's word, and pay what waited for it."""
    key = keys.shipment(body.shipment_id)
    shipment = shipments.accept_carrier(await context.read(Shipment, key), context.sender, body.shipment_id)
    context.write(key, shipment)
    return {"released": await _release_linked(context, shipment)}


async def record_shipment_event(context: Context, body: bodies.RecordShipmentEvent) -> Result:
    """Report a shipment's event, and pay what waited for it; a delivery told twice is answered with the first."""
    key, count_key = keys.shipment_event(body.shipment_id, body.event_id), _count_key(context, body.shipment_id)
    found = await context.read(Shipment, keys.shipment(body.shipment_id))
    shipment = shipments.require_shipment(found, body.shipment_id)
    existing = await context.read(ShipmentEvent, key)
    count = await _count_events(context, shipment)
    document = await context.read(Document, keys.document(body.document_id)) if body.document_id else None
    report_key = _report_key(context, body)
    reported = await context.read(Reported, report_key) if report_key else None
    further = 0 if reported else count
    days = context.day, context.latest_date
    event = shipments.record_event(shipment, existing, further, document, context.sender, body, *days)
    if reported:
        return {"event_id": reported.event_id, "released": []}
    context.write(key, event)
    context.write(count_key, EventCount(count + 1))
    if report_key:
        context.write(report_key, Reported(event.event_id))
    return {"event_id": event.event_id, "released": await _release_linked(context, shipment)}


def _report_key(context: Context, said: bodies.RecordShipmentEvent | ShipmentEvent) -> str:
    """Empty for what may happen more than once on a day."""
    if said.type != "delivered":
        return ""
    return keys.delivery_report(said.shipment_id, context.sender, said.occurred_on, said.partial, said.document_id)


def _count_key(context: Context, shipment_id: str) -> str:
    return keys.event_count(shipment_id, context.sender)


async def _count_events(context: Context, shipment: Shipment) -> int:
    """How many events the sender has reported; an older ledger has not counted them."""
    counted = await context.read(EventCount, _count_key(context, shipment.shipment_id))
    if counted or shipment.invoice_ids is not None:
        return counted.count if counted else 0
    events = await context.read_range(ShipmentEvent, keys.shipment_events(shipment.shipment_id))
    return sum(event.party == context.sender for event in events)


async def withdraw_shipment_event(context: Context, body: bodies.WithdrawShipmentEvent) -> Result:
    """Take back a shipment's event, and pay what it stood in the way of."""
    key = keys.shipment_event(body.shipment_id, body.event_id)
    found = await context.read(Shipment, keys.shipment(body.shipment_id))
    shipment = shipments.require_shipment(found, body.shipment_id)
    resting, reported = await linked_invoices(context, shipment), await context.read(ShipmentEvent, key)
    withdrawn = shipments.withdraw_event(reported, resting, context.sender, body, context.day)
    context.write(key, withdrawn)
    report_key = _report_key(context, withdrawn)
    if report_key and await context.read(Reported, report_key) == Reported(body.event_id):
        context.delete(report_key)
    return {"released": await _release_linked(context, shipment)}


async def _release_linked(context: Context, record: Document | Shipment) -> list[str]:
    return await release(context, await linked(context, record))
