"""Whose turn it is, from the blocks that everybody sees; the clock is moved by hand."""

from __future__ import annotations

import random
import threading

import pytest

from ledger_node.ledger.interface import VALID, Block, Transaction, Write
from ledger_node.outbox.contention import RECENT_SECONDS, Contention

CONFLICT = "MVCC_READ_CONFLICT"
NEVER = threading.Event()


class Clock:
    """Seconds; each look at them takes a little, so that who waits gets on."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        self.seconds += 0.001
        return self.seconds


class World:
    """One ledger that a few organisations watch."""

    def __init__(self, *names: str) -> None:
        self.clock = Clock()
        self.contention = {name: Contention(name, self.clock) for name in names}
        self.number = 0

    def block(self, *transactions: tuple[str, str], key: str = "facility") -> None:
        """A block of (msp_id, code), each of which wanted to change the key, and one of its own."""
        found = (
            Transaction("", code, msp_id, "", (Write(key, b"1"), Write(f"command/{msp_id}/{self.number}", b"1")), b"")
            for msp_id, code in transactions
        )
        block = Block(self.number, tuple(found))
        self.number += 1
        for contention in self.contention.values():
            contention.saw(block)

    def waits(self, name: str, turn_seconds: float = 1.0) -> float:
        """For how long the organisation waits when no further block comes."""
        begun = self.clock.seconds
        contention = self.contention[name]
        contention._news = Impatient(self.clock)
        contention.wait(self.number - 1, turn_seconds, NEVER)
        return self.clock.seconds - begun


class Impatient(threading.Condition):
    """Waiting moves the clock and takes no time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.seconds += timeout or 0.0
        return False


SHARE = 0.25


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Chance is given, as the clock is: who contends with nobody else waits for that share of a turn."""
    monkeypatch.setattr(random, "random", lambda: SHARE)
    return World("A", "B", "C", "D")


def test_nobody_waits_while_there_was_no_conflict(world: World) -> None:
    world.block(("A", VALID))
    world.block(("B", VALID))
    assert not world.contention["A"].contended()
    assert world.waits("A") < 0.1


@pytest.mark.parametrize(("name", "turns"), [("C", 0), ("D", 1), ("A", 2), ("B", 3)])
def test_after_a_conflict_the_next_in_order_goes_at_once_and_each_other_one_turn_later(
    world: World, name: str, turns: int
) -> None:
    world.block(("B", VALID), ("A", CONFLICT), ("C", CONFLICT), ("D", CONFLICT))
    assert round(world.waits(name)) == turns


def test_a_winner_lets_the_others_go_first(world: World) -> None:
    world.block(("A", VALID), ("B", CONFLICT))
    assert world.contention["A"].contended()
    assert round(world.waits("A")) == 1


def test_turns_go_on_without_further_conflicts_while_rivals_are_there(world: World) -> None:
    world.block(("A", VALID), ("B", CONFLICT))
    for name in "BABABA":
        world.clock.seconds += RECENT_SECONDS / 2
        world.block((name, VALID))
    assert world.contention["A"].contended()
    assert world.contention["B"].contended()


def test_who_has_nothing_to_send_is_passed_by_once_and_then_forgotten(world: World) -> None:
    world.block(("A", VALID), ("B", CONFLICT), ("C", CONFLICT))
    for name in "BCA":
        world.block((name, VALID))
    assert round(world.waits("C")) == 1  # it is B's turn
    for name in "CAC":
        world.block((name, VALID))
    assert world.waits("A") < 0.1
    world.block(("A", VALID))
    assert world.waits("C") < 0.1


def test_of_two_the_one_that_is_done_is_passed_by_twice(world: World) -> None:
    world.block(("A", VALID), ("B", CONFLICT))
    for name in "BA":
        world.block((name, VALID))
    waits = []
    for _ in range(4):
        world.block(("B", VALID))
        waits.append(world.waits("B"))
    assert waits == pytest.approx([1, 1, SHARE, SHARE], abs=0.05)


def test_alone_again_nobody_waits(world: World) -> None:
    world.block(("A", VALID), ("B", CONFLICT))
    world.clock.seconds += RECENT_SECONDS
    world.block(("A", VALID))
    assert not world.contention["A"].contended()
    assert world.waits("A") < 0.1


def test_who_changes_other_keys_is_no_rival(world: World) -> None:
    world.block(("A", VALID), ("B", CONFLICT))
    world.block(("D", VALID), key="another facility")
    assert not world.contention["D"].contended()


def test_transactions_of_one_node_that_conflict_with_each_other_go_one_by_one(world: World) -> None:
    world.block(("A", VALID), ("A", CONFLICT))
    assert world.contention["A"].contended()
    assert world.waits("A") <= 1.1


def test_a_block_that_is_never_seen_keeps_nobody_longer_than_a_turn(world: World) -> None:
    world.block(("A", VALID), ("B", CONFLICT))
    world.number += 5  # blocks that the node does not see
    assert round(world.waits("B")) == 1
