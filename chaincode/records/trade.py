"""Records of the trade: accepted suppliers, facilities, requests, invoices and their early payment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from chaincode.errors import RecordError
from chaincode.records.evidence import Facts
from chaincode.records.fields import (
    Currency,
    Date,
    DateOrNone,
    DayCount,
    Days,
    Deposit,
    Epoch,
    Fingerprints,
    GroupId,
    Hex,
    Id,
    IdOrNone,
    Minor,
    Mode,
    Msp,
    Parties,
    Range,
    RateBps,
    Recourse,
    Size,
    Unique,
)

Status = Literal["registered", "approved", "early-paid", "settled"]
TransactionId = Annotated[str, Size(1, 128)]


@dataclass(frozen=True, slots=True)
class SupplierAcceptance:
    """A financier's word that it knows the supplier: agreement, screening, and the group it found it to be in."""

    financier: Msp
    supplier: Msp
    agreement_commitment: Hex
    screened_until: Date
    group_id: GroupId
    day: Date


@dataclass(frozen=True, slots=True)
class Facility:
    """A financier's standing offer on one buyer; all `*_minor` are minor units of the deposit's currency."""

    facility_id: Id
    financier: Msp
    buyer: Msp
    suppliers: Parties
    deposit: Deposit
    limit_minor: Minor
    supplier_limit_minor: Minor
    used_minor: Minor
    used_by_supplier: dict[Msp, Minor]
    rate_bps: RateBps
    day_count: DayCount
    fee_minor: Minor
    tenor_days_min: Days
    tenor_days_max: Days
    grace_days: Annotated[int, Range(0, 365)]
    holidays: Annotated[tuple[Date, ...], Size(0, 400), Unique()]
    mode: Mode
    recourse: Recourse
    attestations_min: Annotated[int, Range(2, 50)]
    both_delivery_minor: Minor
    overdue_days_max: Days
    ack_days: Days
    insured_until: DateOrNone
    status: Literal["open", "closed"]
    day: Date

    def __post_init__(self) -> None:
        if sum(self.used_by_supplier.values()) != self.used_minor:
            raise RecordError("used_minor", "is not the sum of what the suppliers use")


@dataclass(frozen=True, slots=True)
class Request:
    """A supplier's offer to sell one invoice, or all of them (`invoice_id` empty): to whom, for how much, how long."""

    supplier: Msp
    invoice_id: IdOrNone
    facility_ids: Annotated[tuple[Id, ...], Size(1, 8), Unique()]
    net_min_minor: Minor
    valid_until: Date
    day: Date


@dataclass(frozen=True, slots=True)
class Approval:
    """The buyer's undertaking to pay this amount on that date to the holder that the ledger shows."""

    amount_minor: Minor
    currency: Currency
    due_date: Date
    buyer_reference: Hex
    day: Date


@dataclass(frozen=True, slots=True)
class EarlyPayment:
    """The early payment of an invoice; net + discount + fee = face, in minor units of the deposit's currency."""

    facility_id: Id
    financier: Msp
    deposit: Deposit
    rate_bps: RateBps
    days: Annotated[int, Range(1, 1_000_000)]
    maturity: Date
    discount_minor: Minor
    fee_minor: Minor
    net_minor: Minor
    day: Date
    transaction_id: TransactionId


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice to the buyer that the invoice is now owed to somebody else."""

    day: Date
    acknowledged_on: DateOrNone


@dataclass(frozen=True, slots=True)
class Settlement:
    """The buyer's payment of the invoice in full."""

    amount_minor: Minor
    deposit: Deposit
    day: Date
    transaction_id: TransactionId


@dataclass(frozen=True, slots=True)
class Invoice:
    """A claim of the supplier on the buyer. `face_minor` is the approved amount, 0 before approval."""

    invoice_id: Id
    supplier: Msp
    buyer: Msp
    holder: Msp
    status: Status
    document_ids: tuple[Id, ...]
    proof_ids: tuple[Id, ...]
    shipment_ids: tuple[Id, ...]
    facts: Facts
    fingerprints: Fingerprints
    epoch: Epoch
    duplicate_of: IdOrNone
    approval: Approval | None
    face_minor: Minor
    open_face_minor: Minor
    early_payment: EarlyPayment | None
    notice: Notice | None
    settlement: Settlement | None
    day: Date

    def __post_init__(self) -> None:
        payment = self.early_payment
        if payment and payment.net_minor + payment.discount_minor + payment.fee_minor != self.face_minor:
            raise RecordError("early_payment", "net + discount + fee is not the face amount")
