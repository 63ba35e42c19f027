"""Reports of what happened within one transaction: the order of its commands, and what a later one of them undid."""

from __future__ import annotations

from pathlib import Path

import pytest
from life_worlds import ID
from projected import ProjectedWorld
from world import found, play
from world_bodies import (
    CARRIER,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    body,
    command,
    deposit,
    hexid,
    request,
    story,
)

from ledger_node import reports
from ledger_node.reports import Past

FIRST, LAST = "f" * 32, "0" * 32
"""Ids of two commands whose keys stand in the other order."""


def before_the_request() -> ProjectedWorld:
    """An invoice that is paid early as soon as its supplier asks, who has some money and may buy it back."""
    world = ProjectedWorld()
    found(world)
    steps = story() | body("facility", recourse="full")
    assert play(world, steps, without=["request"]) == []
    world.must(FINANCIER, "IssueDeposit", **deposit("supplier's money", to=SUPPLIER, amount_minor=100_000))
    return world


def at_end(world: ProjectedWorld, folder: Path) -> Past:
    return reports.at_block(world.read_model(folder / "readmodel.db"))


@pytest.mark.parametrize("ids", [(FIRST, LAST), (LAST, FIRST)])
def test_a_balance_runs_in_the_order_of_commands_whatever_their_ids(ids: tuple[str, str], tmp_path: Path) -> None:
    world = before_the_request()
    pay_on = {"deposit": DEPOSIT, "to": CARRIER, "amount_minor": 1_000_000}
    asked = command("RequestEarlyPayment", ids[0], **request())
    results = world.batch(SUPPLIER, [asked, command("TransferDeposit", ids[1], **pay_on)])
    assert [result["status"] for result in results] == ["applied", "applied"]
    past = at_end(world, tmp_path)
    shown = [(row["step"], row["balance"]) for row in reports.statement(past, SUPPLIER).rows]
    assert shown == [
        ("opening", "0.00"),
        ("issue", "1000.00"),
        ("early_payment", "10887.50"),
        ("transfer", "887.50"),
        ("closing", "887.50"),
    ]
    steps = [row["step"] for row in reports.journal(past, SUPPLIER).rows]
    assert steps.index("early_payment") < steps.index("transfer")
    listed = past.readmodel.entries(account=f"cash:{SUPPLIER}").items
    assert [entry["step"] for entry in listed] == ["issue", "early_payment", "transfer"]


@pytest.mark.parametrize("in_one_transaction", [True, False])
def test_a_payment_that_is_bought_back_in_its_own_transaction_is_in_all_reports(
    in_one_transaction: bool, tmp_path: Path
) -> None:
    world = before_the_request()
    asked = command("RequestEarlyPayment", FIRST, **request())
    back = command("Repurchase", LAST, **ID, deposit=DEPOSIT)
    for batch in ([asked, back],) if in_one_transaction else ([asked], [back]):
        assert [result["status"] for result in world.batch(SUPPLIER, batch)] == ["applied"] * len(batch)
    taken_back = world.read(f"invoice/{hexid('invoice')}")["taken_back"]
    assert (taken_back["net_minor"], taken_back["discount_minor"]) == (988_750, 8_750)
    past = at_end(world, tmp_path)
    (paid,) = reports.early_payments(past).rows
    assert [paid[name] for name in ("count", "face", "discount", "net")] == ["1", "10000.00", "87.50", "9887.50"]
    supplier = [(row["step"], row["account"], row["debit"], row["credit"]) for row in journal(past, SUPPLIER)]
    assert ("early_payment", "finance cost", "87.50", "") in supplier
    assert ("repurchase", "finance cost", "", "87.50") in supplier
    financier = [(row["step"], row["account"], row["debit"], row["credit"]) for row in journal(past, FINANCIER)]
    assert ("early_payment", "unearned discount", "", "87.50") in financier
    assert ("repurchase", "unearned discount", "87.50", "") in financier


def journal(past: Past, party: str) -> tuple[dict[str, str], ...]:
    return reports.journal(past, party).rows
