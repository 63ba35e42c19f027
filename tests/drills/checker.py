"""What must be true at the end: one chain, equal read models, books at zero, and exactly one payment for each trade."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlmodel import select

sys.path.insert(0, str(Path(__file__).parents[1] / "network"))

from drill_load import check

from drills.faults import BY_NAME
from drills.trades import Trades
from drills.world import World
from ledger_node.check import check_node
from ledger_node.node import open_node
from ledger_node.readmodel.tables import Checkpoint, EntryRow, dump
from network.waiting import Patience

LEVEL_SECONDS_MAX = 120.0
ONCE = ("approve", "early_payment", "assignment")


def checked(world: World, trades: Trades, played: Sequence[str]) -> dict[str, int]:
    """Check everything after the last fault, with the trades at rest.

    Args:
        world: whole again.
        trades: ended.
        played: the names of the faults that were played.

    Returns: what was compared, counted.

    Raises: AssertionError naming what is not true.
    """
    counted = check(world.topology, [])
    models = _models(world)
    first = models[world.names[0]]
    for name, tables in models.items():
        differing = [table for table in tables if tables[table] != first[table]]
        assert not differing, f"the read model of the {name} differs in {differing}"
    payments = assert_paid_once(world, trades)
    if not any(BY_NAME[each].forgets for each in played):
        assert not trades.broken, f"trades could not be finished: {trades.broken}"
    return counted | {"trades_paid": len(trades.paid), "payments": payments, "trades_broken": len(trades.broken)}


def assert_paid_once(world: World, trades: Trades) -> int:
    """How many invoices are paid early, by the first node: each once, and each that was shown as paid among them.

    Raises: AssertionError otherwise.
    """
    shown = list(trades.paid)
    paid = _paid(world)
    for invoice, steps in paid.items():
        assert set(steps.values()) == {1}, f"{invoice} was paid otherwise than once: {steps}"
    lost = [invoice for invoice in shown if set(paid.get(invoice, ())) != set(ONCE)]
    assert not lost, f"payments that were shown are gone: {lost}"
    return len(paid)


def _paid(world: World) -> dict[str, Counter[str]]:
    """How often each step that moves the money was booked, by invoice, for those with an early payment."""
    with closing(open_node(world.node(world.names[0]).settings)) as node, node.readmodel_database.read() as session:
        entries = session.exec(select(EntryRow.invoice_id, EntryRow.step)).all()
    found: dict[str, Counter[str]] = {}
    for invoice, step in entries:
        if step in ONCE:
            found.setdefault(invoice, Counter())[step] += 1
    return {invoice: steps for invoice, steps in found.items() if "early_payment" in steps}


def _models(world: World) -> dict[str, dict[str, list[tuple[Any, ...]]]]:
    """The read models, all at the same block, each equal to a fresh fold of its own peer's blocks."""
    patience = Patience(LEVEL_SECONDS_MAX)
    while len(set(found := {name: _next_block(world, name) for name in world.names}.values())) > 1:
        assert not patience.is_over(tuple(found)), f"nodes stay at different blocks: {tuple(found)}, {patience.words}"
    models = {}
    for name in world.names:
        with closing(open_node(world.node(name).settings)) as node:
            report = check_node(node)
            assert report.well, f"the node of the {name}: {report}"
            with node.readmodel_database.read() as session:
                models[name] = dump(session)
    return models


def _next_block(world: World, name: str) -> int:
    with closing(open_node(world.node(name).settings)) as node, node.readmodel_database.read() as session:
        checkpoint = session.get(Checkpoint, 0)
        return -1 if checkpoint is None else checkpoint.next_block
