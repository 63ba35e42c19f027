"""A booked credit, and a payment, counts once, however its date is told; one that only looks the same can be named."""

from __future__ import annotations

from typing import Any

import pytest
from life_worlds import REASON
from refusal_rows import OTHER_BANK, enrolled, everybody, with_money
from world import World
from world_bodies import BUYER, DAY, DEPOSIT, FINANCIER, SUPPLIER, command, confirmation, deposit, hex64, hexid

from chaincode.records import BookedCredit, canonical, decode

OTHER_DATE = {"credit_reference": hex64("the same reference, another date")}


def issued(**first: Any) -> World:
    """The credit has been issued against; `first` is what was said of it."""
    world = everybody()
    world.must(FINANCIER, "IssueDeposit", **deposit(**first))
    return world


@pytest.mark.parametrize("booked_on", ["2026-10-24", "2026-11-22", DAY])
def test_one_credit_is_not_issued_again_under_another_date(booked_on: str) -> None:
    world = issued()
    code = world.refusal(FINANCIER, "IssueDeposit", **deposit(**OTHER_DATE, booked_on=booked_on))
    assert code == "CREDIT_LOOKS_ISSUED"
    assert world.balance(f"cash:{BUYER}") == 1_000_000


@pytest.mark.parametrize("first", ["2026-10-24", "2026-11-22"])
def test_it_does_not_matter_which_of_the_two_dates_is_the_earlier_one(first: str) -> None:
    world = issued(booked_on=first)
    assert world.refusal(FINANCIER, "IssueDeposit", **deposit(**OTHER_DATE)) == "CREDIT_LOOKS_ISSUED"


OTHERS: dict[str, dict[str, Any]] = {
    "booked 31 days before": {"booked_on": "2026-10-23"},
    "of another amount": {"amount_minor": 999_999},
    "for another party": {"to": SUPPLIER},
    "with another reference": {"reference_fingerprint": hex64("another reference")},
    "of which a person says that it is another": {"again": True},
    "of an earlier release, that tells no reference alone": {"reference_fingerprint": ""},
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_credit_is_issued(name: str) -> None:
    issued().must(FINANCIER, "IssueDeposit", **deposit(**OTHER_DATE) | OTHERS[name])


def test_another_banks_credit_of_the_same_reference_is_issued() -> None:
    world = issued(amount_minor=400)
    world.must(OTHER_BANK, "IssueDeposit", **deposit(**OTHER_DATE, deposit=f"EUR@{OTHER_BANK}", amount_minor=400))


def test_nobody_says_again_of_the_very_same_credit() -> None:
    world = issued()
    assert world.refusal(FINANCIER, "IssueDeposit", **deposit(again=True)) == "CREDIT_ALREADY_ISSUED"


def test_two_persons_say_again_where_four_eyes_hold() -> None:
    world = issued()
    enrolled(FINANCIER)(world)
    again = deposit(**OTHER_DATE, again=True)
    assert world.refusal(FINANCIER, "IssueDeposit", **again, persons=("anna",)) == "TWO_PERSONS_REQUIRED"
    world.must(FINANCIER, "IssueDeposit", **again, persons=("anna", "berta"))


def test_a_credit_that_was_issued_under_a_wrong_date_and_taken_back_is_issued_under_the_right_one() -> None:
    world = issued()
    right = deposit(**OTHER_DATE, booked_on="2026-11-20")
    assert world.refusal(FINANCIER, "IssueDeposit", **right) == "CREDIT_LOOKS_ISSUED"
    world.must(FINANCIER, "ReverseIssue", credit_reference=deposit()["credit_reference"], **REASON)
    world.must(FINANCIER, "IssueDeposit", **right)
    third = deposit(credit_reference=hex64("a third date"))
    assert world.refusal(FINANCIER, "IssueDeposit", **third) == "CREDIT_LOOKS_ISSUED"


def test_two_that_look_the_same_in_one_transaction_are_told_apart_like_in_two() -> None:
    world = everybody()
    first, second = deposit(), deposit(**OTHER_DATE)
    commands = [command("IssueDeposit", hexid(name), **one) for name, one in (("1", first), ("2", second))]
    results = world.batch(FINANCIER, commands)
    assert [result.get("code", result["status"]) for result in results] == ["applied", "CREDIT_LOOKS_ISSUED"]


def test_a_command_of_an_earlier_release_is_issued_and_answered_as_before_when_it_comes_again() -> None:
    world = everybody()
    earlier = {name: value for name, value in deposit().items() if name not in ("reference_fingerprint", "again")}
    sent = command("IssueDeposit", hexid("sent before the upgrade"), **earlier)
    assert [world.batch(FINANCIER, [sent])[0]["status"] for _ in range(2)] == ["applied", "exists"]


def test_what_an_earlier_release_kept_of_a_credit_looks_like_no_other() -> None:
    world = issued()
    key = f"booked_credit/{FINANCIER}/{deposit()['credit_reference']}"
    kept = world.read(key)
    for name in ("reference_fingerprint", "booked_on"):
        del kept["issued"][name]
    credit = decode(BookedCredit, canonical(kept | {"version": 2}))
    assert credit.issued
    assert (credit.issued.reference_fingerprint, credit.issued.booked_on) == ("", "")


def asked_again(day: str = "", amount_minor: int = 400_000) -> World:
    """The buyer was paid out, and asks once more."""
    world = with_money()
    for name in ("first", "redemption"):
        asked = {"redemption_id": hexid(name), "deposit": DEPOSIT}
        world.must(BUYER, "RedeemDeposit", **asked, amount_minor=amount_minor if name == "redemption" else 400_000)
    world.must(FINANCIER, "ConfirmRedemption", **confirmation("first"))
    if day:
        world.open_day(day)
    return world


@pytest.mark.parametrize("day", ["", "2026-12-23"])
def test_one_payment_does_not_confirm_two_redemptions(day: str) -> None:
    world = asked_again(day)
    other_date = confirmation(payment_reference=hex64("another date"))
    assert world.refusal(FINANCIER, "ConfirmRedemption", **other_date) == "PAYMENT_LOOKS_CONFIRMED"
    assert world.balance(f"redeeming:{BUYER}") == 400_000
    world.must(FINANCIER, "ConfirmRedemption", **other_date | {"again": True})


def test_two_persons_say_again_of_a_payment_where_four_eyes_hold_and_one_is_enough_otherwise() -> None:
    world = asked_again()
    enrolled(FINANCIER)(world)
    again = confirmation(again=True)
    assert world.refusal(FINANCIER, "ConfirmRedemption", **again, persons=("anna",)) == "TWO_PERSONS_REQUIRED"
    control = asked_again()
    enrolled(FINANCIER)(control)
    control.must(FINANCIER, "ConfirmRedemption", **confirmation(payment="another"), persons=("anna",))
    world.must(FINANCIER, "ConfirmRedemption", **again, persons=("anna", "berta"))


@pytest.mark.parametrize(
    ("world", "body"),
    [
        (asked_again("2026-12-24"), confirmation()),
        (asked_again(amount_minor=400_001), confirmation()),
        (asked_again(), confirmation(payment="another")),
        (asked_again(), confirmation(reference_fingerprint="")),
    ],
    ids=["31 days later", "another amount", "another reference", "of an earlier release"],
)
def test_another_payment_is_confirmed(world: World, body: dict[str, Any]) -> None:
    world.must(FINANCIER, "ConfirmRedemption", **body)
