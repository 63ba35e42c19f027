"""Four eyes over money: what one person alone cannot do with it, and what one still can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from life_worlds import ID, REASON, funded, reservation, two_steps
from refusal_rows import enrolled, waits_for_decision, with_money
from world import World
from world_bodies import BUYER, CARRIER, DEPOSIT, FACE_MINOR, FINANCIER, hex64, hexid, settlement

BOTH = ("anna", "berta")
FACILITY = {"facility_id": hexid("facility")}


@dataclass(frozen=True)
class Attack:
    """What a bribed person of `sender` would do alone, with an amount that its party's threshold is compared with."""

    make: Callable[[], World]
    sender: str
    type: str
    body: dict[str, Any]
    amount_minor: int = 400_000


MONEY = {"deposit": DEPOSIT, "amount_minor": 400_000}
ATTACKS = {
    "its deposit is given away": Attack(with_money, BUYER, "TransferDeposit", {**MONEY, "to": CARRIER}),
    "its deposit is taken off the ledger": Attack(
        with_money, BUYER, "RedeemDeposit", {**MONEY, "redemption_id": hexid("redemption")}
    ),
    "what it is owed is said to be paid": Attack(
        funded, FINANCIER, "RecordPaidOutside", {**ID, **REASON, "amount_minor": 400_000}
    ),
    "it funds an invoice by hand": Attack(
        waits_for_decision, FINANCIER, "FundInvoice", {**ID, **FACILITY}, amount_minor=FACE_MINOR
    ),
}
EACH = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


@EACH
def test_one_person_alone_gives_nothing_away_above_the_threshold(attack: Attack) -> None:
    world = attack.make()
    enrolled(attack.sender)(world)
    for alone in ((), ("anna",)):
        code = world.refusal(attack.sender, attack.type, **attack.body, persons=alone)
        assert code == "TWO_PERSONS_REQUIRED"
    world.must(attack.sender, attack.type, **attack.body, persons=BOTH)


@EACH
def test_a_party_without_four_eyes_moves_its_money_as_before(attack: Attack) -> None:
    world = attack.make()
    enrolled(attack.sender, persons=("anna",))(world)
    world.must(attack.sender, attack.type, **attack.body)


@EACH
def test_one_person_moves_what_the_threshold_allows_and_not_one_cent_more(attack: Attack) -> None:
    for threshold, code in ((attack.amount_minor, ""), (attack.amount_minor - 1, "TWO_PERSONS_REQUIRED")):
        world = attack.make()
        enrolled(attack.sender)(world)
        body = {"currency": "EUR", "amount_minor": threshold}
        world.must(attack.sender, "SetFourEyesThreshold", **body, persons=BOTH)
        world.open_day("2026-11-24")
        assert world.run(attack.sender, attack.type, **attack.body).get("code", "") == code


def test_where_no_threshold_is_set_one_person_alone_gives_away_not_one_cent() -> None:
    world = with_money()
    enrolled(BUYER)(world)
    cent = {"deposit": DEPOSIT, "to": CARRIER, "amount_minor": 1}
    assert world.refusal(BUYER, "TransferDeposit", **cent, persons=("anna",)) == "TWO_PERSONS_REQUIRED"
    world.must(BUYER, "TransferDeposit", **cent, persons=BOTH)


def test_one_person_alone_still_pays_what_its_party_owes() -> None:
    world = funded()
    enrolled(BUYER)(world)
    before = world.balance(f"cash:{BUYER}")
    transfer = {"deposit": DEPOSIT, "to": CARRIER, "amount_minor": FACE_MINOR}
    assert world.refusal(BUYER, "TransferDeposit", **transfer) == "TWO_PERSONS_REQUIRED"
    world.must(BUYER, "SettleInvoice", **settlement())
    assert before - world.balance(f"cash:{BUYER}") == FACE_MINOR


def test_one_person_alone_does_not_lift_the_limit_of_a_buyer() -> None:
    world = funded()
    enrolled(FINANCIER)(world)
    limit = {"buyer": BUYER, "currency": "EUR", "limit_minor": 2**53 - 1, "facility_ids": [hexid("facility")]}
    for alone in ((), ("anna",)):
        assert world.refusal(FINANCIER, "SetBuyerLimit", **limit, persons=alone) == "TWO_PERSONS_REQUIRED"
    world.must(FINANCIER, "SetBuyerLimit", **limit, persons=BOTH)


def test_two_steps_by_one_person_each_count_as_two() -> None:
    world = two_steps()
    enrolled(FINANCIER)(world)
    assert world.refusal(FINANCIER, "FundInvoice", **ID, **FACILITY) == "TWO_PERSONS_REQUIRED"
    world.must(FINANCIER, "FundInvoice", **ID, **FACILITY, persons=("anna",))
    assert world.refusal(FINANCIER, "PostFunding", **ID, persons=("anna",)) == "TWO_PERSONS_REQUIRED"
    assert world.must(FINANCIER, "PostFunding", **ID, persons=("berta",)) == {"released": [hexid("invoice")]}


@pytest.mark.parametrize("alone", [(), ("anna",)])
def test_what_was_set_aside_before_there_were_two_persons_is_posted_by_two(alone: tuple[str, ...]) -> None:
    world = reservation()
    enrolled(FINANCIER)(world)
    assert world.refusal(FINANCIER, "PostFunding", **ID, persons=alone) == "TWO_PERSONS_REQUIRED"
    world.must(FINANCIER, "PostFunding", **ID, persons=BOTH)


def test_what_was_set_aside_is_posted_by_a_party_without_persons_as_before() -> None:
    reservation().must(FINANCIER, "PostFunding", **ID)


def test_who_has_reserved_may_stand_behind_the_second_step_beside_another() -> None:
    world = two_steps()
    enrolled(FINANCIER)(world)
    world.must(FINANCIER, "FundInvoice", **ID, **FACILITY, persons=("anna",))
    world.must(FINANCIER, "PostFunding", **ID, persons=BOTH)


def test_whoever_holds_a_node_for_a_minute_can_lock_its_party_out_until_it_has_persons_of_its_own() -> None:
    """What the page on security says remains, played: the remedy comes before, not after."""
    world = funded()
    enrolled(FINANCIER, persons=("thief one", "thief two"))(world)
    anna = {"commitment": hex64("person anna")}
    assert world.refusal(FINANCIER, "EnrolPerson", **anna) == "TWO_PERSONS_REQUIRED"
    world = funded()
    enrolled(FINANCIER)(world)
    assert world.refusal(FINANCIER, "EnrolPerson", commitment=hex64("person thief one")) == "TWO_PERSONS_REQUIRED"
