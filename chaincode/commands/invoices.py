"""Commands of an invoice: registering, approving, acknowledging to whom it is owed."""

from __future__ import annotations

from dataclasses import replace

from chaincode.commands.context import Context, Result
from chaincode.commands.links import link
from chaincode.commands.owed import drop_notice
from chaincode.commands.release import release
from chaincode.records import Document, Fingerprint, Invoice, Shipment, bodies, keys
from chaincode.rules import agreement, books, fingerprints, invoices, persons


async def register_invoice(context: Context, body: bodies.RegisterInvoice) -> Result:
    """Register an invoice and claim its fingerprints; a duplicate is recorded as one."""
    key = keys.invoice(body.invoice_id)
    document_ids = (*body.document_ids, *body.proof_ids)
    found_documents = await context.read_many(Document, [keys.document(name) for name in document_ids])
    found_shipments = await context.read_many(Shipment, [keys.shipment(name) for name in body.shipment_ids])
    supplier, buyer = await context.parties([context.sender, body.buyer])
    invoice = invoices.register(
        await context.read(Invoice, key),
        buyer,
        dict(zip(document_ids, found_documents, strict=True)),
        dict(zip(body.shipment_ids, found_shipments, strict=True)),
        context.sender,
        body,
        context.day,
    )
    assert supplier is not None and buyer is not None, "both were required to be parties"
    agreement.require_settled(supplier, buyer, body.facts.issue_date, context.day)
    await link(context, invoice)
    claim_keys = fingerprints.claim_keys(invoice)
    claimed, duplicate_of = fingerprints.claim(await context.read_many(Fingerprint, claim_keys), invoice)
    for claim_key, fingerprint in zip(claim_keys, claimed, strict=True):
        context.write(claim_key, fingerprint)
    context.write(key, replace(invoice, duplicate_of=duplicate_of))
    return {"invoice_id": body.invoice_id, "duplicate_of": duplicate_of}


async def approve_invoice(context: Context, body: bodies.ApproveInvoice) -> Result:
    """Undertake to pay an invoice; one that is complete with it is paid early."""
    key = keys.invoice(body.invoice_id)
    found = await context.read(Invoice, key)
    persons.require_for_approval(await context.own_party(), context.persons, body, found)
    reference_key = keys.buyer_reference(context.sender, body.buyer_reference)
    reference_used = await context.exists(reference_key)
    claimed = invoices.require_invoice(found, body.invoice_id)
    invoice = invoices.approve(claimed, reference_used, context.sender, context.persons, body, context.day)
    context.write(key, invoice)
    context.mark(reference_key)
    context.mark(keys.open_item(invoice.buyer, body.due_date, body.invoice_id))
    debit, credit = f"recv:{invoice.supplier}", f"pay:{invoice.buyer}"
    await context.post(books.obligation(body.invoice_id, body.currency, debit, credit, body.amount_minor, "approve"))
    return {"released": await release(context, [body.invoice_id])}


async def acknowledge_assignment(context: Context, body: bodies.AcknowledgeAssignment) -> Result:
    """Acknowledge to whom an invoice is owed."""
    key = keys.invoice(body.invoice_id)
    invoice = invoices.acknowledge(await context.invoice(body.invoice_id), context.sender, context.day)
    context.write(key, invoice)
    drop_notice(context, invoice)
    return {"invoice_id": body.invoice_id}
