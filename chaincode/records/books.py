"""Records of the two books (cash by deposit kind, obligations by invoice) and of claims on fingerprints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from chaincode.errors import RecordError
from chaincode.money import MINOR_MAX
from chaincode.records.codec import Upgrade, adding
from chaincode.records.fields import (
    OWING_KINDS,
    AccountName,
    AccountUnit,
    Date,
    Epoch,
    FingerprintKind,
    Id,
    IdOrNone,
    Minor,
    Msp,
    Range,
    Signed,
    TransactionId,
)

CommandNumber = Annotated[int, Range(0, 1_000_000)]
Book = Literal["cash", "obligation"]
ClaimState = Literal["registered", "financed", "cancelled", "split"]
Step = Literal[
    "issue",
    "reverse_issue",
    "cover",
    "transfer",
    "redeem",
    "redeemed",
    "redemption_rejected",
    "approve",
    "void_approval",
    "reserve",
    "void",
    "expire",
    "early_payment",
    "assignment",
    "settle",
    "paid_outside",
    "discharge",
    "write_off",
    "recovery",
    "credit_note",
    "claim_paid",
    "repurchase",
    "unwind",
    "reassignment",
]


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `balance_minor` is debit minus credit, in minor units of the unit's currency."""

    book: Book
    unit: AccountUnit
    invoice_id: IdOrNone
    name: AccountName
    party: Msp
    balance_minor: Signed
    guard_parties: Minor
    """Among how many parties its key's endorsers were chosen; 0 while it has none but the contract's own."""

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(guard_parties=0),)

    def __post_init__(self) -> None:
        kind, balance = self.name.partition(":")[0], self.balance_minor
        wrong_side = kind != "issued" and (balance > 0 if kind in OWING_KINDS else balance < 0)
        if wrong_side or abs(balance) > MINOR_MAX:
            raise RecordError("balance_minor", f"{self.name} cannot stand at {balance}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement between two accounts of one book.

    `command_number` is the place of its command among those of its transaction, from 0: a ledger gives writes in the
    order of their keys, which are made of random ids. Of one command's entries the keys are in order.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(command_number=0),)

    book: Book
    unit: AccountUnit
    invoice_id: IdOrNone
    debit: AccountName
    credit: AccountName
    amount_minor: Minor
    step: Step
    command_id: Id
    transaction_id: TransactionId
    day: Date
    command_number: CommandNumber


@dataclass(frozen=True, slots=True)
class Claim:
    """An invoice's claim on a fingerprint; "split" stands for its parts, of which each may be financed once.

    By `reference` it claims the number of an invoice that it says to follow or correct, which is not its own.
    """

    invoice_id: Id
    supplier: Msp
    state: ClaimState
    reference: bool = False


def _fingerprint_as_of_2(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 2 an invoice claimed nothing but what was its own."""
    return old | {"claims": [claim | {"reference": False} for claim in old["claims"]]}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Who claims a fingerprint, in order: the first claim is the unique one, all others are duplicates."""

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (_fingerprint_as_of_2,)

    epoch: Epoch
    kind: FingerprintKind
    claims: tuple[Claim, ...]
