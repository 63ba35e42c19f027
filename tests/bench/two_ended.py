"""Do two backends on one batch ever take longer than the better one alone? One thread each, so that each has a core.

Run it alone on a machine: `python tests/bench/two_ended.py`. Prints medians of ten interleaved rounds.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Sequence

from ledger_node.hashing import Hashed, Source, UnreadableError
from ledger_node.hashing.cpu import NativeBackend
from ledger_node.hashing.digest import hash_one
from ledger_node.hashing.guard import Answer, Guarded
from ledger_node.hashing.scheduler import SlabLimits, TwoEnded

ROUNDS = 10


class OneByOne:
    """hashlib in one thread."""

    name = "hashlib"

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """Digests, one after the other."""
        answers: list[Answer] = []
        for source in sources:
            try:
                answers.append(hash_one(source))
            except UnreadableError as error:
                answers.append(error)
        return answers


class OneThread:
    """The fastest native engine in one thread."""

    def __init__(self) -> None:
        self.name = NativeBackend().name

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """Digests, side by side."""
        from ledger_node.hashing import _native

        rows, failures = _native.hash_batch(sources, self.name.removeprefix("native:"), 1)
        assert not failures
        return [Hashed(*row) for row in rows]


def main() -> None:
    """Print seconds of hashlib alone, the native backend alone, and both on one batch."""
    cpu, wide = OneByOne(), OneThread()
    both = TwoEnded(cpu, Guarded(wide), SlabLimits(wide_documents_min=32, wide_bytes_max=24 << 20, cpu_documents_min=1))
    generator = random.Random(5)
    seconds: dict[str, list[float]] = {"hashlib": [], wide.name: [], "both": []}
    for _ in range(ROUNDS):
        documents = [os.urandom(int(10240 * 200 ** generator.random())) for _ in range(600)]
        for name, backend in (("hashlib", cpu), (wide.name, wide), ("both", both)):
            begun = time.perf_counter()
            backend.hash_batch(documents)
            seconds[name].append(time.perf_counter() - begun)
    for name, each in seconds.items():
        print(f"{name:16} {statistics.median(each):.3f} s")  # noqa: T201


if __name__ == "__main__":
    main()
