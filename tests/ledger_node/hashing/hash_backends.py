"""Backends for tests of the hashing room: real ones, and real ones that fail or lie at chosen moments."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.guard import Answer
from ledger_node.hashing.sources import Hashed, Source


class Wide:
    """hashlib under another name, as the wide one of two backends: counts what it is given."""

    def __init__(self) -> None:
        self.name = "wide"
        self.batches: list[int] = []
        self._real = HashlibBackend()

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """Real digests."""
        self.batches.append(len(sources))
        answers = self._real.hash_batch(sources)
        return [each._replace(backend=self.name) if isinstance(each, Hashed) else each for each in answers]


class Lying(Wide):
    """Real digests, of which a random part is spoilt by one bit once `begin` was called.

    Args:
        part: how many of them.
        seed: of the randomness.
    """

    def __init__(self, part: float, seed: int) -> None:
        super().__init__()
        self.wrong = 0
        self._part = 0.0
        self._wanted = part
        self._random = random.Random(seed)

    def begin(self) -> None:
        """From now on."""
        self._part = self._wanted

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """Digests, some of them wrong."""
        answers = super().hash_batch(sources)
        for place, answer in enumerate(answers):
            if isinstance(answer, Hashed) and self._random.random() < self._part:
                byte, bit = self._random.randrange(32), 1 << self._random.randrange(8)
                spoilt = bytes(value ^ (bit if at == byte else 0) for at, value in enumerate(answer.digest))
                answers[place] = answer._replace(digest=spoilt)
                self.wrong += 1
        return answers


class Breaking(Wide):
    """Fails at the given batch, counted from 0; the known-answer batch is the first."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """Real digests, or a failure."""
        answers = super().hash_batch(sources)
        if len(self.batches) > self._at:
            raise OSError("the device fell off the bus")
        return answers


def digests_of(contents: Sequence[bytes]) -> list[bytes]:
    """What must come out."""
    return [hashlib.sha256(content).digest() for content in contents]


def digests(answers: Sequence[Answer | None]) -> list[bytes | None]:
    """What came out, None for an error."""
    return [answer.digest if isinstance(answer, Hashed) else None for answer in answers]
