"""What the verifiers of buyer and financier find by public rules: broken is never paid, unchecked by decision only."""

from __future__ import annotations

from typing import Any

import pytest
from test_look_alikes import decided
from test_payable import of_amount
from world import World, founded, play
from world_bodies import BUYER, CARRIER, FINANCIER, SUPPLIER, Step, attestation, body, hexid, story

from chaincode.records import Attestation, canonical, decode

VALID = {"verdict": "valid", "model": "EN 16931-1:2017", "packs": ["en16931 1.3.16"], "broken": []}
INVALID = VALID | {"verdict": "invalid", "broken": ["BR-07", "BR-CO-15"]}
UNCHECKED = {"verdict": "indeterminate", "model": "EN 16931-1:2017", "packs": [], "broken": []}
PAID = [hexid("invoice")]


def read(**checks: Any) -> dict[str, Step]:
    """The story in which these verifiers, by `buyer` and `financier`, have checked the invoice by rules."""
    told: dict[str, Step] = {}
    for who, rules in checks.items():
        told |= body(f"{who} document", rules=rules)
    return told


def played(**checks: Any) -> World:
    world = founded()
    assert play(world, story() | read(**checks)) == []
    return world


@pytest.mark.parametrize("checks", [{}, {"buyer": VALID}, {"buyer": VALID, "financier": VALID}], ids=str)
def test_an_invoice_that_breaks_no_rule_is_paid_and_verifiers_without_rules_hold_nothing_up(checks: Any) -> None:
    assert play(founded(), story() | read(**checks)) == PAID


@pytest.mark.parametrize("who", ["buyer", "financier"])
def test_an_invoice_that_breaks_a_fatal_rule_is_never_paid_whoever_of_the_two_found_it(who: str) -> None:
    world = played(**{"buyer": VALID, "financier": VALID} | {who: INVALID})
    assert of_amount(world) == ("INVALID", "RULES_BROKEN", SUPPLIER)
    [one] = [one for one in _classes(world) if one["class"] == "AMOUNT"]
    assert "BR-07, BR-CO-15 of en16931 1.3.16" in one["text"]
    asked = {"invoice_id": hexid("invoice"), "facility_id": hexid("facility")}
    assert world.refusal(FINANCIER, "FundInvoice", **asked) == "NOT_RELEASABLE"


@pytest.mark.parametrize("who", ["buyer", "financier"])
def test_an_invoice_that_could_not_be_checked_is_paid_by_decision_only(who: str) -> None:
    world = played(**{who: UNCHECKED})
    assert of_amount(world) == ("INDETERMINATE", "RULES_UNCHECKED", BUYER if who == "buyer" else FINANCIER)
    assert decided(world, "invoice") == PAID


def test_a_verifier_that_has_mended_its_rules_attests_anew_and_that_pays() -> None:
    world = played(buyer=UNCHECKED)
    _, command, said = (story() | read(buyer=VALID))["buyer document"]
    assert world.must(BUYER, command, **said)["released"] == PAID


def test_nobody_elses_word_on_rules_counts() -> None:
    told = story() | body("document", entitled=[BUYER, FINANCIER, CARRIER])
    last = {name: told.pop(name) for name in ("buyer document", "financier document")}
    told["carrier document"] = (CARRIER, "AttestDocument", attestation("document", rules=INVALID))
    assert play(founded(), told | last) == PAID


def test_rules_come_only_of_bytes_that_were_read() -> None:
    world = founded()
    play(world, story(), without=["buyer document"])
    said = attestation("document", verdict="unavailable", commitment="", rules=UNCHECKED)
    assert world.refusal(BUYER, "AttestDocument", **said) == "VERDICT_INCONSISTENT"
    world.must(BUYER, "AttestDocument", **said | {"rules": None})


def test_an_attestation_of_before_says_nothing_of_rules() -> None:
    said = played(buyer=INVALID).read(f"attestation/{hexid('document')}/{BUYER}")
    before = {name: value for name, value in said.items() if name not in ("rules", "match")}
    assert decode(Attestation, canonical(before | {"version": 3})).rules is None


def _classes(world: World) -> list[dict[str, Any]]:
    classes: list[dict[str, Any]] = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["classes"]
    return classes
