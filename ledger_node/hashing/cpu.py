"""Hashing on the processor: by the standard library, or by the native extension where that is there and faster.

Neither knows of the other's digests: whichever runs, the answers are the same, errors included. The extension is
optional; without it nothing but time is lost.
"""

from __future__ import annotations

import functools
import math
import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ledger_node.errors import ConfigError
from ledger_node.hashing.digest import changed, hash_one, unreadable
from ledger_node.hashing.sources import Descriptor, Hashed, Source, UnreadableError

try:
    from ledger_node.hashing import _native

    _missing = ""
except ImportError as error:
    _missing = f"the native extension is not installed ({error})"

# hashlib keeps the interpreter for shorter buffers, so threads would slow them down.
ALONE_BYTES_MAX = 2047
# What is hashed in the time that it takes to start threads; a file costs as much as so many bytes of a buffer.
THREADS_BYTES_MIN = 1 << 20
FILE_BYTES = 32 << 10
PIECES_PER_THREAD = 16
CALIBRATION_DOCUMENTS = 48
CALIBRATION_BYTES = 16 << 10
CALIBRATION_ROUNDS = 3


class HashlibBackend:
    """The standard library on all cores; always there, and what every other backend must agree with."""

    name = "hashlib"

    def hash_batch(self, sources: Sequence[Source]) -> list[Hashed | UnreadableError]:
        """Digest and size of many documents, in their order.

        Args:
            sources: documents; streams are read to their end.

        Returns: for each source what was hashed, or the error that kept it from being read.
        """
        threads = min(_cores(), len(sources))
        if threads < 2 or not _worth_threads(sources):
            return _answers(sources)
        pieces = min(threads * PIECES_PER_THREAD, len(sources))
        answers: list[Hashed | UnreadableError] = [UnreadableError("")] * len(sources)
        with ThreadPoolExecutor(threads) as pool:
            for first, piece in enumerate(pool.map(_answers, (sources[i::pieces] for i in range(pieces)))):
                answers[first::pieces] = piece
        return answers


class NativeBackend:
    """The native extension on all cores: many documents side by side, files read by its own threads.

    The interpreter is released once a batch, which also means that a batch ends before a signal is answered. One
    document alone cannot be hashed side by side with anything; it, and what the extension leaves, goes to hashlib.

    Args:
        engine: of `native_engines`; empty takes the one that is fastest on this processor.

    Raises: ConfigError when the extension is not installed or the processor lacks the engine.
    """

    def __init__(self, engine: str = "") -> None:
        engines = native_engines()
        if not engine and engines:
            engine = min(engines, key=_seconds().__getitem__)
        if engine not in engines:
            raise ConfigError(_missing or f"this processor has no engine {engine}", "use the backend hashlib")
        self.name = f"native:{engine}"
        self._engine = engine
        self._threads = _cores()
        self._standard = HashlibBackend()

    def hash_batch(self, sources: Sequence[Source]) -> list[Hashed | UnreadableError]:
        """As `HashlibBackend.hash_batch`; buffers must not change until it returns."""
        if len(sources) < 2:
            return _answers(sources)
        hashed, failures = _native.hash_batch(sources, self._engine, self._threads)
        answers: list[Hashed | UnreadableError] = list(hashed)
        for index, code in failures:
            if code != _native.LEFT:
                answers[index] = failure(sources[index], code)
        if left := [index for index, code in failures if code == _native.LEFT]:
            for index, answer in zip(left, self._standard.hash_batch([sources[i] for i in left]), strict=True):
                answers[index] = answer
        return answers


def native_available() -> str:
    """Why the native extension cannot be used; empty when it can."""
    return _missing


def native_engines() -> list[str]:
    """The extension's engines that this processor has, of `scalar`, `sha-ni` and `avx512`; none without extension."""
    return [] if _missing else _native.engines()


def failure(source: Source, code: int) -> UnreadableError:
    """The error for a source that the native extension could not read.

    Args:
        source: what it was.
        code: an errno, `_native.CHANGED` or `_native.NOT_REGULAR`.

    Returns: the error that hashlib's backend would have answered with.
    """
    if code == _native.CHANGED:
        return changed(source)
    return unreadable(source, os.strerror(code) if code > 0 else "it is not a regular file")


def best_cpu() -> HashlibBackend | NativeBackend:
    """The backend that hashes a batch of documents fastest on this processor."""
    seconds = _seconds()
    fastest = min(seconds, key=seconds.__getitem__)
    return HashlibBackend() if fastest == HashlibBackend.name else NativeBackend(fastest)


@functools.cache
def _seconds() -> dict[str, float]:
    """What hashlib and each engine need for the same documents on one core, measured once per process."""
    buffers = [random.randbytes(CALIBRATION_BYTES) for _ in range(CALIBRATION_DOCUMENTS)]
    runs: dict[str, Callable[[], object]] = {HashlibBackend.name: partial(_answers, buffers)}
    for engine in native_engines():
        runs[engine] = partial(_native.hash_batch, buffers, engine, 1)
    seconds = dict.fromkeys(runs, math.inf)
    for _ in range(CALIBRATION_ROUNDS):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return seconds


def _worth_threads(sources: Sequence[Source]) -> bool:
    """Whether there is more to hash than what threads cost."""
    work = 0
    for source in sources:
        work += _work(source)
        if work >= THREADS_BYTES_MIN:
            return True
    return False


def _work(source: Source) -> int:
    """How much of a source threads could do side by side, in bytes of a buffer."""
    try:
        if isinstance(source, bytes | bytearray | memoryview):
            size_bytes = memoryview(source).nbytes
            return size_bytes if size_bytes > ALONE_BYTES_MAX else 0
        if isinstance(source, Path | Descriptor):
            return FILE_BYTES + (source.stat() if isinstance(source, Path) else os.fstat(source.fd)).st_size
    except (OSError, ValueError):
        return FILE_BYTES  # whoever hashes it says what is wrong
    return THREADS_BYTES_MIN  # nobody knows what a stream has


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _answers(sources: Sequence[Source]) -> list[Hashed | UnreadableError]:
    return [_answer(each) for each in sources]


def _answer(source: Source) -> Hashed | UnreadableError:
    try:
        return hash_one(source)
    except UnreadableError as error:
        return error
