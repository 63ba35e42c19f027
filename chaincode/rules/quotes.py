"""What a supplier would get: the quote of the release check, for people to read before all evidence is there.

Pure, and no second formula: the quote is the one that a payment on this state would pay. Evidence that is still missing
changes no amount, so it hides no quote; what makes the offer itself, or any payment ever, impossible is named instead.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chaincode.money import Quote, quote
from chaincode.records import Facility, Invoice
from chaincode.rules.release import Assessment
from chaincode.rules.verdicts import Reason, ReleaseClass, Verdict

DEAL = (ReleaseClass.PARTIES, ReleaseClass.AMOUNT, ReleaseClass.FACILITY)
"""The classes without which there is no offer at all; the others are evidence, or money that may arrive."""
FINANCED = (Reason.ALREADY_FINANCED, Reason.PREDECESSOR_FINANCED)


def describe_quote(invoice: Invoice, assessment: Assessment, day: str) -> dict[str, Any]:
    """The answer to a Quote query.

    Args:
        invoice: not paid early.
        assessment: of the facility that would pay.
        day: the ledger's day, on which it would be paid.

    Returns: {invoice_id, status, facility_id, deposit, currency, reason, text, quote}; `reason` and `text` are empty
        when there is a quote.
    """
    facility, offered = assessment.facility, assessment.quote
    if facility is None or offered is None:
        nothing_asked = assessment.findings[ReleaseClass.FACILITY]
        return no_quote(invoice, nothing_asked.reason.value, nothing_asked.text)
    for name, finding in assessment.findings.items():
        broken = finding.verdict is Verdict.INVALID and name in DEAL
        if broken or finding.reason in FINANCED:  # which no evidence mends
            return no_quote(invoice, finding.reason.value, finding.text, facility)
    reservation = invoice.reservation
    if reservation and reservation.facility_id != facility.facility_id:
        text = f"{reservation.financier} has reserved the money out of another facility"
        return no_quote(invoice, Reason.RESERVED.value, text, facility)
    terms = asdict(offered) | {
        "face_minor": offered.net_minor + offered.discount_minor + offered.fee_minor,
        "payout_date": day,
        "yield_bps": _yield_bps(invoice, facility, offered),
    }
    return no_quote(invoice, "", "", facility) | {"quote": terms}


def describe_paid_quote(invoice: Invoice) -> dict[str, Any]:
    """The answer for an invoice that has been paid early already."""
    return no_quote(invoice, Reason.PAID.value, "the invoice has been paid early")


def no_quote(invoice: Invoice, reason: str, text: str, facility: Facility | None = None) -> dict[str, Any]:
    """The answer where nothing can be quoted, and why."""
    return {
        "invoice_id": invoice.invoice_id,
        "status": invoice.status,
        "facility_id": facility.facility_id if facility else "",
        "deposit": facility.deposit if facility else "",
        "currency": invoice.facts.currency,
        "reason": reason,
        "text": text,
        "quote": None,
    }


def _yield_bps(invoice: Invoice, facility: Facility, offered: Quote) -> int:
    """The yield of what is paid; a reservation does not keep its own, so it is computed as it was then."""
    then = invoice.reservation
    if then is None:
        return offered.yield_bps
    face_minor = offered.net_minor + offered.discount_minor + offered.fee_minor
    return quote(
        face_minor, offered.rate_bps, facility.day_count, offered.fee_minor, then.day, offered.maturity
    ).yield_bps
