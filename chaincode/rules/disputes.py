"""Rules of what takes an invoice back before it is funded: disputes, withdrawn approvals, cancelling.

Nothing here applies to an invoice that has been funded: then what goes wrong is a claim on the supplier, not a status.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Dispute, Invoice
from chaincode.rules.invoices import (
    paid_already,
    require_buyers,
    require_status,
    require_suppliers,
    require_unreserved,
)
from chaincode.words import said, when


def dispute(invoice: Invoice, sender: str, reason_commitment: str, day: str) -> Invoice:
    """Dispute an invoice, as its buyer; an approval is void with it.

    Raises: Refusal: NOT_THE_BUYER, STATUS_WRONG, RESERVED, PARTLY_SETTLED, DUE_DATE_PASSED.
    """
    require_buyers(invoice, sender)
    _require_unfunded(invoice)
    _require_no_arrears(invoice, day)
    return replace(void_approval(invoice), status="disputed", dispute=Dispute(reason_commitment, day))


def resolve(invoice: Invoice, sender: str, outcome: Literal["registered", "cancelled"]) -> Invoice:
    """Resolve a dispute, which only the disputing buyer can; an approval does not come back by itself.

    Raises: Refusal: NOT_THE_BUYER, STATUS_WRONG, CLAIMS_OPEN.
    """
    require_buyers(invoice, sender)
    require_status(invoice, "disputed")
    if outcome == "cancelled":
        _require_no_claims(invoice)
    return replace(invoice, status=outcome, dispute=None)


def withdraw_approval(invoice: Invoice, sender: str, day: str) -> Invoice:
    """Take an approval back, as the buyer, while nobody has paid on it.

    Raises: Refusal: NOT_THE_BUYER, STATUS_WRONG, RESERVED, PARTLY_SETTLED, DUE_DATE_PASSED.
    """
    require_buyers(invoice, sender)
    require_status(invoice, "approved")
    _require_unfunded(invoice)
    _require_no_arrears(invoice, day)
    return void_approval(invoice)


def cancel(invoice: Invoice, sender: str) -> Invoice:
    """Cancel an invoice, as its supplier.

    Raises: Refusal: NOT_THE_SUPPLIER, STATUS_WRONG, RESERVED, PARTLY_SETTLED, CLAIMS_OPEN.
    """
    require_suppliers(invoice, sender)
    _require_unfunded(invoice)
    _require_no_claims(invoice)
    return replace(void_approval(invoice), status="cancelled")


def void_approval(invoice: Invoice) -> Invoice:
    """The invoice as before its approval. Its reference may be used again, for this invoice only."""
    if invoice.approval is None:
        return invoice
    return replace(
        invoice,
        status="registered",
        approval=None,
        face_minor=0,
        open_face_minor=0,
        voided_reference=invoice.approval.buyer_reference,
    )


def _require_no_claims(invoice: Invoice) -> None:
    """Nothing that was bought back is cancelled while the supplier owes the buyer for credit notes on it."""
    if invoice.claims_minor:
        owed = said(invoice.claims_minor, invoice.facts.currency)
        raise Refusal(RefusalCode.CLAIMS_OPEN, f"{invoice.supplier} owes {owed} for credit notes on it")


def _require_unfunded(invoice: Invoice) -> None:
    require_status(invoice, "registered", "approved")
    require_unreserved(invoice)
    if invoice.settled_minor:
        raise Refusal(RefusalCode.PARTLY_SETTLED, paid_already(invoice))


def _require_no_arrears(invoice: Invoice, day: str) -> None:
    """An approved debt that is late is so whether or not somebody has marked it: its debtor cannot make it vanish."""
    if invoice.approval and invoice.due_date < day:
        text = f"the approved debt was due {when(invoice.due_date, day)}: its holder can give more time, or forgive it"
        raise Refusal(RefusalCode.DUE_DATE_PASSED, text)
