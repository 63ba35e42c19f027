"""Records of an invoice's life: approval, early payment, settlement, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from chaincode.errors import RecordError
from chaincode.records.codec import adding
from chaincode.records.evidence import Facts, facts_of_before
from chaincode.records.fields import (
    Currency,
    Date,
    DateOrNone,
    Deposit,
    Epoch,
    FingerprintKind,
    Fingerprints,
    Hex,
    HexOrNone,
    Id,
    IdOrNone,
    Minor,
    Msp,
    Range,
    RateBps,
    Size,
    TransactionId,
    Unique,
)

Status = Literal[
    "registered", "approved", "early-paid", "settled", "disputed", "cancelled", "overdue", "written-off", "recovered"
]
Persons = Annotated[tuple[Hex, ...], Size(0, 2), Unique()]
TermDays = Annotated[int, Range(1, 1_000_000)]


@dataclass(frozen=True, slots=True)
class Approval:
    """The buyer's undertaking to pay this amount on that date to the holder that the ledger shows.

    `persons` are the commitments of those of the buyer's who gave it, none where it names none.
    """

    amount_minor: Minor
    currency: Currency
    due_date: Date
    buyer_reference: Hex
    day: Date
    persons: Persons = ()


@dataclass(frozen=True, slots=True)
class EarlyPayment:
    """The early payment of an invoice; net + discount + fee = face, in minor units of the deposit's currency."""

    facility_id: Id
    financier: Msp
    deposit: Deposit
    rate_bps: RateBps
    days: TermDays
    maturity: Date
    discount_minor: Minor
    fee_minor: Minor
    net_minor: Minor
    day: Date
    transaction_id: TransactionId


@dataclass(frozen=True, slots=True)
class Reservation:
    """The first of two steps of a funding: money set aside at a fixed quote, until a second person posts it."""

    facility_id: Id
    financier: Msp
    deposit: Deposit
    rate_bps: RateBps
    days: TermDays
    maturity: Date
    discount_minor: Minor
    fee_minor: Minor
    net_minor: Minor
    persons: Persons
    day: Date
    expires_on: Date


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice to the buyer that the invoice is now owed to somebody else."""

    day: Date
    acknowledged_on: DateOrNone


@dataclass(frozen=True, slots=True)
class Settlement:
    """The latest payment of an invoice by its buyer; `discount_minor` is what it saved by paying early itself."""

    amount_minor: Minor
    deposit: Deposit
    day: Date
    transaction_id: TransactionId
    discount_minor: Minor = 0


@dataclass(frozen=True, slots=True)
class Dispute:
    """The buyer's dispute; the reason is typed by people, so a commitment."""

    reason_commitment: Hex
    day: Date


@dataclass(frozen=True, slots=True)
class Clearance:
    """The buyer's word that an invoice is no duplicate although its fingerprints are claimed before."""

    reason_commitment: Hex
    persons: Persons
    day: Date


def _invoice_as_of_2(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 2 an invoice was settled in full or not at all, and nothing else happened to it."""
    new: dict[str, Any] = {
        "credited_minor": 0,
        "cured_shipments": [],
        "dispute": None,
        "clearance": None,
        "split_from": "",
        "funded_on": old["early_payment"]["day"] if old["early_payment"] else "",
        "extended_due_date": "",
        "voided_reference": "",
        "reservation": None,
        "settled_minor": old["face_minor"] if old["status"] == "settled" else 0,
        "overdue_since": "",
        "written_off_minor": 0,
        "recovered_minor": 0,
        "claims_minor": 0,
        "misdirected_minor": 0,
    }
    approval = old["approval"] and old["approval"] | {"persons": []}
    settlement = old["settlement"] and old["settlement"] | {"discount_minor": 0}
    return old | new | {"approval": approval, "settlement": settlement}


def _invoice_as_of_3(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 3 an invoice kept of claims the open ones, of reports a sum, of what was taken back nothing."""
    return old | {"claimed_minor": old["claims_minor"], "diluted_minor": 0, "taken_back": None}


def _invoice_as_of_5(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 5 every invoice's document named its due date, and of several deliveries none was claimed."""
    return adding(stated_due_date="")(facts_of_before(old))


@dataclass(frozen=True, slots=True)
class Invoice:
    """A claim of the supplier on the buyer; all `*_minor` are minor units of the invoice's currency.

    `face_minor` is the approved amount, 0 before approval; `open_face_minor` what the buyer still owes of it, the part
    `written_off_minor` included; `funded_on` when it was paid early, which happens once; `credited_minor` what credit
    notes took off before approval; `claims_minor` what the supplier owes the buyer for credit notes after funding, and
    `claimed_minor` what they come to together, the paid ones included; `diluted_minor` what others than the supplier
    have reported of `misdirected_minor`; `taken_back` the early payment that was bought back or unwound;
    `stated_due_date` is the supplier's own word where the document names no due date, which the buyer's approval makes
    count.
    """

    UPGRADES: ClassVar[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = (
        _invoice_as_of_2,
        _invoice_as_of_3,
        facts_of_before,
        _invoice_as_of_5,
    )

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
    credited_minor: Minor = 0
    cured_shipments: tuple[Id, ...] = ()
    dispute: Dispute | None = None
    clearance: Clearance | None = None
    split_from: IdOrNone = ""
    funded_on: DateOrNone = ""
    extended_due_date: DateOrNone = ""
    voided_reference: HexOrNone = ""
    reservation: Reservation | None = None
    settled_minor: Minor = 0
    overdue_since: DateOrNone = ""
    written_off_minor: Minor = 0
    recovered_minor: Minor = 0
    claims_minor: Minor = 0
    misdirected_minor: Minor = 0
    claimed_minor: Minor = 0
    diluted_minor: Minor = 0
    taken_back: EarlyPayment | None = None
    stated_due_date: DateOrNone = ""

    @property
    def amount_due_minor(self) -> int:
        """What the supplier claims: the document's amount, less what was credited before approval."""
        return self.facts.amount_minor - self.credited_minor

    @property
    def claimed_fingerprints(self) -> list[tuple[FingerprintKind, str]]:
        """Kind and value of each fingerprint that is its own: by kind in alphabetical order, then all deliveries."""
        further = [one for one in self.facts.deliveries if one != self.fingerprints.get("delivery")]
        return [*sorted(self.fingerprints.items()), *(("delivery", one) for one in further)]

    @property
    def first_due_date(self) -> str:
        """The due date that the document names or, where it names none, that its supplier has stated."""
        return self.facts.due_date or self.stated_due_date

    @property
    def due_date(self) -> str:
        """The day on which the buyer owes the money."""
        return self.extended_due_date or self.first_due_date

    def __post_init__(self) -> None:
        payment = self.early_payment
        if payment and payment.net_minor + payment.discount_minor + payment.fee_minor != self.face_minor:
            raise RecordError("early_payment", "net + discount + fee is not the face amount")
        if self.written_off_minor > self.open_face_minor:
            raise RecordError("written_off_minor", "is more than what is owed")
        if self.amount_due_minor < 1:
            raise RecordError("credited_minor", "leaves nothing to be claimed")


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A supplier's credit note: taken off what is claimed, or after funding a claim of the buyer on the supplier."""

    credit_note_id: Id
    invoice_id: Id
    supplier: Msp
    buyer: Msp
    amount_minor: Minor
    document_id: Id
    status: Literal["credited", "claimed", "paid"]
    day: Date


@dataclass(frozen=True, slots=True)
class MisdirectedPayment:
    """A report that money for an invoice went to somebody who is not its holder; it discharges nobody."""

    report_id: Id
    invoice_id: Id
    reporter: Msp
    amount_minor: Minor
    currency: Currency
    day: Date


@dataclass(frozen=True, slots=True)
class Consent:
    """One side's consent to unwind an early payment; the other side's carries it out."""

    invoice_id: Id
    party: Msp
    day: Date
