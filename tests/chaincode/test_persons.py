"""Persons and four eyes: whoever wants to bind a party alone is stopped, and by nothing else than that.

What moves money is in `test_persons_money`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from refusal_rows import COUSIN, enrolled, everybody
from world import World, founded, play
from world_bodies import BUYER, FINANCIER, SUPPLIER, approval, command, deposit, hex64, hexid, invoice, named, story

BOTH = ("anna", "berta")
NEED_TWO = {name: story()[name] for name in ("acceptance", "facility", "approval")} | {
    "deposit": (FINANCIER, "IssueDeposit", deposit())
}


def ready(name: str, persons: int) -> World:
    """Everything has happened that the step needs, and its sender has so many persons."""
    world = everybody()
    earlier = list(story())[: list(story()).index(name)] if name in story() else []
    play(world, {step: story()[step] for step in earlier})
    enrolled(NEED_TWO[name][0], persons=BOTH[:persons])(world)
    return world


@pytest.mark.parametrize("name", NEED_TWO)
def test_one_person_alone_binds_a_party_under_four_eyes_to_nothing(name: str) -> None:
    msp_id, type_, body = NEED_TWO[name]
    world = ready(name, persons=2)
    assert world.refusal(msp_id, type_, **body) == "TWO_PERSONS_REQUIRED"
    assert world.refusal(msp_id, type_, **body, persons=("anna",)) == "TWO_PERSONS_REQUIRED"
    world.must(msp_id, type_, **body, persons=BOTH)


@pytest.mark.parametrize("persons", [0, 1])
@pytest.mark.parametrize("name", NEED_TWO)
def test_a_party_that_has_not_chosen_four_eyes_is_asked_for_nothing(name: str, persons: int) -> None:
    msp_id, type_, body = NEED_TWO[name]
    ready(name, persons).must(msp_id, type_, **body)


def test_persons_of_another_party_do_not_count() -> None:
    world = everybody()
    enrolled(FINANCIER)(world)
    enrolled(SUPPLIER, persons=("sara", "sven"))(world)
    assert world.refusal(FINANCIER, "IssueDeposit", **deposit(), persons=("anna", "sara")) == "PERSON_UNKNOWN"
    world.must(FINANCIER, "IssueDeposit", **deposit(), persons=BOTH)


def test_a_retired_person_stands_behind_nothing_any_more() -> None:
    world = everybody()
    enrolled(FINANCIER, persons=(*BOTH, "carl"))(world)
    world.must(FINANCIER, "IssueDeposit", **deposit("one"), persons=("carl", "anna"))
    world.must(FINANCIER, "RetirePerson", commitment=hex64("person carl"), persons=BOTH)
    assert world.refusal(FINANCIER, "IssueDeposit", **deposit("two"), persons=("carl", "anna")) == "PERSON_UNKNOWN"
    world.must(FINANCIER, "IssueDeposit", **deposit("two"), persons=BOTH)


def test_there_is_no_way_back_from_four_eyes() -> None:
    world = everybody()
    enrolled(FINANCIER)(world)
    anna = hex64("person anna")
    assert world.refusal(FINANCIER, "RetirePerson", commitment=anna, persons=BOTH) == "LAST_PERSONS"
    assert world.refusal(FINANCIER, "EnrolPerson", commitment=hex64("person eve")) == "TWO_PERSONS_REQUIRED"
    assert world.read(f"party/{FINANCIER}")["four_eyes"] is True


def test_a_single_person_may_retire_and_leaves_a_party_without_persons() -> None:
    world = founded()
    enrolled(FINANCIER, persons=("anna",))(world)
    said = world.must(FINANCIER, "RetirePerson", commitment=hex64("person anna"))
    assert said == {"active_persons": 0}
    assert world.must(FINANCIER, "EnrolPerson", commitment=hex64("person berta")) == {"four_eyes": False}


def test_below_the_threshold_one_person_approves_from_the_next_day_on() -> None:
    world = ready("approval", persons=2)
    set_ = {"currency": "EUR", "amount_minor": approval()["amount_minor"]}
    assert world.must(BUYER, "SetFourEyesThreshold", **set_, persons=BOTH) == {"from_day": "2026-11-24"}
    assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "TWO_PERSONS_REQUIRED"
    world.open_day("2026-11-24")
    world.must(BUYER, "SetFourEyesThreshold", **set_ | {"amount_minor": 1}, persons=BOTH)
    world.must(BUYER, "ApproveInvoice", **approval())
    facts = invoice()["facts"] | {"amount_minor": set_["amount_minor"] + 1}
    world.must(SUPPLIER, "RegisterInvoice", **invoice("larger", facts=facts))
    larger = approval("larger", amount_minor=facts["amount_minor"])
    assert world.refusal(BUYER, "ApproveInvoice", **larger) == "TWO_PERSONS_REQUIRED"


def test_a_threshold_of_one_currency_is_none_of_another() -> None:
    world = ready("approval", persons=2)
    world.must(BUYER, "SetFourEyesThreshold", currency="USD", amount_minor=2**53 - 1, persons=BOTH)
    world.open_day("2026-11-24")
    assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "TWO_PERSONS_REQUIRED"


def test_a_threshold_that_counts_waits_no_more_while_another_one_does() -> None:
    world = everybody()
    enrolled(BUYER)(world)
    world.must(BUYER, "SetFourEyesThreshold", currency="EUR", amount_minor=5, persons=BOTH)
    world.open_day("2026-11-24")
    world.must(BUYER, "SetFourEyesThreshold", currency="USD", amount_minor=7, persons=BOTH)
    own = world.read(f"party/{BUYER}")
    assert own["four_eyes_above"] == {"EUR": 5}
    assert own["pending_four_eyes_above"] == {"USD": {"amount_minor": 7, "from_day": "2026-11-25"}}


def test_persons_do_not_make_it_another_command() -> None:
    world = everybody()
    enrolled(FINANCIER)(world)
    one: dict[str, Any] = command("IssueDeposit", hexid("one"), **deposit())
    assert world.batch(FINANCIER, [one | named("anna")])[0]["code"] == "TWO_PERSONS_REQUIRED"
    assert world.batch(FINANCIER, [one | named(*BOTH)])[0]["status"] == "applied"
    assert world.batch(FINANCIER, [one])[0]["status"] == "exists"


def test_in_one_batch_the_second_person_counts_for_what_follows() -> None:
    world = everybody()
    batch = [
        command("EnrolPerson", hexid("first"), commitment=hex64("person anna")),
        command("EnrolPerson", hexid("second"), commitment=hex64("person berta")),
        command("IssueDeposit", hexid("alone"), **deposit()),
        command("IssueDeposit", hexid("both"), **deposit()) | named(*BOTH),
    ]
    assert [one["status"] for one in world.batch(FINANCIER, batch)] == ["applied", "applied", "refused", "applied"]


def test_nothing_of_a_signature_stands_in_the_state() -> None:
    world = everybody()
    enrolled(COUSIN)(world)
    world.must(COUSIN, "AcceptSupplier", **story()["acceptance"][2], persons=BOTH)
    assert "signature" not in json.dumps({key: data.decode() for key, data in world.state.items()})
