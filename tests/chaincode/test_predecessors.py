"""A corrected invoice is the debt that it corrects: of the two one is financed at most, whichever comes first."""

from __future__ import annotations

from typing import Any

import pytest
from invariants import check_state
from life_worlds import ID, REASON, part
from refusal_rows import enrolled
from test_look_alikes import another, cleared, decided, financed, prints, refused, told
from world import World, founded, play
from world_bodies import (
    BUYER,
    FINANCIER,
    SUPPLIER,
    approval,
    attestation,
    document,
    facts,
    hex64,
    hexid,
    invoice,
    request,
)

from chaincode.records import Attestation, Fingerprint, Invoice, canonical, decode

NUMBER = prints("invoice")["number"]
CORRECTS: dict[str, Any] = {"predecessors": [NUMBER], "amount_minor": 900_000}


def correcting(world: World, name: str = "second", **said: Any) -> None:
    """An invoice of another number and amount that says to correct the first one, with all that it needs."""
    correction(world, name, facts(**CORRECTS | said))


def correction(world: World, name: str, read: dict[str, Any]) -> None:
    paper = f"paper of {name}"
    world.must(SUPPLIER, "RegisterDocument", **document(paper))
    body = invoice(name, document_ids=[hexid(paper)], facts=read, fingerprints=prints(name))
    world.must(SUPPLIER, "RegisterInvoice", **body)
    world.must(SUPPLIER, "RequestEarlyPayment", **request(name, net_min_minor=1))
    for msp_id in (BUYER, FINANCIER):
        world.must(msp_id, "AttestDocument", **attestation(paper, facts=read, fingerprints=prints(name)))
    amount = {"amount_minor": read["amount_minor"]}
    assert world.must(BUYER, "ApproveInvoice", **approval(name, **amount))["released"] == []


def delivered() -> World:
    """All is there but the first invoice's approval."""
    world = founded()
    assert play(world, told(prints("invoice")), without=["approval"]) == []
    return world


def test_a_corrected_invoice_of_a_financed_one_is_never_paid_whoever_clears_and_decides_it() -> None:
    world = financed()
    correcting(world)
    assert world.read(f"invoice/{hexid('second')}")["duplicate_of"] == hexid("invoice")
    assert world.classes("second")["UNIQUE"] == "PREDECESSOR_FINANCED"
    quote = world.query(type="Quote", invoice_id=hexid("second"), facility_id="")
    assert (quote["quote"], quote["reason"]) == (None, "PREDECESSOR_FINANCED")
    cleared(world, "second")
    assert world.classes("second")["UNIQUE"] == "PREDECESSOR_FINANCED"
    refused(world, "second")


def test_the_same_invoice_that_corrects_nothing_is_paid() -> None:
    world = financed()
    another(world, "second", prints("second", ("amount",)))
    cleared(world, "second")
    decided(world, "second")


def test_a_financed_invoice_that_was_bought_back_is_not_sold_again_as_corrected() -> None:
    world = founded()
    steps = told(prints("invoice"))
    steps["facility"][2]["recourse"] = "full"
    assert play(world, steps) == [hexid("invoice")]
    for name in (SUPPLIER, FINANCIER):
        world.must(name, "Unwind", **ID)
    correcting(world)
    cleared(world, "second")
    refused(world, "second")


def test_a_corrected_invoice_of_one_that_is_not_financed_waits_for_persons_and_then_for_a_decision() -> None:
    world = delivered()
    world.must(SUPPLIER, "CancelInvoice", **ID, **REASON)
    correcting(world)
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("second"))["classes"]
    [unique] = [one for one in answer if one["class"] == "UNIQUE"]
    assert (unique["verdict"], unique["reason"], unique["who"]) == ("INDETERMINATE", "PREDECESSOR_UNCLEARED", BUYER)
    refused(world, "second")
    cleared(world, "second")
    assert world.classes("second")["UNIQUE"] == "CLEARED_BY_PERSON"
    assert decided(world, "second") == [hexid("second")]


@pytest.mark.parametrize("named", [NUMBER, hex64("a number of another life")], ids=["its own", "unknown"])
def test_an_invoice_that_names_what_the_ledger_does_not_know_waits_for_persons_too(named: str) -> None:
    world = founded()
    read = facts(predecessors=[named])
    steps = told(prints("invoice"))
    for name in ("invoice", "buyer document", "financier document"):
        steps[name][2]["facts"] = read
    assert play(world, steps) == []
    assert world.read(f"invoice/{hexid('invoice')}")["duplicate_of"] == ""
    assert world.classes()["UNIQUE"] == "PREDECESSOR_UNCLEARED"
    cleared(world, "invoice")
    assert decided(world, "invoice") == [hexid("invoice")]


def test_what_was_corrected_is_not_paid_after_its_correction_was() -> None:
    world = delivered()
    correcting(world)
    cleared(world, "second")
    assert decided(world, "second") == [hexid("second")]
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert world.classes()["UNIQUE"] == "ALREADY_FINANCED"
    cleared(world, "invoice")
    refused(world, "invoice")


def test_what_was_corrected_and_comes_later_is_held_by_its_correction() -> None:
    world = founded()
    steps = told(prints("invoice"))
    before = ("acceptance", "facility", "document", "proof", "shipment")
    play(world, {name: steps.pop(name) for name in before})
    correcting(world)
    assert play(world, steps) == []
    assert world.read(f"invoice/{hexid('invoice')}")["duplicate_of"] == hexid("second")
    assert world.classes()["UNIQUE"] == "DUPLICATE_CLAIM"
    cleared(world, "second")
    assert decided(world, "second") == [hexid("second")]
    cleared(world, "invoice")
    refused(world, "invoice")


def test_what_was_corrected_and_is_financed_first_stops_its_correction() -> None:
    world = delivered()
    correcting(world)
    cleared(world, "second")
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == [hexid("invoice")]
    refused(world, "second")


def test_two_that_follow_one_invoice_look_alike_and_no_more() -> None:
    world = delivered()
    world.must(SUPPLIER, "CancelInvoice", **ID, **REASON)
    for name, amount_minor in (("second", 900_000), ("third", 800_000)):
        correcting(world, name, amount_minor=amount_minor)
    cleared(world, "second")
    decided(world, "second")
    assert world.classes("third")["UNIQUE"] == "ALREADY_FINANCED"
    refused(world, "third")
    cleared(world, "third")
    assert decided(world, "third") == [hexid("third")]


def test_neither_a_part_of_a_correction_nor_what_it_corrects_is_paid_beside_the_other() -> None:
    world = financed()
    paper = document("paper of whole")
    world.must(SUPPLIER, "RegisterDocument", **paper)
    body = invoice("whole", document_ids=[paper["document_id"]], facts=facts(**CORRECTS), fingerprints=prints("whole"))
    world.must(SUPPLIER, "RegisterInvoice", **body)
    parts = [part("part 1", 400_000, "shipment"), part("part 2", 500_000)]
    world.must(SUPPLIER, "SplitInvoice", invoice_id=hexid("whole"), parts=parts)
    assert world.classes("part 1")["UNIQUE"] == "PREDECESSOR_FINANCED"


def test_a_supplier_that_leaves_out_what_its_invoice_corrects_is_found_out_by_the_verifiers() -> None:
    world = financed()
    honest, silent = facts(**CORRECTS), facts(**CORRECTS | {"predecessors": []})
    paper = document("silent")
    world.must(SUPPLIER, "RegisterDocument", **paper)
    body = invoice("second", document_ids=[paper["document_id"]], facts=silent, fingerprints=prints("second"))
    world.must(SUPPLIER, "RegisterInvoice", **body)
    world.must(BUYER, "AttestDocument", **attestation("silent", facts=honest, fingerprints=prints("second")))
    assert world.classes("second")["AMOUNT"] == "FACTS_DIFFER"


def test_two_persons_approve_what_follows_another_invoice_whatever_its_amount() -> None:
    world = founded()
    enrolled(BUYER)(world)
    limit = {"currency": "EUR", "amount_minor": 10**9, "persons": ("anna", "berta")}
    world.must(BUYER, "SetFourEyesThreshold", **limit)
    world.open_day("2026-11-24")
    for name in ("document", "proof", "shipment"):
        msp_id, type_, body = told(prints("invoice"))[name]
        world.must(msp_id, type_, **body)
    unknown = facts(predecessors=[hex64("a number of another life")])
    for name, read in (("follows", unknown), ("alone", facts())):
        world.must(SUPPLIER, "RegisterInvoice", **invoice(name, facts=read))
    world.must(BUYER, "ApproveInvoice", **approval("alone"), persons=("anna",))
    code = world.refusal(BUYER, "ApproveInvoice", **approval("follows"), persons=("anna",))
    assert code == "TWO_PERSONS_REQUIRED"
    world.must(BUYER, "ApproveInvoice", **approval("follows"), persons=("anna", "berta"))


def test_references_are_in_order_and_stand_once() -> None:
    world = delivered()
    one, two = sorted((hex64("one"), hex64("two")))
    for wrong in ([two, one], [one, one], [one] * 21):
        body = invoice("second", facts=facts(predecessors=wrong))
        assert world.refusal(SUPPLIER, "RegisterInvoice", **body) == "MALFORMED"
    world.must(SUPPLIER, "RegisterInvoice", **invoice("second", facts=facts(predecessors=[one, two])))


def test_what_an_earlier_release_wrote_and_sent_names_no_predecessors() -> None:
    world = financed()
    later = ("predecessors", "other_payees", "conditions", "deliveries")
    earlier = {name: value for name, value in facts().items() if name not in later}
    world.must(SUPPLIER, "RegisterDocument", **document("older"))
    old = invoice("older", document_ids=[hexid("older")], facts=earlier, fingerprints=prints("older"))
    world.must(SUPPLIER, "RegisterInvoice", **old)
    world.must(BUYER, "AttestDocument", **attestation("older", facts=earlier, fingerprints=prints("older")))
    assert world.read(f"invoice/{hexid('older')}")["facts"] == facts()
    kept = world.read(f"invoice/{hexid('older')}") | {"version": 3, "facts": earlier}
    del kept["stated_due_date"]
    assert decode(Invoice, canonical(kept)).facts.predecessors == ()
    for facts_ in (earlier, None):
        said = world.read(f"attestation/{hexid('older')}/{BUYER}") | {"version": 1, "facts": facts_}
        del said["rules"], said["match"]
        read = decode(Attestation, canonical(said)).facts
        assert (read and read.predecessors) == (() if facts_ else None)
    claim = {"invoice_id": hexid("older"), "supplier": SUPPLIER, "state": "registered"}
    found = {"version": 1, "epoch": 1, "kind": "number", "claims": [claim]}
    assert decode(Fingerprint, canonical(found)).claims[0].reference is False
    check_state(world.state)
