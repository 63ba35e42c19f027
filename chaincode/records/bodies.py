"""The bodies of all commands and queries: what a client may say, field by field as the reference lists them.

Only shapes are checked here (a body that does not fit is MALFORMED); whether a command is allowed is for the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from chaincode.records.evidence import Facts
from chaincode.records.fields import (
    Currency,
    Date,
    DateOrNone,
    DayCount,
    Days,
    Deposit,
    DocumentKind,
    Epoch,
    EventType,
    Fingerprints,
    GroupId,
    Hex,
    HexOrNone,
    Id,
    IdOrNone,
    IssueLimits,
    Label,
    MediaType,
    Minor,
    Mode,
    Msp,
    Name,
    Parties,
    Range,
    RateBps,
    Recourse,
    Role,
    Signed,
    Size,
    SizeBytes,
    Unique,
    Url,
    Verdict,
)

INVOICES_MAX = 50
"""How many invoices one CheckRelease may name: two entries each, numbered with two digits."""


@dataclass(frozen=True, slots=True)
class FoundingParty:
    """One party as the founding lists it."""

    msp_id: Msp
    name: Label
    roles: Annotated[tuple[Role, ...], Size(1, 5), Unique()]
    group_id: GroupId
    peer_url: Url
    identity_fingerprint: Hex
    payout_fingerprint: Hex
    issue_limits: IssueLimits


@dataclass(frozen=True, slots=True)
class FoundConsortium:
    """List the first parties."""

    parties: Annotated[tuple[FoundingParty, ...], Size(2, 50)]


@dataclass(frozen=True, slots=True)
class ConfirmFounding:
    """Agree to the founding with this digest."""

    digest: Hex


@dataclass(frozen=True, slots=True)
class OpenDay:
    """Move the ledger's day forward."""

    date: Date


@dataclass(frozen=True, slots=True)
class RegisterDocument:
    """Say that a document exists, and who may fetch and attest it."""

    document_id: Id
    kind: DocumentKind
    media_type: MediaType
    size_bytes: SizeBytes
    algorithm: Name
    commitment: Hex
    entitled: Annotated[tuple[Msp, ...], Size(1, 20), Unique()]


@dataclass(frozen=True, slots=True)
class AttestDocument:
    """State what one has recomputed from a document."""

    document_id: Id
    verdict: Verdict
    commitment: HexOrNone
    fingerprints: Fingerprints
    facts: Facts | None


@dataclass(frozen=True, slots=True)
class RegisterShipment:
    """Say that goods are to go to a buyer with a carrier."""

    shipment_id: Id
    buyer: Msp
    carrier: Msp
    reference_fingerprint: Hex


@dataclass(frozen=True, slots=True)
class AcceptCarrier:
    """Take the word of the shipment's carrier."""

    shipment_id: Id


@dataclass(frozen=True, slots=True)
class RecordShipmentEvent:
    """Report what happened to a shipment."""

    shipment_id: Id
    event_id: Id
    type: EventType
    occurred_on: Date
    partial: bool
    document_id: IdOrNone


@dataclass(frozen=True, slots=True)
class AcceptSupplier:
    """Take a supplier on, after agreement and screening."""

    supplier: Msp
    agreement_commitment: Hex
    screened_until: Date
    group_id: GroupId


@dataclass(frozen=True, slots=True)
class OpenFacility:
    """Make a standing offer on a buyer."""

    facility_id: Id
    buyer: Msp
    suppliers: Parties
    deposit: Deposit
    limit_minor: Minor
    supplier_limit_minor: Minor
    rate_bps: RateBps
    day_count: DayCount
    fee_minor: Minor
    tenor_days_min: Days
    tenor_days_max: Days
    grace_days: Annotated[int, Range(0, 365)]
    holidays: Annotated[tuple[Date, ...], Size(0, 400), Unique()]
    mode: Mode
    recourse: Recourse
    attestations_min: Annotated[int, Range(0, 50)]
    both_delivery_minor: Minor
    overdue_days_max: Days
    ack_days: Days
    insured_until: DateOrNone


@dataclass(frozen=True, slots=True)
class RegisterInvoice:
    """Claim an amount from a buyer, resting on documents and shipments."""

    invoice_id: Id
    buyer: Msp
    document_ids: Annotated[tuple[Id, ...], Size(1, 5), Unique()]
    proof_ids: Annotated[tuple[Id, ...], Size(0, 20), Unique()]
    shipment_ids: Annotated[tuple[Id, ...], Size(0, 10), Unique()]
    facts: Facts
    fingerprints: Fingerprints
    epoch: Epoch


@dataclass(frozen=True, slots=True)
class ApproveInvoice:
    """Undertake to pay this amount on that date to the holder the ledger shows."""

    invoice_id: Id
    amount_minor: Signed
    currency: Currency
    due_date: Date
    buyer_reference: Hex


@dataclass(frozen=True, slots=True)
class RequestEarlyPayment:
    """Offer one invoice, or all (`invoice_id` empty), to named facilities."""

    invoice_id: IdOrNone
    facility_ids: Annotated[tuple[Id, ...], Size(1, 8), Unique()]
    net_min_minor: Minor
    valid_until: Date


@dataclass(frozen=True, slots=True)
class CheckRelease:
    """Run the release check again."""

    invoice_ids: Annotated[tuple[Id, ...], Size(1, INVOICES_MAX), Unique()]


@dataclass(frozen=True, slots=True)
class FundInvoice:
    """Decide to fund an invoice out of one's facility."""

    invoice_id: Id
    facility_id: Id


@dataclass(frozen=True, slots=True)
class AcknowledgeAssignment:
    """Confirm to have noticed to whom the invoice is owed."""

    invoice_id: Id


@dataclass(frozen=True, slots=True)
class IssueDeposit:
    """Issue deposit money against one booked credit."""

    deposit: Deposit
    to: Msp
    amount_minor: Signed
    credit_reference: Hex
    booked_on: Date


@dataclass(frozen=True, slots=True)
class SettleInvoice:
    """Pay an invoice in full."""

    invoice_id: Id
    amount_minor: Signed
    deposit: Deposit


@dataclass(frozen=True, slots=True)
class ReleaseCheckQuery:
    """Ask for the seven classes of an invoice."""

    type: Literal["ReleaseCheck"]
    invoice_id: Id


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Ask for one record."""

    type: Literal["Record"]
    key: Annotated[str, Size(1, 400)]
