"""When a supervisor restarts its own orderer: what it saw and remembers in, a verdict out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.watch import decision
from network.watch.decision import Memory, Neighbour, Observation, Reason, Rules, Sight, decide, restarted

CALM = Sight(height=40, waiting=0, view=2, view_next=2, consenter=True)
RULES = Rules(seconds=15.0, place=0, organisations=4)  # at height 40 it is place 0's turn first


def seen(at: float, own: Sight | None = CALM, *others: Sight | None, peer_height: int | None = 40) -> Observation:
    known = others or (CALM, CALM, CALM)
    names = ("buyer", "financier", "carrier")
    neighbours = tuple(Neighbour(name, True, sight) for name, sight in zip(names, known, strict=False))
    return Observation(at, own, peer_height, neighbours)


def first_restart(look: Callable[[float], Observation], rules: Rules = RULES, until: int = 300) -> tuple[int, Reason]:
    """The second at which it restarts when it looks once a second, and why; (-1, ...) when it never does."""
    memory = Memory()
    for second in range(until):
        memory, reason = decide(memory, look(second), rules)
        if reason is not None:
            return second, reason
    return -1, "silent"


def never(look: Callable[[float], Observation], rules: Rules = RULES) -> bool:
    return first_restart(look, rules)[0] == -1


def test_an_idle_network_is_left_alone() -> None:
    assert never(seen)


def test_an_orderer_that_keeps_transactions_and_orders_none_is_restarted() -> None:
    stuck = replace(CALM, waiting=3)
    assert first_restart(lambda at: seen(at, stuck)) == (15, "stands")


def test_one_that_orders_is_left_alone_however_much_waits() -> None:
    assert never(lambda at: seen(at, replace(CALM, waiting=9000, height=40 + int(at // 10)), peer_height=None))


def test_a_change_of_the_leader_that_takes_seconds_is_waited_for() -> None:
    def look(at: float) -> Observation:
        return seen(at, replace(CALM, waiting=5 if at < 14 else 0, height=40 if at < 14 else 41), peer_height=None)

    assert never(look)


@pytest.mark.parametrize("more", [{"peer_height": 41}, {"others": (replace(CALM, height=41), CALM, CALM)}])
def test_one_that_does_not_fetch_what_others_have_is_restarted(more: dict[str, object]) -> None:
    others = more.get("others", (CALM, CALM, CALM))
    assert isinstance(others, tuple)
    height = more.get("peer_height", 40)
    assert isinstance(height, int)
    assert first_restart(lambda at: seen(at, CALM, *others, peer_height=height)) == (15, "behind")


def test_one_that_is_behind_and_catches_up_is_left_alone() -> None:
    assert never(lambda at: seen(at, replace(CALM, height=int(at)), peer_height=1000))


def test_one_in_an_earlier_view_is_restarted_even_when_nothing_waits() -> None:
    assert first_restart(lambda at: seen(at, CALM, replace(CALM, view=3), CALM, CALM)) == (30, "view")


def test_one_that_never_ends_a_change_of_the_view_is_restarted() -> None:
    assert first_restart(lambda at: seen(at, replace(CALM, view_next=3))) == (30, "view")


def test_a_follower_has_no_view_and_keeps_nothing_but_must_not_fall_behind() -> None:
    follower = replace(CALM, consenter=False, waiting=3, view=0)
    assert never(lambda at: seen(at, follower))
    assert first_restart(lambda at: seen(at, follower, peer_height=50)) == (15, "behind")


def test_one_that_does_not_answer_is_given_time_since_a_machine_may_be_busy() -> None:
    assert first_restart(lambda at: seen(at, None)) == (30, "silent")
    assert never(lambda at: seen(at, None if at % 29 else CALM))


def test_while_another_cannot_be_reached_it_holds_back_but_not_for_ever() -> None:
    away = Neighbour("buyer", False, None)

    def look(at: float) -> Observation:
        return replace(seen(at, replace(CALM, waiting=3)), neighbours=(away,))

    assert first_restart(look) == (30, "stands")


def test_a_restart_that_did_not_help_is_repeated_after_pauses_that_double() -> None:
    memory, stuck, restarts = Memory(), replace(CALM, waiting=3), []
    for second in range(2000):
        memory, reason = decide(memory, seen(second, stuck), RULES)
        if reason is not None:
            restarts.append(second)
            memory = restarted(memory, second)
    pauses = [later - earlier for earlier, later in itertools.pairwise(restarts)]
    assert pauses == [60, 120, 240, 480, 900]


def test_ordering_for_long_makes_the_past_forgotten() -> None:
    memory = restarted(restarted(Memory(height=40), 0.0), 100.0)
    moving = replace(CALM, height=41)
    memory, _ = decide(memory, seen(100.0 + decision.CALM_SECONDS, moving, peer_height=None), RULES)
    assert (memory.restarts, memory.restarted_at) == (0, None)


def test_who_goes_first_follows_from_the_height_and_another_one_begins_each_time() -> None:
    first = [next(place for place in range(4) if decision.turn(place, height, 4) == 0) for height in range(40, 48)]
    assert first == [0, 1, 2, 3, 0, 1, 2, 3]


def _looks(stuck: Sight, offset: float) -> Callable[[float], Observation]:
    return lambda at: seen(at + offset, stuck, stuck, stuck, stuck, peer_height=stuck.height)


@given(
    height=st.integers(0, 10**6),
    organisations=st.integers(2, 12),
    jitters=st.lists(st.floats(0.0, 2.0), min_size=12, max_size=12),
    offsets=st.lists(st.floats(0.0, 1.0), min_size=12, max_size=12),
)
def test_no_two_restart_within_the_time_that_a_restart_takes(
    height: int, organisations: int, jitters: list[float], offsets: list[float]
) -> None:
    """All stand at the same height; each looks once a second, at moments of its own, and draws a jitter of its own."""
    stuck = replace(CALM, waiting=3, height=height)
    moments = []
    for place in range(organisations):
        rules = Rules(15.0, place, organisations, jitters[place])
        offset = offsets[place]
        second, _ = first_restart(_looks(stuck, offset), rules, 200)
        moments.append(second + offset)
    moments.sort()
    assert min(later - earlier for earlier, later in itertools.pairwise(moments)) >= 3.0 - 1e-6
