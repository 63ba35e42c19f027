"""Attacks known from the trade, each with a control that is identical but for one step and goes through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from life_worlds import ID, NEXT_DAY, credit_note, funded, obligations, read, used
from refusal_rows import OTHER_SUPPLIER, everybody
from world import World, found, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    approval,
    attestation,
    document,
    facility,
    facts,
    fingerprints,
    hex64,
    hexid,
    invoice,
    party,
    request,
    settlement,
    story,
)

PAID = [hexid("invoice")]


@pytest.mark.parametrize(("group_id", "paid"), [(f"{SUPPLIER}-group", []), (f"{CARRIER}-group", PAID)])
def test_a_carrier_of_the_suppliers_group_delivers_nothing(group_id: str, paid: list[str]) -> None:
    world = World()
    carrier = party(CARRIER, "carrier", group_id=group_id)
    found(world, [carrier if one["msp_id"] == CARRIER else one for one in PARTIES])
    steps = story()
    steps["carrier proof"] = (FINANCIER, "AttestDocument", attestation("proof"))
    assert play(world, steps) == paid
    if not paid:
        assert world.refusal(CARRIER, "AttestDocument", **attestation("proof")) == "NOT_INDEPENDENT"
        assert world.classes()["DELIVERY"] == "ONLY_SUPPLIER_SAYS_SO"


@pytest.mark.parametrize(("claimed", "paid"), [(fingerprints("made up"), []), (fingerprints(), PAID)])
def test_random_fingerprints_of_a_suppliers_node_hide_no_duplicate(claimed: dict[str, str], paid: list[str]) -> None:
    world = founded()
    steps = story()
    steps["invoice"] = (SUPPLIER, "RegisterInvoice", invoice(fingerprints=claimed))
    assert play(world, steps) == paid
    if not paid:
        assert world.classes()["UNIQUE"] == "FINGERPRINTS_DIFFER"


@pytest.mark.parametrize(("reference", "paid"), [("invoice", []), ("its own", PAID)])
def test_a_buyers_reference_approves_one_invoice_whoever_its_supplier_is(reference: str, paid: list[str]) -> None:
    world = everybody()
    world.must(OTHER_SUPPLIER, "RegisterDocument", **document("rival"))
    papers = {"document_ids": [hexid("rival")], "proof_ids": [], "shipment_ids": []}
    world.must(OTHER_SUPPLIER, "RegisterInvoice", **invoice("rival", fingerprints=fingerprints(), **papers))
    world.must(BUYER, "ApproveInvoice", **approval("rival", buyer_reference=hex64(f"buyer reference {reference}")))
    assert play(world, without=("approval",)) == []
    assert read(world)["duplicate_of"] == ""
    if paid:
        assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == paid
    else:
        assert world.refusal(BUYER, "ApproveInvoice", **approval()) == "BUYER_REFERENCE_USED"


def test_the_supplier_of_a_financed_invoice_cannot_change_its_due_date() -> None:
    world = funded()
    before = dict(world.state)
    assert world.refusal(SUPPLIER, "ExtendDueDate", **ID, due_date="2027-03-01") == "NOT_THE_HOLDER"
    assert world.refusal(BUYER, "ExtendDueDate", **ID, due_date="2027-03-01") == "NOT_THE_HOLDER"
    assert world.state == before
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date="2027-03-01")


def test_a_credit_note_right_after_funding_takes_nothing_from_the_financier() -> None:
    world, control = funded(), funded()
    world.must(SUPPLIER, "RecordCreditNote", **credit_note())
    for one in (world, control):
        assert (read(one)["open_face_minor"], used(one)) == (1_000_000, 1_000_000)
        one.must(BUYER, "SettleInvoice", **settlement())
        assert read(one)["status"] == "settled"
    assert obligations(world) == {f"claim:{BUYER}": 100_000, f"owed:{SUPPLIER}": -100_000}
    assert obligations(control) == {}


def test_a_payment_that_was_held_back_over_a_day_is_decided_on_the_new_day() -> None:
    """The endorsed proposal read the day; on the network the new day invalidates it, and it has to be decided anew."""
    at_once, held_back = founded(), founded()
    for world in (at_once, held_back):
        world.must(FINANCIER, "AcceptSupplier", **story()["acceptance"][2])
        world.must(FINANCIER, "OpenFacility", **facility(insured_until=DAY))
        play(world, without=("acceptance", "facility", "approval"))
    held_back.open_day(NEXT_DAY)
    assert at_once.must(BUYER, "ApproveInvoice", **approval())["released"] == PAID
    assert held_back.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert held_back.classes()["FACILITY"] == "INSURANCE_PASSED"


def test_every_dated_command_reads_the_day_so_that_an_endorsement_of_another_day_conflicts() -> None:
    world = founded()
    play(world, without=("approval",))
    read_keys: list[str] = []
    seen = world.state
    world.state = _Watched(seen, read_keys)
    world.must(BUYER, "ApproveInvoice", **approval())
    assert "day" in read_keys


class _Watched(dict[str, bytes]):
    """A state that remembers which keys were looked at."""

    def __init__(self, state: dict[str, bytes], looked_at: list[str]) -> None:
        super().__init__(state)
        self._looked_at = looked_at

    def get(self, key: str, default: object = None) -> bytes | None:  # type: ignore[override]
        self._looked_at.append(key)
        return super().get(key)


@pytest.mark.parametrize(("pays", "paid"), [(False, []), (True, [hexid("again")])])
def test_new_invoices_of_an_evergreening_buyer_do_not_pay_its_old_ones(pays: bool, paid: list[str]) -> None:
    world = funded()
    world.must(BUYER, "AcknowledgeAssignment", **ID)
    if pays:
        world.must(BUYER, "SettleInvoice", **settlement())
    world.open_day("2027-02-08")  # due on 2027-01-22, and the facility waits ten days
    later = {"issue_date": "2027-02-05", "due_date": "2027-04-30"}
    world.must(SUPPLIER, "RegisterDocument", **document("new paper"))
    for msp_id in (BUYER, FINANCIER):
        said = {"facts": facts(**later), "fingerprints": fingerprints("again")}
        world.must(msp_id, "AttestDocument", **attestation("new paper", **said))
    world.must(SUPPLIER, "RegisterInvoice", **invoice("again", document_ids=[hexid("new paper")], facts=facts(**later)))
    world.must(SUPPLIER, "RequestEarlyPayment", **request("again", valid_until="2027-12-31"))
    undertaking = approval("again", due_date=later["due_date"])
    assert world.must(BUYER, "ApproveInvoice", **undertaking)["released"] == paid
    if not paid:
        assert world.classes("again")["FACILITY"] == "BUYER_OVERDUE"


@pytest.mark.parametrize("swapped", [True, False])
def test_an_account_that_is_swapped_just_before_the_payment_is_not_paid_to(swapped: bool) -> None:
    world = founded()
    thief = hex64("payout thief") if swapped else hex64(f"payout {SUPPLIER}")
    said = {"facts": facts(payee=thief), "fingerprints": fingerprints()}
    if swapped:
        world.must(SUPPLIER, "ChangePayoutAccount", payout_fingerprint=thief)
    steps = story()
    steps["invoice"] = (SUPPLIER, "RegisterInvoice", invoice(facts=facts(payee=thief)))
    for name, msp_id in (("buyer document", BUYER), ("financier document", FINANCIER)):
        steps[name] = (msp_id, "AttestDocument", attestation("document", **said))
    assert play(world, steps) == ([] if swapped else PAID)
    if swapped:
        assert world.classes()["AMOUNT"] == "PAYEE_DIFFERS"


def test_the_page_for_fraud_examiners_names_tests_that_exist_and_all_of_these() -> None:
    folder = Path(__file__).resolve().parent
    page = (folder.parents[1] / "docs" / "explanation" / "evidence.md").read_text()
    named = re.findall(r"`(test_\w+)`", page)
    sources = "\n".join(path.read_text() for path in folder.parent.rglob("test_*.py"))
    assert [name for name in named if f"def {name}(" not in sources] == []
    here = re.findall(r"^def (test_\w+)", Path(__file__).read_text(), re.MULTILINE)
    assert sorted(set(here) - set(named)) == [
        "test_the_page_for_fraud_examiners_names_tests_that_exist_and_all_of_these"
    ]
