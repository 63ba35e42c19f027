"""Counts that one process writes and others read, in a small file: how often a thing happened, by its name.

The file may be deleted; counting then begins anew. It holds no state of the node and is not backed up.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path


class Counters:
    """Counts by name; may be used from any thread, written by one process at a time.

    Args:
        file: made at the first count.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def count(self, name: str, times: int = 1) -> None:
        """It happened once more, or so many times."""
        with self._lock:
            counts = self.counts()
            counts[name] = counts.get(name, 0) + times
            fresh = self._file.with_name(self._file.name + ".new")
            fresh.write_text(json.dumps(counts, sort_keys=True), "utf-8")
            fresh.replace(self._file)

    def counts(self) -> dict[str, int]:
        """How often, by name; nothing when there is no such file, or half of one after a power failure."""
        try:
            counts: dict[str, int] = json.loads(self._file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return counts
