"""What waits to be hashed: messages of many clients, taken in turn, so that no client waits for another one's heap.

Shared by the thread that speaks with clients and the one that hashes; everything here is under one lock.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger_node.hashing.sources import Hashed


@dataclass(eq=False)
class Work:
    """One client's message: its descriptors (-1 where one was refused) and, in the end, its answers."""

    client: int
    number: int
    fds: list[int]
    size_bytes: int
    answers: list[Hashed | None] = field(default_factory=list)

    def close(self) -> None:
        """Close the descriptors; twice is fine."""
        for fd in self.fds:
            if fd >= 0:
                os.close(fd)
        self.fds = []


class WorkQueue:
    """Messages by client, and what is being hashed now.

    Args:
        documents_max: how many documents wait or run at most.
        bytes_max: how many bytes do.
    """

    def __init__(self, documents_max: int, bytes_max: int) -> None:
        self._documents_max = documents_max
        self._bytes_max = bytes_max
        self._changed = threading.Condition()
        self._waiting: dict[int, deque[Work]] = {}
        self._running: list[Work] = []
        self._closed = False

    def put(self, work: Work) -> int:
        """Take a message in.

        Returns: the bytes that go before it; -1 when there is no room, and it was not taken.
        """
        with self._changed:
            documents, size_bytes = self._load()
            room = documents + len(work.fds) <= self._documents_max and size_bytes + work.size_bytes <= self._bytes_max
            if self._closed or not room:
                return -1
            self._waiting.setdefault(work.client, deque()).append(work)
            self._changed.notify()
            return size_bytes

    def take(self, documents_max: int, bytes_max: int) -> Sequence[Work]:
        """Wait for work, and take a batch: one message of each client in turn. Empty once the queue is closed."""
        with self._changed:
            self._running = []
            self._changed.wait_for(lambda: self._waiting or self._closed)
            documents = size_bytes = 0
            while self._waiting and documents < documents_max and size_bytes < bytes_max and not self._closed:
                client, works = next(iter(self._waiting.items()))
                del self._waiting[client]
                self._running.append(works.popleft())
                if works:
                    self._waiting[client] = works  # at the end of the turn
                documents += len(self._running[-1].fds)
                size_bytes += self._running[-1].size_bytes
            return self._running

    def forget(self, client: int) -> None:
        """Drop what waits of a client that is gone; what runs is finished for nobody."""
        with self._changed:
            for work in self._waiting.pop(client, ()):
                work.close()

    def close(self) -> list[Work]:
        """Take nothing more in; what waits is given back, what runs is finished."""
        with self._changed:
            self._closed = True
            left = [work for works in self._waiting.values() for work in works]
            self._waiting.clear()
            self._changed.notify()
            return left

    def load(self) -> dict[str, int]:
        """How much waits and runs: `{documents, bytes}`."""
        with self._changed:
            documents, size_bytes = self._load()
            return {"documents": documents, "bytes": size_bytes}

    def _load(self) -> tuple[int, int]:
        works = [*self._running, *(work for works in self._waiting.values() for work in works)]
        return sum(len(work.fds) for work in works), sum(work.size_bytes for work in works)
