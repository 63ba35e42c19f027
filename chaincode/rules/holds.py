"""Rules by which a financier bounds its own risk: holds on parties, and a limit of a buyer over all facilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import deposit_currency
from chaincode.records import BuyerLimit, Facility, Hold, Party, bodies
from chaincode.records.financing import FACILITIES_MAX, PendingLimit
from chaincode.rules.facilities import require_currency, require_facility
from chaincode.rules.parties import require_different


def hold(existing: Hold | None, party: Party | None, sender: str, body: bodies.HoldFunding, day: str) -> Hold:
    """Hold all funding of the sender's that a party has a part in.

    Raises: Refusal: SAME_PARTY, PARTY_UNKNOWN, ALREADY_HELD.
    """
    require_different(sender, body.msp_id)
    if party is None:
        raise Refusal(RefusalCode.PARTY_UNKNOWN, f"there is no party {body.msp_id}")
    if existing:
        raise Refusal(RefusalCode.ALREADY_HELD, f"{body.msp_id} is held since {existing.day}")
    return Hold(sender, body.msp_id, body.reason_commitment, day)


def require_held(existing: Hold | None, msp_id: str) -> None:
    """Raises: Refusal: NOT_HELD: there is no hold to lift."""
    if existing is None:
        raise Refusal(RefusalCode.NOT_HELD, f"funding of {msp_id} is not held")


def limit_on(limit: BuyerLimit, day: str) -> BuyerLimit:
    """The limit of a buyer as it counts on a day."""
    pending = limit.pending
    if pending is None or day < pending.from_day:
        return limit
    return replace(limit, limit_minor=pending.limit_minor, pending=None)


def limit_buyer(
    existing: BuyerLimit | None,
    named: list[Facility | None],
    others: Sequence[Facility],
    sender: str,
    body: bodies.SetBuyerLimit,
    day: str,
    from_day: str,
) -> BuyerLimit:
    """Bound what the sender takes of a buyer over all its facilities: at once, or a higher limit from the next day on.

    Args:
        existing: the limit of today, None without one.
        named: what stands under the body's facility ids, in its order.
        others: the sender's other facilities on that buyer in that currency, as far as they are known.
        from_day: the next day.

    Raises: Refusal: CURRENCY_UNKNOWN, FACILITY_UNKNOWN, NOT_THE_FINANCIER, FACILITY_DIFFERS, FACILITIES_EXHAUSTED.
    """
    require_currency(body.currency)
    found = [require_facility(one, name) for name, one in zip(body.facility_ids, named, strict=True)]
    for own in found:
        if own.financier != sender:
            raise Refusal(RefusalCode.NOT_THE_FINANCIER, f"facility {own.facility_id} is {own.financier}'s")
    for own in found:
        if own.buyer != body.buyer or deposit_currency(own.deposit) != body.currency:
            text = f"facility {own.facility_id} is on another buyer or currency"
            raise Refusal(RefusalCode.FACILITY_DIFFERS, text)
    facility_ids = _counted([*found, *others])
    if existing and body.limit_minor > existing.limit_minor:
        pending = PendingLimit(body.limit_minor, from_day)
        return replace(existing, facility_ids=facility_ids, day=day, pending=pending)
    return BuyerLimit(sender, body.buyer, body.currency, body.limit_minor, facility_ids, day)


def join_limit(limit: BuyerLimit, counted: Sequence[Facility], opened: Facility) -> BuyerLimit:
    """Let a facility that has just been opened count under its financier's limit of the buyer.

    Args:
        counted: the facilities that count so far.

    Raises: Refusal: FACILITIES_EXHAUSTED.
    """
    return replace(limit, facility_ids=_counted([*counted, opened]))


def _counted(found: Sequence[Facility]) -> tuple[str, ...]:
    """The ids of those of which something is, or can be, used. Raises: Refusal: FACILITIES_EXHAUSTED."""
    ids = {one.facility_id for one in found if one.status != "closed" or one.used_minor}
    if len(ids) > FACILITIES_MAX:
        text = f"a limit counts {FACILITIES_MAX} facilities on a buyer in one currency: close those not needed"
        raise Refusal(RefusalCode.FACILITIES_EXHAUSTED, text)
    return tuple(sorted(ids))
