"""Commands of credit notes, and of money that went astray."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.commands.owed import void_approval, write_invoice
from chaincode.records import CreditNote, Document, MisdirectedPayment, bodies, keys
from chaincode.rules import books, credit_notes


async def record_credit_note(context: Context, body: bodies.RecordCreditNote) -> Result:
    """Credit a part of an invoice; after funding that is a claim of the buyer on the supplier."""
    key = keys.credit_note(body.credit_note_id)
    before = await context.invoice(body.invoice_id)
    document = await context.read(Document, keys.document(body.document_id))
    existing = await context.read(CreditNote, key)
    after, note = credit_notes.credit(existing, before, document, context.sender, body, context.day)
    if note.status == "claimed":
        debit, credit = f"claim:{note.buyer}", f"owed:{note.supplier}"
        currency = before.facts.currency
        await context.post(books.obligation(note.invoice_id, currency, debit, credit, note.amount_minor, "credit_note"))
    else:
        await void_approval(context, before)
    write_invoice(context, after)
    context.write(key, note)
    return {"credit_note_id": note.credit_note_id, "status": note.status}


async def pay_claim(context: Context, body: bodies.PayClaim) -> Result:
    """Pay the buyer what a credit note after funding owes it."""
    key = keys.credit_note(body.credit_note_id)
    before = credit_notes.require_note(await context.read(CreditNote, key), body.credit_note_id)
    invoice = await context.invoice(before.invoice_id)
    after, note = credit_notes.pay_claim(before, invoice, context.sender, body.deposit)
    payee, payer, amount_minor = note.buyer, note.supplier, note.amount_minor
    await context.post(books.cash(body.deposit, payee, payer, amount_minor, "claim_paid", note.invoice_id))
    debit, credit, currency = f"owed:{payer}", f"claim:{payee}", after.facts.currency
    await context.post(books.obligation(note.invoice_id, currency, debit, credit, amount_minor, "discharge"))
    write_invoice(context, after)
    context.write(key, note)
    return {"credit_note_id": note.credit_note_id, "amount_minor": amount_minor}


async def report_misdirected_payment(context: Context, body: bodies.ReportMisdirectedPayment) -> Result:
    """Say that money went to somebody who is not the holder."""
    key = keys.misdirected(body.report_id)
    invoice = await context.invoice(body.invoice_id)
    existing = await context.read(MisdirectedPayment, key)
    after, report = credit_notes.report_misdirected(existing, invoice, context.sender, body, context.day)
    write_invoice(context, after)
    context.write(key, report)
    return {"report_id": report.report_id}
