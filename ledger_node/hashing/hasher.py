"""The front of this room: one hasher for one document or a million, whatever computes behind it.

`open_hasher` chooses: the fastest CPU backend of this machine, and a GPU beside it where there is one that knows the
known answers. Answers are the same whatever ran. This module measures itself for `status` and decides nothing else.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from ledger_node.hashing.cpu import HashlibBackend, NativeBackend, best_cpu
from ledger_node.hashing.cuda_device import open_gpu
from ledger_node.hashing.guard import Answer, Backend, BackendLost, Checked, Guarded, verify_batch
from ledger_node.hashing.kernel import GpuUnavailable
from ledger_node.hashing.scheduler import SlabLimits, TwoEnded
from ledger_node.hashing.sources import Hashed, Source, UnreadableError

CpuChoice = Literal["auto", "native", "hashlib"]
Choice = CpuChoice | Literal["gpu"]


class Hasher:
    """Hashes batches on the backends of this process; may be used from any thread.

    Args:
        cpu: hashes what is not for the wide backend, and everything once that is lost.
        wide: a guarded backend used beside the CPU's; None without one.
        reason: why there is none, for people.
        limits: of the portions that the two get.
    """

    def __init__(
        self, cpu: Backend, wide: Guarded | None = None, reason: str = "", limits: SlabLimits | None = None
    ) -> None:
        self._wide = wide
        self._reason = reason
        self._backend: Backend = TwoEnded(cpu, wide, limits or SlabLimits()) if wide else cpu
        self._counts = threading.Lock()
        self._documents = self._bytes = self._unreadable = self._disputed = 0
        self._busy_seconds = 0.0

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """The digests of documents, in their order; a failure stands in the place of its own document.

        Args:
            sources: paths, open descriptors, buffers, or streams, which are read from where they stand.

        Returns: for each source what was hashed, or the error that kept it from being read.
        """
        begun = time.perf_counter()
        answers = self._backend.hash_batch(sources)
        hashed = [answer for answer in answers if isinstance(answer, Hashed)]
        with self._counts:
            self._busy_seconds += time.perf_counter() - begun
            self._documents += len(hashed)
            self._bytes += sum(answer.size_bytes for answer in hashed)
            self._unreadable += len(answers) - len(hashed)
        return answers

    def verify_batch(self, pairs: Sequence[tuple[Source, bytes]], /) -> list[Checked]:
        """Compare documents with what is expected of them; a mismatch is one that hashlib has found, too.

        Args:
            pairs: each document with its expected digest of 32 bytes.
        """
        checks, disputed = verify_batch(self.hash_batch, pairs)
        with self._counts:
            self._disputed += len(disputed)
        if self._wide is not None and not self._wide.lost and self._wide.name in disputed:
            with suppress(BackendLost):
                self._wide.lose("it found a mismatch that hashlib does not find")
        return checks

    def status(self) -> dict[str, Any]:
        """What runs and what it has done: `{backend, gpu, documents, bytes, unreadable, disputed, busy_seconds}`."""
        wide = self._wide
        gpu = {"name": wide.name, "checked": wide.checked, "lost": wide.lost} if wide else {"absent": self._reason}
        with self._counts:
            return {
                "backend": self._backend.name,
                "gpu": gpu,
                "documents": self._documents,
                "bytes": self._bytes,
                "unreadable": self._unreadable,
                "disputed": self._disputed,
                "busy_seconds": round(self._busy_seconds, 6),
            }

    def close(self) -> None:
        """Give the device back; twice is fine."""
        if self._wide is not None:
            self._wide.close()


def open_hasher(backend: Choice = "auto") -> Hasher:
    """Open the backends of this machine.

    Args:
        backend: `auto` takes what is fastest here; `gpu` leaves all that it can to the GPU; `native` and `hashlib`
            use only the CPU.

    Raises: ConfigError when the backend that was asked for is not here.
    """
    if backend in {"hashlib", "native"}:
        return open_cpu("native" if backend == "native" else "hashlib")
    try:
        gpu = open_gpu()
    except GpuUnavailable as error:
        if backend == "gpu":
            raise
        return Hasher(best_cpu(), reason=error.text)
    limits = SlabLimits(wide_documents_min=1, cpu_helps=False) if backend == "gpu" else SlabLimits()
    return Hasher(best_cpu(), gpu, limits=limits)


def open_cpu(backend: CpuChoice = "auto") -> Hasher:
    """Open a backend of the processor alone.

    Args:
        backend: `auto` takes what is fastest here.

    Raises: ConfigError when the backend that was asked for is not here.
    """
    cpu = {"auto": best_cpu, "native": NativeBackend, "hashlib": HashlibBackend}[backend]()
    return Hasher(cpu, reason="not asked for")


def digest_batch(sources: Sequence[Source]) -> list[bytes | UnreadableError]:
    """The SHA-256 digests of many documents by the best CPU backend, in their order.

    Args:
        sources: as in `Hasher.hash_batch`.

    Returns: for each source 32 bytes, or the error that kept it from being read.
    """
    answers = _default().hash_batch(sources)
    return [answer.digest if isinstance(answer, Hashed) else answer for answer in answers]


@functools.cache
def _default() -> Hasher:
    return open_cpu()
