"""Rules by which a financier bounds its own risk: holds on parties, and a limit of a buyer over several facilities."""

from __future__ import annotations

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import deposit_currency
from chaincode.records import BuyerLimit, Facility, Hold, Party, bodies
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
        raise Refusal(RefusalCode.ALREADY_HELD, f"held since {existing.day}")
    return Hold(sender, body.msp_id, body.reason_commitment, day)


def require_held(existing: Hold | None, msp_id: str) -> None:
    """Raises: Refusal: NOT_HELD: there is no hold to lift."""
    if existing is None:
        raise Refusal(RefusalCode.NOT_HELD, f"funding of {msp_id} is not held")


def limit_buyer(found: list[Facility | None], sender: str, body: bodies.SetBuyerLimit, day: str) -> BuyerLimit:
    """Bound what the sender takes of a buyer over several of its facilities.

    Args:
        found: what stands under the body's facility ids, in its order.

    Raises: Refusal: CURRENCY_UNKNOWN, FACILITY_UNKNOWN, NOT_THE_FINANCIER, FACILITY_DIFFERS.
    """
    require_currency(body.currency)
    named = [require_facility(one, name) for name, one in zip(body.facility_ids, found, strict=True)]
    for own in named:
        if own.financier != sender:
            raise Refusal(RefusalCode.NOT_THE_FINANCIER, f"facility {own.facility_id} is {own.financier}'s")
    for own in named:
        if own.buyer != body.buyer or deposit_currency(own.deposit) != body.currency:
            text = f"facility {own.facility_id} is on another buyer or currency"
            raise Refusal(RefusalCode.FACILITY_DIFFERS, text)
    return BuyerLimit(sender, body.buyer, body.currency, body.limit_minor, tuple(sorted(body.facility_ids)), day)
