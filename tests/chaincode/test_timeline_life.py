"""A long generated life: an invoice's timeline tells of each of its commands, and of nothing that did not happen."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest
from generated import Life
from projected import replayed
from world import World

pytestmark = pytest.mark.no_cover  # what only a generated life reaches has no test

PLACES = re.compile(r" in part$| to 2\d{3}-\d\d-\d\d$")
CAUSES = {
    "invoice registered": "RegisterInvoice",
    "invoice approved": "ApproveInvoice",
    "approval withdrawn": "WithdrawApproval",
    "invoice disputed": "DisputeInvoice",
    "dispute resolved": "ResolveDispute",
    "invoice cancelled": "CancelInvoice",
    "invoice split into parts": "SplitInvoice",
    "credit note recorded": "RecordCreditNote",
    "claim of a credit note recorded": "RecordCreditNote",
    "claim of a credit note paid": "PayClaim",
    "cleared of being a duplicate": "ClearDuplicate",
    "money set aside": "FundInvoice",
    "money set aside taken back": "VoidFunding",
    "money set aside expired": "ExpireFunding",
    "paid early by decision of the financier": "FundInvoice",
    "paid early out of the money set aside": "PostFunding",
    "paid early by the buyer at a discount": "PayEarly",
    "assignment acknowledged": "AcknowledgeAssignment",
    "marked overdue": "MarkOverdue",
    "due date extended": "ExtendDueDate",
    "settled": "SettleInvoice",
    "paid outside the ledger": "RecordPaidOutside",
    "written off": "WriteOff",
    "recovered": "RecordRecovery",
    "misdirected payment reported": "ReportMisdirectedPayment",
    "bought back by the supplier": "Repurchase",
    "early payment unwound": "Unwind",
}
"""Which command each of an invoice's own words says has been done."""


def done(world: World) -> dict[tuple[int, str], list[str]]:
    """The types of the commands that were applied, by transaction and the invoice that each is of."""
    types = defaultdict(list)
    again = World()
    for number, (msp_id, again.timestamp, argument) in enumerate(world.sent):
        results = json.loads(again.dispatch(msp_id, argument).payload)["results"]
        for sent, result in zip(json.loads(argument)["commands"], results, strict=True):
            body = sent["body"]
            if result["status"] == "applied":
                note = again.read(f"credit_note/{body.get('credit_note_id')}") or {}
                named = body.get("invoice_id") or note.get("invoice_id")
                for invoice_id in {*body.get("invoice_ids", ()), *([named] if named else ())}:
                    types[number, invoice_id].append(sent["type"])
    return types


def test_of_a_long_life_nothing_is_told_that_did_not_happen_and_nothing_is_left_out(tmp_path: Path) -> None:
    life = Life(Random(7))
    for _ in range(800):
        life.step()
    again, numbers = replayed(life.world)
    read_model, commands = again.read_model(tmp_path / "readmodel.db"), done(life.world)
    seen: set[str] = set()
    for invoice in read_model.invoices(per_page=500).items:
        for moment in read_model.timeline(invoice["invoice_id"]):
            if moment["key"] != f"invoice/{invoice['invoice_id']}":
                continue
            said = {PLACES.sub("", text) for text in moment["what"].split("; ")}
            if "dispute resolved" in said:
                said.discard("invoice cancelled")  # one command does both
            told_of = {CAUSES[text] for text in said & CAUSES.keys()}
            applied = commands[numbers.index(moment["block_number"]), invoice["invoice_id"]]
            assert told_of <= set(applied), (moment, applied)
            if moment["what"] == "invoice written as it was":
                assert applied == ["ClearDuplicate"], "who clears again in the same words writes the same"
                continue
            if len(applied) == 1 and applied[0] in CAUSES.values():
                assert told_of == set(applied), (moment, applied)
            assert "changed:" not in moment["what"]
            seen |= told_of
    assert len(seen) >= 20, sorted(set(CAUSES.values()) - seen)
