"""Commands of financiers, and of suppliers who ask them: acceptances, facilities, requests, funding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from chaincode.commands.context import Context, Result
from chaincode.commands.release import release
from chaincode.money import deposit_currency, deposit_issuer
from chaincode.records import BuyerLimit, Facility, Hold, Invoice, bodies, keys
from chaincode.rules import facilities, holds

INDEX_MAX = 100
"""How many facilities on a buyer, closed ones included, a financier's limit of it looks through."""


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
    context.mark(_index_key(facility))
    limit_key = keys.buyer_limit(facility.financier, facility.buyer, deposit_currency(facility.deposit))
    limit = await context.read(BuyerLimit, limit_key)
    if limit:
        counted = await _facilities(context, limit.facility_ids)
        context.write(limit_key, holds.join_limit(limit, counted, facility))
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
    for facility_id in body.facility_ids:
        context.delete(keys.decline(body.invoice_id, facility_id))
    return {"released": await release(context, [body.invoice_id])}


async def check_release(context: Context, body: bodies.CheckRelease) -> Result:
    """Run the release check again, for example when money or limits have arrived."""
    await context.invoices(body.invoice_ids)
    return {"released": await release(context, body.invoice_ids)}


async def change_facility(context: Context, body: bodies.ChangeFacility) -> Result:
    """Give a facility other terms from the next day on."""
    await context.require_two_persons()
    key = keys.facility(body.facility_id)
    suppliers = await context.parties(body.terms.suppliers)
    facility = facilities.change(
        await context.facility(body.facility_id), suppliers, context.sender, body, context.next_day
    )
    context.write(key, facility)
    return {"facility_id": body.facility_id, "from_day": facility.pending and facility.pending.from_day}


async def suspend_facility(context: Context, body: bodies.SuspendFacility) -> Result:
    """Suspend a facility."""
    return await _set_status(context, body.facility_id, "suspended")


async def resume_facility(context: Context, body: bodies.ResumeFacility) -> Result:
    """End a facility's suspension."""
    return await _set_status(context, body.facility_id, "open")


async def close_facility(context: Context, body: bodies.CloseFacility) -> Result:
    """Close a facility for good."""
    result = await _set_status(context, body.facility_id, "closed")
    facility = await context.facility(body.facility_id)
    if facility and not facility.used_minor:
        context.delete(_index_key(facility))
    return result


def _index_key(facility: Facility) -> str:
    currency = deposit_currency(facility.deposit)
    return keys.facility_on(facility.financier, facility.buyer, currency, facility.facility_id)


async def _set_status(context: Context, facility_id: str, status: Literal["open", "suspended", "closed"]) -> Result:
    facility = await context.facility(facility_id)
    context.write(keys.facility(facility_id), facilities.set_status(facility, context.sender, facility_id, status))
    return {"facility_id": facility_id, "status": status}


async def hold_funding(context: Context, body: bodies.HoldFunding) -> Result:
    """Stop all the sender's funding that a party has a part in."""
    key = keys.hold(context.sender, body.msp_id)
    party = await context.party(body.msp_id)
    context.write(key, holds.hold(await context.read(Hold, key), party, context.sender, body, context.day))
    return {"msp_id": body.msp_id}


async def lift_hold(context: Context, body: bodies.LiftHold) -> Result:
    """End a hold."""
    key = keys.hold(context.sender, body.msp_id)
    holds.require_held(await context.read(Hold, key), body.msp_id)
    context.delete(key)
    return {"msp_id": body.msp_id}


async def set_buyer_limit(context: Context, body: bodies.SetBuyerLimit) -> Result:
    """Bound what the sender takes of a buyer."""
    await context.require_two_persons()
    key = keys.buyer_limit(context.sender, body.buyer, body.currency)
    named = await context.read_many(Facility, [keys.facility(name) for name in body.facility_ids])
    before = await context.read(BuyerLimit, key)
    existing = holds.limit_on(before, context.day) if before else None
    bounds = keys.facilities_on(context.sender, body.buyer, body.currency)
    indexed = [keys.last_part(one) for one in await context.read_index(bounds, limit=INDEX_MAX)]
    others = await _facilities(context, [*indexed, *(existing.facility_ids if existing else ())])
    limit = holds.limit_buyer(existing, named, others, context.sender, body, context.day, context.next_day)
    context.write(key, limit)
    from_day = limit.pending.from_day if limit.pending else context.day
    return {"buyer": body.buyer, "currency": body.currency, "from_day": from_day}


async def _facilities(context: Context, facility_ids: Sequence[str]) -> list[Facility]:
    found = await context.read_many(Facility, [keys.facility(name) for name in facility_ids])
    return [one for one in found if one]
