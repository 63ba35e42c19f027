"""Bodies of the commands of deposit money."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.records.fields import (
    Date,
    Deposit,
    Hex,
    Id,
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
    """Say that a redemption is paid out; the reference is a fingerprint of the payment's."""

    redemption_id: Id
    payment_reference: Hex


@dataclass(frozen=True, slots=True)
class RejectRedemption:
    """Give deposit money back that cannot be paid out."""

    redemption_id: Id
    reason_commitment: Hex
