"""Bodies of the commands of deposit money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaincode.records.fields import (
    Date,
    Deposit,
    Hex,
    HexOrNone,
    Id,
    Msp,
    Signed,
)


@dataclass(frozen=True, slots=True)
class IssueDeposit:
    """Issue deposit money against one booked credit.

    `credit_reference` is a fingerprint of the bank's reference and the booking date, `reference_fingerprint` of the
    reference alone, empty in commands of an earlier release; `again` is a person's word that a credit which looks like
    one that was issued against is another.
    """

    LATER: ClassVar[dict[str, Any]] = {"reference_fingerprint": "", "again": False}

    deposit: Deposit
    to: Msp
    amount_minor: Signed
    credit_reference: Hex
    reference_fingerprint: HexOrNone
    booked_on: Date
    again: bool


@dataclass(frozen=True, slots=True)
class ReverseIssue:
    """Take back what was issued against a booked credit."""

    credit_reference: Hex
    reason_commitment: Hex


@dataclass(frozen=True, slots=True)
class CoverShortfall:
    """Pay, out of one's deposit, what a reversed issue left short."""

    deposit: Deposit
    amount_minor: Signed


@dataclass(frozen=True, slots=True)
class TransferDeposit:
    """Move deposit money to another party."""

    deposit: Deposit
    to: Msp
    amount_minor: Signed


@dataclass(frozen=True, slots=True)
class RedeemDeposit:
    """Ask the issuer to pay deposit money out."""

    redemption_id: Id
    deposit: Deposit
    amount_minor: Signed


@dataclass(frozen=True, slots=True)
class ConfirmRedemption:
    """Say that a redemption is paid out.

    `payment_reference` is a fingerprint of the payment's reference and booking date, the others as in IssueDeposit.
    """

    LATER: ClassVar[dict[str, Any]] = {"reference_fingerprint": "", "again": False}

    redemption_id: Id
    payment_reference: Hex
    reference_fingerprint: HexOrNone
    again: bool


@dataclass(frozen=True, slots=True)
class RejectRedemption:
    """Give deposit money back that cannot be paid out."""

    redemption_id: Id
    reason_commitment: Hex
