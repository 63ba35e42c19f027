"""Days open by themselves: when the ledger's day is behind today's date (UTC), the node asks for the new one.

Every node does, and the first one wins; the others are refused, which is no fault. It never asks twice for one date.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable

from chaincode.records import canonical
from ledger_node.outbox.submission import Submission
from ledger_node.readmodel import ReadModel

LOOK_SECONDS = 0.5


class DayOpener:
    """The day opener of one node.

    Args:
        msp_id: who asks.
        readmodel: tells the ledger's day, and whether the consortium is active.
        put: where the command goes, `Outbox.put`.
        now: the clock; UTC.
    """

    def __init__(
        self, msp_id: str, readmodel: ReadModel, put: Callable[..., Submission], now: Callable[[], dt.datetime]
    ) -> None:
        self._msp_id = msp_id
        self._readmodel = readmodel
        self._put = put
        self._now = now

    def run(self, stop: threading.Event) -> None:
        """Open days until `stop` is set."""
        asked = ""
        while not stop.wait(LOOK_SECONDS):
            today = self._now().astimezone(dt.UTC).date().isoformat()
            if asked != today and self.open_day(today):
                asked = today

    def open_day(self, date: str) -> bool:
        """Ask for a date, if the consortium is active and has not got that far.

        Args:
            date: YYYY-MM-DD.

        Returns: whether nothing more is to be done for that date.
        """
        founding = self._readmodel.founding()
        if founding is None or not founding["active"]:
            return False
        if self._readmodel.day() < date:
            command_id = hashlib.sha256(canonical(["open day", date, self._msp_id])).hexdigest()[:32]
            self._put("OpenDay", {"date": date}, command_id=command_id)
        return True
