"""Records of financing: accepted suppliers, facilities and their terms, limits, holds, requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from chaincode.errors import RecordError
from chaincode.money import MINOR_MAX
from chaincode.records.codec import Upgrade, adding
from chaincode.records.fields import (
    SHORT_BPS_MAX,
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
    ShortBps,
    Size,
    Unique,
)
from chaincode.records.sealed import Sealed

AttestationsMin = Annotated[int, Range(2, 50)]
GraceDays = Annotated[int, Range(0, 365)]
Holidays = Annotated[tuple[Date, ...], Size(0, 400), Unique()]
ReserveDays = Annotated[int, Range(0, 30)]
InvoiceCount = Annotated[int, Range(0, 1_000_000_000)]
FACILITIES_MAX = 20
"""How many facilities one limit of a buyer counts: a release check reads them all."""
FacilityIds = Annotated[tuple[Id, ...], Size(0, FACILITIES_MAX), Unique()]


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
class FacilityTerms:
    """What a financier may change of a facility; all `*_minor` are minor units of the deposit's currency.

    Above `two_step_above_minor` a manual funding takes two steps by two persons; the first `manual_first` invoices
    are decided by a person whatever the mode; a reservation lasts `reserve_days` days. Goods may come up to
    `short_bps_max` basis points short of what is billed, and up to `off_days_max` days off the day that it names.
    """

    LATER: ClassVar[dict[str, Any]] = {"short_bps_max": 0, "off_days_max": 0}

    suppliers: Parties
    limit_minor: Minor
    supplier_limit_minor: Minor
    rate_bps: RateBps
    fee_minor: Minor
    tenor_days_min: Days
    tenor_days_max: Days
    grace_days: GraceDays
    holidays: Holidays
    mode: Mode
    recourse: Recourse
    attestations_min: AttestationsMin
    both_delivery_minor: Minor
    overdue_days_max: Days
    ack_days: Days
    insured_until: DateOrNone
    two_step_above_minor: Minor
    manual_first: InvoiceCount
    reserve_days: ReserveDays
    short_bps_max: ShortBps
    off_days_max: Days


@dataclass(frozen=True, slots=True)
class PendingTerms:
    """Terms that count from a later day on."""

    terms: FacilityTerms
    from_day: Date


def _facility_as_of_2(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 2 there were no second step, no first manual invoices, no change of terms."""
    new = {"two_step_above_minor": MINOR_MAX, "manual_first": 0, "reserve_days": 1, "funded_count": 0, "pending": None}
    return old | new


def _facility_as_of_3(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 3 no goods were matched, so nothing was said of how exactly they must."""
    pending = old["pending"] and old["pending"] | {"terms": FacilityTerms.LATER | old["pending"]["terms"]}
    return old | FacilityTerms.LATER | {"pending": pending}


def _facility_as_of_4(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 4 a tolerance could be that nothing comes at all."""
    terms = old["pending"] and _short_within(old["pending"]["terms"])
    return _short_within(old) | {"pending": old["pending"] and old["pending"] | {"terms": terms}}


def _short_within(terms: dict[str, Any]) -> dict[str, Any]:
    return terms | {"short_bps_max": min(terms["short_bps_max"], SHORT_BPS_MAX)}


@dataclass(frozen=True, slots=True)
class Facility:
    """A financier's standing offer on one buyer; all `*_minor` are minor units of the deposit's currency.

    The terms here count until `pending` ones do: read them through `rules.facilities.terms_on`.
    """

    UPGRADES: ClassVar[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = (
        _facility_as_of_2,
        _facility_as_of_3,
        _facility_as_of_4,
    )

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
    grace_days: GraceDays
    holidays: Holidays
    mode: Mode
    recourse: Recourse
    attestations_min: AttestationsMin
    both_delivery_minor: Minor
    overdue_days_max: Days
    ack_days: Days
    insured_until: DateOrNone
    status: Literal["open", "suspended", "closed"]
    day: Date
    two_step_above_minor: Minor = MINOR_MAX
    manual_first: InvoiceCount = 0
    reserve_days: ReserveDays = 1
    funded_count: InvoiceCount = 0
    pending: PendingTerms | None = None
    short_bps_max: ShortBps = 0
    off_days_max: Days = 0

    def __post_init__(self) -> None:
        if sum(self.used_by_supplier.values()) != self.used_minor:
            raise RecordError("used_minor", "is not the sum of what the suppliers use")


@dataclass(frozen=True, slots=True)
class PendingLimit:
    """A higher limit that counts from a later day on."""

    limit_minor: Minor
    from_day: Date


@dataclass(frozen=True, slots=True)
class BuyerLimit:
    """How much open face a financier takes of one buyer over its facilities in that currency, in minor units.

    `facility_ids` are all of them but closed ones that nothing is used of; one that is opened later joins them. The
    limit here counts until a `pending` one does: read it through `rules.holds.limit_on`.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(pending=None),)

    financier: Msp
    buyer: Msp
    currency: Currency
    limit_minor: Minor
    facility_ids: FacilityIds
    day: Date
    pending: PendingLimit | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A financier's stop of all funding that a party has a part in; the reason is typed by people, so a commitment."""

    financier: Msp
    msp_id: Msp
    reason_commitment: Hex
    day: Date


@dataclass(frozen=True, slots=True)
class Decline:
    """A financier's no to an invoice; a later request of the supplier asks anew."""

    invoice_id: Id
    facility_id: Id
    reason_commitment: Hex
    day: Date


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
class DiscountOffer:
    """A supplier's offer to its buyer: pay early, out of the buyer's own cash, at this yearly rate.

    Sealed terms are for supplier and buyer; they stand in clear, too, once the buyer has paid by them.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(sealed=None),)

    invoice_id: Id
    rate_bps: RateBps | None
    day_count: DayCount | None
    valid_until: Date
    day: Date
    sealed: Sealed | None
