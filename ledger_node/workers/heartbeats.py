"""Signs of life of the workers, kept in the state database so that every process of the node can see them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable, table_of, upsert
from ledger_node.workers.outcomes import Outcome

BEAT_SECONDS = 2.0
SILENCE_SECONDS_MAX = 15.0
TROUBLE_SECONDS_MAX = 15.0


class WorkerState(StrEnum):
    """What a worker does: it runs, it waits to be started again after a failure, or it has stopped for good.

    STARTING: it has given no sign yet, or has not reached what it reads from.
    """

    STARTING = "starting"
    RUNNING = "running"
    FAILING = "failing"
    STOPPED = "stopped"


class HeartbeatRow(StateTable, table=True):
    """The last sign of one worker."""

    __tablename__ = "heartbeat"
    worker: str = Field(primary_key=True)
    state: str
    text: str
    pid: int
    beat_at: float
    success_age_seconds: float | None = None
    trouble_seconds: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last sign of one worker.

    `text` is its last error, `silent_seconds` how long ago the sign was, or how far ahead: clocks are set back.
    `success_age_seconds` is how long ago its work last went through (None: never, or nobody counts), `trouble_seconds`
    for how long it has had nothing but errors.
    """

    worker: str
    state: WorkerState
    text: str
    pid: int
    silent_seconds: float
    success_age_seconds: float | None = None
    trouble_seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Whether the worker runs, has said so lately, and has not had nothing but errors for a time."""
        lately = self.silent_seconds <= SILENCE_SECONDS_MAX and self.trouble_seconds <= TROUBLE_SECONDS_MAX
        return self.state is WorkerState.RUNNING and lately

    def as_json(self) -> dict[str, Any]:
        """For health pages."""
        age = self.success_age_seconds
        return {
            **asdict(self),
            "silent_seconds": round(self.silent_seconds, 1),
            "success_age_seconds": None if age is None else round(age, 1),
            "trouble_seconds": round(self.trouble_seconds, 1),
            "well": self.well,
        }


class Heartbeats:
    """The signs of this node's workers.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def beat(self, worker: str, state: WorkerState, text: str = "", outcome: Outcome | None = None) -> None:
        """Give a sign, and how the work goes where that is known."""
        self.beat_together([(worker, state, text, outcome or Outcome())])

    def beat_together(self, signs: Iterable[tuple[str, WorkerState, str, Outcome]]) -> None:
        """Give the signs of several workers, each with its state, text and how its work goes, in one transaction."""
        at = self._now().timestamp()
        rows = [
            {
                "worker": worker,
                "state": state,
                "text": text,
                "pid": os.getpid(),
                "beat_at": at,
                "success_age_seconds": outcome.success_age_seconds,
                "trouble_seconds": outcome.trouble_seconds,
            }
            for worker, state, text, outcome in signs
        ]
        with self._database.write() as session:
            upsert(session.connection(), table_of(HeartbeatRow), rows)

    def list(self) -> list[Heartbeat]:
        """The last sign of every worker, by name."""
        now = self._now().timestamp()
        with self._database.read() as session:
            rows = session.exec(select(HeartbeatRow).order_by(col(HeartbeatRow.worker))).all()
        return [_heartbeat(row, abs(now - row.beat_at)) for row in rows]

    def of(self, workers: Collection[str]) -> Sequence[Heartbeat]:
        """The last signs of these workers, by name; one that has given none in the latest process is starting."""
        found = {beat.worker: beat for beat in self.list() if beat.worker in workers}
        latest = min(found.values(), key=lambda beat: beat.silent_seconds, default=None)
        return [
            beat
            if (beat := found.get(worker)) and latest and beat.pid == latest.pid
            else Heartbeat(worker, WorkerState.STARTING, "it has given no sign yet", 0, 0.0)
            for worker in sorted(workers)
        ]


def _heartbeat(row: HeartbeatRow, silent_seconds: float) -> Heartbeat:
    state = WorkerState(row.state)
    return Heartbeat(row.worker, state, row.text, row.pid, silent_seconds, row.success_age_seconds, row.trouble_seconds)
