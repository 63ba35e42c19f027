"""Commands of financiers, and of suppliers who ask them: acceptances, facilities, requests, funding."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.commands.release import check, pay, read_request, release
from chaincode.errors import Refusal, RefusalCode
from chaincode.money import deposit_issuer
from chaincode.records import Facility, Invoice, bodies, keys
from chaincode.rules import facilities
from chaincode.rules.invoices import require_invoice


async def accept_supplier(context: Context, body: bodies.AcceptSupplier) -> Result:
    """Take a supplier on."""
    await context.require_two_persons()
    supplier = await context.party(body.supplier)
    acceptance = facilities.accept_supplier(supplier, context.sender, body, context.day)
    context.write(keys.acceptance(context.sender, body.supplier), acceptance)
    return {"supplier": body.supplier}


async def open_facility(context: Context, body: bodies.OpenFacility) -> Result:
    """Open a facility."""
    await context.require_two_persons()
    key = keys.facility(body.facility_id)
    named = [body.buyer, deposit_issuer(body.deposit), *body.suppliers]
    buyer, issuer, *suppliers = await context.parties(named)
    existing = await context.read(Facility, key)
    facility = facilities.open_facility(existing, buyer, suppliers, issuer, context.sender, body, context.day)
    context.write(key, facility)
    return {"facility_id": body.facility_id}


async def request_early_payment(context: Context, body: bodies.RequestEarlyPayment) -> Result:
    """Offer an invoice, or all, to facilities; one that is complete already is paid."""
    invoice = await context.read(Invoice, keys.invoice(body.invoice_id)) if body.invoice_id else None
    offers = await context.read_many(Facility, [keys.facility(name) for name in body.facility_ids])
    request = facilities.request(invoice, offers, context.sender, body, context.day)
    if invoice is None:
        context.write(keys.standing_request(context.sender), request)
        return {"released": []}
    context.write(keys.request(body.invoice_id), request)
    return {"released": await release(context, [body.invoice_id])}


async def check_release(context: Context, body: bodies.CheckRelease) -> Result:
    """Run the release check again, for example when money or limits have arrived."""
    found = await context.read_many(Invoice, [keys.invoice(name) for name in body.invoice_ids])
    for invoice_id, invoice in zip(body.invoice_ids, found, strict=True):
        require_invoice(invoice, invoice_id)
    return {"released": await release(context, body.invoice_ids)}


async def fund_invoice(context: Context, body: bodies.FundInvoice) -> Result:
    """Decide to fund an invoice: the last piece where a facility is not automatic."""
    invoice = require_invoice(await context.read(Invoice, keys.invoice(body.invoice_id)), body.invoice_id)
    offer = await context.read(Facility, keys.facility(body.facility_id))
    request = await read_request(context, invoice)
    facilities.require_decision(invoice, offer, request, context.sender, body.facility_id)
    assessment = await check(context, invoice, decided=body.facility_id)
    if not assessment.releasable:
        raise Refusal(RefusalCode.NOT_RELEASABLE, assessment.failing())
    await pay(context, invoice, assessment)
    return {"released": [body.invoice_id]}
