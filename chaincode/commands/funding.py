"""Commands of a financier's decision on an invoice, in one step or two, and of an early payment that is taken back."""

from __future__ import annotations

from dataclasses import replace

from chaincode.commands.context import Context, Result
from chaincode.commands.owed import drop_notice, free_limits, write_invoice
from chaincode.commands.release import check, pay, read_request
from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Consent, Invoice, Reservation, bodies, keys
from chaincode.records.books import Step
from chaincode.rules import books, facilities, funding, reassignment
from chaincode.rules.invoices import require_unreserved
from chaincode.rules.release import Assessment


async def fund_invoice(context: Context, body: bodies.FundInvoice) -> Result:
    """Decide to fund an invoice: the last piece, or above the facility's threshold the first of two steps."""
    invoice = await context.invoice(body.invoice_id)
    offer = await context.facility(body.facility_id)
    request = await read_request(context, invoice)
    facility = facilities.require_decision(invoice, offer, request, context.sender, body.facility_id)
    require_unreserved(invoice)
    assessment = await _releasable(context, invoice, body.facility_id)
    if not funding.needs_two_steps(invoice, facility):
        await context.require_two_persons_above(invoice.facts.currency, invoice.open_face_minor)
        await pay(context, invoice, assessment)
        return {"released": [body.invoice_id]}
    assert assessment.quote, "what is releasable has a quote"
    own = await context.own_party()
    reservation = funding.reserve(invoice, facility, own, assessment.quote, context.persons, context.day)
    reserved, payer = f"reserved:{facility.financier}", books.cash_name(facility.financier, facility.deposit)
    net_minor = reservation.net_minor
    await context.post(books.transfer(facility.deposit, reserved, payer, net_minor, "reserve", body.invoice_id))
    write_invoice(context, replace(invoice, reservation=reservation))
    return {"released": [], "reserved_minor": net_minor, "expires_on": reservation.expires_on}


async def post_funding(context: Context, body: bodies.PostFunding) -> Result:
    """Pay what another person has set aside, if all seven classes hold as before."""
    invoice = await context.invoice(body.invoice_id)
    reservation = funding.require_post(invoice, await context.own_party(), context.persons, context.day)
    assessment = await _releasable(context, invoice, reservation.facility_id)
    await pay(context, invoice, assessment)
    return {"released": [body.invoice_id]}


async def _releasable(context: Context, invoice: Invoice, facility_id: str) -> Assessment:
    assessment = await check(context, invoice, decided=facility_id)
    if not assessment.releasable:
        raise Refusal(RefusalCode.NOT_RELEASABLE, assessment.failing())
    return assessment


async def void_funding(context: Context, body: bodies.VoidFunding) -> Result:
    """Take back what is set aside."""
    after, reservation = funding.void(await context.invoice(body.invoice_id), context.sender)
    await _give_back(context, after, reservation, "void")
    return {"invoice_id": body.invoice_id}


async def expire_funding(context: Context, body: bodies.ExpireFunding) -> Result:
    """Give back what was set aside and not paid in time."""
    for invoice in await context.invoices(body.invoice_ids):
        after, reservation = funding.expire(invoice, context.day)
        await _give_back(context, after, reservation, "expire")
    return {"invoice_ids": list(body.invoice_ids)}


async def _give_back(context: Context, after: Invoice, reservation: Reservation, step: Step) -> None:
    reserved = f"reserved:{reservation.financier}"
    payer = books.cash_name(reservation.financier, reservation.deposit)
    net_minor = reservation.net_minor
    await context.post(books.transfer(reservation.deposit, payer, reserved, net_minor, step, after.invoice_id))
    write_invoice(context, after)


async def decline_early_payment(context: Context, body: bodies.DeclineEarlyPayment) -> Result:
    """Say no to an invoice."""
    invoice = await context.invoice(body.invoice_id)
    offer = await context.facility(body.facility_id)
    request = await read_request(context, invoice)
    decline = funding.decline(invoice, offer, request, context.sender, body, context.day)
    context.write(keys.decline(body.invoice_id, body.facility_id), decline)
    return {"invoice_id": body.invoice_id}


async def repurchase(context: Context, body: bodies.Repurchase) -> Result:
    """Buy an invoice back."""
    before = await context.invoice(body.invoice_id)
    payment = before.early_payment
    offer = await context.facility(payment.facility_id) if payment else None
    after, price_minor = reassignment.repurchase(before, offer, context.sender, body, context.day)
    await context.post(
        books.cash(body.deposit, before.holder, before.supplier, price_minor, "repurchase", before.invoice_id)
    )
    await _return(context, before, after)
    return {"price_minor": price_minor}


async def unwind(context: Context, body: bodies.Unwind) -> Result:
    """Consent to take an early payment back, and do so with the second side's consent."""
    key = keys.unwind(body.invoice_id)
    before = await context.invoice(body.invoice_id)
    after = reassignment.unwind(before, await context.read(Consent, key), context.sender, context.day)
    if isinstance(after, Consent):
        context.write(key, after)
        return {"unwound": False}
    payment = before.early_payment
    assert payment is not None, "the rules have refused what was not paid early"
    net_minor, payee, payer = payment.net_minor, before.holder, before.supplier
    await context.post(books.cash(payment.deposit, payee, payer, net_minor, "unwind", before.invoice_id))
    await _return(context, before, after)
    return {"unwound": True}


async def _return(context: Context, before: Invoice, after: Invoice) -> None:
    """Assign the receivable back to the supplier, with a notice to the buyer."""
    debit, credit = f"recv:{before.supplier}", f"recv:{before.holder}"
    currency, face_minor = before.facts.currency, before.open_face_minor
    await context.post(books.obligation(before.invoice_id, currency, debit, credit, face_minor, "reassignment"))
    await free_limits(context, before, face_minor)
    drop_notice(context, before)
    context.mark(keys.unacknowledged(after.buyer, context.day, after.invoice_id))
    context.delete(keys.unwind(after.invoice_id))
    write_invoice(context, after)
