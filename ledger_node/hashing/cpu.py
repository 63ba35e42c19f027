"""Hashing on the processor by the standard library, document by document, on all of its cores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ledger_node.hashing.digest import hash_one
from ledger_node.hashing.sources import Hashed, Source, UnreadableError

# hashlib releases the interpreter for longer buffers only, so threads slow shorter ones down.
ALONE_BYTES_MAX = 16 << 10


class HashlibBackend:
    """The standard library on all cores; always there, and what every other backend must agree with."""

    name = "hashlib"

    def hash_batch(self, sources: Sequence[Source]) -> list[Hashed | UnreadableError]:
        """Digest and size of many documents, in their order.

        Args:
            sources: documents; streams are read to their end.

        Returns: for each source what was hashed, or the error that kept it from being read.
        """
        threads = min(len(os.sched_getaffinity(0)), len(sources))
        if threads < 2 or all(isinstance(each, bytes) and len(each) <= ALONE_BYTES_MAX for each in sources):
            return [_answer(each) for each in sources]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(_answer, sources))


def _answer(source: Source) -> Hashed | UnreadableError:
    try:
        return hash_one(source)
    except UnreadableError as error:
        return error
