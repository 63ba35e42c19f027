"""Signs of life of the workers, kept in the state database so that every process of the node can see them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable, table_of, upsert

BEAT_SECONDS = 2.0
SILENCE_SECONDS_MAX = 15.0


class WorkerState(StrEnum):
    """What a worker does: it runs, it waits to be started again after a failure, or it has stopped for good."""

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


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last sign of one worker.

    `text` is its last error, `silent_seconds` how long ago the sign was, or how far ahead: clocks are set back.
    """

    worker: str
    state: WorkerState
    text: str
    pid: int
    silent_seconds: float

    @property
    def well(self) -> bool:
        """Whether the worker runs and has said so lately."""
        return self.state is WorkerState.RUNNING and self.silent_seconds <= SILENCE_SECONDS_MAX

    def as_json(self) -> dict[str, Any]:
        """For health pages."""
        return {**asdict(self), "silent_seconds": round(self.silent_seconds, 1), "well": self.well}


class Heartbeats:
    """The signs of this node's workers.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def beat(self, worker: str, state: WorkerState, text: str = "") -> None:
        """Give a sign."""
        row = {"worker": worker, "state": state, "text": text, "pid": os.getpid(), "beat_at": self._now().timestamp()}
        with self._database.write() as session:
            upsert(session.connection(), table_of(HeartbeatRow), [row])

    def list(self) -> list[Heartbeat]:
        """The last sign of every worker, by name."""
        now = self._now().timestamp()
        with self._database.read() as session:
            rows = session.exec(select(HeartbeatRow).order_by(col(HeartbeatRow.worker))).all()
        return [
            Heartbeat(row.worker, WorkerState(row.state), row.text, row.pid, abs(now - row.beat_at)) for row in rows
        ]
