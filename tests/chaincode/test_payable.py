"""What an invoice says of how it is paid: no holder can be paid by what is collected, nor by a stranger's account."""

from __future__ import annotations

from typing import Any

import pytest
from test_look_alikes import decided
from world import World, founded, play
from world_bodies import BUYER, FINANCIER, SUPPLIER, Step, body, facts, hex64, hexid, story

OWN = hex64(f"payout {SUPPLIER}")
STRANGE = hex64("somebody else's account")
OTHER = sorted((OWN, STRANGE))


def told(**said: Any) -> dict[str, Step]:
    """The story of an invoice that says this."""
    names = ("invoice", "buyer document", "financier document")
    return {name: step for one in names for name, step in body(one, facts=facts(**said)).items()}


def played(**said: Any) -> World:
    world = founded()
    assert play(world, story() | told(**said)) == []
    return world


def of_amount(world: World) -> tuple[str, str, str]:
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["classes"]
    [one] = [one for one in answer if one["class"] == "AMOUNT"]
    return one["verdict"], one["reason"], one["who"]


NEVER: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "collected by direct debit": ({"conditions": ["collected"]}, ("INVALID", "COLLECTED", SUPPLIER)),
    "collected, though it names an account of nobody": (
        {"conditions": ["collected"], "payee": STRANGE},
        ("INVALID", "COLLECTED", SUPPLIER),
    ),
    "one account of several is a stranger's": (
        {"payee": OTHER[0], "other_payees": [OTHER[1]]},
        ("INDETERMINATE", "PAYEE_UNKNOWN", SUPPLIER),
    ),
    "all accounts are strangers'": (
        {"payee": STRANGE, "other_payees": [hex64("another stranger's")]},
        ("INVALID", "PAYEE_DIFFERS", SUPPLIER),
    ),
}


@pytest.mark.parametrize("name", NEVER)
def test_what_no_holder_could_be_paid_by_is_not_paid_early(name: str) -> None:
    said, found = NEVER[name]
    assert of_amount(played(**said)) == found


@pytest.mark.parametrize("said", [{"other_payees": [OWN]}, {"payee": "", "other_payees": []}], ids=["twice", "none"])
def test_what_names_no_account_but_the_suppliers_is_paid(said: dict[str, Any]) -> None:
    assert play(founded(), story() | told(**said)) == [hexid("invoice")]


def test_a_prepayment_is_paid_by_decision_only() -> None:
    world = played(conditions=["prepayment"])
    assert of_amount(world) == ("INDETERMINATE", "PREPAYMENT", FINANCIER)
    assert decided(world, "invoice") == [hexid("invoice")]


def test_whose_decision_a_prepayment_needs_is_not_known_before_anybody_is_asked() -> None:
    world = founded()
    play(world, story() | told(conditions=["prepayment"]), without=["request"])
    assert of_amount(world) == ("INDETERMINATE", "FACTS_MISSING", "financier")
    assert world.read(f"invoice/{hexid('invoice')}")["buyer"] == BUYER
