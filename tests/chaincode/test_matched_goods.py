"""Goods billed against goods that came: what verifiers counted stops a payment, and never makes one."""

from __future__ import annotations

from typing import Any

import pytest
from life_worlds import NEXT_DAY, credit_note, terms
from test_look_alikes import decided
from world import World, found, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    Step,
    attestation,
    body,
    hexid,
    party,
    story,
)

from chaincode.records import Attestation, Facility, canonical, decode

PAID = [hexid("invoice")]
PROOF = hexid("proof")
COUNTS = {"verdict": "counts", "short_bps": 0, "off_days": 0, "lines": [], "proof_ids": [], "unclear": False}
FULL = COUNTS | {"verdict": "full", "proof_ids": [PROOF]}
PART = FULL | {"verdict": "part", "short_bps": 1_000, "lines": ["2", "3"]}
PART_AND_UNCLEAR = PART | {"unclear": True}
UNCLEAR = FULL | {"verdict": "unclear", "lines": ["1"]}
OFF = FULL | {"off_days": 3}


def told(**matches: Any) -> dict[str, Step]:
    """The story in which goods are found counted in the proof, and these matched the invoice with it."""
    steps = story() | body("proof", kind="transport_events", entitled=[BUYER, CARRIER, FINANCIER])
    steps |= body("carrier proof", match=COUNTS) | {
        "financier proof": (FINANCIER, "AttestDocument", attestation("proof"))
    }
    for who in ("buyer", "financier"):
        steps |= body(f"{who} document", match=matches.get(who, FULL))
    return steps


def played(**matches: Any) -> World:
    world = founded()
    assert play(world, told(**matches)) == []
    return world


def of_delivery(world: World) -> tuple[str, str, str]:
    classes = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["classes"]
    [one] = [one for one in classes if one["class"] == "DELIVERY"]
    return one["verdict"], one["reason"], one["text"]


def test_goods_that_came_as_billed_are_paid_and_verifiers_that_count_nothing_hold_nothing_up() -> None:
    assert play(founded(), told()) == PAID
    assert play(founded(), story()) == PAID


@pytest.mark.parametrize("who", ["buyer", "financier"])
def test_two_who_say_nothing_of_goods_cannot_have_an_invoice_paid_before_buyer_and_financier_read_its_proof(
    who: str,
) -> None:
    friend = "FriendMSP"
    world = World()
    found(world, (*PARTIES, party(friend, "carrier")))
    entitled = [BUYER, CARRIER, FINANCIER, friend]
    steps = told(buyer=None, financier=None) | body("proof", kind="transport_events", entitled=entitled)
    steps["carrier proof"] = (CARRIER, "AttestDocument", attestation("proof"))
    steps["friend proof"] = (friend, "AttestDocument", attestation("proof"))
    assert play(world, steps, without=[f"{who} proof"]) == []
    assert of_delivery(world)[:2] == ("INDETERMINATE", "MATCH_MISSING")
    asked = {"invoice_id": hexid("invoice"), "facility_id": hexid("facility")}
    assert world.refusal(FINANCIER, "FundInvoice", **asked) == "NOT_RELEASABLE"
    reader = BUYER if who == "buyer" else FINANCIER
    assert world.must(reader, "AttestDocument", **attestation("proof"))["released"] == PAID


def test_a_verifier_that_may_not_read_a_proof_is_not_waited_for() -> None:
    steps = told(financier=None) | body("proof", kind="transport_events", entitled=[BUYER, CARRIER])
    del steps["financier proof"]
    assert play(founded(), steps) == PAID


def test_a_proof_that_tells_of_no_transport_counts_nothing_whatever_is_said_of_it() -> None:
    world = founded()
    steps = story()
    assert steps["proof"][2]["kind"] != "transport_events"
    play(world, steps, without=["carrier proof"])
    said = attestation("proof")
    assert world.refusal(CARRIER, "AttestDocument", **said | {"match": COUNTS}) == "VERDICT_INCONSISTENT"
    assert world.must(CARRIER, "AttestDocument", **said)["released"] == PAID


@pytest.mark.parametrize(
    "match",
    [COUNTS, FULL | {"short_bps": 1}, UNCLEAR | {"short_bps": 1}, PART | {"short_bps": 0}],
    ids=["counts", "full and short", "unclear and short", "part and not short"],
)
def test_what_is_said_of_an_invoices_goods_must_be_consistent(match: Any) -> None:
    world = founded()
    play(world, told(), without=["buyer document"])
    said = told(buyer=match)["buyer document"][2]
    assert world.refusal(BUYER, "AttestDocument", **said) == "VERDICT_INCONSISTENT"
    of_proof = attestation("proof") | {"match": FULL}
    assert world.refusal(CARRIER, "AttestDocument", **of_proof) == "VERDICT_INCONSISTENT"


def test_an_attestation_of_before_says_of_its_match_that_nothing_else_is_unclear() -> None:
    world = played(buyer=PART)
    said = world.read(f"attestation/{hexid('document')}/{BUYER}")
    match = {name: value for name, value in said["match"].items() if name != "unclear"}
    read = decode(Attestation, canonical(said | {"match": match, "version": 5})).match
    assert read is not None and (read.verdict, read.unclear) == ("part", False)
    body_of_before = told(buyer=PART)["buyer document"][2] | {"match": match}
    assert world.must(BUYER, "AttestDocument", **body_of_before)
    assert world.read(f"attestation/{hexid('document')}/{BUYER}")["match"]["unclear"] is False


def test_a_tolerance_is_no_leave_to_deliver_nothing() -> None:
    world = founded()
    play(world, told(), without=["request"])
    asked = {"facility_id": hexid("facility")}
    assert world.refusal(FINANCIER, "ChangeFacility", **asked, terms=terms(short_bps_max=1_001)) == "MALFORMED"
    assert world.must(FINANCIER, "ChangeFacility", **asked, terms=terms(short_bps_max=1_000))
    offered = world.read(f"facility/{hexid('facility')}")
    for holder in (offered, offered["pending"]["terms"]):
        holder["short_bps_max"] = 10_000
    read = decode(Facility, canonical(offered | {"version": 3}))
    assert read.pending is not None
    assert (read.short_bps_max, read.pending.terms.short_bps_max) == (1_000, 1_000)


@pytest.mark.parametrize("who", ["buyer", "financier"])
def test_goods_that_came_in_part_are_never_paid_whoever_of_the_two_counted_them(who: str) -> None:
    world = played(**{who: PART})
    verdict, reason, text = of_delivery(world)
    assert (verdict, reason) == ("INVALID", "PARTIAL_DELIVERY")
    assert "line 2, 3" in text and "10.00 %" in text
    asked = {"invoice_id": hexid("invoice"), "facility_id": hexid("facility")}
    assert world.refusal(FINANCIER, "FundInvoice", **asked) == "NOT_RELEASABLE"


@pytest.mark.parametrize("who", ["buyer", "financier"])
def test_an_invoice_that_was_not_matched_with_goods_that_are_counted_waits_even_for_a_decision(who: str) -> None:
    world = played(**{who: None})
    assert of_delivery(world)[:2] == ("INDETERMINATE", "MATCH_MISSING")
    asked = {"invoice_id": hexid("invoice"), "facility_id": hexid("facility")}
    assert world.refusal(FINANCIER, "FundInvoice", **asked) == "NOT_RELEASABLE"
    party = BUYER if who == "buyer" else FINANCIER
    _, command, said = told()[f"{who} document"]
    assert world.must(party, command, **said)["released"] == PAID


def test_a_match_with_other_proofs_than_the_one_that_counts_is_no_match() -> None:
    world = played(buyer=FULL | {"proof_ids": [hexid("another")]})
    assert of_delivery(world)[:2] == ("INDETERMINATE", "MATCH_MISSING")


@pytest.mark.parametrize("match", [UNCLEAR, OFF], ids=["unclear", "off the day"])
@pytest.mark.parametrize("who", ["buyer", "financier"])
def test_what_no_machine_can_tell_is_paid_by_decision_only(who: str, match: Any) -> None:
    world = played(**{who: match})
    assert of_delivery(world)[:2] == ("INDETERMINATE", "MATCH_UNCLEAR")
    assert decided(world, "invoice") == PAID


@pytest.mark.parametrize(
    ("tolerance", "match", "reason"),
    [
        ({"short_bps_max": 1_000}, PART, "PAID"),
        ({"short_bps_max": 999}, PART, "PARTIAL_DELIVERY"),
        ({"short_bps_max": 1_000}, PART_AND_UNCLEAR, "MATCH_UNCLEAR"),
        ({"short_bps_max": 999}, PART_AND_UNCLEAR, "PARTIAL_DELIVERY"),
        ({}, FULL | {"unclear": True}, "MATCH_UNCLEAR"),
        ({"off_days_max": 3}, OFF, "PAID"),
        ({"off_days_max": 2}, OFF, "MATCH_UNCLEAR"),
        ({"off_days_max": 3_650}, PART, "PARTIAL_DELIVERY"),
    ],
)
def test_a_facility_says_how_exactly_goods_must_match(tolerance: Any, match: Any, reason: str) -> None:
    world = founded()
    play(world, told(buyer=match), without=["request"])
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=terms(**tolerance))
    world.open_day(NEXT_DAY)
    play(world, {"request": told()["request"]})
    assert of_delivery(world)[1] == reason


def test_goods_in_part_that_a_credit_note_answers_for_are_paid_by_decision_only() -> None:
    """The control is the same without the credit note."""
    for credited in (True, False):
        world = played(buyer=PART)
        if credited:
            world.must(SUPPLIER, "RecordCreditNote", **credit_note(shipment_ids=[hexid("shipment")]))
        assert of_delivery(world)[:2] == (
            ("INDETERMINATE", "MATCH_UNCLEAR") if credited else ("INVALID", "PARTIAL_DELIVERY")
        )


def test_nobody_elses_count_matters_and_without_a_request_only_the_buyers_does() -> None:
    steps = told() | body("document", entitled=[BUYER, FINANCIER, CARRIER])
    last = {name: steps.pop(name) for name in ("buyer document", "financier document")}
    steps["carrier document"] = (CARRIER, "AttestDocument", attestation("document", match=PART))
    assert play(founded(), steps | last) == PAID
    world = founded()
    play(world, told(financier=PART), without=["request"])
    assert of_delivery(world)[0] == "VALID"
    play(world := founded(), told(buyer=PART), without=["request"])
    assert of_delivery(world)[:2] == ("INVALID", "PARTIAL_DELIVERY")


@pytest.mark.parametrize("match", [UNCLEAR, OFF])
def test_without_a_request_what_is_unclear_is_left_to_some_financier(match: Any) -> None:
    world = founded()
    play(world, told(buyer=match), without=["request"])
    assert of_delivery(world)[:2] == ("INDETERMINATE", "MATCH_UNCLEAR")


def test_goods_are_counted_only_in_bytes_that_were_read() -> None:
    world = founded()
    play(world, story(), without=["buyer document"])
    said = attestation("document", verdict="unavailable", commitment="", match=FULL)
    assert world.refusal(BUYER, "AttestDocument", **said) == "VERDICT_INCONSISTENT"


def test_records_of_before_say_nothing_of_goods_and_no_tolerance() -> None:
    world = played(buyer=PART)
    said = world.read(f"attestation/{hexid('document')}/{BUYER}")
    before = {name: value for name, value in said.items() if name != "match"}
    assert decode(Attestation, canonical(before | {"version": 4})).match is None
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=terms())
    offered = world.read(f"facility/{hexid('facility')}")
    for holder in (offered, offered["pending"]["terms"]):
        del holder["short_bps_max"], holder["off_days_max"]
    read = decode(Facility, canonical(offered | {"version": 2}))
    assert read.pending is not None
    assert (read.short_bps_max, read.pending.terms.off_days_max) == (0, 0)
