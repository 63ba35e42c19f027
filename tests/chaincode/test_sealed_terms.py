"""A consortium whose terms are sealed: what the contract asks of a sealed offer, and of what is shown of it later."""

from __future__ import annotations

from typing import Any

import pytest
from sealed_world import OTHER_SALT, TERMS, VALID_UNTIL, approved, later_key, opening, parties, sealed, sealed_offer
from world import World, found
from world_bodies import BUYER, CARRIER, DEPOSIT, SUPPLIER, agreement_key, hexid, party

ID = {"invoice_id": hexid("invoice")}
PAY = {**ID, "deposit": DEPOSIT}
RATE = str(TERMS["rate_bps"]).encode()


@pytest.fixture
def world() -> World:
    return approved("sealed")


def test_a_sealed_offer_is_paid_by_what_was_sealed_and_no_record_or_answer_said_it_before(world: World) -> None:
    assert world.must(SUPPLIER, "OfferDiscount", **sealed_offer()) == ID
    offer = world.read(f"discount_offer/{hexid('invoice')}")
    assert (offer["rate_bps"], offer["day_count"]) == (None, None)
    assert offer["sealed"] == sealed()
    assert world.must(BUYER, "PayEarly", **PAY, opening=opening())["discount_minor"] > 0
    shown = world.read(f"discount_offer/{hexid('invoice')}")
    assert {name: shown[name] for name in TERMS} == TERMS, "the payment shows them"


def test_the_same_terms_in_clear_and_sealed_pay_the_same(world: World) -> None:
    in_clear = approved("open")
    in_clear.must(SUPPLIER, "OfferDiscount", **ID, **TERMS, valid_until=VALID_UNTIL)
    world.must(SUPPLIER, "OfferDiscount", **sealed_offer())
    assert in_clear.must(BUYER, "PayEarly", **PAY) == world.must(BUYER, "PayEarly", **PAY, opening=opening())


@pytest.mark.parametrize(
    "shown",
    [
        None,
        opening(rate_bps=7194),
        opening(day_count="ACT/360"),
        opening(salt=OTHER_SALT),
    ],
    ids=["nothing", "another rate", "another day count", "another salt"],
)
def test_a_payment_by_other_terms_than_were_sealed_is_refused(world: World, shown: Any) -> None:
    world.must(SUPPLIER, "OfferDiscount", **sealed_offer())
    assert world.refusal(BUYER, "PayEarly", **PAY, opening=shown) == "OPENING_DIFFERS"
    world.must(BUYER, "PayEarly", **PAY, opening=opening())


def test_an_offer_that_was_replaced_is_not_paid_by_what_was_shown_of_the_one_before(world: World) -> None:
    world.must(SUPPLIER, "OfferDiscount", **sealed_offer())
    world.must(SUPPLIER, "OfferDiscount", **sealed_offer(salt=OTHER_SALT))
    assert world.refusal(BUYER, "PayEarly", **PAY, opening=opening()) == "OPENING_DIFFERS"
    world.must(BUYER, "PayEarly", **PAY, opening=opening(salt=OTHER_SALT))


def test_a_commitment_of_another_deal_opens_nothing_here(world: World) -> None:
    world.must(SUPPLIER, "OfferDiscount", **sealed_offer(record=f"discount_offer/{hexid('another')}"))
    assert world.refusal(BUYER, "PayEarly", **PAY, opening=opening()) == "OPENING_DIFFERS"


@pytest.mark.parametrize(
    "changed",
    [
        {"sender": BUYER},
        {"readers": (SUPPLIER,)},
        {"readers": (BUYER, CARRIER, SUPPLIER)},
        {"readers": (SUPPLIER, BUYER)},
        {"readers": (BUYER, BUYER, SUPPLIER)},
        {"keys": {BUYER: agreement_key(CARRIER)}},
        {"keys": {BUYER: later_key(BUYER)}},
        {"sender_key": agreement_key(BUYER)},
    ],
    ids=[
        "sent by another",
        "not for the buyer",
        "for a third",
        "out of order",
        "one twice",
        "under a third one's key",
        "under a key that does not count yet",
        "from a key of another",
    ],
)
def test_a_body_that_its_readers_could_not_open_is_refused(world: World, changed: dict[str, Any]) -> None:
    world.must(BUYER, "ChangeAgreementKey", agreement_key=later_key(BUYER))
    assert world.refusal(SUPPLIER, "OfferDiscount", **sealed_offer(**changed)) == "WRAPS_INVALID"
    world.must(SUPPLIER, "OfferDiscount", **sealed_offer())


@pytest.mark.parametrize(
    ("field", "value"),
    [("body", "00" * 143), ("body", "00" * (16 + 9 * 128)), ("body", "AA" * 144), ("commitment", ""), ("wraps", [])],
)
def test_a_body_of_another_form_is_malformed(world: World, field: str, value: Any) -> None:
    offer = sealed_offer()
    spoilt = offer | {"sealed": offer["sealed"] | {field: value}}
    assert world.refusal(SUPPLIER, "OfferDiscount", **spoilt) == "MALFORMED"


@pytest.mark.parametrize("name", sorted(TERMS))
def test_terms_in_clear_are_refused_where_terms_are_sealed(world: World, name: str) -> None:
    both = sealed_offer() | {name: TERMS[name]}
    assert world.refusal(SUPPLIER, "OfferDiscount", **both) == "PRIVACY_DIFFERS"
    in_clear = {**ID, **TERMS, "valid_until": VALID_UNTIL}
    assert world.refusal(SUPPLIER, "OfferDiscount", **in_clear) == "PRIVACY_DIFFERS"


def test_sealed_or_missing_terms_are_refused_where_terms_are_in_clear() -> None:
    world = approved("open")
    assert world.refusal(SUPPLIER, "OfferDiscount", **sealed_offer()) == "PRIVACY_DIFFERS"
    missing = {**ID, "rate_bps": None, "day_count": "ACT/360", "valid_until": VALID_UNTIL}
    assert world.refusal(SUPPLIER, "OfferDiscount", **missing) == "PRIVACY_DIFFERS"
    world.must(SUPPLIER, "OfferDiscount", **ID, **TERMS, valid_until=VALID_UNTIL)
    assert world.refusal(BUYER, "PayEarly", **PAY, opening=opening()) == "OPENING_DIFFERS", "there is nothing to show"


def test_a_sealed_consortium_takes_no_party_for_which_nobody_can_seal() -> None:
    world = World()
    keyless = {"parties": [*parties(), party("KeylessMSP", "carrier")], "privacy": "sealed"}
    assert world.refusal(SUPPLIER, "FoundConsortium", **keyless) == "FOUNDING_INVALID"
    found(world, parties(), "sealed")
    assert world.read("founding")["privacy"] == "sealed"
    newcomer, change = party("KeylessMSP", "carrier"), {"change_id": hexid("keyless")}
    assert world.refusal(SUPPLIER, "ProposeParty", **change, party=newcomer) == "PARTY_INVALID"
    with_key = newcomer | {"agreement_key": agreement_key("KeylessMSP")}
    world.must(SUPPLIER, "ProposeParty", **change, party=with_key)


def test_a_founding_is_confirmed_with_its_privacy() -> None:
    digests = {
        World().must(SUPPLIER, "FoundConsortium", parties=parties(), privacy=privacy)["digest"]
        for privacy in ("open", "sealed")
    }
    assert len(digests) == 2, "who confirms one has not confirmed the other"


def test_neither_argument_nor_state_holds_a_sealed_rate_until_it_is_paid(world: World) -> None:
    world.must(SUPPLIER, "OfferDiscount", **sealed_offer())
    assert RATE not in b"".join([*world.state.values(), *(argument for _, _, argument in world.sent)])
    world.must(BUYER, "PayEarly", **PAY, opening=opening())
    assert RATE in b"".join(world.state.values()), "the search finds it where it is"
