"""Plays faults one after the other under the stream of trades, each until the network is whole and pays again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drills.faults import FAULTS, Fault
from drills.trades import STEPS, Trades
from drills.world import World
from network.status import look


@dataclass(frozen=True)
class Played:
    """One fault, played.

    Args:
        fault: its row's name.
        organisations: whom it struck, in the order drawn.
        moment: the step that a trade began when it struck.
        held_seconds: how long it lasted, its undoing not counted.
        paid: payments shown meanwhile.
        whole_seconds: from its end until every node was ready and `network status` found nothing.
        payment_seconds: from then until the next payment was shown.
        lacked: what it lacked last before it was whole.
    """

    fault: str
    organisations: tuple[str, ...]
    moment: str
    held_seconds: float
    paid: int
    whole_seconds: float
    payment_seconds: float
    lacked: str

    @property
    def words(self) -> str:
        """One line."""
        return (
            f"{self.fault:32} {self.organisations[0]:10} at {self.moment:9} held {self.held_seconds:5.1f} s,"
            f" paid {self.paid:3}, whole after {self.whole_seconds:5.1f} s, paid after {self.payment_seconds:5.1f} s"
            f"{self.lacked and f' (lacked last: {self.lacked[:300]})'}"
        )


@dataclass(frozen=True)
class Planned:
    """One fault of a schedule: everything that chance decides."""

    fault: Fault
    organisations: tuple[str, ...]
    moment: str
    seconds: float
    seed: int


def schedule(names: Sequence[str], rows: Sequence[Fault], seed: int) -> Iterator[Planned]:
    """Each row once in an order drawn by chance, again and again; the same seed gives the same schedule."""
    choice = random.Random(seed)
    while True:
        for fault in choice.sample(rows, len(rows)):
            order = tuple(choice.sample(names, len(names)))
            yield Planned(fault, order, choice.choice(STEPS), choice.uniform(*fault.seconds), choice.randrange(2**32))


def play(world: World, trades: Trades, planned: Planned) -> Played:
    """One fault, until the network is whole again and a payment is shown.

    Raises: AssertionError when it does not become whole, or status did not show what it must.
    """
    trades.await_moment(planned.moment)
    paid, began = len(trades.paid_at), time.monotonic()
    undo = planned.fault.strike(world, planned.organisations, random.Random(planned.seed))
    threading.Event().wait(max(0.0, planned.seconds - (time.monotonic() - began)))
    if planned.fault.shown:
        assert not look(world.topology).healthy, f"status says healthy: {planned}"
    ended = time.monotonic()
    undo()
    lacked = world.await_whole()
    whole = time.monotonic()
    during = len(trades.paid_at) - paid
    payment = trades.await_payment()
    return Played(
        planned.fault.name,
        planned.organisations,
        planned.moment,
        round(ended - began, 1),
        during,
        round(whole - ended, 1),
        round(payment, 1),
        lacked,
    )


def play_for(
    world: World, trades: Trades, seconds: float, seed: int, rows: Sequence[Fault], told: Callable[[Played], None]
) -> list[Played]:
    """Faults in a schedule by the seed until the time is over, each row at least once."""
    played: list[Played] = []
    until = time.monotonic() + seconds
    for planned in schedule(world.names, rows or FAULTS, seed):
        if len(played) >= len(rows) and time.monotonic() > until:
            return played
        played.append(play(world, trades, planned))
        told(played[-1])
    return played
