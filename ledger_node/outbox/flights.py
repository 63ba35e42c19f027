"""Transactions in flight: which groups they carry, how many there may be at once, and how many bytes in each.

How many begins with one, doubles with each that goes through, and is one again after a conflict; one that breaks does
not count, and so holds up nobody. It sends nothing and writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ledger_node.outbox.groups import Group


@dataclass(eq=False)
class Flight:
    """A group on its way; it `breaks` while it is tried again in place, or in halves."""

    group: Group
    breaks: bool = False


class Flights:
    """All flights of one sender.

    Args:
        flights_max: how many there may be at most.
        bytes_max: of one transaction; less, once the channel takes less.
        news: set whenever one has been seen through.
    """

    def __init__(self, flights_max: int, bytes_max: int, news: threading.Event) -> None:
        self.bytes_max = bytes_max
        self._flights_max = flights_max
        self._news = news
        self._by_future: dict[Future[None], Flight] = {}
        self._places = 1  # by what became of the latest

    def groups(self) -> tuple[Group, ...]:
        """What is on its way."""
        return tuple(flight.group for flight in self._by_future.values())

    def have_room(self, contended: bool) -> bool:
        """Whether one more may go; beside those that break, only one while other nodes contend."""
        breaking = sum(flight.breaks for flight in self._by_future.values())
        places = (1 if contended else self._places) + breaking
        return len(self._by_future) < min(places, self._flights_max)

    def start(self, pool: ThreadPoolExecutor, group: Group, see_through: Callable[[Flight], None]) -> None:
        """Send one more on its way."""
        flight = Flight(group)
        future = pool.submit(see_through, flight)
        self._by_future[future] = flight
        future.add_done_callback(lambda _: self._news.set())

    def take_back(self) -> None:
        """Forget those that have been seen through. Raises what kept one from that."""
        for future in [future for future in self._by_future if future.done()]:
            del self._by_future[future]
            future.result()

    def forget(self) -> None:
        """Forget all: whoever starts anew asks for their fate."""
        self._by_future.clear()

    def went_through(self) -> None:
        """A transaction is valid."""
        self._places = min(2 * self._places, self._flights_max)

    def conflicted(self) -> None:
        """A transaction lost to another one."""
        self._places = 1

    def too_large(self, size_bytes: int) -> None:
        """The channel does not take a transaction of so many bytes."""
        self.bytes_max = max(1, size_bytes // 2)
