"""How long to wait for something that another process does: as long as it is seen to move. It waits for nothing itself.

On a busy machine everything takes longer and nothing is broken, so a deadline by the clock alone is wrong there. What
is waited for is looked at again and again; the deadline moves on whenever it looks different, up to a limit for all.
"""

from __future__ import annotations

import time
from collections.abc import Callable

EXTENSION_MAX = 10
"""What moves for ever and comes to no end is given up after so many times the patience with what does not move."""


class Patience:
    """A deadline that moves on while what is waited for moves.

    Args:
        quiet_seconds_max: how long nothing may move.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, quiet_seconds_max: float, now: Callable[[], float] = time.monotonic) -> None:
        self._quiet_seconds_max = quiet_seconds_max
        self._now = now
        self._began = self._moved = now()
        self._seen: object = None

    def is_over(self, seen: object) -> bool:
        """Whether to give up, given what is seen at this moment; anything that can be compared will do."""
        now = self._now()
        if seen != self._seen:
            self._seen, self._moved = seen, now
        quiet_too_long = now - self._moved > self._quiet_seconds_max
        return quiet_too_long or now - self._began > EXTENSION_MAX * self._quiet_seconds_max

    @property
    def words(self) -> str:
        """How long it took, and how much of that nothing moved, for the error that gives up."""
        now = self._now()
        return f"waited {now - self._began:.0f} s, the last {now - self._moved:.0f} s of them without any movement"
