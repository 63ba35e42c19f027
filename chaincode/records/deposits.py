"""Records of deposit money: what was issued against which booked credit, and redemptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from chaincode.records.fields import Date, DateOrNone, Deposit, Hex, HexOrNone, Id, Minor, Msp


def _credit_as_of_2(_old: dict[str, Any]) -> dict[str, Any]:
    """Until version 2 the ledger kept only that a credit had been issued against."""
    return {"issued": None, "reversed": False}


def _credit_as_of_3(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 3 the ledger did not keep what tells that two credits look alike."""
    issued = old["issued"] and old["issued"] | {"reference_fingerprint": "", "booked_on": ""}
    return old | {"issued": issued}


@dataclass(frozen=True, slots=True)
class IssuedDeposit:
    """What was issued to whom, in minor units, against a credit of that reference and booking date."""

    deposit: Deposit
    to: Msp
    amount_minor: Minor
    day: Date
    reference_fingerprint: HexOrNone
    booked_on: DateOrNone


@dataclass(frozen=True, slots=True)
class BookedCredit:
    """A booked credit that deposit money was issued against; `issued` is None where the ledger did not keep it."""

    UPGRADES: ClassVar[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = (_credit_as_of_2, _credit_as_of_3)

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
