"""What counts as evidence at its edges, and who is named when something of it is missing."""

from __future__ import annotations

import pytest
from life_worlds import ID, REASON, is_overdue, part, registered, supplier_has_money
from refusal_rows import everybody
from world import World, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    Step,
    approval,
    attestation,
    body,
    document,
    fingerprints,
    hex64,
    hexid,
    invoice,
    request,
    settlement,
    story,
)


def found_of(world: World, class_: str, name: str = "invoice") -> tuple[str, str]:
    """The reason that a class gives, and who can mend it."""
    answer = world.query(type="ReleaseCheck", invoice_id=hexid(name))
    [one] = [one for one in answer["classes"] if one["class"] == class_]
    return one["reason"], one["who"]


OTHER_BYTES = {"verdict": "mismatch", "commitment": hex64("other bytes")}
MISSING: list[tuple[dict[str, Step], tuple[str, ...], str, tuple[str, str]]] = [
    ({}, ("carrier proof",), "INTEGRITY", ("ATTESTATIONS_MISSING", CARRIER)),
    ({}, ("carrier proof", "buyer proof"), "INTEGRITY", ("ATTESTATIONS_MISSING", BUYER)),
    (body("facility", attestations_min=3), (), "INTEGRITY", ("ATTESTATIONS_MISSING", SUPPLIER)),
    ({}, ("buyer document",), "AMOUNT", ("FACTS_MISSING", BUYER)),
    (body("buyer document", **OTHER_BYTES), (), "AMOUNT", ("FACTS_MISSING", BUYER)),
    (body("buyer document", **OTHER_BYTES), (), "UNIQUE", ("FINGERPRINTS_MISSING", BUYER)),
    ({}, ("request",), "AMOUNT", ("FACTS_MISSING", "financier")),
    ({}, ("request",), "UNIQUE", ("FINGERPRINTS_MISSING", "financier")),
    ({}, ("request",), "DELIVERY", ("HOLDS", "")),
    (body("facility", both_delivery_minor=1), (), "DELIVERY", ("BOTH_REQUIRED", BUYER)),
    (body("facility", both_delivery_minor=1), ("approval",), "DELIVERY", ("BOTH_REQUIRED", BUYER)),
    ({"delivered": (BUYER, *story()["delivered"][1:])} | body("facility", both_delivery_minor=1), (), "DELIVERY",
     ("BOTH_REQUIRED", CARRIER)),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "without", "class_", "expected"), MISSING)
def test_who_can_bring_what_is_missing_is_named(
    steps: dict[str, Step], without: tuple[str, ...], class_: str, expected: tuple[str, str]
) -> None:
    world = everybody()
    assert play(world, story() | steps, without=without) == []
    assert found_of(world, class_) == expected


def alike(**claimed: str) -> World:
    """All but the approval is there for an invoice, and one before it claims these fingerprints."""
    world = founded()
    steps = story()
    for name in ("acceptance", "facility", "document", "proof", "shipment"):
        msp_id, type_, sent = steps.pop(name)
        world.must(msp_id, type_, **sent)
    world.must(SUPPLIER, "RegisterInvoice", **invoice("first", fingerprints=fingerprints("first") | claimed))
    play(world, steps, without=("approval", "financier document"))
    return world


@pytest.mark.parametrize("kind", ["amount", "number"])
def test_one_fingerprint_that_another_invoice_claims_is_enough_for_a_duplicate(kind: str) -> None:
    assert found_of(alike(**{kind: fingerprints()[kind]}), "UNIQUE") == ("DUPLICATE_CLAIM", BUYER)
    assert found_of(alike(), "UNIQUE") == ("FINGERPRINTS_MISSING", FINANCIER)


def test_a_cleared_duplicate_is_decided_on_when_its_fingerprints_are_attested_and_not_before() -> None:
    world = alike(**fingerprints())
    world.must(BUYER, "ClearDuplicate", **ID, **REASON)
    assert found_of(world, "UNIQUE") == ("FINGERPRINTS_MISSING", FINANCIER)
    world.must(FINANCIER, "AttestDocument", **story()["financier document"][2])
    assert found_of(world, "UNIQUE") == ("CLEARED_BY_PERSON", FINANCIER)


def test_a_part_that_was_paid_early_and_bought_back_is_not_paid_early_again() -> None:
    world = everybody()
    steps = story() | body("facility", recourse="full")
    play(world, steps, without=("approval", "request"))
    world.must(SUPPLIER, "SplitInvoice", **ID, parts=[part("part 1", 400_000, "shipment"), part("part 2", 600_000)])
    world.must(SUPPLIER, "RequestEarlyPayment", **request("part 1", net_min_minor=1))
    world.must(BUYER, "ApproveInvoice", **approval("part 1", amount_minor=400_000))
    supplier_has_money(world)
    world.must(SUPPLIER, "Repurchase", invoice_id=hexid("part 1"), deposit=DEPOSIT)
    assert found_of(world, "UNIQUE", "part 1") == ("ALREADY_FINANCED", BUYER)
    assert world.must(CARRIER, "CheckRelease", invoice_ids=[hexid("part 1")])["released"] == []


def test_what_was_recovered_after_it_was_written_off_is_owed_no_more() -> None:
    world = registered()
    world.must(BUYER, "ApproveInvoice", **approval())
    is_overdue(world)
    world.must(SUPPLIER, "WriteOff", **ID, amount_minor=1_000_000)
    assert found_of(world, "AMOUNT") == ("NOT_OWED", "")
    world.must(BUYER, "RecordRecovery", **settlement())
    assert found_of(world, "AMOUNT") == ("ALREADY_SETTLED", "")


def test_of_two_documents_of_an_invoice_one_has_to_say_its_facts() -> None:
    world = everybody()
    world.must(SUPPLIER, "RegisterDocument", **document("annex"))
    for msp_id in (BUYER, FINANCIER):
        world.must(msp_id, "AttestDocument", **attestation("annex"))
    both = {"document_ids": [hexid("annex"), hexid("document")]}
    assert play(world, story() | body("invoice", **both)) == [hexid("invoice")]


def test_a_record_of_transport_events_is_a_proof_as_well() -> None:
    """It may count goods, so the financier reads it as the buyer does."""
    steps = story() | body("proof", kind="transport_events")
    last = {"financier proof": (FINANCIER, "AttestDocument", attestation("proof"))}
    assert play(everybody(), steps | last) == [hexid("invoice")]


def test_a_report_of_a_delivery_may_name_the_document_that_it_is_read_in() -> None:
    world = everybody()
    assert play(world, story() | body("delivered", document_id=hexid("proof"))) == [hexid("invoice")]
    assert world.read(f"shipment_reports/{hexid('shipment')}/{CARRIER}")["events"][0]["document_id"] == hexid("proof")
