"""The timeline of an invoice: every command has words of its own, and nothing is told that did not happen."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from life_worlds import (
    ID,
    NEXT_DAY,
    REASON,
    after_due,
    credit_note,
    disputed,
    funded,
    happening,
    overdue,
    part,
    partly_settled,
    registered,
    supplier_has_money,
    terms,
    two_steps,
    written_off,
)
from projected import replayed
from refusal_rows import Prepare, did, everybody, rest
from refusal_table import TABLES
from timeline_words import BY_CONTROL, BY_STEP, CHECKED, OF_NO_INVOICE
from world import World, play
from world_bodies import (
    BUYER,
    FINANCIER,
    SUPPLIER,
    Step,
    approval,
    attestation,
    command,
    document,
    hexid,
    request,
    settlement,
    story,
)

from chaincode.contract import COMMANDS
from chaincode.records import Document, Invoice, decode
from ledger_node.readmodel.words import Beside, Change, words

FACILITY = {"facility_id": hexid("facility")}
PARTS = {"parts": [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]}


def told(world: World, path: Path, invoice_id: str = ID["invoice_id"]) -> dict[int, list[str]]:
    """What the timeline of an invoice says of each of the transactions that were sent in a world."""
    again, numbers = replayed(world)
    moments = again.read_model(path / f"{len(world.sent)} {invoice_id}.db").timeline(invoice_id)
    said = defaultdict(list)
    for moment in moments:
        said[numbers.index(moment["block_number"])].append(moment["what"])
    return said


def told_last(world: World, path: Path, invoice_id: str = ID["invoice_id"]) -> list[str]:
    """What it says of the transaction that was sent last."""
    return told(world, path, invoice_id)[len(world.sent) - 1]


def prepared(type_: str) -> World:
    """The state that the control of a command in the table of refusals needs."""
    table = TABLES[type_]
    world = table.world()
    for name in table.steps:
        msp_id, step_type, body = story()[name]
        world.must(msp_id, step_type, **body)
    return world


def supplier_consents(world: World) -> None:
    """The supplier wants to unwind."""
    world.must(SUPPLIER, "Unwind", **ID)


def unavailable(world: World) -> None:
    """The buyer could not get the proof."""
    world.must(BUYER, "AttestDocument", **attestation("proof", verdict="unavailable", commitment=""))


def test_a_command_that_touches_an_invoice_cannot_be_added_without_words() -> None:
    with_words = {*BY_CONTROL, *BY_STEP, "CheckRelease", "RecordShipmentEvents"}  # a list is told event by event
    assert with_words | OF_NO_INVOICE == set(COMMANDS)
    assert not with_words & OF_NO_INVOICE


def test_no_two_commands_have_the_same_words() -> None:
    everything = [*BY_CONTROL.values(), *(what for _, what in BY_STEP.values()), CHECKED]
    assert len({frozenset(what) for what in everything}) == len(everything)


def test_all_words_are_in_the_reference() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "api.md").read_text()
    section = page.partition("## The timeline of an invoice\n")[2].partition("\n## ")[0]
    said = {text for what in (*BY_CONTROL.values(), *(what for _, what in BY_STEP.values()), CHECKED) for text in what}
    plain = {text for one in said for text in one.split("; ")}
    constant = {text.partition(" to 2")[0].partition(" (")[0] for text in plain if not text.startswith("entry ")}
    assert {text for text in constant if f"`{text}" not in section} == set()
    assert set(COMMANDS) - OF_NO_INVOICE <= set(re.findall(r"\w+", section))


@pytest.mark.parametrize("type_", BY_CONTROL)
def test_a_command_is_told_in_its_own_words(type_: str, tmp_path: Path) -> None:
    world, table = prepared(type_), TABLES[type_]
    invoice_id = table.body.get("invoice_id", ID["invoice_id"])
    world.must(table.sender, type_, **table.body)
    assert sorted(told_last(world, tmp_path, invoice_id)) == sorted(BY_CONTROL[type_])


@pytest.mark.parametrize("type_", BY_STEP)
def test_what_comes_before_the_invoice_is_told_in_its_own_words(type_: str, tmp_path: Path) -> None:
    step, expected = BY_STEP[type_]
    world = everybody()
    at = {}
    for name, (msp_id, step_type, body) in story().items():
        at[name] = len(world.sent)
        world.must(msp_id, step_type, **body)
    assert story()[step][1] == type_
    assert told(world, tmp_path)[at[step]] == expected


@pytest.mark.parametrize("type_", sorted(OF_NO_INVOICE))
def test_a_command_of_no_invoice_is_in_no_timeline(type_: str, tmp_path: Path) -> None:
    world, table = prepared(type_), TABLES[type_]
    world.must(table.sender, type_, **table.body)
    again, _ = replayed(world)
    read_model = again.read_model(tmp_path / "readmodel.db")
    for invoice in read_model.invoices().items:
        blocks = {moment["block_number"] for moment in read_model.timeline(invoice["invoice_id"])}
        assert again.block_number not in blocks


def test_a_release_check_that_pays_is_told_as_no_decision(tmp_path: Path) -> None:
    world = everybody()
    world.must(FINANCIER, "HoldFunding", msp_id=BUYER, **REASON)
    assert play(world) == []
    world.must(FINANCIER, "LiftHold", msp_id=BUYER)
    world.must(FINANCIER, "CheckRelease", invoice_ids=[ID["invoice_id"]])
    assert told_last(world, tmp_path) == CHECKED


def test_what_completes_the_evidence_and_the_payment_are_both_told(tmp_path: Path) -> None:
    world = everybody()
    assert play(world) == [ID["invoice_id"]]
    assert told_last(world, tmp_path) == ["attested verified", *CHECKED]


def test_an_acknowledgement_is_told_once_whatever_is_written_after_it(tmp_path: Path) -> None:
    world = funded()
    world.must(BUYER, "AcknowledgeAssignment", **ID)
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date="2027-02-22")
    partly_settled(world)
    world.must(SUPPLIER, "ReportMisdirectedPayment", **ID, report_id=hexid("report"), amount_minor=1)
    what = [what for said in told(world, tmp_path).values() for what in said]
    assert what.count("assignment acknowledged") == 1
    assert what.count("paid early") == what.count("settled in part") == 1
    assert "due date extended to 2027-02-22" in what


def batch(world: World, msp_id: str, *commands: tuple[str, dict[str, Any]]) -> None:
    sent = [command(type_, hexid(f"{len(world.sent)} {at}"), **body) for at, (type_, body) in enumerate(commands)]
    results = world.batch(msp_id, sent)
    assert {result["status"] for result in results} == {"applied"}, results


BATCHES: list[tuple[Callable[[], World], str, list[tuple[str, dict[str, Any]]], str]] = [
    (
        funded,
        BUYER,
        [("AcknowledgeAssignment", ID), ("SettleInvoice", settlement(amount_minor=1))],
        "assignment acknowledged; settled in part",
    ),
    (
        two_steps,
        BUYER,
        [("WithdrawApproval", ID | REASON), ("ApproveInvoice", approval())],
        "approval withdrawn; invoice approved",
    ),
    (
        two_steps,
        FINANCIER,
        [("FundInvoice", ID | FACILITY), ("VoidFunding", ID)],
        "money set aside; money set aside taken back",
    ),
    (
        two_steps,
        FINANCIER,
        [("FundInvoice", ID | FACILITY), ("PostFunding", ID)],
        "money set aside; paid early out of the money set aside",
    ),
    (
        lambda: happening(registered, disputed),
        BUYER,
        [("ResolveDispute", ID | {"outcome": "registered"}), ("ApproveInvoice", approval())],
        "dispute resolved; invoice approved",
    ),
    (
        lambda: happening(funded, after_due),
        FINANCIER,
        [
            ("MarkOverdue", {"invoice_ids": [ID["invoice_id"]]}),
            ("WriteOff", ID | {"amount_minor": 1}),
            ("RecordPaidOutside", ID | {"amount_minor": 2, **REASON}),
        ],
        "marked overdue; paid outside the ledger in part; written off in part",
    ),
    (
        funded,
        SUPPLIER,
        [
            ("RecordCreditNote", credit_note()),
            ("ReportMisdirectedPayment", ID | {"report_id": hexid("report"), "amount_minor": 1}),
        ],
        "claim of a credit note recorded; misdirected payment reported",
    ),
    (
        registered,
        BUYER,
        [("DisputeInvoice", ID | REASON), ("ResolveDispute", ID | {"outcome": "registered"})],
        "invoice written as it was",
    ),
]


@pytest.mark.parametrize(("made", "sender", "commands", "expected"), BATCHES)
def test_several_commands_of_one_transaction_are_one_write_that_names_all_that_changed(
    made: Callable[[], World], sender: str, commands: list[tuple[str, dict[str, Any]]], expected: str, tmp_path: Path
) -> None:
    world = made()
    batch(world, sender, *commands)
    assert expected in told_last(world, tmp_path)


def test_an_invoice_that_is_registered_and_credited_at_once_says_both(tmp_path: Path) -> None:
    world = registered()
    both = [("RegisterInvoice", rest("other")), ("RecordCreditNote", credit_note(invoice_id=hexid("other")))]
    batch(world, SUPPLIER, *both)
    assert "invoice registered; credit note recorded" in told_last(world, tmp_path, hexid("other"))


ENDINGS: list[tuple[Callable[[], World], Prepare, list[str]]] = [
    (funded, did(BUYER, "SettleInvoice", **settlement()), ["settled"]),
    (overdue, did(FINANCIER, "WriteOff", **ID, amount_minor=1_000_000), ["written off"]),
    (written_off, did(BUYER, "RecordRecovery", **settlement()), ["recovered"]),
    (funded, did(FINANCIER, "RecordPaidOutside", **ID, amount_minor=1_000_000, **REASON), ["paid outside the ledger"]),
    (
        lambda: happening(registered, disputed),
        did(BUYER, "ResolveDispute", **ID, outcome="cancelled"),
        ["dispute resolved; invoice cancelled"],
    ),
    (registered, did(BUYER, "DisputeInvoice", **ID, **REASON), ["invoice disputed"]),
    (registered, did(SUPPLIER, "CancelInvoice", **ID, **REASON), ["invoice cancelled"]),
    (two_steps, did(FINANCIER, "FundInvoice", **ID, **FACILITY), ["entry reserve", "money set aside"]),
    (
        lambda: happening(funded, supplier_consents),
        did(FINANCIER, "Unwind", **ID),
        ["early payment unwound", "consents to unwind carried out"],
    ),
    (
        lambda: happening(funded, supplier_has_money, supplier_consents),
        did(SUPPLIER, "Repurchase", **ID, deposit=settlement()["deposit"]),
        ["bought back by the supplier", "consent to unwind lapsed"],
    ),
    (
        lambda: happening(two_steps, did(FINANCIER, "DeclineEarlyPayment", **ID, **FACILITY, **REASON)),
        did(SUPPLIER, "RequestEarlyPayment", **request()),
        ["early payment asked for anew after a decline", "early payment requested again"],
    ),
    (
        registered,
        did(SUPPLIER, "RegisterDocument", **document("proof of another")),
        [],
    ),
    (
        lambda: happening(registered, unavailable),
        did(BUYER, "AttestDocument", **attestation("proof")),
        ["attested verified, unavailable before"],
    ),
    (registered, did(SUPPLIER, "RegisterInvoice", **rest("other")), ["document linked to another invoice"]),
]


@pytest.mark.parametrize(("made", "happens", "expected"), ENDINGS)
def test_how_it_ended_and_how_much_of_it_is_told(
    made: Callable[[], World], happens: Prepare, expected: list[str], tmp_path: Path
) -> None:
    world = made()
    happens(world)
    said = told_last(world, tmp_path)
    assert set(expected) <= set(said), said
    assert expected or not said


def test_a_discount_of_nothing_is_an_early_payment_by_the_buyer_all_the_same(tmp_path: Path) -> None:
    world = two_steps()
    world.must(SUPPLIER, "OfferDiscount", **ID, rate_bps=0, day_count="ACT/360", valid_until="2027-06-30")
    world.must(BUYER, "PayEarly", **ID, deposit=settlement()["deposit"])
    assert "paid early by the buyer at a discount" in told_last(world, tmp_path)


def test_a_part_tells_of_the_whole_and_the_whole_of_its_parts(tmp_path: Path) -> None:
    world = registered()
    world.must(BUYER, "ApproveInvoice", **approval())
    world.must(BUYER, "WithdrawApproval", **ID, **REASON)
    world.must(SUPPLIER, "SplitInvoice", **ID, **PARTS)
    world.must(BUYER, "ApproveInvoice", **approval("part 1", amount_minor=400_000))
    again, _ = replayed(world)
    read_model = again.read_model(tmp_path / "readmodel.db")

    def of(name: str, key: str) -> list[str]:
        moments = read_model.timeline(hexid(name))
        return [moment["what"] for moment in moments if moment["key"] == f"invoice/{hexid(key)}"]

    whole = ["invoice registered", "invoice approved", "approval withdrawn", "invoice split into parts"]
    assert of("invoice", "invoice") == whole
    assert of("part 1", "invoice") == [f"whole: {what}" for what in whole]
    assert of("invoice", "part 1") == of("invoice", "part 2") == ["part split off"]
    assert of("part 1", "part 1") == ["split off a whole", "invoice approved"]
    assert of("part 1", "part 2") == []


def test_a_second_invoice_of_the_same_fingerprints_says_so(tmp_path: Path) -> None:
    said = told_last(prepared("ClearDuplicate"), tmp_path, TABLES["ClearDuplicate"].body["invoice_id"])
    assert "invoice registered; a duplicate of another" in said


def test_a_decision_is_told_from_a_check_in_a_facility_that_is_neither_only(tmp_path: Path) -> None:
    """The first invoices of an automatic facility wait for a person."""
    world = everybody()
    steps: dict[str, Step] = story()
    for name in ("acceptance", "facility"):
        msp_id, type_, body = steps.pop(name)
        world.must(msp_id, type_, **body)
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=terms(manual_first=1))
    world.open_day(NEXT_DAY)
    assert play(world, steps) == []
    world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)
    assert "paid early by decision of the financier" in told_last(world, tmp_path)


def test_what_nobody_has_named_says_which_fields_changed() -> None:
    world = registered()
    before = decode(Invoice, world.state[f"invoice/{ID['invoice_id']}"])
    changed = replace(before, voided_reference="0" * 64)
    said = words(Change("invoice", before.invoice_id, before, changed, Beside()))
    assert said == "invoice changed: voided_reference"


def test_a_document_of_an_older_ledger_is_linked_when_its_invoice_is_registered_and_not_again() -> None:
    """There an index of its own says which invoices rest on it, until one more does."""
    world = registered()
    now = decode(Document, world.state[f"document/{hexid('document')}"])
    own, other = ID["invoice_id"], hexid("other")
    older = replace(now, invoice_ids=None)

    def said(after: tuple[str, ...], stands: bool) -> str:
        return words(Change("document", own, older, replace(now, invoice_ids=after), Beside(registered=stands)))

    assert said((other, own), stands=False) == "document linked to the invoice"
    assert said((own, other), stands=True) == "document changed: invoice_ids"
    assert said((other,), stands=True) == "document no longer linked to the invoice"
    assert said((other,), stands=False) == "document changed: invoice_ids"
    revoked = replace(older, status="withdrawn")
    assert words(Change("document", own, older, revoked, Beside(registered=True))) == "document withdrawn"
