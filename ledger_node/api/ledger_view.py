"""How high the ledger is, as the own peer says now: asked for health pages and figures, never longer than they wait.

A peer that hangs must not hang the health page too, so it is asked in a thread of its own; whoever asks meanwhile
shares that one question.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

ANSWER_SECONDS_MAX = 3.0
FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LedgerSeen:
    """What the peer said: how many blocks it has, or (then None) why that is not known."""

    height: int | None
    trouble: str


class LedgerView:
    """The ledger's height, a second old at most; may be used from any thread.

    Args:
        height: asks the ledger.
    """

    def __init__(self, height: Callable[[], int]) -> None:
        self._height = height
        self._lock = threading.Lock()
        self._seen = LedgerSeen(None, "the ledger was not asked yet")
        self._seen_at = float("-inf")
        self._answered: threading.Event | None = None

    def look(self) -> LedgerSeen:
        """What the peer says now, or said a moment ago."""
        with self._lock:
            if time.monotonic() - self._seen_at <= FRESH_SECONDS:
                return self._seen
            if self._answered is None:
                self._answered = threading.Event()
                threading.Thread(target=self._ask, args=(self._answered,), name="ledger view", daemon=True).start()
            answered = self._answered
        if answered.wait(ANSWER_SECONDS_MAX):
            return self._seen
        return LedgerSeen(None, f"the ledger does not answer within {ANSWER_SECONDS_MAX:.0f} s")

    def _ask(self, answered: threading.Event) -> None:
        try:
            seen = LedgerSeen(self._height(), "")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to "can it be reached?"
            seen = LedgerSeen(None, f"the ledger does not answer: {error or type(error).__name__}")
        with self._lock:
            self._seen, self._seen_at, self._answered = seen, time.monotonic(), None
        answered.set()
