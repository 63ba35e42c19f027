"""Commands of evidence: documents, attestations, shipments. What completes the evidence also pays."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.commands.release import release
from chaincode.records import Document, Invoice, Shipment, ShipmentEvent, bodies, keys
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
    document = await context.read(Document, keys.document(body.document_id))
    submitter = await context.party(document.submitter) if document else None
    attestation = documents.attest(document, submitter, await context.own_party(), body, context.day)
    context.write(keys.attestation(body.document_id, context.sender), attestation)
    return {"released": await _release_linked(context, keys.document_links(body.document_id))}


async def revoke_document(context: Context, body: bodies.RevokeDocument) -> Result:
    """Take a document back, or let another one take its place."""
    key = keys.document(body.document_id)
    successor = await context.read(Document, keys.document(body.superseded_by)) if body.superseded_by else None
    resting = await _linked_invoices(context, keys.document_links(body.document_id))
    document = documents.revoke(await context.read(Document, key), successor, resting, context.sender, body)
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
    context.write(key, shipments.accept_carrier(await context.read(Shipment, key), context.sender, body.shipment_id))
    return {"released": await _release_linked(context, keys.shipment_links(body.shipment_id))}


async def record_shipment_event(context: Context, body: bodies.RecordShipmentEvent) -> Result:
    """Report a shipment's event, and pay what waited for it."""
    shipment = await context.read(Shipment, keys.shipment(body.shipment_id))
    events = await context.read_range(ShipmentEvent, keys.shipment_events(body.shipment_id))
    document = await context.read(Document, keys.document(body.document_id)) if body.document_id else None
    event = shipments.record_event(shipment, events, document, context.sender, body, context.day)
    context.write(keys.shipment_event(body.shipment_id, body.event_id), event)
    return {"released": await _release_linked(context, keys.shipment_links(body.shipment_id))}


async def withdraw_shipment_event(context: Context, body: bodies.WithdrawShipmentEvent) -> Result:
    """Take back a shipment's event, and pay what it stood in the way of."""
    key, links = keys.shipment_event(body.shipment_id, body.event_id), keys.shipment_links(body.shipment_id)
    shipment = await context.read(Shipment, keys.shipment(body.shipment_id))
    resting, reported = await _linked_invoices(context, links), await context.read(ShipmentEvent, key)
    context.write(key, shipments.withdraw_event(shipment, reported, resting, context.sender, body, context.day))
    return {"released": await _release_linked(context, links)}


async def _linked(context: Context, bounds: tuple[str, str]) -> list[str]:
    return [keys.last_part(key) for key in await context.read_index(bounds)]


async def _linked_invoices(context: Context, bounds: tuple[str, str]) -> list[Invoice]:
    found = await context.read_many(Invoice, [keys.invoice(name) for name in await _linked(context, bounds)])
    return [invoice for invoice in found if invoice]


async def _release_linked(context: Context, bounds: tuple[str, str]) -> list[str]:
    return await release(context, await _linked(context, bounds))
