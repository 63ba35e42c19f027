"""What happens to an invoice before and after its early payment: money, entries, and what the release check says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from life_worlds import (
    ID,
    NEXT_DAY,
    REASON,
    book,
    claimed,
    credit_note,
    disputed,
    duplicate,
    obligations,
    part,
    partly_settled,
    read,
    registered,
    reservation,
    reserved,
    settled_whole,
    terms,
    two_steps,
    used,
)
from refusal_rows import OTHER_BUYER, did, enrolled
from world import World, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    approval,
    facility,
    hex64,
    hexid,
    invoice,
    request,
    story,
)

FACILITY = {"facility_id": hexid("facility")}


REASONS: list[tuple[Callable[[], World], Any, str, str]] = [
    (two_steps, disputed, "AMOUNT", "DISPUTED"),
    (two_steps, did(SUPPLIER, "CancelInvoice", **ID, **REASON), "AMOUNT", "NOT_OWED"),
    (two_steps, partly_settled, "AMOUNT", "PARTLY_SETTLED"),
    (two_steps, settled_whole, "AMOUNT", "ALREADY_SETTLED"),
    (two_steps, did(FINANCIER, "HoldFunding", msp_id=BUYER, **REASON), "PARTIES", "FUNDING_HELD"),
    (two_steps, did(FINANCIER, "HoldFunding", msp_id=SUPPLIER, **REASON), "PARTIES", "FUNDING_HELD"),
    (two_steps, did(FINANCIER, "SuspendFacility", **FACILITY, **REASON), "FACILITY", "FACILITY_SUSPENDED"),
    (two_steps, did(FINANCIER, "CloseFacility", **FACILITY), "FACILITY", "FACILITY_CLOSED"),
    (two_steps, did(FINANCIER, "DeclineEarlyPayment", **ID, **FACILITY, **REASON), "FACILITY", "DECLINED"),
    (two_steps, reserved, "FACILITY", "RESERVED"),
]


@pytest.mark.parametrize(("world", "happens", "class_", "reason"), REASONS)
def test_what_stands_against_a_payment_is_named(
    world: Callable[[], World], happens: Callable[[World], object], class_: str, reason: str
) -> None:
    made = world()
    assert made.classes()["FACILITY"] == "DECISION_MISSING"
    happens(made)
    assert made.classes()[class_] == reason


def test_a_supplier_that_asks_anew_after_a_no_is_looked_at_anew() -> None:
    world = two_steps()
    world.must(FINANCIER, "DeclineEarlyPayment", **ID, **FACILITY, **REASON)
    assert world.refusal(FINANCIER, "FundInvoice", **ID, **FACILITY) == "NOT_RELEASABLE"
    world.must(SUPPLIER, "RequestEarlyPayment", **request())
    world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)


def test_the_first_invoices_of_a_new_buyer_wait_for_a_person_in_an_automatic_facility() -> None:
    world = founded()
    steps = story()
    for name in ("acceptance", "facility"):
        msp_id, type_, body = steps.pop(name)
        world.must(msp_id, type_, **body)
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=terms(manual_first=1))
    world.open_day(NEXT_DAY)
    assert play(world, steps) == []
    assert world.classes()["FACILITY"] == "DECISION_MISSING"
    assert world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)["released"] == [hexid("invoice")]
    assert world.read(f"facility/{hexid('facility')}")["funded_count"] == 1


def test_new_terms_count_from_the_next_day_on() -> None:
    world = two_steps()
    before = world.query(type="ReleaseCheck", **ID)["quote"]
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=terms(mode="manual", rate_bps=1_000))
    assert world.query(type="ReleaseCheck", **ID)["quote"] == before
    world.open_day("2026-11-25")
    assert world.query(type="ReleaseCheck", **ID)["quote"]["rate_bps"] == 1_000


def test_two_persons_pay_what_the_first_of_them_set_aside_at_that_quote() -> None:
    world = two_steps()
    enrolled(FINANCIER)(world)
    assert world.refusal(FINANCIER, "FundInvoice", **ID, **FACILITY) == "TWO_PERSONS_REQUIRED"
    said = world.must(FINANCIER, "FundInvoice", persons=("anna",), **ID, **FACILITY)
    net = said["reserved_minor"]
    assert world.balance(f"reserved:{FINANCIER}") == net
    world.open_day(said["expires_on"])
    assert world.must(FINANCIER, "PostFunding", persons=("berta",), **ID)["released"] == [hexid("invoice")]
    assert world.balance(f"reserved:{FINANCIER}") == 0
    payment = read(world)["early_payment"]
    assert (payment["net_minor"], payment["day"]) == (net, said["expires_on"])
    assert book(world, "early_payment") == [(f"cash:{SUPPLIER}", f"reserved:{FINANCIER}", net)]
    assert (read(world)["holder"], used(world)) == (FINANCIER, 1_000_000)


def test_money_that_is_set_aside_and_not_paid_comes_back_once() -> None:
    world = reservation()
    issued = world.balance(f"issued:{FINANCIER}")
    net = read(world)["reservation"]["net_minor"]
    world.open_day("2026-11-25")
    assert world.refusal(CARRIER, "ExpireFunding", invoice_ids=[hexid("invoice")]) == "NOT_EXPIRED"
    world.open_day("2026-11-26")
    world.must(CARRIER, "ExpireFunding", invoice_ids=[hexid("invoice")])
    assert world.refusal(CARRIER, "ExpireFunding", invoice_ids=[hexid("invoice")]) == "NOT_RESERVED"
    assert (world.balance(f"reserved:{FINANCIER}"), world.balance(f"issued:{FINANCIER}")) == (0, issued + net)
    assert read(world)["status"] == "approved"


def test_money_is_set_aside_for_an_invoice_only_once_and_its_quote_has_no_yield_of_its_own() -> None:
    world = reservation()
    net = read(world)["reservation"]["net_minor"]
    assert world.refusal(FINANCIER, "FundInvoice", **ID, **FACILITY) == "RESERVED"
    assert world.balance(f"reserved:{FINANCIER}") == net
    quote = world.query(type="ReleaseCheck", **ID)["quote"]
    assert (quote["net_minor"], quote["yield_bps"]) == (net, 0)


@pytest.mark.parametrize(("type_", "more"), [("FundInvoice", {}), ("DeclineEarlyPayment", REASON)])
def test_a_financier_that_was_not_asked_decides_nothing(type_: str, more: dict[str, str]) -> None:
    world = registered()
    world.must(FINANCIER, "OpenFacility", **facility())
    assert world.refusal(FINANCIER, type_, **ID, **FACILITY, **more) == "FACILITY_NOT_REQUESTED"


def test_a_reserved_invoice_is_not_paid_out_of_another_facility_meanwhile() -> None:
    world = reservation()
    world.must(FINANCIER, "OpenFacility", **facility("automatic"))
    asked = request(facility_ids=[hexid("automatic")])
    assert world.must(SUPPLIER, "RequestEarlyPayment", **asked)["released"] == []
    assert world.must(CARRIER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == []


def test_a_withdrawn_approval_leaves_no_debt_and_its_reference_serves_this_invoice_only() -> None:
    world = registered()
    assert (read(world)["face_minor"], read(world)["open_face_minor"]) == (0, 0)
    world.must(SUPPLIER, "RegisterInvoice", **invoice("second"))
    world.must(BUYER, "ApproveInvoice", **approval())
    world.must(BUYER, "WithdrawApproval", **ID, **REASON)
    assert (obligations(world), read(world)["status"], read(world)["approval"]) == ({}, "registered", None)
    assert (read(world)["face_minor"], read(world)["open_face_minor"]) == (0, 0)
    reference = approval()["buyer_reference"]
    other = approval("second", buyer_reference=reference)
    assert world.refusal(BUYER, "ApproveInvoice", **other) == "BUYER_REFERENCE_USED"
    world.must(BUYER, "ApproveInvoice", **approval())
    assert obligations(world) == {f"recv:{SUPPLIER}": 1_000_000, f"pay:{BUYER}": -1_000_000}


def test_a_dispute_voids_the_approval_and_only_the_buyer_ends_it() -> None:
    world = two_steps()
    disputed(world)
    assert obligations(world) == {}
    assert world.refusal(OTHER_BUYER, "ResolveDispute", **ID, outcome="registered") == "NOT_THE_BUYER"
    world.must(BUYER, "ResolveDispute", **ID, outcome="registered")
    assert (read(world)["status"], world.classes()["AMOUNT"]) == ("registered", "NOT_APPROVED")


def test_what_is_cancelled_may_be_invoiced_again_and_is_no_duplicate() -> None:
    world = registered()
    again = invoice("again") | {"fingerprints": invoice()["fingerprints"]}
    assert world.must(SUPPLIER, "RegisterInvoice", **invoice("twin") | again)["duplicate_of"] == hexid("invoice")
    world.must(SUPPLIER, "CancelInvoice", **ID, **REASON)
    fresh = invoice("fresh") | {"fingerprints": invoice()["fingerprints"], "invoice_id": hexid("fresh")}
    assert world.must(SUPPLIER, "RegisterInvoice", **fresh)["duplicate_of"] == hexid("again")
    world.must(BUYER, "DisputeInvoice", invoice_id=hexid("again"), **REASON)
    world.must(BUYER, "ResolveDispute", invoice_id=hexid("again"), outcome="cancelled")
    last = fresh | {"invoice_id": hexid("last")}
    assert world.must(SUPPLIER, "RegisterInvoice", **last)["duplicate_of"] == hexid("fresh")


def test_a_credit_note_before_funding_lowers_what_is_approved_anew_and_paid() -> None:
    world = founded()
    assert play(world, without=["approval"]) == []
    world.must(SUPPLIER, "RecordCreditNote", **credit_note())
    assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "APPROVAL_DIFFERS"
    assert world.must(BUYER, "ApproveInvoice", **approval(amount_minor=900_000))["released"] == []
    world.must(SUPPLIER, "RequestEarlyPayment", **request(net_min_minor=1))
    paid = read(world)
    assert (paid["status"], paid["face_minor"], used(world)) == ("early-paid", 900_000, 900_000)
    payment = paid["early_payment"]
    assert payment["net_minor"] + payment["discount_minor"] + payment["fee_minor"] == 900_000


def test_a_credit_note_after_funding_is_a_claim_on_the_supplier_and_takes_nothing_from_the_financier() -> None:
    world = claimed()
    owed = {f"recv:{FINANCIER}": 1_000_000, f"pay:{BUYER}": -1_000_000}
    assert obligations(world) == owed | {f"claim:{BUYER}": 100_000, f"owed:{SUPPLIER}": -100_000}
    before = world.balance(f"cash:{SUPPLIER}")
    world.must(SUPPLIER, "PayClaim", credit_note_id=hexid("credit note"), deposit=DEPOSIT)
    assert (obligations(world), read(world)["claims_minor"]) == (owed, 0)
    assert world.balance(f"cash:{SUPPLIER}") == before - 100_000
    assert world.balance(f"cash:{BUYER}") == 1_100_000


def test_the_parts_of_a_split_invoice_are_paid_once_each_and_the_whole_never() -> None:
    world = founded()
    play(world, without=["approval", "request"])
    parts = [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]
    world.must(SUPPLIER, "SplitInvoice", **ID, parts=parts)
    asked = request("part 1", net_min_minor=1)
    world.must(SUPPLIER, "RequestEarlyPayment", **asked)
    released = world.must(BUYER, "ApproveInvoice", **approval("part 1", amount_minor=400_000))["released"]
    assert released == [hexid("part 1")]
    assert obligations(world, "part 1") == {f"recv:{FINANCIER}": 400_000, f"pay:{BUYER}": -400_000}
    assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "STATUS_WRONG"
    again = invoice("again") | {"fingerprints": invoice()["fingerprints"]}
    assert world.must(SUPPLIER, "RegisterInvoice", **again)["duplicate_of"] == hexid("invoice")
    assert world.classes("again")["UNIQUE"] == "ALREADY_FINANCED"
    assert world.classes("part 2")["DELIVERY"] == "NO_SHIPMENT"
    assert world.classes("part 2")["UNIQUE"] == "FINGERPRINTS_MISSING"


def test_a_duplicate_that_persons_have_cleared_is_paid_by_decision_only() -> None:
    world = founded()
    steps = story()
    steps["facility"] = (FINANCIER, "OpenFacility", facility())
    first = invoice("first") | {"fingerprints": invoice()["fingerprints"]}
    for name in ("acceptance", "facility", "document", "proof", "shipment"):
        msp_id, type_, body = steps.pop(name)
        world.must(msp_id, type_, **body)
    world.must(SUPPLIER, "RegisterInvoice", **first)
    assert play(world, steps) == []
    assert world.classes()["UNIQUE"] == "DUPLICATE_CLAIM"
    world.must(BUYER, "ClearDuplicate", **ID, **REASON)
    assert world.classes()["UNIQUE"] == "CLEARED_BY_PERSON"
    assert world.must(CARRIER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == []
    assert world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)["released"] == [hexid("invoice")]
    assert world.classes("first")["UNIQUE"] == "ALREADY_FINANCED"


def test_who_approved_an_invoice_does_not_clear_it_but_others_do() -> None:
    world = duplicate()
    enrolled(BUYER, OTHER_BUYER, persons=("anna", "berta", "carl"))(world)
    world.must(BUYER, "EnrolPerson", commitment=hex64("person dora"), persons=("anna", "berta"))
    twin = {"invoice_id": hexid("twin"), **REASON}
    world.must(BUYER, "ApproveInvoice", persons=("anna", "berta"), **approval("twin"))
    assert world.refusal(BUYER, "ClearDuplicate", persons=("berta", "carl"), **twin) == "APPROVER_CANNOT_CLEAR"
    world.must(BUYER, "ClearDuplicate", persons=("carl", "dora"), **twin)
