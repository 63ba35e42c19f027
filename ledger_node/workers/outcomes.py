"""What became of the workers' work: a sign of life says that a thread runs, an outcome that what it does goes through.

A worker that has had nothing but errors for a time is not well, whatever their cause; it is shown with the last one, in
the words of whoever refused. Ages are measured by a clock that nobody sets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Told = Callable[[str], None]
"""Takes the error of a try that failed; an empty text when one went through."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a worker's work goes: seconds since it last went through (None: never), and of nothing but errors."""

    success_age_seconds: float | None = None
    trouble_seconds: float = 0.0
    text: str = ""


class Outcomes:
    """The outcomes of all workers of this process; may be used from any thread.

    Args:
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._succeeded_at: dict[str, float] = {}
        self._trouble: dict[str, tuple[float, str]] = {}

    def teller(self, worker: str) -> Told:
        """What a worker tells its outcomes."""

        def told(error: str) -> None:
            with self._lock:
                if error:
                    since, _ = self._trouble.get(worker, (self._clock(), ""))
                    self._trouble[worker] = since, error
                else:
                    self._trouble.pop(worker, None)
                    self._succeeded_at[worker] = self._clock()

        return told

    def of(self, worker: str) -> Outcome:
        """How it goes now."""
        with self._lock:
            at = self._clock()
            succeeded_at = self._succeeded_at.get(worker)
            since, text = self._trouble.get(worker, (at, ""))
        return Outcome(None if succeeded_at is None else at - succeeded_at, at - since, text)
