"""Refusals of the commands of deposits; see `refusal_table`."""

from __future__ import annotations

from life_worlds import REASON, frozen
from refusal_rows import (
    ANY_PARTY,
    BEYOND,
    OTHER_BANK,
    Row,
    Table,
    did,
    enrolled,
    with_money,
)
from world import World
from world_bodies import (
    BUYER,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    confirmation,
    deposit,
    hex64,
    hexid,
)

from chaincode.records import Account, encode, keys

CREDIT = {"credit_reference": deposit()["credit_reference"]}
REDEMPTION = {"redemption_id": hexid("redemption")}
MONEY = {"deposit": DEPOSIT, "amount_minor": 400_000}
CONFIRM = confirmation()
LOOKS_THE_SAME = deposit(credit_reference=hex64("of another day"), booked_on="2026-10-24")
PERSON_OF_BOTH = enrolled(FINANCIER, OTHER_BANK)


def spent() -> World:
    """What was issued to the buyer has gone but for a fifth, and the issue is taken back; then half comes in again."""
    world = with_money()
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=SUPPLIER, amount_minor=800_000)
    world.must(FINANCIER, "ReverseIssue", **CREDIT, **REASON)
    world.must(SUPPLIER, "TransferDeposit", deposit=DEPOSIT, to=BUYER, amount_minor=400_000)
    return world


def short_of_the_most(world: World) -> None:
    """The buyer is short of as much as a number can say, and has nothing."""
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=SUPPLIER, amount_minor=1_000_000)
    name = f"suspense:{BUYER}"
    short = Account("cash", DEPOSIT, "", name, BUYER, -BEYOND, 0)
    world.apply({keys.cash_account(DEPOSIT, name): encode(short)})


def requested() -> World:
    """The buyer has asked to be paid out."""
    world = with_money()
    world.must(BUYER, "RedeemDeposit", **REDEMPTION, **MONEY)
    return world


def confirmed_before(world: World) -> None:
    """As much was paid out to the buyer before, with the same reference."""
    world.must(BUYER, "RedeemDeposit", redemption_id=hexid("earlier"), **MONEY)
    world.must(FINANCIER, "ConfirmRedemption", **confirmation("earlier"))


TABLES: dict[str, Table] = {
    "IssueDeposit": Table(
        FINANCIER,
        deposit(),
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER, OTHER_BANK)),
            Row("NOT_THE_ISSUER", sender=OTHER_BANK),
            Row("CURRENCY_UNKNOWN", {"deposit": f"QQQ@{FINANCIER}"}),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("ISSUE_TO_SELF", {"to": FINANCIER}),
            Row("PARTY_UNKNOWN", {"to": "StrangerMSP"}),
            Row("BOOKED_IN_FUTURE", {"booked_on": "2026-11-24"}),
            Row("CREDIT_ALREADY_ISSUED", before=did(FINANCIER, "IssueDeposit", **deposit(to=SUPPLIER, amount_minor=1))),
            Row("CREDIT_LOOKS_ISSUED", before=did(FINANCIER, "IssueDeposit", **LOOKS_THE_SAME)),
            Row("ISSUE_LIMIT_EXCEEDED", {"amount_minor": BEYOND}),
        ),
    ),
    "ReverseIssue": Table(
        FINANCIER,
        {**CREDIT, **REASON},
        world=with_money,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=PERSON_OF_BOTH),
            Row("CREDIT_UNKNOWN", {"credit_reference": hex64("no such credit")}),
            Row("CREDIT_UNKNOWN", sender=OTHER_BANK),
            Row("ALREADY_REVERSED", before=did(FINANCIER, "ReverseIssue", **CREDIT, **REASON)),
            Row("BALANCE_EXCEEDS", before=lambda world: short_of_the_most(world)),
        ),
    ),
    "CoverShortfall": Table(
        BUYER,
        MONEY,
        world=spent,
        common=ANY_PARTY,
        rows=(
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("COVER_EXCEEDS", {"amount_minor": 800_001}),
            Row("COVER_EXCEEDS", {"amount_minor": 1}, sender=SUPPLIER),
            Row("FUNDS_MISSING", {"amount_minor": 400_001}),
        ),
    ),
    "TransferDeposit": Table(
        BUYER,
        {**MONEY, "to": SUPPLIER},
        world=with_money,
        common=ANY_PARTY,
        rows=(
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("SAME_PARTY", {"to": BUYER}),
            Row("PARTY_UNKNOWN", {"to": "StrangerMSP"}),
            Row("ISSUER_HOLDS_NONE", {"to": FINANCIER}),
            Row("TWO_PERSONS_REQUIRED", before=enrolled(BUYER)),
            Row("FROZEN", before=frozen(BUYER)),
            Row("FUNDS_MISSING", {"amount_minor": 1_000_001}),
        ),
    ),
    "RedeemDeposit": Table(
        BUYER,
        {**REDEMPTION, **MONEY},
        world=with_money,
        common=ANY_PARTY,
        rows=(
            Row("ID_TAKEN", before=did(BUYER, "RedeemDeposit", **REDEMPTION, deposit=DEPOSIT, amount_minor=1)),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("ISSUER_HOLDS_NONE", {"deposit": f"EUR@{BUYER}"}),
            Row("TWO_PERSONS_REQUIRED", before=enrolled(BUYER)),
            Row("FROZEN", before=frozen(BUYER)),
            Row("FUNDS_MISSING", {"amount_minor": 1_000_001}),
        ),
    ),
    "ConfirmRedemption": Table(
        FINANCIER,
        CONFIRM,
        world=requested,
        common=ANY_PARTY,
        rows=(
            Row("REDEMPTION_UNKNOWN", {"redemption_id": hexid("no such redemption")}),
            Row("NOT_THE_ISSUER", sender=OTHER_BANK),
            Row("STATUS_WRONG", before=did(FINANCIER, "RejectRedemption", **REDEMPTION, **REASON)),
            Row("PAYMENT_LOOKS_CONFIRMED", before=confirmed_before),
            Row("TWO_PERSONS_REQUIRED", {"again": True}, before=enrolled(FINANCIER, OTHER_BANK)),
        ),
    ),
    "RejectRedemption": Table(
        FINANCIER,
        {**REDEMPTION, **REASON},
        world=requested,
        common=ANY_PARTY,
        rows=(
            Row("REDEMPTION_UNKNOWN", {"redemption_id": hexid("no such redemption")}),
            Row("NOT_THE_ISSUER", sender=OTHER_BANK),
            Row("STATUS_WRONG", before=did(FINANCIER, "ConfirmRedemption", **CONFIRM)),
        ),
    ),
}
