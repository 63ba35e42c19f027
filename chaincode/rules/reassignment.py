"""Rules of an early payment that is taken back: repurchase by the supplier, or unwinding with both sides' consent.

The receivable returns to the supplier and the buyer gets a notice of it. Its fingerprints stay financed for ever, so
that it is never financed a second time.
"""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import days_between, discount_minor
from chaincode.records import Consent, EarlyPayment, Facility, Invoice, Notice, bodies
from chaincode.rules.invoices import paid_already, require_suppliers


def repurchase(
    invoice: Invoice, facility: Facility | None, sender: str, body: bodies.Repurchase, day: str
) -> tuple[Invoice, int]:
    """Buy an invoice back, as its supplier, for its open face less the discount of the days that are left.

    Recourse for dilution is no option of the supplier's to end a financing: nothing that it says itself, neither its
    reports nor its credit notes, which touch no claim of the holder's, opens it.

    Args:
        facility: that the invoice was paid out of; None when it was not paid early.

    Returns: the invoice after it, and the price in minor units.
    Raises: Refusal: NOT_THE_SUPPLIER, STATUS_WRONG, DEPOSIT_DIFFERS, RECOURSE_MISSING.
    """
    require_suppliers(invoice, sender)
    payment = invoice.early_payment
    if (
        payment is None
        or facility is None
        or invoice.status not in ("early-paid", "overdue")
        or invoice.written_off_minor
    ):
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {invoice.status}")
    if body.deposit != payment.deposit:
        raise Refusal(RefusalCode.DEPOSIT_DIFFERS, f"the holder takes {payment.deposit}, not {body.deposit}")
    if not (facility.recourse == "full" or (facility.recourse == "dilution" and invoice.diluted_minor)):
        raise Refusal(
            RefusalCode.RECOURSE_MISSING, f"the facility's recourse is {facility.recourse}: agree to unwind instead"
        )
    return _returned(invoice, day), invoice.open_face_minor - _unearned_minor(invoice, payment, facility, day)


def _unearned_minor(invoice: Invoice, payment: EarlyPayment, facility: Facility, day: str) -> int:
    """The discount on what is open, for the days that are left to maturity.

    Never more than was kept, nor all that is open: whoever buys something pays for it.
    """
    left = days_between(day, payment.maturity)
    if left < 1:
        return 0
    unearned = discount_minor(invoice.open_face_minor, payment.rate_bps, left, facility.day_count)
    return min(unearned, payment.discount_minor, invoice.open_face_minor - 1)


def unwind(invoice: Invoice, consent: Consent | None, sender: str, day: str) -> Invoice | Consent:
    """Consent, as supplier or financier, to unwind an early payment; the second side's consent carries it out.

    A consent counts on its day only: what it gives away changes with every day, and nobody can take it back.

    Args:
        consent: the latest, of either side; None when nobody has consented.

    Returns: the sender's consent, or when both have the invoice after it.
    Raises: Refusal: NOT_YOUR_INVOICE, STATUS_WRONG, PARTLY_SETTLED, ALREADY_CONFIRMED.
    """
    if sender not in (invoice.supplier, invoice.holder):
        raise Refusal(RefusalCode.NOT_YOUR_INVOICE, f"{invoice.supplier} and {invoice.holder} decide this")
    if invoice.early_payment is None or invoice.status != "early-paid":
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {invoice.status}")
    if invoice.settled_minor:
        raise Refusal(RefusalCode.PARTLY_SETTLED, paid_already(invoice))
    if consent is None or consent.day != day:
        return Consent(invoice.invoice_id, sender, day)
    if consent.party == sender:
        raise Refusal(RefusalCode.ALREADY_CONFIRMED, f"{sender} has consented today already")
    return _returned(invoice, day)


def _returned(invoice: Invoice, day: str) -> Invoice:
    return replace(
        invoice,
        status="approved",
        holder=invoice.supplier,
        early_payment=None,
        taken_back=invoice.early_payment,
        notice=Notice(day, ""),
        overdue_since="",
    )
