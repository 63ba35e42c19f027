"""Two backends on one batch: each alone or both together, whichever was measured to be the fastest.

Together they share a queue sorted by length with two ends. The CPU takes from the long end, where one document keeps a
core busy; the wide backend takes slabs of many documents from the short end; they meet. Portions shrink as the rest
does, by the rates that were seen, so that neither waits long for the other; the slower one leaves the rest alone when
the faster would be done with all of it first. That is worth nothing where both wait for the same thing, such as a core,
memory or a disk, and no rate of one side tells: so each way is tried, and timed, on a portion of a batch. A wide
backend that is lost costs time and no answer: whatever it said in this batch is hashed again by the CPU.
"""

from __future__ import annotations

import enum
import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger_node.hashing.guard import Answer, Backend, BackendLost, Guarded
from ledger_node.hashing.sources import Descriptor, Hashed, Source

RATE_WEIGHT = 0.5  # of the newest measurement in a running rate
PROBE_SHARE = 16  # the first portion of a side whose rate is unknown, as a part of what both share
TRIAL_SHARE = 32  # what is hashed to try a way of working, as a part of the batch
TRIAL_SHARE_MAX = 8  # a batch whose trials would each be more than this part of it is one trial as a whole
TOGETHER_GAIN_MIN = 1.1  # both together take all cores: so much faster than one alone they must be to be worth it
LOOKED_AT = 64  # documents of a batch, to tell about how long they are
TRUSTED_BATCHES = 64  # so many batches later the ways that were slower are tried again


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


class Way(enum.Enum):
    """Who hashes a portion."""

    BOTH = enum.auto()
    WIDE = enum.auto()
    CPU = enum.auto()


class Ways:
    """How fast each way was with documents of about one length, and so which one is next.

    A way has to be tried while nothing is known of it; the others are tried again after a number of batches.
    """

    def __init__(self) -> None:
        self._rates: dict[Way, float] = {}
        self._batches = 0

    def begin(self) -> list[Way]:
        """The ways that a batch should try."""
        self._batches += 1
        if self._batches > TRUSTED_BATCHES and len(self._rates) == len(Way):
            self._batches = 1
            fastest = self.fastest()
            self._rates = {fastest: self._rates[fastest]}
        return [way for way in Way if way not in self._rates]

    def fastest(self) -> Way:
        """The fastest way of those that were tried; both together before any was, or when they gain enough."""
        gains = {way: rate / (TOGETHER_GAIN_MIN if way is Way.BOTH else 1) for way, rate in self._rates.items()}
        return max(gains, key=gains.__getitem__, default=Way.BOTH)

    def note(self, way: Way, rate: float) -> None:
        """Bytes a second, as just seen."""
        self._rates[way] = _averaged(self._rates.get(way, 0.0), rate)


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
        self._ways: dict[int, Ways] = {}  # by the length of documents
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
            ways = self._ways.setdefault(_length_class(sources), Ways())
            untried = ways.begin()
            if self._limits.cpu_helps and not untried and ways.fastest() is Way.CPU:
                return self._alone(sources, ways)
            batch = _Batch(sources, self._cpu, self._wide, self._rates, self._limits)
            if not self._limits.cpu_helps:
                batch.run(Way.WIDE, batch.places)
            elif batch.places:
                self._run(batch, ways, untried)
            return batch.finished()

    def _alone(self, sources: Sequence[Source], ways: Ways) -> list[Answer]:
        """Hand the batch to the CPU as it came: looking at a short file costs as much as hashing it."""
        begun = time.perf_counter()
        answers = self._cpu.hash_batch(sources)
        size_bytes = sum(answer.size_bytes for answer in answers if isinstance(answer, Hashed))
        ways.note(Way.CPU, _rate(size_bytes, len(sources), begun))
        return answers

    def _run(self, batch: _Batch, ways: Ways, untried: Sequence[Way]) -> None:
        """Try what is not known on portions of the batch, or on all of a small one; do the rest the fastest way."""
        rest = batch.places
        documents = max(self._limits.wide_documents_min, len(rest) // TRIAL_SHARE)
        if untried and documents * TRIAL_SHARE_MAX > len(rest):
            ways.note(untried[0], batch.run(untried[0], rest))
            return
        for way in untried:
            step = len(rest) // documents
            chosen = rest[::step]  # of every length, as the rest is
            del rest[::step]
            ways.note(way, batch.run(way, chosen))
        fastest = ways.fastest()
        ways.note(fastest, batch.run(fastest, rest))


class _Batch:
    """One batch on its way: the places not yet taken, longest first, and the answers.

    Attributes:
        places: of the documents whose size is known, the longest first.
    """

    def __init__(
        self, sources: Sequence[Source], cpu: Backend, wide: Guarded, rates: dict[str, float], limits: SlabLimits
    ) -> None:
        self._sources = sources
        self._cpu = cpu
        self._wide = wide
        self._sizes = [size_of(source) for source in sources]
        self._rates = rates
        self._limits = limits
        sized = (place for place, size in enumerate(self._sizes) if size >= 0)
        self.places = sorted(sized, key=self._sizes.__getitem__, reverse=True)
        self._answers: list[Answer | None] = [None] * len(sources)
        self._wide_places: list[int] = []
        self._lock = threading.Lock()
        self._queue: deque[int] = deque()
        self._bytes_left = self._bytes_all = 0

    def run(self, way: Way, places: Sequence[int]) -> float:
        """Hash these places, longest first, in this way.

        Returns: bytes a second, padding included.
        """
        self._queue = deque(places)
        self._bytes_left = self._bytes_all = sum(self._sizes[place] for place in places)
        begun = time.perf_counter()
        if way is Way.WIDE:
            self._run_wide(alone=True)
        elif way is Way.BOTH:
            helper = threading.Thread(target=self._run_wide, name="wide hashing")
            helper.start()
            try:
                self._run_cpu()
            finally:
                helper.join()
        self._hash(self._cpu, list(self._queue))  # the CPU's; or too few for the wide backend, or left by a lost one
        return _rate(self._bytes_all, len(places), begun)

    def _run_cpu(self) -> None:
        """Take from the long end until the ends have met, or the rest is better left to the wide backend."""
        while places := self._take("cpu", self._queue.popleft, self._queue.appendleft):
            self._hash(self._cpu, places, "cpu")

    def _run_wide(self, alone: bool = False) -> None:
        """Take slabs from the short end; when the backend is lost, take all that it said in this batch back."""
        try:
            while places := self._take("wide", self._queue.pop, self._queue.append, alone):
                self._wide_places += places
                self._hash(self._wide, places, "wide")
        except BackendLost:
            for place in self._wide_places:
                self._answers[place] = None

    def finished(self) -> list[Answer]:
        """All answers; the CPU hashes what a lost backend had taken, and says what those without a size are."""
        self._hash(self._cpu, [place for place, answer in enumerate(self._answers) if answer is None])
        answers = [answer for answer in self._answers if answer is not None]
        assert len(answers) == len(self._sources), "a document of the batch was forgotten"
        return answers

    def _take(
        self, side: str, pop: Callable[[], int], put_back: Callable[[int], None], alone: bool = False
    ) -> list[int]:
        """The next portion for this side; none when there is none, or when the other side had better take it."""
        own, other = self._rates[side], self._rates["wide" if side == "cpu" else "cpu"]
        wide = side == "wide"
        documents_min = self._limits.wide_documents_min if wide else self._limits.cpu_documents_min
        bytes_max = self._limits.wide_bytes_max if wide else self._limits.cpu_bytes_max
        with self._lock:
            if wide and len(self._queue) < documents_min:
                return []
            share = self._bytes_left * own / (own + other) / 2 if own and other else self._bytes_all / PROBE_SHARE
            wanted = bytes_max if alone else max(self._limits.bytes_min, min(bytes_max, share))
            places: list[int] = []
            taken = 0
            least = documents_min if alone else 0  # what would be too little for a portion of its own goes along
            while self._queue and (taken < wanted or len(places) < documents_min or len(self._queue) < least):
                places.append(pop())
                taken += self._sizes[places[-1]]
            if not alone and other > own > 0 and taken / own > self._bytes_left / other:
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
            self._rates[side] = _averaged(self._rates[side], rate)


def _length_class(sources: Sequence[Source]) -> int:
    """About how long the documents are, by some of them: within a factor of four the same number; 0 for streams."""
    sizes = [size for source in sources[:: -(-len(sources) // LOOKED_AT)] if (size := size_of(source)) >= 0]
    return (sum(sizes) // len(sizes)).bit_length() // 2 if sizes else 0


def _rate(size_bytes: int, documents: int, begun: float) -> float:
    """Bytes a second since then, a block of padding for each document included."""
    return (size_bytes + 64 * documents) / max(time.perf_counter() - begun, 1e-9)


def _averaged(known: float, seen: float) -> float:
    return RATE_WEIGHT * seen + (1 - RATE_WEIGHT) * known if known else seen


def size_of(source: Source) -> int:
    """The bytes of a source before it is read; -1 for a stream and for what cannot be looked at."""
    if isinstance(source, bytes | bytearray):
        return len(source)
    if isinstance(source, memoryview):
        return source.nbytes
    try:
        if isinstance(source, Path | Descriptor):
            status = source.stat() if isinstance(source, Path) else os.fstat(source.fd)
            return status.st_size if stat.S_ISREG(status.st_mode) else -1
    except OSError:
        pass  # whoever hashes it finds out, and says so
    return -1
