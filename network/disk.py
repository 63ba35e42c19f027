"""How much room there is on a disk, and when that is too little."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

FREE_SHARE_MIN = 0.1


@dataclass(frozen=True, slots=True)
class Room:
    """The room on the disk that a path is on, in bytes."""

    path: Path
    free_bytes: int
    total_bytes: int

    @property
    def is_low(self) -> bool:
        """Whether less than a tenth is free."""
        return self.free_bytes < FREE_SHARE_MIN * self.total_bytes

    def __str__(self) -> str:
        gib = 1024**3
        return f"{self.free_bytes / gib:.1f} of {self.total_bytes / gib:.1f} GiB are free on the disk of {self.path}"


def room(path: Path) -> Room:
    """The room on the disk of a path; of a path that is not there yet, on the disk that it will be on."""
    there = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    usage = shutil.disk_usage(there)
    return Room(path, usage.free, usage.total)
