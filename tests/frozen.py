"""Processes that hang: stopped by a signal (SIGSTOP) inside a block, and going on after it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS_MAX = 60.0
POLL_SECONDS = 0.01
STOPPED_OR_GONE = {"T", "t", "Z", "X"}


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Inside, none of their threads runs; the kernel stops each when it is its turn, late on a busy machine."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        deadline = time.monotonic() + SECONDS_MAX
        while not set().union(*map(_states, pids)) <= STOPPED_OR_GONE:
            assert time.monotonic() < deadline, f"waited in vain until {pids} stand"
            time.sleep(POLL_SECONDS)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _states(pid: int) -> set[str]:
    """What the threads of a process are at, by proc(5)."""
    return {path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")}
