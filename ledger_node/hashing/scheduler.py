"""Two backends on one batch: a queue sorted by length with two ends.

The CPU takes from the long end, where one document keeps a core busy; the wide backend takes slabs of many documents
from the short end; they meet. Portions shrink as the rest does, by the rates that were seen, so that neither waits
long for the other; the slower one leaves the rest alone when the faster would be done with all of it first. A wide
backend that is lost costs time and no answer: whatever it said in this batch is hashed again by the CPU.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger_node.hashing.guard import Answer, Backend, BackendLost, Guarded
from ledger_node.hashing.sources import Descriptor, Source

RATE_WEIGHT = 0.5  # of the newest slab in the running rate
PROBE_SHARE = 16  # the first portion of a side whose rate is unknown, as a part of the batch


@dataclass(frozen=True, slots=True)
class SlabLimits:
    """What one portion holds: up to so many bytes, but at least so many documents, which fill a backend's lanes.

    The wide backend gets no batch, and no rest of one, with fewer documents than its least. Where the CPU does not
    help, it hashes only what the wide backend cannot, and what a lost one leaves.
    """

    wide_documents_min: int = 512
    wide_bytes_max: int = 512 << 20
    cpu_documents_min: int = 64
    cpu_bytes_max: int = 64 << 20
    cpu_helps: bool = True
    bytes_min: int = 1 << 20


class TwoEnded:
    """A CPU backend and a wide one, used together; other callers wait until the wide one is free.

    Args:
        cpu: keeps all cores busy by itself; hashes everything once the wide one is lost.
        wide: guarded.
        limits: of portions.
    """

    def __init__(self, cpu: Backend, wide: Guarded, limits: SlabLimits) -> None:
        self._cpu = cpu
        self._wide = wide
        self._limits = limits
        self._rates = {"cpu": 0.0, "wide": 0.0}
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        """Both names while both are used."""
        return self._cpu.name if self._wide.lost else f"{self._cpu.name} + {self._wide.name}"

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """One answer for each source, in their order, whatever happens to the wide backend."""
        if self._wide.lost or len(sources) < self._limits.wide_documents_min:
            return self._cpu.hash_batch(sources)
        with self._turn:
            batch = _Batch(sources, self._rates, self._limits)
            helper = threading.Thread(target=batch.run_wide, args=(self._wide,), name="wide hashing")
            helper.start()
            try:
                batch.run_cpu(self._cpu)
            finally:
                helper.join()
            return batch.finished(self._cpu)


class _Batch:
    """One batch on its way: the places not yet taken, longest first, and the answers."""

    def __init__(self, sources: Sequence[Source], rates: dict[str, float], limits: SlabLimits) -> None:
        self._sources = sources
        self._sizes = [size_of(source) for source in sources]
        self._rates = rates
        self._limits = limits
        self._unsized = [place for place, size in enumerate(self._sizes) if size < 0]  # the CPU says what they are
        sized = (place for place, size in enumerate(self._sizes) if size >= 0)
        self._queue = deque(sorted(sized, key=self._sizes.__getitem__, reverse=True))
        self._bytes_left = self._bytes_all = sum(self._sizes[place] for place in self._queue)
        self._answers: list[Answer | None] = [None] * len(sources)
        self._wide_places: list[int] = []
        self._lock = threading.Lock()

    def run_cpu(self, cpu: Backend) -> None:
        """Take from the long end until the ends have met, or the rest is better left to the wide backend."""
        self._hash(cpu, self._unsized)
        while self._limits.cpu_helps and (places := self._take("cpu", self._queue.popleft, self._queue.appendleft)):
            self._hash(cpu, places, "cpu")

    def run_wide(self, wide: Guarded) -> None:
        """Take slabs from the short end; when the backend is lost, take all that it said in this batch back."""
        try:
            while places := self._take("wide", self._queue.pop, self._queue.append):
                self._wide_places += places
                self._hash(wide, places, "wide")
        except BackendLost:
            for place in self._wide_places:
                self._answers[place] = None

    def finished(self, cpu: Backend) -> list[Answer]:
        """All answers, after both sides have ended; the CPU hashes what a lost backend had taken, or either left."""
        self._hash(cpu, [place for place, answer in enumerate(self._answers) if answer is None])
        answers = [answer for answer in self._answers if answer is not None]
        assert len(answers) == len(self._sources), "a document of the batch was forgotten"
        return answers

    def _take(self, side: str, pop: Callable[[], int], put_back: Callable[[int], None]) -> list[int]:
        """The next portion for this side; none when there is none, or when the other side had better take it."""
        own, other = self._rates[side], self._rates["wide" if side == "cpu" else "cpu"]
        wide = side == "wide"
        documents_min = self._limits.wide_documents_min if wide else self._limits.cpu_documents_min
        bytes_max = self._limits.wide_bytes_max if wide else self._limits.cpu_bytes_max
        with self._lock:
            if wide and len(self._queue) < documents_min:
                return []
            share = self._bytes_left * own / (own + other) / 2 if own and other else self._bytes_all / PROBE_SHARE
            wanted = max(self._limits.bytes_min, min(bytes_max, share))
            places: list[int] = []
            taken = 0
            while self._queue and (taken < wanted or len(places) < documents_min):
                places.append(pop())
                taken += self._sizes[places[-1]]
            if other > own > 0 and taken / own > self._bytes_left / other:
                for place in reversed(places):
                    put_back(place)
                return []
            self._bytes_left -= taken
        return places

    def _hash(self, backend: Backend, places: Sequence[int], side: str = "") -> None:
        """Hash these places, and note the rate of the side that did."""
        if not places:
            return
        begun = time.perf_counter()
        for place, answer in zip(places, backend.hash_batch([self._sources[place] for place in places]), strict=True):
            self._answers[place] = answer
        if side:
            rate = sum(self._sizes[place] for place in places) / max(time.perf_counter() - begun, 1e-9)
            known = self._rates[side]
            self._rates[side] = RATE_WEIGHT * rate + (1 - RATE_WEIGHT) * known if known else rate


def size_of(source: Source) -> int:
    """The bytes of a source before it is read; -1 for a stream and for what cannot be looked at."""
    if isinstance(source, bytes | bytearray):
        return len(source)
    if isinstance(source, memoryview):
        return source.nbytes
    try:
        if isinstance(source, Path | Descriptor):
            found = source.stat() if isinstance(source, Path) else os.fstat(source.fd)
            return found.st_size if stat.S_ISREG(found.st_mode) else -1
    except OSError:
        pass  # whoever hashes it finds out, and says so
    return -1
