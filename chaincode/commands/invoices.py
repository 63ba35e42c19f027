"""Commands of an invoice's life, and of the deposit money that settles it."""

from __future__ import annotations

from dataclasses import replace

from chaincode.commands.context import Context, Result
from chaincode.commands.release import release
from chaincode.records import Document, Facility, Fingerprint, Invoice, Shipment, bodies, keys
from chaincode.rules import books, deposits, facilities, fingerprints, invoices, persons


async def register_invoice(context: Context, body: bodies.RegisterInvoice) -> Result:
    """Register an invoice and claim its fingerprints; a duplicate is recorded as one."""
    key = keys.invoice(body.invoice_id)
    document_ids = (*body.document_ids, *body.proof_ids)
    found_documents = await context.read_many(Document, [keys.document(name) for name in document_ids])
    found_shipments = await context.read_many(Shipment, [keys.shipment(name) for name in body.shipment_ids])
    invoice = invoices.register(
        await context.read(Invoice, key),
        await context.party(body.buyer),
        dict(zip(document_ids, found_documents, strict=True)),
        dict(zip(body.shipment_ids, found_shipments, strict=True)),
        context.sender,
        body,
        context.day,
    )
    await _link(context, invoice)
    claim_keys = fingerprints.claim_keys(invoice)
    claimed, duplicate_of = fingerprints.claim(await context.read_many(Fingerprint, claim_keys), invoice)
    for claim_key, fingerprint in zip(claim_keys, claimed, strict=True):
        context.write(claim_key, fingerprint)
    context.write(key, replace(invoice, duplicate_of=duplicate_of))
    return {"invoice_id": body.invoice_id, "duplicate_of": duplicate_of}


async def _link(context: Context, invoice: Invoice) -> None:
    """Index the invoice under what it rests on, so that news of it finds the invoice."""
    for document_id in (*invoice.document_ids, *invoice.proof_ids):
        linked = await context.read_index(keys.document_links(document_id))
        invoices.require_links(len(linked), f"document {document_id}")
        context.mark(keys.document_link(document_id, invoice.invoice_id))
    for shipment_id in invoice.shipment_ids:
        linked = await context.read_index(keys.shipment_links(shipment_id))
        invoices.require_links(len(linked), f"shipment {shipment_id}")
        context.mark(keys.shipment_link(shipment_id, invoice.invoice_id))


async def approve_invoice(context: Context, body: bodies.ApproveInvoice) -> Result:
    """Undertake to pay an invoice; one that is complete with it is paid early."""
    persons.require_for_approval(await context.own_party(), context.persons, body)
    key = keys.invoice(body.invoice_id)
    reference_key = keys.buyer_reference(context.sender, body.buyer_reference)
    reference_used = await context.exists(reference_key)
    invoice = invoices.approve(await context.read(Invoice, key), reference_used, context.sender, body, context.day)
    context.write(key, invoice)
    context.mark(reference_key)
    context.mark(keys.open_item(invoice.buyer, body.due_date, body.invoice_id))
    debit, credit = f"recv:{invoice.supplier}", f"pay:{invoice.buyer}"
    await context.post(books.obligation(body.invoice_id, body.currency, debit, credit, body.amount_minor, "approve"))
    return {"released": await release(context, [body.invoice_id])}


async def acknowledge_assignment(context: Context, body: bodies.AcknowledgeAssignment) -> Result:
    """Acknowledge to whom an invoice is owed."""
    key = keys.invoice(body.invoice_id)
    invoice = invoices.acknowledge(await context.read(Invoice, key), context.sender, body.invoice_id, context.day)
    context.write(key, invoice)
    _drop_notice(context, invoice)
    return {"invoice_id": body.invoice_id}


def _drop_notice(context: Context, invoice: Invoice) -> None:
    if invoice.notice:
        context.delete(keys.unacknowledged(invoice.buyer, invoice.notice.day, invoice.invoice_id))


async def issue_deposit(context: Context, body: bodies.IssueDeposit) -> Result:
    """Issue deposit money."""
    await context.require_two_persons()
    credit_key = keys.booked_credit(context.sender, body.credit_reference)
    credit_used = await context.exists(credit_key)
    movement = deposits.issue(credit_used, await context.party(body.to), context.sender, body, context.day)
    await context.post(movement)
    context.mark(credit_key)
    return {"deposit": body.deposit, "to": body.to, "amount_minor": body.amount_minor}


async def settle_invoice(context: Context, body: bodies.SettleInvoice) -> Result:
    """Settle an invoice in full: money to its holder, and the facility's limits free again."""
    key = keys.invoice(body.invoice_id)
    invoice = invoices.settle(
        await context.read(Invoice, key), context.sender, body, context.day, context.transaction_id
    )
    payee, payer = invoice.holder, invoice.buyer
    await context.post(books.cash(body.deposit, payee, payer, body.amount_minor, "settle", body.invoice_id))
    debit, credit = f"pay:{invoice.buyer}", f"recv:{invoice.holder}"
    await context.post(
        books.obligation(body.invoice_id, invoice.facts.currency, debit, credit, body.amount_minor, "discharge")
    )
    context.write(key, invoice)
    context.delete(keys.open_item(invoice.buyer, invoice.facts.due_date, body.invoice_id))
    _drop_notice(context, invoice)
    await _free_limits(context, invoice)
    return {"holder": invoice.holder, "amount_minor": body.amount_minor}


async def _free_limits(context: Context, invoice: Invoice) -> None:
    if invoice.early_payment:
        key = keys.facility(invoice.early_payment.facility_id)
        offer = facilities.require_facility(await context.read(Facility, key), invoice.early_payment.facility_id)
        context.write(key, facilities.use(offer, invoice.supplier, -invoice.face_minor))
