"""A due date that the document does not name: its supplier states one, and it counts once the buyer has approved it."""

from __future__ import annotations

from typing import Any

import pytest
from invariants import check_state
from life_worlds import REASON, part
from refusal_rows import enrolled
from world import World, founded, play
from world_bodies import (
    BUYER,
    DUE,
    FINANCIER,
    SUPPLIER,
    Step,
    approval,
    attestation,
    facts,
    fingerprints,
    hexid,
    invoice,
    story,
)

from chaincode.errors import RecordError
from chaincode.records import Attestation, Invoice, canonical, decode

LATER = "2027-02-15"
UNDATED = facts(due_date="")


def told(registered: dict[str, Any], buyer: dict[str, Any], financier: dict[str, Any], stated: str) -> dict[str, Step]:
    """The story of an invoice of these facts, in which its verifiers read those."""
    steps = story()
    steps["invoice"][2].update(facts=registered, stated_due_date=stated)
    steps["buyer document"][2].update(facts=buyer)
    steps["financier document"][2].update(facts=financier)
    return steps


def undated(stated: str = DUE) -> dict[str, Step]:
    """The story of an invoice with terms in words."""
    return told(UNDATED, UNDATED, UNDATED, stated)


def amount_class(world: World) -> dict[str, Any]:
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["classes"]
    [found] = [one for one in answer if one["class"] == "AMOUNT"]
    return dict(found)


def test_an_invoice_with_a_stated_due_date_is_paid_with_the_buyers_approval_and_not_before() -> None:
    world = founded()
    steps = undated()
    approving = steps.pop("approval")
    assert play(world, steps) == []
    found = amount_class(world)
    assert (found["verdict"], found["reason"], found["who"]) == ("INDETERMINATE", "NOT_APPROVED", BUYER)
    assert DUE in found["text"]
    assert world.must(FINANCIER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == []
    refused = world.refusal(FINANCIER, "FundInvoice", invoice_id=hexid("invoice"), facility_id=hexid("facility"))
    assert refused == "NOT_RELEASABLE"
    assert world.must(*approving[:2], **approving[2])["released"] == [hexid("invoice")]
    check_state(world.state)


def test_what_is_paid_early_hangs_on_the_stated_date_as_it_would_on_one_of_the_document() -> None:
    of_document, stated = founded(), founded()
    play(of_document, story())
    play(stated, undated())
    paid = [world.read(f"invoice/{hexid('invoice')}")["early_payment"] for world in (of_document, stated)]
    assert paid[0]["maturity"] == paid[1]["maturity"]
    assert paid[0]["net_minor"] == paid[1]["net_minor"]
    assert stated.query(type="Record", key=f"open/{BUYER}/{DUE}/{hexid('invoice')}") is not None


def test_the_buyer_approves_the_stated_date_and_no_other() -> None:
    world = founded()
    play(world, undated(LATER), without=["approval"])
    for due_date in (DUE, "2027-02-16"):
        assert world.refusal(BUYER, "ApproveInvoice", **approval(due_date=due_date)) == "APPROVAL_DIFFERS"
    assert world.must(BUYER, "ApproveInvoice", **approval(due_date=LATER))["released"] == [hexid("invoice")]


def test_an_approval_that_is_taken_back_makes_it_count_no_longer() -> None:
    world = founded()
    steps = undated()
    steps.pop("financier document")
    play(world, steps)
    world.must(BUYER, "WithdrawApproval", invoice_id=hexid("invoice"), **REASON)
    read = attestation("document", facts=UNDATED, fingerprints=fingerprints())
    assert world.must(FINANCIER, "AttestDocument", **read)["released"] == []
    assert amount_class(world)["reason"] == "NOT_APPROVED"
    again = world.must(BUYER, "ApproveInvoice", **approval())
    assert again["released"] == [hexid("invoice")]


DIFFERING = {
    "hidden by the supplier, and the buyer reads one": (UNDATED, facts(), UNDATED, LATER),
    "hidden by the supplier, and the financier reads one": (UNDATED, UNDATED, facts(), LATER),
    "hidden by the supplier, though it states the very same": (UNDATED, facts(), facts(), DUE),
    "named by the supplier, and nobody else reads one": (facts(), UNDATED, UNDATED, ""),
}


@pytest.mark.parametrize("name", DIFFERING)
def test_a_date_of_the_document_is_neither_overridden_nor_made_up(name: str) -> None:
    world = founded()
    steps = told(*DIFFERING[name])
    steps["approval"][2]["due_date"] = DIFFERING[name][3] or DUE
    assert play(world, steps) == []
    found = amount_class(world)
    assert (found["verdict"], found["reason"]) == ("INVALID", "FACTS_DIFFER")


def test_two_persons_approve_a_date_that_only_the_supplier_states_whatever_the_amount() -> None:
    world = founded()
    enrolled(BUYER)(world)
    world.must(BUYER, "SetFourEyesThreshold", currency="EUR", amount_minor=10**9, persons=("anna", "berta"))
    world.open_day("2026-11-24")
    for name in ("document", "proof", "shipment"):
        msp_id, type_, body = story()[name]
        world.must(msp_id, type_, **body)
    stated = {"facts": UNDATED, "stated_due_date": DUE}
    for name, said in (("stated", stated), ("named", {})):
        world.must(SUPPLIER, "RegisterInvoice", **invoice(name, **said))
    world.must(BUYER, "ApproveInvoice", **approval("named"), persons=("anna",))
    for persons in ((), ("anna",)):
        code = world.refusal(BUYER, "ApproveInvoice", **approval("stated"), persons=persons)
        assert code == "TWO_PERSONS_REQUIRED"
    world.must(BUYER, "ApproveInvoice", **approval("stated"), persons=("anna", "berta"))


def test_more_time_is_counted_from_the_stated_date_and_waits_for_a_decision() -> None:
    world = founded()
    steps = undated()
    steps.pop("financier document")
    play(world, steps)
    too_late = {"invoice_id": hexid("invoice"), "due_date": "2030-01-01"}
    assert world.refusal(SUPPLIER, "ExtendDueDate", **too_late) == "EXTENSION_INVALID"
    assert world.refusal(SUPPLIER, "ExtendDueDate", **too_late | {"due_date": DUE}) == "EXTENSION_INVALID"
    world.must(SUPPLIER, "ExtendDueDate", **too_late | {"due_date": LATER})
    record = world.read(f"invoice/{hexid('invoice')}")
    assert (record["stated_due_date"], record["extended_due_date"], record["facts"]["due_date"]) == (DUE, LATER, "")
    world.must(BUYER, "WithdrawApproval", invoice_id=hexid("invoice"), **REASON)
    world.must(BUYER, "ApproveInvoice", **approval(due_date=LATER))
    read = attestation("document", facts=UNDATED, fingerprints=fingerprints())
    assert world.must(FINANCIER, "AttestDocument", **read)["released"] == []
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["classes"]
    [found] = [one for one in answer if one["class"] == "FACILITY"]
    assert found["reason"] == "DECISION_MISSING"
    assert DUE in found["text"]


def test_the_parts_of_an_invoice_are_due_when_the_whole_was_stated_to_be() -> None:
    world = founded()
    play(world, undated(LATER), without=["approval"])
    parts = [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]
    world.must(SUPPLIER, "SplitInvoice", invoice_id=hexid("invoice"), parts=parts)
    for name, amount_minor in (("part 1", 400_000), ("part 2", 600_000)):
        said = approval(name, amount_minor=amount_minor, due_date=DUE)
        assert world.refusal(BUYER, "ApproveInvoice", **said) == "APPROVAL_DIFFERS"
        world.must(BUYER, "ApproveInvoice", **said | {"due_date": LATER})


def test_a_command_of_an_earlier_release_states_no_date() -> None:
    world = founded()
    steps = story()
    assert "stated_due_date" not in steps["invoice"][2]
    assert play(world, steps) == [hexid("invoice")]
    assert world.read(f"invoice/{hexid('invoice')}")["stated_due_date"] == ""


def test_a_record_of_an_earlier_version_has_no_stated_date_and_cannot_have_one() -> None:
    world = founded()
    play(world, undated(), without=["approval"])
    kept = world.read(f"invoice/{hexid('invoice')}")
    newest = decode(Invoice, canonical(kept))
    assert (newest.due_date, newest.first_due_date) == (DUE, DUE)
    old = {name: value for name, value in kept.items() if name != "stated_due_date"} | {"version": 4, "facts": facts()}
    read = decode(Invoice, canonical(old))
    assert (read.stated_due_date, read.due_date) == ("", DUE)
    with pytest.raises(RecordError):
        decode(Invoice, canonical(kept | {"version": 4}))
    said = world.read(f"attestation/{hexid('document')}/{BUYER}")
    assert decode(Attestation, canonical(said)).facts is not None


@pytest.mark.parametrize("wrong", ["2027-02-30", "soon", " "])
def test_a_stated_date_is_a_day_of_the_calendar(wrong: str) -> None:
    world = founded()
    play(world, {name: step for name, step in story().items() if name in ("document", "proof", "shipment")})
    body = invoice(facts=UNDATED, stated_due_date=wrong)
    assert world.refusal(SUPPLIER, "RegisterInvoice", **body) == "MALFORMED"
