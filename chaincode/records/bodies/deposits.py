"""Bodies of the commands of deposit money."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.records.fields import (
    Date,
    Deposit,
    Hex,
    Msp,
    Signed,
)


@dataclass(frozen=True, slots=True)
class IssueDeposit:
    """Issue deposit money against one booked credit."""

    deposit: Deposit
    to: Msp
    amount_minor: Signed
    credit_reference: Hex
    booked_on: Date
