"""What would I get: a quote is the very sum that a payment pays, shown before all evidence is there."""

from __future__ import annotations

from typing import Any

import pytest
from life_worlds import (
    disputed,
    funded,
    happening,
    read,
    registered,
    reservation,
    reserved,
    supplier_has_money,
    terms,
    two_steps,
)
from world import World, founded, play
from world_bodies import BUYER, DAY, DEPOSIT, FINANCIER, SUPPLIER, approval, facility, hexid, invoice, request


def ask(world: World, facility_name: str = "") -> Any:
    wanted = hexid(facility_name) if facility_name else ""
    return world.query(type="Quote", invoice_id=hexid("invoice"), facility_id=wanted)


def test_what_is_quoted_before_the_approval_is_what_is_paid_with_it() -> None:
    world = founded()
    play(world, without=("approval",))
    answer = ask(world)
    # 10 000.00 at 5 % for 63 days of 360: 87.50; the fee is 25.00; the yield is 87.50 / 9 887.50 x 360 / 63 = 5.06 %
    assert answer == {
        "invoice_id": hexid("invoice"),
        "status": "registered",
        "facility_id": hexid("facility"),
        "deposit": DEPOSIT,
        "currency": "EUR",
        "reason": "",
        "text": "",
        "quote": {
            "face_minor": 1_000_000,
            "discount_minor": 8_750,
            "fee_minor": 2_500,
            "net_minor": 988_750,
            "payout_date": DAY,
            "maturity": "2027-01-25",
            "days": 63,
            "rate_bps": 500,
            "yield_bps": 506,
        },
    }
    world.must(BUYER, "ApproveInvoice", **approval())
    paid = read(world)["early_payment"]
    shared = ("discount_minor", "fee_minor", "net_minor", "maturity", "days", "rate_bps")
    assert {name: answer["quote"][name] for name in shared} == {name: paid[name] for name in shared}


def test_a_quote_needs_no_evidence_and_no_request() -> None:
    world = registered()
    assert world.classes()["INTEGRITY"] != "HOLDS"
    assert (ask(world)["quote"], ask(world)["reason"]) == (None, "NO_REQUEST")
    world.must(FINANCIER, "OpenFacility", **facility())
    before = dict(world.state)
    assert ask(world, "facility")["quote"]["net_minor"] == 988_750
    assert world.state == before


def test_a_named_facility_is_quoted_although_another_one_was_asked() -> None:
    world = founded()
    play(world, without=("approval",))
    world.must(FINANCIER, "OpenFacility", **facility("dear", rate_bps=1_000))
    assert ask(world)["quote"]["discount_minor"] == 8_750
    assert ask(world, "dear")["quote"]["discount_minor"] == 17_500


def test_money_that_was_set_aside_is_quoted_as_it_will_be_paid() -> None:
    world = reservation()
    quote = ask(world)["quote"]
    kept = read(world)["reservation"]
    assert (quote["net_minor"], quote["days"]) == (kept["net_minor"], kept["days"])
    assert quote["yield_bps"] == 506
    world.must(FINANCIER, "OpenFacility", **facility("other"))
    assert (ask(world, "other")["quote"], ask(world, "other")["reason"]) == (None, "RESERVED")
    world.must(FINANCIER, "PostFunding", invoice_id=hexid("invoice"))
    assert read(world)["early_payment"]["net_minor"] == quote["net_minor"]


def test_money_that_is_set_aside_is_quoted_as_before_however_large_the_fee() -> None:
    world = two_steps()
    dear = terms(mode="manual", two_step_above_minor=0, fee_minor=500_000)
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=dear)
    world.open_day("2026-11-25")
    world.must(SUPPLIER, "RequestEarlyPayment", **request(net_min_minor=1))
    before = ask(world)
    # 10 000.00 at 5 % for 61 days of 360: 84.72; the yield is 84.72 / 4 915.28 x 360 / 61 = 10.17 %
    assert (before["quote"]["net_minor"], before["quote"]["yield_bps"]) == (491_528, 1_017)
    reserved(world)
    assert ask(world) == before


def test_a_release_check_shows_the_terms_of_the_facility_that_is_asked_and_not_those_of_what_is_set_aside() -> None:
    world = reservation()
    world.must(FINANCIER, "OpenFacility", **facility("other", rate_bps=1_000))
    world.must(SUPPLIER, "RequestEarlyPayment", **request(facility_ids=[hexid("other")]))
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))
    assert (answer["facility_id"], answer["quote"]["rate_bps"]) == (hexid("other"), 1_000)


@pytest.mark.parametrize(
    ("world", "facility_name", "reason"),
    [
        (funded(), "", "PAID"),
        (funded(), "facility", "PAID"),
        (two_steps(), "nothing", "FACILITY_UNKNOWN"),
    ],
)
def test_where_nothing_can_be_quoted_the_reason_is_named(world: World, facility_name: str, reason: str) -> None:
    answer = ask(world, facility_name)
    assert (answer["quote"], answer["reason"]) == (None, reason)
    assert answer["text"]


def test_a_disputed_invoice_has_no_quote_and_its_control_has_one() -> None:
    world = two_steps()
    assert ask(world)["quote"]
    disputed(world)
    assert (ask(world)["quote"], ask(world)["reason"]) == (None, "DISPUTED")


def test_what_was_bought_back_is_never_paid_early_again_and_has_no_quote() -> None:
    world = happening(funded, supplier_has_money)
    world.must(SUPPLIER, "Repurchase", invoice_id=hexid("invoice"), deposit=DEPOSIT)
    assert world.classes()["UNIQUE"] == "ALREADY_FINANCED"
    for facility_name in ("", "facility"):
        answer = ask(world, facility_name)
        assert (answer["quote"], answer["reason"]) == (None, "ALREADY_FINANCED")


def test_a_duplicate_that_a_person_may_clear_has_a_quote() -> None:
    world = registered()
    world.must(SUPPLIER, "RegisterInvoice", **invoice("twin") | {"fingerprints": invoice()["fingerprints"]})
    world.must(FINANCIER, "OpenFacility", **facility())
    wanted = {"invoice_id": hexid("twin"), "facility_id": hexid("facility")}
    assert world.query(type="Quote", **wanted)["quote"]["net_minor"] == 988_750


def test_a_net_below_what_the_supplier_wants_is_no_quote_unless_the_facility_is_named() -> None:
    world = two_steps()
    world.must(SUPPLIER, "RequestEarlyPayment", **request(net_min_minor=999_999))
    assert (ask(world)["quote"], ask(world)["reason"]) == (None, "NET_BELOW_MIN")
    assert ask(world, "facility")["quote"]["net_minor"] < 999_999


def test_an_invoice_that_does_not_exist_has_no_answer() -> None:
    assert founded().query(type="Quote", invoice_id=hexid("nothing"), facility_id="") is None
