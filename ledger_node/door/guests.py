"""Who is at a door: how many there are of each address, who gives way to the next one, and one log line per offender.

A guest is either waited for (its handshake, header or body, or that it reads its answer) or the node works for it. When
there are too many, whoever has been waited for the longest is shown out: an honest guest is waited for milliseconds.
While the node works for all of them, the next one is turned away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from ledger_node.door.bounds import Bounds

SUM_UP_SECONDS = 60.0
OFFENDERS_MAX = 1000

log = structlog.get_logger("door")


@dataclass(eq=False)
class Guest:
    """One connection; `since` is when waiting for it began, by the loop's clock, None while the node works for it."""

    address: str
    since: float | None
    show_out: Callable[[], object] = field(default=lambda: None)


class Guests:
    """All connections of one door; used by its loop's thread only.

    Args:
        name: of the door, for the log.
        bounds: of which the numbers of connections count here.
    """

    def __init__(self, name: str, bounds: Bounds) -> None:
        self._bounds = bounds
        self._all: set[Guest] = set()
        self._by_address: dict[str, set[Guest]] = {}
        self._offenders = _Offenders(name)

    def admit(self, address: str) -> Guest | None:
        """A new guest, for whom another one may have to go; None when there is no room."""
        own = self._by_address.get(address, set())
        if len(own) >= self._bounds.connections_per_address_max and not self._make_room(own):
            self.offends(address, "too many connections at once")
            return None
        if len(self._all) >= self._bounds.connections_max and not self.make_room():
            self.offends(address, "no room for another connection")
            return None
        guest = Guest(address, asyncio.get_running_loop().time())
        self._all.add(guest)
        self._by_address.setdefault(address, set()).add(guest)
        return guest

    def make_room(self) -> bool:
        """Show out whoever has been waited for the longest. Returns: whether there was somebody."""
        return self._make_room(self._all)

    def _make_room(self, among: set[Guest]) -> bool:
        waited_for = [guest for guest in among if guest.since is not None]
        if not waited_for:
            return False
        victim = min(waited_for, key=lambda guest: guest.since or 0.0)
        self.leaves(victim)
        victim.show_out()
        self.offends(victim.address, "too many connections at once: the one that was waited for the longest goes")
        return True

    def leaves(self, guest: Guest) -> None:
        """A guest is gone; twice is fine."""
        self._all.discard(guest)
        of_address = self._by_address.get(guest.address, set())
        of_address.discard(guest)
        if not of_address:
            self._by_address.pop(guest.address, None)

    def offends(self, address: str, what: str) -> None:
        """Note that somebody at an address was too slow, too many, or sent what is no HTTP."""
        self._offenders.note(address, what)


def _say(text: str, **known: Any) -> None:
    """A line of the log; where it cannot be written, as on a full disk, the door goes on without it."""
    with suppress(OSError):
        log.warning(text, **known)


class _Offenders:
    """One line for the first offence of an address, and one a minute for as long as there are more."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._more: dict[str, int] = {}

    def note(self, address: str, what: str) -> None:
        if address not in self._more and len(self._more) >= OFFENDERS_MAX:
            address = "others"
        if address in self._more:
            self._more[address] += 1
            return
        _say("a connection was cut off", door=self._name, address=address, why=what)
        self._more[address] = 0
        self._sum_up_later(address)

    def _sum_up_later(self, address: str) -> None:
        asyncio.get_running_loop().call_later(SUM_UP_SECONDS, self._sum_up, address)

    def _sum_up(self, address: str) -> None:
        times = self._more.pop(address)
        if times:
            _say("connections were cut off", door=self._name, address=address, times=times)
            self._more[address] = 0
            self._sum_up_later(address)
