"""Files hashed as the disk gives them: the page cache is bypassed, so that no former reading answers for the disk.

Nothing here compares or remembers. Source: posix_fadvise(2).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger_node.hashing.digest import OPEN_FLAGS, unreadable
from ledger_node.hashing.sources import Descriptor, Hashed, Source, UnreadableError

HashFiles = Callable[[Sequence[Path]], list[Hashed | UnreadableError]]


def past_cache(hash_batch: Callable[[Sequence[Source]], list[Hashed | UnreadableError]]) -> HashFiles:
    """A function that hashes files as the disk gives them: what the page cache holds is dropped before and after.

    Args:
        hash_batch: of the hashing room.
    """

    def hash_files(paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        answers: dict[int, Hashed | UnreadableError] = {}
        handles: dict[int, int] = {}
        try:
            for place, path in enumerate(paths):
                try:
                    handles[place] = handle = os.open(path, OPEN_FLAGS)
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                except OSError as error:
                    failed = unreadable(path, error)
                    failed.__cause__ = error
                    answers[place] = failed
            sources = {place: Descriptor(handle) for place, handle in handles.items() if place not in answers}
            answers.update(zip(sources, hash_batch(list(sources.values())), strict=True))
            for source in sources.values():
                os.posix_fadvise(source.fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            for handle in handles.values():
                os.close(handle)
        return [answers[place] for place in range(len(paths))]

    return hash_files
