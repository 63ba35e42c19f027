"""Whether an organisation's own orderer is to be restarted: what was seen and remembered in, a verdict out. No I/O.

Four things are waited for, each since a moment of its own:

- **stands**: the orderer keeps transactions, and its height does not move.
- **behind**: others have more blocks than it, and its height does not move.
- **view**: it is about to change its view, or others are in a later one, and that does not change.
- **silent**: its metrics do not answer.

Never two at once on purpose: what stops everybody (stands, view) is healed in turns. An organisation's turn follows
from its place among all by MSP id and from the height at which ordering stands, so that all agree on it without a word,
and another one begins each time. A turn lasts longer than a restart takes, and a restart that helped ends the others'
wait. Who is only behind or silent takes no part in what goes on, and need not wait for a turn. While another orderer
cannot be reached (it may be restarting) everybody holds back for some time. A restart that did not help is repeated
after a pause that doubles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

TURN_SECONDS = 6.0  # a restart takes three to four
HOLD_SECONDS_MAX = 15.0
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 60.0, 900.0
CALM_SECONDS = 300.0

Reason = Literal["stands", "behind", "view", "silent"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What an orderer says of itself.

    Args:
        height: blocks that it has.
        waiting: transactions that it keeps and that are not ordered yet.
        view: the view it is in.
        view_next: the view it wants to be in; the same when it wants no change.
        consenter: whether it has a vote; a follower only fetches blocks.
    """

    height: int
    waiting: int
    view: int
    view_next: int
    consenter: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another organisation's orderer: whether it greets, and what it says where it says anything to us."""

    name: str
    reachable: bool
    sight: Sight | None


@dataclass(frozen=True, slots=True)
class Observation:
    """One look.

    Args:
        at: seconds on a clock that never goes back.
        own: what the own orderer says; None when it does not answer.
        peer_height: blocks that the own peer has, from whichever orderer; None when it does not say.
        neighbours: the other orderers.
    """

    at: float
    own: Sight | None
    peer_height: int | None
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """How patient a supervisor is, and whose turn it is.

    Args:
        seconds: how long ordering may stand; longer than a change of the leader takes.
        place: the organisation's place among all, from 0.
        organisations: how many there are.
        jitter: seconds on top of every wait, drawn anew by the caller.
    """

    seconds: float
    place: int
    organisations: int
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What is carried from one look to the next; moments are on the observations' clock.

    Args:
        height: the last height seen; -1 before the first look.
        since: since when each reason has held without a break.
        restarted_at: the last restart for a reason of this room; None when there was none for long.
        restarts: how many there were without `CALM_SECONDS` of ordering in between.
    """

    height: int = -1
    since: tuple[tuple[Reason, float], ...] = ()
    restarted_at: float | None = None
    restarts: int = 0

    @property
    def suspicious(self) -> bool:
        """Whether anything is being waited for."""
        return bool(self.since)


def decide(memory: Memory, seen: Observation, rules: Rules) -> tuple[Memory, Reason | None]:
    """What to remember, and why the own orderer is to be restarted now; None when it is not."""
    memory = _remembered(memory, seen)
    if memory.restarted_at is not None and seen.at < memory.restarted_at + pause_seconds(memory.restarts):
        return memory, None
    held = any(not each.reachable for each in seen.neighbours)
    for reason, since in memory.since:
        wait = _wait_seconds(reason, memory.height, rules) + (HOLD_SECONDS_MAX if held and reason != "silent" else 0.0)
        if seen.at - since >= wait:
            return memory, reason
    return memory, None


def restarted(memory: Memory, at: float) -> Memory:
    """What to remember after a restart: every wait begins anew."""
    return Memory(height=memory.height, restarted_at=at, restarts=memory.restarts + 1)


def pause_seconds(restarts: int) -> float:
    """How long after so many restarts in a row the next may come."""
    return 0.0 if restarts == 0 else min(PAUSE_SECONDS_MIN * 2.0 ** (restarts - 1), PAUSE_SECONDS_MAX)


def turn(place: int, height: int, organisations: int) -> int:
    """How many others go before, when ordering stands at this height."""
    return (place - height) % organisations


def _wait_seconds(reason: Reason, height: int, rules: Rules) -> float:
    own_turn = turn(rules.place, height, rules.organisations) * TURN_SECONDS
    return (
        rules.jitter
        + {
            "stands": rules.seconds + own_turn,
            "behind": rules.seconds,
            "view": 2 * rules.seconds + own_turn,  # nothing waits for it yet
            "silent": 2 * rules.seconds,  # a machine may be that busy
        }[reason]
    )


def _remembered(memory: Memory, seen: Observation) -> Memory:
    height = memory.height if seen.own is None else seen.own.height
    moved = height != memory.height
    before = {} if moved else dict(memory.since)
    since = tuple((reason, before.get(reason, seen.at)) for reason in _reasons(seen))
    memory = replace(memory, height=height, since=since)
    if moved and memory.restarted_at is not None and seen.at - memory.restarted_at >= CALM_SECONDS:
        return replace(memory, restarted_at=None, restarts=0)
    return memory


def _reasons(seen: Observation) -> list[Reason]:
    """What holds at this moment, in the order in which it is acted on."""
    own = seen.own
    if own is None:
        return ["silent"]
    known = [each.sight for each in seen.neighbours if each.sight is not None]
    heights = [each.height for each in known] + ([] if seen.peer_height is None else [seen.peer_height])
    reasons: list[Reason] = []
    if max(heights, default=0) > own.height:
        reasons.append("behind")
    if own.consenter and own.waiting > 0:
        reasons.append("stands")
    later = any(each.view > own.view for each in known if each.consenter)
    if own.consenter and (later or own.view_next != own.view):
        reasons.append("view")
    return reasons
