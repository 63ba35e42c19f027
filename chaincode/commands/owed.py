"""What several commands do to an invoice that is, or was, owed: its obligations, indexes, limits and claims."""

from __future__ import annotations

from chaincode.commands.context import Context
from chaincode.records import Fingerprint, Invoice, keys
from chaincode.records.books import ClaimState, Step
from chaincode.rules import books, facilities, fingerprints


def write_invoice(context: Context, invoice: Invoice) -> None:
    """Write an invoice."""
    context.write(keys.invoice(invoice.invoice_id), invoice)


async def discharge(context: Context, before: Invoice, amount_minor: int, step: Step, account: str = "recv") -> None:
    """Take so much off what the buyer owes the holder, and off the limits that it used."""
    debit, credit = f"pay:{before.buyer}", f"{account}:{before.holder}"
    await context.post(books.obligation(before.invoice_id, before.facts.currency, debit, credit, amount_minor, step))
    await free_limits(context, before, amount_minor)
    if amount_minor == before.open_face_minor:
        context.delete(keys.open_item(before.buyer, before.due_date, before.invoice_id))
        drop_notice(context, before)


async def free_limits(context: Context, before: Invoice, amount_minor: int) -> None:
    """Give back what an invoice that was paid early uses of its facility's limits."""
    if before.early_payment:
        offer = await context.facility(before.early_payment.facility_id)
        found = facilities.require_facility(offer, before.early_payment.facility_id)
        context.write(keys.facility(found.facility_id), facilities.use(found, before.supplier, -amount_minor))


async def void_approval(context: Context, before: Invoice) -> None:
    """Undo what the approval of an invoice has written, if it is approved."""
    if before.approval:
        debit, credit = f"pay:{before.buyer}", f"recv:{before.supplier}"
        currency, amount_minor = before.facts.currency, before.open_face_minor
        await context.post(books.obligation(before.invoice_id, currency, debit, credit, amount_minor, "void_approval"))
        context.delete(keys.open_item(before.buyer, before.due_date, before.invoice_id))


def drop_notice(context: Context, invoice: Invoice) -> None:
    """Forget that the buyer has not acknowledged an assignment."""
    if invoice.notice:
        context.delete(keys.unacknowledged(invoice.buyer, invoice.notice.day, invoice.invoice_id))


async def mark_claims(context: Context, invoice: Invoice, state: ClaimState) -> None:
    """Give the invoice's claims on its fingerprints another state; a part has none of its own."""
    if invoice.split_from:
        return
    claim_keys = fingerprints.claim_keys(invoice)
    for key, fingerprint in zip(claim_keys, await context.read_many(Fingerprint, claim_keys), strict=True):
        assert fingerprint is not None, "a registered invoice claims its fingerprints"
        context.write(key, fingerprints.mark(fingerprint, invoice.invoice_id, state))
