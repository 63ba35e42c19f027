"""Every command with every refusal: the control is applied, each row is refused, in the order of the reference."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from life_worlds import AFTER_DUE, ID, REASON, happening, overdue, reservation, two_steps
from refusal_rows import Row, Table, did, enrolled, everybody
from refusal_table import TABLES
from refusals_funding import reserved_by_a_person
from world import World, founded
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    FINANCIER,
    ISSUE_LIMIT_MINOR,
    PARTIES,
    SUPPLIER,
    deposit,
    document,
    hex64,
    hexid,
    shipment,
    story,
)

from chaincode.records import Command, encode, keys

ROWS = [
    pytest.param(type_, row, id=f"{type_}-{number}-{row.code}")
    for type_, table in TABLES.items()
    for number, row in enumerate(table.rows)
]


def prepared(table: Table) -> World:
    world = table.world()
    for name in table.steps:
        msp_id, type_, body = story()[name]
        world.must(msp_id, type_, **body)
    return world


@pytest.mark.parametrize("type_", TABLES)
def test_the_control_is_applied(type_: str) -> None:
    table = TABLES[type_]
    prepared(table).must(table.sender, type_, **table.body)


@pytest.mark.parametrize(("type_", "row"), ROWS)
def test_a_spoilt_command_is_refused_without_a_trace(type_: str, row: Row) -> None:
    table = TABLES[type_]
    world = prepared(table)
    if row.before:
        row.before(world)
    assert world.refusal(row.sender or table.sender, type_, **table.body | row.body) == row.code


EXCLUSIVE = {
    ("COMMITMENT_DIFFERS", "COMMITMENT_SAME"),
    ("DUE_DATE_MISSING", "DUE_DATE_IN_DOCUMENT"),
    ("NOT_ASKED", "STANDING_WRONG"),
    ("NOT_ASKED", "MEMBERS_EXHAUSTED"),
    ("NOT_ASKED", "PARTY_INVALID"),
    # A party is short of one deposit, and the other row changes the deposit.
    ("FROZEN", "FUNDS_MISSING"),
    ("FROZEN", "ISSUE_LIMIT_EXCEEDED"),
    # A credit of another amount looks like no other.
    ("CREDIT_LOOKS_ISSUED", "ISSUE_LIMIT_EXCEEDED"),
}
PAIRS = [
    pytest.param(type_, first, second, id=f"{type_}-{first.code}-{second.code}")
    for type_, table in TABLES.items()
    for first, second in itertools.combinations(table.rows, 2)
    if first.code != second.code
    and (first.code, second.code) not in EXCLUSIVE
    and not set(first.body) & set(second.body)
    and not (first.sender and second.sender)
    and not (first.before and second.before)
]


@pytest.mark.parametrize(("type_", "first", "second"), PAIRS)
def test_of_two_reasons_the_earlier_one_is_named(type_: str, first: Row, second: Row) -> None:
    table = TABLES[type_]
    world = prepared(table)
    for row in (first, second):
        if row.before:
            row.before(world)
    sender = first.sender or second.sender or table.sender
    assert world.refusal(sender, type_, **table.body | first.body | second.body) == first.code


def spoil(code: str, table: Table, world: World) -> tuple[str, dict[str, Any]]:
    """Change the world, or give the sender and what to add to the body, so that the common refusal is met."""
    if code == "COMMAND_ID_REUSED":
        key = keys.command(table.sender, hexid("used"))
        world.apply({key: encode(Command(hex64("another command"), {}))})
    if code == "NOT_FOUNDED":
        world.apply({keys.FOUNDING: None})
    if code == "DAY_NOT_OPEN":
        world.apply({keys.DAY: None})
    senders = {"PARTY_NOT_ACTIVE": "StrangerMSP", "ROLE_MISSING": CARRIER}
    extra = {"no_such_field": 1} if code == "MALFORMED" else {}
    return senders.get(code, table.sender), {"command_id": hexid("used"), **extra}


@pytest.mark.parametrize(("type_", "code"), [(type_, code) for type_, table in TABLES.items() for code in table.common])
def test_what_every_command_requires_is_asked_before_its_own_rules(type_: str, code: str) -> None:
    table = TABLES[type_]
    world = prepared(table)
    sender, change = spoil(code, table, world)
    spoilt = table.rows[0].body if table.rows else {}
    assert world.refusal(sender, type_, **table.body | spoilt | change) == code


@pytest.mark.parametrize("type_", TABLES)
def test_no_command_names_a_stranger_as_a_person_of_its_sender(type_: str) -> None:
    table = TABLES[type_]
    world = prepared(table)
    body = table.body | (table.rows[0].body if table.rows else {}) | {"persons": ("stranger",)}
    assert world.refusal(table.sender, type_, **body) == "PERSON_UNKNOWN"
    world.must(table.sender, type_, **table.body)


SENTENCES: list[tuple[Callable[[], World], str, str, dict[str, Any], str]] = [
    (everybody, SUPPLIER, "RegisterDocument", document("document", entitled=["StrangerMSP"]),
     "StrangerMSP is not an active party"),
    (everybody, SUPPLIER, "RegisterShipment", shipment(buyer=FINANCIER),
     f"{FINANCIER} is not an active party in role buyer"),
    (reserved_by_a_person, FINANCIER, "PostFunding", {**ID, "persons": ("anna",)},
     "another person than the one who reserved must stand behind it"),
    (lambda: happening(reservation, enrolled(FINANCIER)), FINANCIER, "PostFunding", {**ID, "persons": ("anna",)},
     "two persons, since nobody reserved, must stand behind it"),
    (lambda: happening(two_steps, did(BUYER, "WithdrawApproval", **ID, **REASON)), FINANCIER, "FundInvoice",
     {**ID, "facility_id": hexid("facility")}, f"AMOUNT NOT_APPROVED: {BUYER} has not approved the invoice"),
    (overdue, FINANCIER, "ExtendDueDate", {**ID, "due_date": AFTER_DUE},
     f"from after {AFTER_DUE} to 2028-01-22, not {AFTER_DUE}"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sender", "type_", "body", "sentence"), SENTENCES)
def test_a_refusal_tells_people_what_is_wanted_and_of_whom(
    make: Callable[[], World], sender: str, type_: str, body: dict[str, Any], sentence: str
) -> None:
    assert make().run(sender, type_, **body)["text"] == sentence


def test_an_unconfirmed_founding_counts_as_none() -> None:
    world = TABLES["ConfirmFounding"].world()
    assert world.refusal(SUPPLIER, "OpenDay", date=DAY) == "NOT_FOUNDED"


def test_an_unknown_type_of_command_is_malformed() -> None:
    assert founded().refusal(SUPPLIER, "BurnTheHouse") == "MALFORMED"


def test_the_same_founding_is_proposed_once_and_another_one_replaces_it() -> None:
    world = World()
    world.must(SUPPLIER, "FoundConsortium", parties=list(PARTIES))
    assert world.refusal(BUYER, "FoundConsortium", parties=list(PARTIES)) == "ALREADY_FOUNDED"
    digest = world.read("founding")["digest"]
    world.must(BUYER, "ConfirmFounding", digest=digest)
    other = world.must(BUYER, "FoundConsortium", parties=list(PARTIES[:3]))["digest"]
    assert world.read("party/CarrierMSP") is None
    assert world.read("founding")["confirmed"] == []
    assert world.refusal(FINANCIER, "ConfirmFounding", digest=digest) == "DIGEST_DIFFERS"
    assert [world.must(one["msp_id"], "ConfirmFounding", digest=other)["active"] for one in PARTIES[:3]] == [
        False,
        False,
        True,
    ]


def test_the_first_day_needs_no_day_before_it() -> None:
    world = founded()
    world.apply({"day": None})
    assert world.must(BUYER, "OpenDay", date="2026-11-01") == {"date": "2026-11-01"}


def test_a_deposit_is_issued_up_to_the_limit_and_not_beyond() -> None:
    world = founded()
    world.must(FINANCIER, "IssueDeposit", **deposit("one", amount_minor=ISSUE_LIMIT_MINOR - 1))
    assert world.refusal(FINANCIER, "IssueDeposit", **deposit("two", amount_minor=2)) == "ISSUE_LIMIT_EXCEEDED"
    world.must(FINANCIER, "IssueDeposit", **deposit("two", amount_minor=1))
