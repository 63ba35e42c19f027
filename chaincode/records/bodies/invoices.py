"""Bodies of the commands of an invoice's life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from chaincode.records.evidence import Facts
from chaincode.records.fields import (
    Currency,
    Date,
    DateOrNone,
    DayCount,
    Deposit,
    Epoch,
    Fingerprints,
    Hex,
    Id,
    Msp,
    RateBps,
    Signed,
    Size,
    Unique,
)
from chaincode.records.sealed import DiscountOpening, Sealed


@dataclass(frozen=True, slots=True)
class RegisterInvoice:
    """Claim an amount from a buyer, resting on documents and shipments.

    `stated_due_date` is the supplier's word, of an invoice that names no due date itself; empty for any other.
    """

    LATER: ClassVar[dict[str, Any]] = {"facts": Facts.LATER, "stated_due_date": ""}

    invoice_id: Id
    buyer: Msp
    document_ids: Annotated[tuple[Id, ...], Size(1, 5), Unique()]
    proof_ids: Annotated[tuple[Id, ...], Size(0, 20), Unique()]
    shipment_ids: Annotated[tuple[Id, ...], Size(0, 10), Unique()]
    facts: Facts
    fingerprints: Fingerprints
    epoch: Epoch
    stated_due_date: DateOrNone


@dataclass(frozen=True, slots=True)
class ApproveInvoice:
    """Undertake to pay this amount on that date to the holder the ledger shows."""

    invoice_id: Id
    amount_minor: Signed
    currency: Currency
    due_date: Date
    buyer_reference: Hex


@dataclass(frozen=True, slots=True)
class AcknowledgeAssignment:
    """Confirm to have noticed to whom the invoice is owed."""

    invoice_id: Id


@dataclass(frozen=True, slots=True)
class SettleInvoice:
    """Pay an invoice in full."""

    invoice_id: Id
    amount_minor: Signed
    deposit: Deposit


@dataclass(frozen=True, slots=True)
class DisputeInvoice:
    """Say, as the buyer, that the invoice is not owed as it stands."""

    invoice_id: Id
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class ResolveDispute:
    """End one's dispute: the invoice stands as registered, or it is cancelled."""

    invoice_id: Id
    outcome: Literal["registered", "cancelled"]


@dataclass(frozen=True, slots=True)
class CancelInvoice:
    """Take an invoice back, as its supplier."""

    invoice_id: Id
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class WithdrawApproval:
    """Take an approval back, as the buyer."""

    invoice_id: Id
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class ClearDuplicate:
    """Say that an invoice is no duplicate."""

    invoice_id: Id
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class InvoicePart:
    """One part of an invoice that is split."""

    invoice_id: Id
    amount_minor: Signed
    shipment_ids: Annotated[tuple[Id, ...], Size(0, 10), Unique()]


@dataclass(frozen=True, slots=True)
class SplitInvoice:
    """Split an invoice into parts."""

    invoice_id: Id
    parts: Annotated[tuple[InvoicePart, ...], Size(2, 10)]


@dataclass(frozen=True, slots=True)
class RecordCreditNote:
    """Credit a part of an invoice; `shipment_ids` are those whose partial delivery it makes good."""

    credit_note_id: Id
    invoice_id: Id
    amount_minor: Signed
    document_id: Id
    shipment_ids: Annotated[tuple[Id, ...], Size(0, 10), Unique()]


@dataclass(frozen=True, slots=True)
class PayClaim:
    """Pay the buyer what a credit note after funding owes it."""

    credit_note_id: Id
    deposit: Deposit


@dataclass(frozen=True, slots=True)
class ReportMisdirectedPayment:
    """Say that money for an invoice went to somebody who is not its holder."""

    report_id: Id
    invoice_id: Id
    amount_minor: Signed


@dataclass(frozen=True, slots=True)
class RecordPaidOutside:
    """Confirm, as the holder, that the buyer has paid outside the ledger."""

    invoice_id: Id
    amount_minor: Signed
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class ExtendDueDate:
    """Give the buyer, as the holder, more time."""

    invoice_id: Id
    due_date: Date


@dataclass(frozen=True, slots=True)
class OfferDiscount:
    """Offer the buyer a discount for paying early out of its own cash: in clear, or sealed for the two."""

    LATER: ClassVar[dict[str, Any]] = {"sealed": None}

    invoice_id: Id
    rate_bps: RateBps | None
    day_count: DayCount | None
    valid_until: Date
    sealed: Sealed | None


@dataclass(frozen=True, slots=True)
class PayEarly:
    """Pay an invoice early, as the buyer, at the discount that the supplier offers, shown where it is sealed."""

    LATER: ClassVar[dict[str, Any]] = {"opening": None}

    invoice_id: Id
    deposit: Deposit
    opening: DiscountOpening | None


@dataclass(frozen=True, slots=True)
class MarkOverdue:
    """Say that due dates have passed."""

    invoice_ids: Annotated[tuple[Id, ...], Size(1, 50), Unique()]


@dataclass(frozen=True, slots=True)
class WriteOff:
    """Write off an overdue amount, which the buyer owes as before."""

    invoice_id: Id
    amount_minor: Signed


@dataclass(frozen=True, slots=True)
class RecordRecovery:
    """Pay, as the buyer, what was written off."""

    invoice_id: Id
    amount_minor: Signed
    deposit: Deposit
