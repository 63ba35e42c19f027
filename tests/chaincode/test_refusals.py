"""Every command with every refusal: the control is applied, each row is refused, in the order of the reference."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from life_worlds import AFTER_DUE, ID, REASON, funded, happening, overdue, reservation, two_steps
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
     f"the due date can be moved to a day from 2027-01-26 to 2028-01-22, not to {AFTER_DUE}"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sender", "type_", "body", "sentence"), SENTENCES)
def test_a_refusal_tells_people_what_is_wanted_and_of_whom(
    make: Callable[[], World], sender: str, type_: str, body: dict[str, Any], sentence: str
) -> None:
    assert make().run(sender, type_, **body)["text"] == sentence


SAID = {
    ("ApproveInvoice", "APPROVAL_DIFFERS"):
        "approved is 9 999.99 EUR due on 2027-01-22, claimed is 10 000.00 EUR due on 2027-01-22",
    ("ApproveInvoice", "DUE_DATE_PASSED"): "due today, 2027-01-22: too late to be approved",
    ("PayEarly", "DUE_DATE_PASSED"): "due today, 2027-01-22: too late for early payment",
    ("RegisterInvoice", "DUE_DATE_PASSED"): "due today, 2026-11-23: too late to be registered",
    ("RegisterInvoice", "DUE_BEFORE_ISSUE"): "it is due on 2026-11-19, 1 day before it is issued, on 2026-11-20",
    ("WithdrawApproval", "DUE_DATE_PASSED"):
        "the approved debt was due 3 days ago, on 2027-01-22: its holder can give more time, or forgive it",
    ("WithdrawApproval", "PARTLY_SETTLED"): "0.01 EUR has been paid on it already",
    ("ExtendDueDate", "EXTENSION_INVALID"):
        "the due date can be moved to a day from 2027-01-23 to 2028-01-22, not to 2027-01-22",
    ("RegisterInvoice", "AMOUNT_INVALID"): "an amount of 0.00 EUR cannot be claimed",
    ("SettleInvoice", "AMOUNT_INVALID"): "an amount of 0.00 EUR cannot be paid",
    ("IssueDeposit", "AMOUNT_INVALID"): "an amount of 0.00 EUR cannot be issued",
    ("RedeemDeposit", "AMOUNT_INVALID"): "an amount of 0.00 EUR cannot be moved",
    ("ReverseIssue", "BALANCE_EXCEEDS"):
        f"suspense:{BUYER} would stand at -90 071 992 557 409.91 EUR, beyond 90 071 992 547 409.91",
    ("ResolveDispute", "CLAIMS_OPEN"): f"{SUPPLIER} owes 0.01 EUR for credit notes on it",
    ("CoverShortfall", "COVER_EXCEEDS"): "8 000.00 EUR is short, not 8 000.01",
    ("RecordCreditNote", "CREDIT_EXCEEDS"): "at most 9 999.99 EUR can be credited, not 10 000.00",
    ("OpenDay", "DAY_NOT_LATER"): "the ledger's day is 2026-11-23 already: 2026-11-23 is no later one",
    ("OpenDay", "DAY_IN_FUTURE"):
        "that day begins tomorrow, 2026-11-25: the transaction was proposed on 2026-11-24 (UTC)",
    ("SettleInvoice", "DEPOSIT_DIFFERS"): "the invoice is in EUR, not USD",
    ("RecordRecovery", "DEPOSIT_DIFFERS"): "the holder takes EUR@FinancierMSP, not EUR@BuyerMSP",
    ("Repurchase", "DEPOSIT_DIFFERS"): "the holder takes EUR@FinancierMSP, not EUR@BankTwoMSP",
    ("TransferDeposit", "FROZEN"):
        f"{BUYER} is short of 490 000.00 EUR in EUR@FinancierMSP and has to cover that first",
    ("TransferDeposit", "FUNDS_MISSING"): f"{BUYER} has 10 000.00 EUR issued by {FINANCIER}, not 10 000.01",
    ("IssueDeposit", "ISSUE_LIMIT_EXCEEDED"):
        f"{FINANCIER} may issue 1 000 000.00 EUR more, not 90 071 992 547 409.91",
    ("SettleInvoice", "ISSUE_LIMIT_EXCEEDED"): f"{BUYER} may issue 0.00 EUR more, not 10 000.00",
    ("ExpireFunding", "NOT_EXPIRED"): "the reservation's last day is tomorrow, 2026-11-27",
    ("PostFunding", "RESERVATION_EXPIRED"): "the reservation ended yesterday, 2026-11-25",
    ("RecordRecovery", "RECOVERY_EXCEEDS"): "10 000.00 EUR is written off, not 10 000.01",
    ("AcceptSupplier", "SCREENING_PASSED"): "the screening ended yesterday, 2026-11-22",
    ("OfferDiscount", "VALIDITY_PASSED"): "the offer ended yesterday, 2026-11-23",
    ("RequestEarlyPayment", "VALIDITY_PASSED"): "the request ended yesterday, 2026-11-22",
    ("SettleInvoice", "SETTLEMENT_EXCEEDS"): "10 000.00 EUR is to be paid, not 10 000.01",
    ("SplitInvoice", "SPLIT_INVALID"): "the parts make 10 000.01 EUR, the invoice 10 000.00",
    ("OpenFacility", "TERMS_INVALID"): "the limit is 100 000.00 EUR: that of one supplier cannot be 100 000.01",
}  # fmt: skip
"""Sentences with amounts and days that rows of the table are refused with."""


def sentences_of(type_: str, code: str) -> list[str]:
    table, texts = TABLES[type_], []
    for row in table.rows:
        if row.code == code:
            world = prepared(table)
            if row.before:
                row.before(world)
            texts.append(world.run(row.sender or table.sender, type_, **table.body | row.body)["text"])
    return texts


@pytest.mark.parametrize(("type_", "code"), SAID)
def test_a_refusal_says_amounts_with_their_currency_and_days_as_people_do(type_: str, code: str) -> None:
    assert SAID[type_, code] in sentences_of(type_, code)


def test_more_than_money_can_be_does_not_go_astray() -> None:
    world = funded()
    reported = world.must(SUPPLIER, "ReportMisdirectedPayment", report_id=hexid("1"), **ID, amount_minor=150)
    assert reported is not None
    refused = world.run(SUPPLIER, "ReportMisdirectedPayment", report_id=hexid("2"), **ID, amount_minor=2**53 - 1)
    assert refused["text"] == "at most 90 071 992 547 409.91 EUR can go astray, and 1.50 did"


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
