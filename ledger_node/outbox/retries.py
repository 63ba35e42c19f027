"""When a command that was not endorsed goes again, and when it is given up; it decides, and writes nothing.

One that fails alone lets others go first. Whether it is itself to blame shows then: they go through, and it goes on
failing; as long as nothing goes through, the fault is somewhere else, and it is not given up.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from ledger_node.outbox.groups import BACKOFF_SECONDS_MAX, Group, Waiting

HALVE_AFTER_TRIES = 3
BACKOFF_SECONDS_IN_PLACE = 0.5  # others may wait behind it, so it is halved, or set aside, soon
BACKOFF_SECONDS_LONE = 0.2


@dataclass(frozen=True, slots=True)
class NextTry:
    """A command's next try: how often it has failed alone, and when it goes again, in seconds since 1970."""

    tries: int
    not_before: float


class Retries:
    """What is known of the commands that failed alone; used by all flights.

    Args:
        tries_max: so often a command may fail alone while others go through.
    """

    def __init__(self, tries_max: int) -> None:
        self._tries_max = tries_max
        self._groups_answered = 0
        self._groups_answered_at_failure: dict[str, int] = {}

    def answered(self, group: Group) -> None:
        """The contract has answered a whole group."""
        for command in group.commands:
            self._groups_answered_at_failure.pop(command.command_id, None)
        self._groups_answered += 1

    def pause_in_place(self, tries: int) -> float | None:
        """Seconds until a group is tried again as it is; None when it has been tried often enough.

        Args:
            tries: before the one that has just failed.
        """
        if tries + 1 >= HALVE_AFTER_TRIES:
            return None
        return random.uniform(0.5, 1.0) * min(BACKOFF_SECONDS_IN_PLACE, 0.1 * 2.0**tries)

    def next_try(self, command: Waiting) -> NextTry | None:
        """When a command that has failed alone goes again; None when it is given up."""
        others_went_through = self._groups_answered > self._groups_answered_at_failure.get(
            command.command_id, self._groups_answered
        )
        self._groups_answered_at_failure[command.command_id] = self._groups_answered
        tries = command.tries + 1 if others_went_through else max(1, command.tries)
        if tries > self._tries_max:
            return None
        pause = random.uniform(0.5, 1.0) * min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_LONE * 2 ** min(tries, 12))
        return NextTry(tries, time.time() + pause)
