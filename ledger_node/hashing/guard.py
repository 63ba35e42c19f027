"""Trust in a fast backend: a known-answer batch at the start, a sample of its digests for ever after.

A backend is believed as long as hashlib agrees: with every digest of the known-answer batch that also warms it up, and
with about one of 1 024 digests since, chosen by the operating system's random numbers so that neither the order nor
the content of documents says which. The first wrong digest, or the first failure, drops it for good. A document that
does not match what is expected of it is read again and hashed by hashlib before anybody hears of it.

What the sample bounds: each digest is checked with probability 1/1 024, and at least one of every slab. A backend
that has given `w` wrong digests is still undetected with probability (1 − 1/1 024)^w: 1 024 wrong ones are expected
before the first is noticed, and after 14 141 the chance that none was noticed is below one in a million.
"""

from __future__ import annotations

import enum
import hashlib
import math
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from ledger_node.errors import NodeError
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.sources import Descriptor, Hashed, Source, UnreadableError

SAMPLE_ONE_IN = 1024
CLOCK_TICK_NS = 20_000_000  # files are stamped with a clock that ticks every few milliseconds
KNOWN_SIZES = (*range(0, 301, 7), *(block * 64 + off for block in (1, 2, 16, 65) for off in (-9, -8, -1, 0, 1)), 70_001)

Answer = Hashed | UnreadableError
HashBatch = Callable[[Sequence[Source]], list[Answer]]
log = structlog.get_logger(__name__)


class Backend(Protocol):
    """Whatever hashes many documents at once."""

    @property
    def name(self) -> str:
        """What its answers are signed with."""
        ...

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """One answer for each source, in their order."""
        ...


class BackendLost(NodeError):
    """A backend failed or gave a wrong digest; it is not used again in this process."""


class Sampler:
    """Chooses about one of 1 024 documents, each by itself; may be used from any thread."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()
        self._lock = threading.Lock()
        self._gap = self._draw()

    def pick(self, count: int) -> list[int]:
        """The places, below `count`, of the documents to be checked among the next `count`."""
        picked = []
        with self._lock:
            while self._gap < count:
                picked.append(self._gap)
                self._gap += 1 + self._draw()
            self._gap -= count
        return picked

    def any_of(self, count: int) -> int:
        """One place below `count`."""
        return self._random.randrange(count)

    def _draw(self) -> int:
        """How many documents are passed over: drawing the gap is the same as tossing for each, and cheaper."""
        return int(math.log(1.0 - self._random.random()) / math.log1p(-1 / SAMPLE_ONE_IN))


class Guarded:
    """A backend under watch.

    Args:
        backend: warmed up and tested at once.
        close: gives back what the backend holds.

    Raises: BackendLost when it does not know the known answers.
    """

    def __init__(self, backend: Backend, close: Callable[[], None] = lambda: None) -> None:
        self.name = backend.name
        self.close = close
        self.lost = ""
        self.checked = 0
        self._backend = backend
        self._sampler = Sampler()
        documents = _known_documents()
        answers = self._ask(documents)
        for document, answer in zip(documents, answers, strict=True):
            if not isinstance(answer, Hashed) or answer.digest != hashlib.sha256(document).digest():
                self.lose(f"it does not know the SHA-256 digest of a known document of {len(document)} bytes")

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """As the backend answers; a sample of it is hashed again.

        Raises: BackendLost on the first wrong digest or failure, and at every call since.
        """
        if self.lost:
            raise BackendLost(self.lost)
        if not sources:
            return []
        picked = self._sampler.pick(len(sources)) or [self._sampler.any_of(len(sources))]
        before = stamps(sources, picked)
        answers = self._ask(sources)
        wrong = disagreeing(sources, answers, picked, before)
        self.checked += len(picked)
        if wrong:
            self.lose(f"{len(wrong)} of {len(picked)} re-checked digests were wrong")
        return answers

    def lose(self, reason: str) -> None:
        """Drop the backend for good and report it.

        Raises: BackendLost, always.
        """
        self.lost = f"{self.name} is not used any more: {reason}"
        log.critical("a hashing backend is dropped", backend=self.name, reason=reason)
        raise BackendLost(self.lost, "Its answers since the start are in doubt; look at the device, then start again.")

    def _ask(self, sources: Sequence[Source]) -> list[Answer]:
        try:
            answers = self._backend.hash_batch(sources)
        except Exception as error:
            self.lose(f"it failed: {error!r}")
            raise  # lose has raised
        if len(answers) != len(sources):
            self.lose(f"it gave {len(answers)} answers for {len(sources)} documents")
        return answers


def disagreeing(
    sources: Sequence[Source],
    answers: Sequence[Answer | None],
    picked: Sequence[int],
    before: Sequence[object],
) -> list[int]:
    """The places, of those picked, where hashlib finds another digest in a document that did not change meanwhile.

    Args:
        before: of each picked document what `stamps` gave before it was hashed.
    """
    right = HashlibBackend().hash_batch([sources[place] for place in picked])
    wrong = []
    for place, stamp, expected in zip(picked, before, right, strict=True):
        answer = answers[place]
        differs = isinstance(answer, Hashed) and isinstance(expected, Hashed) and answer.digest != expected.digest
        if differs and stamp == _stamp(sources[place]):
            wrong.append(place)
    return wrong


def stamps(sources: Sequence[Source], picked: Sequence[int]) -> list[object]:
    """What changes when a picked document is written to: taken before and after it is hashed."""
    return [_stamp(sources[place]) for place in picked]


class Verdict(enum.StrEnum):
    """What checking one document against its expected digest gave."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Checked:
    """The evidence of one check: the expected digest of 32 bytes, and what was found by which backend."""

    expected: bytes
    answer: Answer

    @property
    def verdict(self) -> Verdict:
        """`unavailable` is never `mismatch`: bytes that cannot be read say nothing."""
        if isinstance(self.answer, UnreadableError):
            return Verdict.UNAVAILABLE
        return Verdict.VERIFIED if self.answer.digest == self.expected else Verdict.MISMATCH


def verify_batch(hash_batch: HashBatch, pairs: Sequence[tuple[Source, bytes]]) -> tuple[list[Checked], list[str]]:
    """Hash documents and compare; whatever does not match is read again and hashed by hashlib first.

    Args:
        hash_batch: of any backend.
        pairs: each document with what is expected of it. Streams are read once and must come from hashlib already.

    Returns: one `Checked` for each, and the names of backends whose mismatch hashlib did not find in a document that
        had not changed meanwhile.
    """
    begun_ns = time.time_ns() - CLOCK_TICK_NS
    checks = [
        Checked(expected, answer)
        for (_, expected), answer in zip(pairs, hash_batch([source for source, _ in pairs]), strict=True)
    ]
    doubtful = [
        place for place, check in enumerate(checks) if check.verdict is Verdict.MISMATCH and rereadable(pairs[place][0])
    ]
    disputed = []
    again = HashlibBackend().hash_batch([pairs[place][0] for place in doubtful])
    for place, answer in zip(doubtful, again, strict=True):
        first, checks[place] = checks[place].answer, Checked(pairs[place][1], answer)
        assert isinstance(first, Hashed)
        if isinstance(answer, Hashed) and answer.digest != first.digest:
            log.error("a mismatch was not found again by hashlib", backend=first.backend, size_bytes=first.size_bytes)
            if not _changed_since(pairs[place][0], begun_ns):
                disputed.append(first.backend)
    return checks, disputed


def rereadable(source: Source) -> bool:
    """Whether a source can be read twice: everything but a stream."""
    return isinstance(source, Path | Descriptor | bytes | bytearray | memoryview)


def _changed_since(source: Source, begun_ns: int) -> bool:
    """Whether a file may have been written to since then, without having looked at every file of a batch before."""
    found = _looked_at(source)
    return isinstance(found, OSError) or (found is not None and found.st_ctime_ns >= begun_ns)


def _stamp(source: Source) -> object:
    found = _looked_at(source)
    if found is None or isinstance(found, OSError):
        return found.errno if found else None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _looked_at(source: Source) -> os.stat_result | OSError | None:
    """What the system says of a file; None for what is none."""
    try:
        if isinstance(source, Descriptor):
            return os.fstat(source.fd)
        return source.stat() if isinstance(source, Path) else None
    except OSError as error:
        return error


def _known_documents() -> list[bytes]:
    """Documents of every awkward size around padding and block borders; always the same ones."""
    content = hashlib.shake_256(b"known-answer batch").digest(max(KNOWN_SIZES))
    return [content[:size] for size in KNOWN_SIZES]
