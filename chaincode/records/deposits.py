"""Records of deposit money: what was issued against which booked credit, and redemptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from chaincode.records.fields import Date, Deposit, Hex, HexOrNone, Id, Minor, Msp


def _credit_as_of_2(_old: dict[str, Any]) -> dict[str, Any]:
    """Until version 2 the ledger kept only that a credit had been issued against."""
    return {"issued": None, "reversed": False}


@dataclass(frozen=True, slots=True)
class IssuedDeposit:
    """What was issued to whom, in minor units."""

    deposit: Deposit
    to: Msp
    amount_minor: Minor
    day: Date


@dataclass(frozen=True, slots=True)
class BookedCredit:
    """A booked credit that deposit money was issued against; `issued` is None where the ledger did not keep it."""

    UPGRADES: ClassVar[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = (_credit_as_of_2,)

    issued: IssuedDeposit | None
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class Redemption:
    """A party's request to be paid out, to the account that it had registered then."""

    redemption_id: Id
    party: Msp
    deposit: Deposit
    amount_minor: Minor
    payout_fingerprint: Hex
    status: Literal["requested", "confirmed", "rejected"]
    payment_reference: HexOrNone
    day: Date
