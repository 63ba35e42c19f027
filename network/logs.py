"""Logs of the network's processes: where they are, reading their ends, and keeping them within their bound.

Processes append to their logs and know nothing of this, so a log is bounded while its process runs: what is in it goes
to `<name>.log.1`, and the file is cut to nothing; the process goes on at its new end (O_APPEND). What is written in the
moment between the two is lost. A component so has at most `LOG_BYTES_MAX` twice, and what comes between two looks.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOG_BYTES_MAX = 20_000_000
LOG_TAIL_BYTES = 65536


def log_path(folder: Path, name: str) -> Path:
    """The log of a component of the network in this folder."""
    return folder / "logs" / f"{name}.log"


def log_size(path: Path) -> int:
    """The size of a log in bytes; 0 when there is none."""
    return path.stat().st_size if path.exists() else 0


def log_tail(path: Path, lines: int, end: int | None = None) -> list[str]:
    """The last lines of a log, at most `LOG_TAIL_BYTES` of it; none when there is no log.

    Args:
        path: the log.
        lines: how many.
        end: the position in bytes to read up to; None reads to the present end.
    """
    size = log_size(path) if end is None else end
    if size == 0 or lines == 0:
        return []
    start = max(0, size - LOG_TAIL_BYTES)
    with path.open("rb") as log:
        log.seek(start)
        return log.read(size - start).decode("utf-8", "replace").splitlines()[-lines:]


def bound_logs(folder: Path) -> list[str]:
    """Put aside what is in the logs that have grown beyond their bound; their processes may run meanwhile.

    Supervisors of several organisations look after one folder: whoever finds another one at it leaves it to that.

    Args:
        folder: of the network.

    Returns: the names of the components concerned.
    """
    if not (folder / "logs").is_dir():
        return []
    with _alone(folder / "logs") as is_alone:
        return _bound(folder) if is_alone else []


def _bound(folder: Path) -> list[str]:
    grown = sorted(path for path in (folder / "logs").glob("*.log") if log_size(path) > LOG_BYTES_MAX)
    for path in grown:
        aside, fresh = path.with_suffix(".log.1"), path.with_suffix(".log.new")
        with path.open("rb") as log, fresh.open("wb") as copy:
            log.seek(max(0, log_size(path) - LOG_BYTES_MAX))  # of one that grew unwatched, the last part
            shutil.copyfileobj(log, copy)
            fresh.replace(aside)
            os.truncate(path, 0)
    return [path.stem for path in grown]


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else bounds the logs of this folder until the end."""
    is_alone = False
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_alone = True
        yield is_alone
    finally:
        os.close(handle)
