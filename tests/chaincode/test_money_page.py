"""The page an accountant follows: every table of entries in docs/explanation/money.md is played on the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from life_worlds import (
    ID,
    NEXT_DAY,
    REASON,
    credit_note,
    funded,
    is_overdue,
    offered,
    overdue,
    registered,
    reservation,
    supplier_has_money,
    two_steps,
)
from world import World, founded, play
from world_bodies import BUYER, DEPOSIT, FINANCIER, SUPPLIER, approval, confirmation, deposit, hex64, hexid, settlement

from chaincode.money import Money

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "money.md").read_text()
Did = tuple[str, str, dict[str, Any]]
NOTE = {"credit_note_id": hexid("credit note"), "deposit": DEPOSIT}
ASKED = {"redemption_id": hexid("redemption")}
REDEEM: Did = (BUYER, "RedeemDeposit", {**ASKED, "deposit": DEPOSIT, "amount_minor": 300_000})


def before_approval() -> World:
    """An invoice that is paid early with its approval."""
    world = founded()
    play(world, without=("approval",))
    return world


def spent() -> World:
    """The buyer has given away most of what was issued to it."""
    world = registered()
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=SUPPLIER, amount_minor=800_000)
    return world


def reserved_for_two_days() -> World:
    world = reservation()
    world.open_day("2026-11-26")
    return world


def with_supplier_money() -> World:
    world = funded()
    supplier_has_money(world)
    return world


STEPS: list[tuple[str, Callable[[], World], list[Did]]] = [
    ("issue", founded, [(FINANCIER, "IssueDeposit", deposit())]),
    ("approve", registered, [(BUYER, "ApproveInvoice", approval())]),
    ("approval withdrawn", two_steps, [(BUYER, "WithdrawApproval", {**ID, **REASON})]),
    ("reserve", two_steps, [(FINANCIER, "FundInvoice", {**ID, "facility_id": hexid("facility")})]),
    ("void", reservation, [(FINANCIER, "VoidFunding", ID)]),
    ("expire", reserved_for_two_days, [(SUPPLIER, "ExpireFunding", {"invoice_ids": [hexid("invoice")]})]),
    ("early payment of what was reserved", reservation, [(FINANCIER, "PostFunding", ID)]),
    ("early payment by a financier, with the approval", before_approval, [(BUYER, "ApproveInvoice", approval())]),
    ("early payment by the buyer", offered, [(BUYER, "PayEarly", {**ID, "deposit": DEPOSIT})]),
    ("settle", funded, [(BUYER, "SettleInvoice", settlement(amount_minor=300_000))]),
    ("paid outside the ledger", funded, [(FINANCIER, "RecordPaidOutside", {**ID, "amount_minor": 300_000, **REASON})]),
    ("write-off", overdue, [(FINANCIER, "WriteOff", {**ID, "amount_minor": 400_000})]),
    ("redeem", registered, [REDEEM]),
    ("redemption confirmed", registered,
     [REDEEM, (FINANCIER, "ConfirmRedemption", confirmation())]),
    ("redemption rejected", registered, [REDEEM, (FINANCIER, "RejectRedemption", {**ASKED, **REASON})]),
    ("credit note before funding, and approved anew", two_steps,
     [(SUPPLIER, "RecordCreditNote", credit_note()), (BUYER, "ApproveInvoice", approval(amount_minor=900_000))]),
    ("credit note after funding, and paid", funded,
     [(SUPPLIER, "RecordCreditNote", credit_note()), (SUPPLIER, "PayClaim", NOTE)]),
    ("repurchase", with_supplier_money, [(SUPPLIER, "Repurchase", {**ID, "deposit": DEPOSIT})]),
    ("unwind", funded, [(SUPPLIER, "Unwind", ID), (FINANCIER, "Unwind", ID)]),
    ("reverse an issue, with a shortfall that is covered", spent,
     [(FINANCIER, "ReverseIssue", {"credit_reference": hex64("buyer's money"), **REASON}),
      (SUPPLIER, "TransferDeposit", {"deposit": DEPOSIT, "to": BUYER, "amount_minor": 800_000}),
      (BUYER, "CoverShortfall", {"deposit": DEPOSIT, "amount_minor": 800_000})]),
]  # fmt: skip


def table(world: World, commands: list[Did]) -> str:
    """Play commands, and show the entries that they make, in their order."""
    lines = ["| day | step | debit | credit | amount |", "|---|---|---|---|---|"]
    for msp_id, type_, body in commands:
        before = set(world.keys)
        world.must(msp_id, type_, **body)
        for key in world.keys:
            if key.startswith("entry/") and key not in before:
                lines.append(_line(world.read(key)))
    return "\n".join(lines)


def _line(entry: dict[str, Any]) -> str:
    amount = Money(entry["amount_minor"], "EUR").decimal()
    return f"| {entry['day']} | `{entry['step']}` | `{entry['debit']}` | `{entry['credit']}` | {amount} |"


def life() -> str:
    """One invoice from its approval to the recovery of what was written off."""
    world = before_approval()
    lines = table(world, [(BUYER, "ApproveInvoice", approval()), (FINANCIER, "IssueDeposit", deposit())])
    world.open_day(NEXT_DAY)
    lines += rows(world, [(BUYER, "SettleInvoice", settlement(amount_minor=400_000))])
    is_overdue(world)
    lines += rows(world, [(FINANCIER, "WriteOff", {**ID, "amount_minor": 600_000})])
    lines += rows(world, [(BUYER, "RecordRecovery", settlement(amount_minor=600_000))])
    assert world.read(f"invoice/{hexid('invoice')}")["status"] == "recovered"
    return lines


def rows(world: World, commands: list[Did]) -> str:
    """The entries alone, to go on below a table."""
    return "".join(f"\n{line}" for line in table(world, commands).splitlines()[2:])


def test_the_page_follows_one_invoice_from_approval_to_recovery() -> None:
    assert f"\n{life()}\n\n" in PAGE


@pytest.mark.parametrize(("name", "world", "commands"), STEPS, ids=[name for name, _, _ in STEPS])
def test_the_page_shows_the_entries_of_every_step(name: str, world: Callable[[], World], commands: list[Did]) -> None:
    assert f"### {name[0].upper()}{name[1:]}\n\n{table(world(), commands)}\n" in PAGE
