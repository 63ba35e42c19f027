"""Commands of evidence: documents, attestations, shipments. What completes the evidence also pays."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.commands.links import linked, linked_invoices
from chaincode.commands.release import release
from chaincode.records import Document, Shipment, bodies, keys
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


async def _release_linked(context: Context, record: Document | Shipment) -> list[str]:
    return await release(context, await linked(context, record))
