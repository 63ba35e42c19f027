"""How often somebody may guess: failures are counted in the state database, so that a restart forgives none.

A try is counted before it is looked at, so that many at once are many; what turned out right is forgiven. After some
free tries one waits half a minute, and each failure doubles that, up to a quarter of an hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from sqlalchemy import delete
from sqlmodel import Field, col

from ledger_node.database import Database, StateTable

WAIT_SECONDS_MIN, WAIT_SECONDS_MAX = 30.0, 900.0
FORGIVEN_SECONDS = 24 * 3600.0


class GuessRow(StateTable, table=True):
    """The failures of one key: a name that is signed in with, or an address that it is done from."""

    __tablename__ = "guess"
    key: str = Field(primary_key=True)
    failures: int
    failed_at: float


class Guesses:
    """The counts.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def try_one(self, keys: Mapping[str, int]) -> int:
        """Count a try under some keys, unless one of them has to wait.

        Args:
            keys: each with how many failures are free.

        Returns: for how many seconds it has to wait; 0 when it may go on, and is counted.
        """
        now = self._now().timestamp()
        with self._database.write() as session:
            session.connection().execute(delete(GuessRow).where(col(GuessRow.failed_at) < now - FORGIVEN_SECONDS))
            rows = {key: session.get(GuessRow, key) for key in keys}
            waits = [_wait(row, free, now) for (key, free), row in zip(keys.items(), rows.values(), strict=True)]
            if (wait := max(waits)) > 0:
                return int(wait) + 1
            for key, row in rows.items():
                counted = row or GuessRow(key=key, failures=0, failed_at=now)
                counted.failures, counted.failed_at = counted.failures + 1, now
                session.add(counted)
        return 0

    def forgive(self, *keys: str) -> None:
        """What was tried last under these keys was right."""
        with self._database.write() as session:
            session.connection().execute(delete(GuessRow).where(col(GuessRow.key).in_(keys)))


def _wait(row: GuessRow | None, free: int, now: float) -> float:
    if row is None or row.failures < free:
        return 0.0
    return float(row.failed_at + min(WAIT_SECONDS_MIN * 2.0 ** min(row.failures - free, 20), WAIT_SECONDS_MAX) - now)
