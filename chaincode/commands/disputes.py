"""Commands that take an invoice back before it is funded, clear it of being a duplicate, or split it."""

from __future__ import annotations

from chaincode.commands.context import Context, Result
from chaincode.commands.links import link, unlink
from chaincode.commands.owed import drop_notice, mark_claims, void_approval, write_invoice
from chaincode.records import Fingerprint, Invoice, Shipment, bodies, keys
from chaincode.rules import disputes, duplicates, fingerprints


async def dispute_invoice(context: Context, body: bodies.DisputeInvoice) -> Result:
    """Dispute an invoice; an approval is void with it."""
    before = await context.invoice(body.invoice_id)
    after = disputes.dispute(before, context.sender, body.reason_commitment, context.day)
    return await _take_back(context, before, after)


async def withdraw_approval(context: Context, body: bodies.WithdrawApproval) -> Result:
    """Take an approval back."""
    before = await context.invoice(body.invoice_id)
    return await _take_back(context, before, disputes.withdraw_approval(before, context.sender, context.day))


async def resolve_dispute(context: Context, body: bodies.ResolveDispute) -> Result:
    """End a dispute."""
    before = await context.invoice(body.invoice_id)
    return await _take_back(context, before, disputes.resolve(before, context.sender, body.outcome))


async def cancel_invoice(context: Context, body: bodies.CancelInvoice) -> Result:
    """Cancel an invoice: its claims, unless they are financed, are free for another."""
    before = await context.invoice(body.invoice_id)
    return await _take_back(context, before, disputes.cancel(before, context.sender))


async def _take_back(context: Context, before: Invoice, after: Invoice) -> Result:
    await void_approval(context, before)
    if after.status == "cancelled":
        await mark_claims(context, before, "cancelled")
        if not before.funded_on:  # what was paid early once keeps its evidence, bought back and cancelled or not
            await unlink(context, before)
        drop_notice(context, before)
    write_invoice(context, after)
    return {"invoice_id": after.invoice_id, "status": after.status}


async def clear_duplicate(context: Context, body: bodies.ClearDuplicate) -> Result:
    """Say that an invoice is no duplicate."""
    await context.require_two_persons()
    before = await context.invoice(body.invoice_id)
    claimed = await context.read_many(Fingerprint, fingerprints.claim_keys(before))
    write_invoice(context, duplicates.clear(before, claimed, context.sender, context.persons, body, context.day))
    return {"invoice_id": body.invoice_id}


async def split_invoice(context: Context, body: bodies.SplitInvoice) -> Result:
    """Split an invoice; its claims stand for its parts."""
    before = await context.invoice(body.invoice_id)
    taken = await context.read_many(Invoice, [keys.invoice(part.invoice_id) for part in body.parts])
    named = list(dict.fromkeys(name for part in body.parts for name in part.shipment_ids))
    found = await context.read_many(Shipment, [keys.shipment(name) for name in named])
    shipments = dict(zip(named, found, strict=True))
    whole, parts = duplicates.split(before, taken, shipments, context.sender, body, context.day)
    await mark_claims(context, whole, "split")
    await unlink(context, whole)
    write_invoice(context, whole)
    for part in parts:
        await link(context, part)
        write_invoice(context, part)
    return {"invoice_ids": [part.invoice_id for part in parts]}
