"""Faults of many kinds under a stream of trades: each is paid once, everywhere. `make drills` plays the whole table."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from drills.checker import checked
from drills.faults import BY_NAME, FAULTS
from drills.player import Planned, play, schedule
from drills.trades import STEPS, Trades
from drills.world import open_world

SHORT = (
    ("kill orderer", "approve"),
    ("freeze peer", "register"),
    ("kill two kinds at once", "approve"),
    ("organisation off", "request"),
    ("read model deleted", "upload"),
)
"""Fault and moment; whom it strikes follows from the seed."""
SEED = 20


@pytest.mark.long
@pytest.mark.network
def test_whatever_dies_hangs_or_is_deleted_every_trade_is_paid_exactly_once(tmp_path: Path) -> None:
    choice = random.Random(SEED)
    played = []
    with open_world(tmp_path / "drill") as world:
        with Trades(world, streams=2) as trades:
            for name, moment in SHORT:
                order = tuple(choice.sample(world.names, len(world.names)))
                fault = BY_NAME[name]
                played.append(play(world, trades, Planned(fault, order, moment, fault.short, choice.randrange(2**32))))
        world.await_whole()
        compared = checked(world, trades, [each.fault for each in played])
    assert compared["trades_paid"] >= len(SHORT)
    assert compared["trades_broken"] == 0


def test_a_seed_gives_the_same_schedule_and_every_row_once_before_any_comes_again() -> None:
    names = ("supplier", "buyer", "financier", "carrier")
    first, again, other = (list(islice(schedule(names, FAULTS, seed), 2 * len(FAULTS))) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert {each.fault.name for each in first[: len(FAULTS)]} == set(BY_NAME)
    for each in first:
        assert set(each.organisations) == set(names)
        assert each.moment in STEPS
        assert each.fault.seconds[0] <= each.seconds <= each.fault.seconds[1]
