"""The shapes of an invoice as it is read: record, timeline, the seven classes and the quote."""

from __future__ import annotations

from pydantic import Field

from ledger_node.api.records import Answer, FactsOut, Written
from ledger_node.api.wire import Out


class ApprovalOut(Out):
    """The buyer's undertaking."""

    amount: str
    currency: str
    due_date: str
    buyer_reference: str
    day: str
    persons: list[str]


class EarlyPaymentOut(Out):
    """The early payment; net + discount + fee is the face amount."""

    facility_id: str
    financier: str
    deposit: str
    rate_bps: int
    days: int
    maturity: str
    discount: str
    fee: str
    net: str
    day: str
    transaction_id: str


class NoticeOut(Out):
    """The assignment notice; `acknowledged_on` is empty until the buyer has answered."""

    day: str
    acknowledged_on: str


class SettlementOut(Out):
    """The latest payment; `discount` is what the buyer saved by paying early itself."""

    amount: str
    deposit: str
    day: str
    transaction_id: str
    discount: str


class DisputeOut(Out):
    """The buyer's dispute."""

    reason_commitment: str
    day: str


class ClearanceOut(Out):
    """The buyer's word that the invoice is no duplicate."""

    reason_commitment: str
    persons: list[str]
    day: str


class ReservationOut(Out):
    """Money set aside for the invoice, at a fixed quote, until a second person posts it."""

    facility_id: str
    financier: str
    deposit: str
    rate_bps: int
    days: int
    maturity: str
    discount: str
    fee: str
    net: str
    persons: list[str]
    day: str
    expires_on: str


class InvoiceRecordOut(Written):
    """An invoice on the ledger; `amount` to `due_date` are what its document says."""

    invoice_id: str
    amount: str
    amount_due: str = Field(description="What is claimed: the document's amount less credit notes and other parts.")
    currency: str
    issue_date: str
    due_date: str
    supplier: str
    buyer: str
    holder: str
    status: str = Field(
        description="registered, approved, early-paid, settled, disputed, cancelled, overdue, written-off or recovered."
    )
    document_ids: list[str]
    proof_ids: list[str]
    shipment_ids: list[str]
    facts: FactsOut
    fingerprints: dict[str, str]
    epoch: int
    duplicate_of: str
    approval: ApprovalOut | None
    face: str
    open_face: str
    early_payment: EarlyPaymentOut | None
    notice: NoticeOut | None
    settlement: SettlementOut | None
    day: str
    credited: str
    cured_shipments: list[str]
    dispute: DisputeOut | None
    clearance: ClearanceOut | None
    split_from: str
    funded_on: str
    extended_due_date: str
    voided_reference: str
    reservation: ReservationOut | None
    settled: str
    overdue_since: str
    written_off: str
    recovered: str
    claims: str
    misdirected: str
    claimed: str = Field(description="All credit notes after funding together, the paid ones included.")
    diluted: str = Field(description="What others than the supplier have reported of `misdirected`.")
    taken_back: EarlyPaymentOut | None = Field(description="The early payment that was bought back or unwound.")


class MomentOut(Out):
    """One write that touched the invoice, its documents, shipments, request or entries."""

    what: str
    key: str
    msp_id: str
    transaction_id: str
    block_number: int
    timestamp: str


class ClassOut(Out):
    """One of the seven classes of evidence: VALID, INVALID or INDETERMINATE, why, and who can mend it."""

    class_: str = Field(alias="class", description="PARTIES, INTEGRITY, AMOUNT, DELIVERY, UNIQUE, FACILITY or FUNDS.")
    verdict: str
    reason: str
    text: str
    who: str


class QuoteOut(Out):
    """What early payment today would cost and yield."""

    discount: str
    fee: str
    net: str
    days: int
    maturity: str
    rate_bps: int
    yield_bps: int


class InvoiceOut(Answer, InvoiceRecordOut):
    """An invoice with all there is to say about it; `warning` says when the ledger could not be asked for classes."""

    timeline: list[MomentOut]
    facility_id: str = Field(description="The facility that the classes speak of; empty when there is none.")
    classes: list[ClassOut]
    quote: QuoteOut | None
    warning: str


class InvoicesOut(Answer):
    """A page of invoices."""

    items: list[InvoiceRecordOut]
    total: int
    page: int
    per_page: int
