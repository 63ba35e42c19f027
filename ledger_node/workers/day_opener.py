"""Days open by themselves: when the ledger's day is behind today's date (UTC), the node asks for the new one.

Every node does, and the first one wins; the others are refused, which is no fault. After a holiday or an outage the
step is longer than one party may make alone: what each node asks for, by its own clock, is its word for it then, and
the day opens with the word of more than half. It asks once for a date while the ledger's day stays the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from chaincode.records import canonical
from ledger_node.outbox.submission import Submission
from ledger_node.readmodel import ReadModel

LOOK_SECONDS = 0.5
LOOK_SECONDS_MAX = 10.0
"""So often the ledger's day is looked up at least, though neither the read model nor the date has changed."""


class DayOpener:
    """The day opener of one node.

    Args:
        msp_id: who asks.
        readmodel: tells the ledger's day, and whether the consortium is active.
        changes: of the read model, `Database.changes`.
        put: where the command goes, `Outbox.put`.
        now: the clock; UTC.
    """

    def __init__(
        self,
        msp_id: str,
        readmodel: ReadModel,
        changes: Callable[[], AbstractContextManager[Callable[[], bool]]],
        put: Callable[..., Submission],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._msp_id = msp_id
        self._changes = changes
        self._readmodel = readmodel
        self._put = put
        self._now = now

    def run(self, stop: threading.Event) -> None:
        """Open days until `stop` is set."""
        asked, looked_on, looked_at = ("", ""), "", 0.0
        with self._changes() as changed:
            while not stop.wait(LOOK_SECONDS):
                date, at = self._now().astimezone(dt.UTC).date().isoformat(), time.monotonic()
                if not changed() and date == looked_on and at - looked_at < LOOK_SECONDS_MAX:
                    continue
                looked_on, looked_at = date, at
                wanted = self._readmodel.day(), date
                if asked != wanted and self.open_day(*wanted):
                    asked = wanted

    def open_day(self, day: str, date: str) -> bool:
        """Ask for a date, if the consortium is active and has not got that far.

        Args:
            day: the ledger's, YYYY-MM-DD; empty before the first one.
            date: YYYY-MM-DD, by the node's own clock.

        Returns: whether nothing more is to be done for that date while the ledger's day is this one.
        """
        founding = self._readmodel.founding()
        if founding is None or not founding["active"]:
            return False
        if day < date:
            what = ["open day", date, self._msp_id, *([day] if day else [])]
            command_id = hashlib.sha256(canonical(what)).hexdigest()[:32]
            self._put("OpenDay", {"date": date}, command_id=command_id)
        return True
