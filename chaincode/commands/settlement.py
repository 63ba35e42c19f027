"""Commands by which an invoice is paid or not: settled, paid early by the buyer, overdue, written off, recovered."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.commands.owed import discharge, write_invoice
from chaincode.records import DiscountOffer, Founding, Invoice, bodies, keys
from chaincode.records.books import Step
from chaincode.rules import books, sealing, settlement


async def settle_invoice(context: Context, body: bodies.SettleInvoice) -> Result:
    """Pay an invoice, or a part of it, to its holder."""
    before = await context.invoice(body.invoice_id)
    after = settlement.settle(before, context.sender, body, context.day, context.transaction_id)
    return await _paid(context, before, after, body.deposit, body.amount_minor, "settle")


async def record_recovery(context: Context, body: bodies.RecordRecovery) -> Result:
    """Pay what was written off, or a part of it, to the holder."""
    before = await context.invoice(body.invoice_id)
    after = settlement.recover(before, context.sender, body, context.day, context.transaction_id)
    return await _paid(context, before, after, body.deposit, body.amount_minor, "recovery")


async def _paid(
    context: Context, before: Invoice, after: Invoice, deposit: str, amount_minor: int, step: Step
) -> Result:
    payee, payer = before.holder, before.buyer
    await context.post(books.cash(deposit, payee, payer, amount_minor, step, before.invoice_id))
    await discharge(context, before, amount_minor, "discharge", "recv_wo" if step == "recovery" else "recv")
    write_invoice(context, after)
    return {"holder": payee, "amount_minor": amount_minor, "status": after.status}


async def record_paid_outside(context: Context, body: bodies.RecordPaidOutside) -> Result:
    """Confirm a payment outside the ledger."""
    before = await context.invoice(body.invoice_id)
    after = settlement.paid_outside(before, context.sender, body)
    await context.require_two_persons_above(before.facts.currency, body.amount_minor)
    await discharge(context, before, body.amount_minor, "paid_outside")
    write_invoice(context, after)
    return {"invoice_id": body.invoice_id, "status": after.status}


async def offer_discount(context: Context, body: bodies.OfferDiscount) -> Result:
    """Offer the buyer a discount."""
    invoice = await context.invoice(body.invoice_id)
    named = [invoice.supplier, invoice.buyer] if body.sealed else []
    readers = dict(zip(named, await context.parties(named), strict=True))
    privacy = sealing.privacy_of(await context.read(Founding, keys.FOUNDING))
    offer = settlement.offer_discount(invoice, context.sender, body, context.day, privacy, readers)
    context.write(keys.discount_offer(body.invoice_id), offer)
    return {"invoice_id": body.invoice_id}


async def pay_early(context: Context, body: bodies.PayEarly) -> Result:
    """Pay an invoice early out of the buyer's own cash."""
    before = await context.invoice(body.invoice_id)
    offer = await context.read(DiscountOffer, keys.discount_offer(body.invoice_id))
    after, shown, quote = settlement.pay_early(before, offer, context.sender, body, context.day, context.transaction_id)
    if shown != offer:
        context.write(keys.discount_offer(body.invoice_id), shown)
    await context.post(
        books.cash(body.deposit, before.supplier, before.buyer, quote.net_minor, "early_payment", before.invoice_id)
    )
    await discharge(context, before, before.open_face_minor, "discharge")
    write_invoice(context, after)
    return {"net_minor": quote.net_minor, "discount_minor": quote.discount_minor}


async def mark_overdue(context: Context, body: bodies.MarkOverdue) -> Result:
    """Say that due dates have passed."""
    for invoice in await context.invoices(body.invoice_ids):
        facility = await context.facility(invoice.early_payment.facility_id) if invoice.early_payment else None
        write_invoice(context, settlement.mark_overdue(invoice, facility, context.day))
    return {"invoice_ids": list(body.invoice_ids)}


async def extend_due_date(context: Context, body: bodies.ExtendDueDate) -> Result:
    """Give the buyer more time."""
    before = await context.invoice(body.invoice_id)
    after = settlement.extend_due_date(before, context.sender, body, context.day)
    context.delete(keys.open_item(before.buyer, before.due_date, before.invoice_id))
    context.mark(keys.open_item(after.buyer, after.due_date, after.invoice_id))
    write_invoice(context, after)
    return {"due_date": after.due_date, "status": after.status}


async def write_off(context: Context, body: bodies.WriteOff) -> Result:
    """Write off an overdue amount."""
    await context.require_two_persons()
    before = await context.invoice(body.invoice_id)
    after = settlement.write_off(before, context.sender, body)
    debit, credit = f"recv_wo:{after.holder}", f"recv:{after.holder}"
    currency = after.facts.currency
    await context.post(books.obligation(body.invoice_id, currency, debit, credit, body.amount_minor, "write_off"))
    write_invoice(context, after)
    return {"written_off_minor": after.written_off_minor, "status": after.status}
