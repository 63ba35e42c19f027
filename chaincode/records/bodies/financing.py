"""Bodies of the commands of financiers, and of suppliers who ask them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from chaincode.records.fields import (
    Currency,
    Date,
    DateOrNone,
    DayCount,
    Days,
    Deposit,
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
from chaincode.records.financing import FACILITIES_MAX, FacilityTerms

INVOICES_MAX = 50
"""How many invoices one CheckRelease may name: two entries each, numbered with two digits."""


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
class PostFunding:
    """Pay what another person has set aside for an invoice."""

    invoice_id: Id


@dataclass(frozen=True, slots=True)
class VoidFunding:
    """Take back what is set aside for an invoice."""

    invoice_id: Id


@dataclass(frozen=True, slots=True)
class ExpireFunding:
    """Give back what was set aside and not paid in time."""

    invoice_ids: Annotated[tuple[Id, ...], Size(1, INVOICES_MAX), Unique()]


@dataclass(frozen=True, slots=True)
class DeclineEarlyPayment:
    """Say no to an invoice, as the financier of a facility that it was offered to."""

    invoice_id: Id
    facility_id: Id
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class Repurchase:
    """Buy an invoice back, as its supplier."""

    invoice_id: Id
    deposit: Deposit


@dataclass(frozen=True, slots=True)
class Unwind:
    """Consent to take an early payment back."""

    invoice_id: Id


@dataclass(frozen=True, slots=True)
class ChangeFacility:
    """Give a facility other terms, from the next day on."""

    LATER: ClassVar[dict[str, Any]] = {"terms": FacilityTerms.LATER}

    facility_id: Id
    terms: FacilityTerms


@dataclass(frozen=True, slots=True)
class SuspendFacility:
    """Fund nothing more out of a facility for now."""

    facility_id: Id
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class ResumeFacility:
    """End a facility's suspension."""

    facility_id: Id


@dataclass(frozen=True, slots=True)
class CloseFacility:
    """Fund nothing more out of a facility, for good."""

    facility_id: Id


@dataclass(frozen=True, slots=True)
class HoldFunding:
    """Stop all one's funding that a party has a part in, at once."""

    msp_id: Msp
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class LiftHold:
    """End one's hold on a party."""

    msp_id: Msp


@dataclass(frozen=True, slots=True)
class SetBuyerLimit:
    """Bound what one takes of a buyer over all facilities of one's own on it.

    `facility_ids` names at least one; all others on that buyer in that currency count too.
    """

    buyer: Msp
    currency: Currency
    limit_minor: Minor
    facility_ids: Annotated[tuple[Id, ...], Size(1, FACILITIES_MAX), Unique()]
