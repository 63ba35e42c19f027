"""Every way of hashing on this processor, and documents whose digests the standard library says."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Sequence

from ledger_node.hashing.cpu import HashlibBackend, NativeBackend, native_engines
from ledger_node.hashing.sources import Hashed, UnreadableError

Backend = HashlibBackend | NativeBackend
NATIVE_BACKENDS = [NativeBackend(engine) for engine in native_engines()]
BACKENDS: list[Backend] = [HashlibBackend(), *NATIVE_BACKENDS]
# Around a block, two of them, a window of a file that is read, and the step from one thread to two.
BORDERS = [border + step for border in (64, 128, 32 << 10, 64 << 10, 128 << 10, 1 << 20) for step in range(-10, 11)]


def compiler() -> str:
    """The C++ compiler of this machine; empty when there is none."""
    return shutil.which("g++") or ""


def documents(sizes: Sequence[int], seed: int = 1) -> list[bytes]:
    """Random documents of these sizes, the same for the same seed."""
    made = random.Random(seed)
    return [made.randbytes(size) for size in sizes]


def expected(contents: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """What the standard library says: digest and size of each."""
    return [(hashlib.sha256(content).digest(), len(content)) for content in contents]


def found(answers: Sequence[Hashed | UnreadableError]) -> list[tuple[bytes, int]]:
    """Digest and size out of a backend's answers, none of which is an error."""
    hashed = [answer for answer in answers if isinstance(answer, Hashed)]
    assert len(hashed) == len(answers), [answer for answer in answers if not isinstance(answer, Hashed)]
    return [(answer.digest, answer.size_bytes) for answer in hashed]
