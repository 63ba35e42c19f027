"""An invoice of several deliveries claims each of them: whichever of them was financed before is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from invariants import check_state
from life_worlds import ID, REASON, part
from test_look_alikes import cleared, decided, refused, told
from world import World, founded, play
from world_bodies import (
    BUYER,
    FINANCIER,
    SUPPLIER,
    Step,
    approval,
    attestation,
    document,
    facts,
    fingerprints,
    hex64,
    hexid,
    invoice,
    request,
)

from chaincode.records import Attestation, Invoice, canonical, decode

NOTES = {name: hex64(f"delivery note {name}") for name in "ABCDE"}


def prints(name: str, note: str = "") -> dict[str, str]:
    """The fingerprints of an invoice, with that of its delivery where it names a single one."""
    return fingerprints(name) | ({"delivery": NOTES[note]} if note else {})


def of_several(notes: str) -> dict[str, Any]:
    """What an invoice of these delivery notes says."""
    return facts(deliveries=sorted(NOTES[note] for note in notes))


def collective(notes: str) -> dict[str, Step]:
    """The story of an invoice of several deliveries."""
    steps = told(prints("invoice"))
    for name in ("invoice", "buyer document", "financier document"):
        steps[name][2]["facts"] = of_several(notes)
    return steps


def financed(steps: dict[str, Step]) -> World:
    world = founded()
    assert play(world, steps) == [hexid("invoice")]
    return world


def another(world: World, name: str, said: dict[str, str], read: dict[str, Any]) -> list[str]:
    """A second invoice of a paper of its own, with all that it needs; gives what is paid with its approval."""
    paper = f"paper of {name}"
    world.must(SUPPLIER, "RegisterDocument", **document(paper))
    body = invoice(name, document_ids=[hexid(paper)], fingerprints=said, facts=read)
    world.must(SUPPLIER, "RegisterInvoice", **body)
    world.must(SUPPLIER, "RequestEarlyPayment", **request(name))
    for msp_id in (BUYER, FINANCIER):
        world.must(msp_id, "AttestDocument", **attestation(paper, facts=read, fingerprints=said))
    released = world.must(BUYER, "ApproveInvoice", **approval(name))["released"]
    check_state(world.state)
    return list(released)


SEVERAL = {
    "one of several, of one of several": (collective("AB"), prints("second"), of_several("BC")),
    "the first in order": (collective("AB"), prints("second"), of_several("AC")),
    "one of several, of a single one": (told(prints("invoice", "B")), prints("second"), of_several("AB")),
    "a single one, of one of several": (collective("AB"), prints("second", "A"), facts()),
    "one beside a single one": (collective("AB"), prints("second", "C"), of_several("BD")),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_a_delivery_that_was_financed_is_found_whatever_stands_beside_it(name: str) -> None:
    steps, said, read = SEVERAL[name]
    world = financed(steps)
    assert another(world, "second", said, read) == []
    assert world.read(f"invoice/{hexid('second')}")["duplicate_of"] == hexid("invoice")
    assert world.classes("second")["UNIQUE"] == "ALREADY_FINANCED"
    refused(world, "second")
    cleared(world, "second")
    assert decided(world, "second") == [hexid("second")]


@pytest.mark.parametrize(("first", "second"), [("AB", "CD"), ("AB", "CDE")])
def test_other_deliveries_are_paid_on_their_own(first: str, second: str) -> None:
    world = financed(collective(first))
    assert another(world, "second", prints("second"), of_several(second)) == [hexid("second")]


def test_each_delivery_is_marked_as_financed_and_given_free_by_cancelling() -> None:
    world = financed(collective("ABC"))
    states = [claims(world, note)[0]["state"] for note in "ABC"]
    assert states == ["financed"] * 3
    world = founded()
    play(world, collective("ABC"), without=["approval"])
    world.must(SUPPLIER, "CancelInvoice", **ID, **REASON)
    assert [claims(world, note)[0]["state"] for note in "ABC"] == ["cancelled"] * 3
    assert another(world, "second", prints("second"), of_several("AB")) == [hexid("second")]


def claims(world: World, note: str) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = world.read(f"fingerprint/1/delivery/{SUPPLIER}/{NOTES[note]}")["claims"]
    return found


def test_a_supplier_that_leaves_a_delivery_out_is_found_out_by_the_verifiers() -> None:
    world = founded()
    steps = collective("AB")
    steps["invoice"][2]["facts"] = facts()
    assert play(world, steps) == []
    assert world.classes()["AMOUNT"] == "FACTS_DIFFER"


def test_a_delivery_that_a_proof_names_may_be_one_of_several_and_no_other() -> None:
    for note, reason in (("B", "HOLDS"), ("C", "DELIVERY_UNCLAIMED")):
        world = founded()
        steps = collective("AB")
        steps["buyer proof"][2]["fingerprints"] = {"delivery": NOTES[note]}
        play(world, steps, without=["request"])
        world.must(SUPPLIER, "RequestEarlyPayment", **request(net_min_minor=999_999))
        assert world.classes()["UNIQUE"] == reason


def test_the_parts_of_an_invoice_have_its_deliveries_and_claim_none_again() -> None:
    world = founded()
    play(world, collective("AB"), without=["approval"])
    parts = [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]
    world.must(SUPPLIER, "SplitInvoice", invoice_id=hexid("invoice"), parts=parts)
    assert [len(claims(world, note)) for note in "AB"] == [1, 1]
    assert another(world, "second", prints("second"), of_several("BC")) == []
    assert world.classes("second")["UNIQUE"] == "ALREADY_FINANCED"


@pytest.mark.parametrize("wrong", [["B", "A"], ["A", "A"], ["A"] * 201])
def test_deliveries_are_in_order_and_stand_once(wrong: list[str]) -> None:
    world = founded()
    play(world, {name: step for name, step in told(prints("x")).items() if name in ("document", "proof", "shipment")})
    values = [hex64(f"note {note}") for note in wrong]
    order = sorted(set(values), reverse=True) if len(wrong) == 2 and wrong[0] != wrong[1] else values
    assert world.refusal(SUPPLIER, "RegisterInvoice", **invoice(facts=facts(deliveries=order))) == "MALFORMED"


def test_two_hundred_deliveries_are_claimed() -> None:
    world = founded()
    many = sorted(hex64(f"note {number}") for number in range(200))
    steps = told(prints("invoice"))
    for name in ("invoice", "buyer document", "financier document"):
        steps[name][2]["facts"] = facts(deliveries=many)
    assert play(world, steps) == [hexid("invoice")]


def test_older_claims_stay_and_what_was_read_before_of_one_delivery_agrees_with_what_is_read_now() -> None:
    world = financed(told(prints("invoice", "A")))
    kept = world.read(f"invoice/{hexid('invoice')}")
    said = world.read(f"attestation/{hexid('document')}/{BUYER}")
    earlier = {name: value for name, value in kept["facts"].items() if name != "deliveries"}
    old = {name: value for name, value in kept.items() if name != "stated_due_date"}
    assert decode(Invoice, canonical(old | {"version": 4, "facts": earlier})) == decode(Invoice, canonical(kept))
    of_then = {name: value for name, value in said.items() if name not in ("rules", "match")}
    read = decode(Attestation, canonical(of_then | {"version": 2, "facts": earlier}))
    assert read == decode(Attestation, canonical(said))
    named = earlier | {"predecessors": [hex64("an earlier one")]}
    of_facts = decode(Invoice, canonical(old | {"version": 4, "facts": named})).facts
    assert of_facts.predecessors == (hex64("an earlier one"),), "what version 4 has is kept"
