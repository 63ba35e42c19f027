"""What the verifier remembers of each document that it tried and is not done with, in the state database."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection
from typing import Any

from sqlalchemy import Executable, Index, delete, func, or_
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable, replacing, table_of

LOOK_AGAIN_SECONDS = 0.25
RETRY_SECONDS_MAX = 600.0


class AttemptRow(StateTable, table=True):
    """The tries of one document."""

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_due", "submitter", "not_before"),)
    document_id: str = Field(primary_key=True)
    tries: int
    generation: int
    not_before: float
    mismatch_commitment: str
    command_id: str
    verdict: str
    submitter: str = Field(sa_column_kwargs={"server_default": ""})


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """The tries of one document so far.

    `generation` counts refused attestations, `not_before` is in seconds since 1970, `mismatch_commitment` what the
    last fetch gave instead of what the ledger holds, `command_id` and `verdict` the last attestation queued.
    """

    document_id: str
    submitter: str
    tries: int = 0
    generation: int = 0
    not_before: float = 0.0
    mismatch_commitment: str = ""
    command_id: str = ""
    verdict: str = ""

    def with_values(self, **values: Any) -> Attempt:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **values)


class Attempts:
    """All tries of this node.

    Args:
        database: the state database.
        retry_seconds: until a document is tried for the second time.
    """

    def __init__(self, database: Database, retry_seconds: float) -> None:
        self._database = database
        self._retry_seconds = retry_seconds

    def get(self, document_id: str, submitter: str) -> Attempt:
        """The tries of a document; a fresh record when there were none."""
        with self._database.read() as session:
            row = session.get(AttemptRow, document_id)
        return Attempt(document_id, submitter) if row is None else Attempt(**row.model_dump())

    def known(self, document_ids: Collection[str]) -> set[str]:
        """Those of some documents that have been tried before."""
        statement = select(AttemptRow.document_id).where(col(AttemptRow.document_id).in_(document_ids))
        with self._database.read() as session:
            return set(session.exec(statement).all())

    def due(self, submitter: str, now: float, limit: int) -> list[Attempt]:
        """Tried documents of a submitter that are to be looked at again, those that wait longest first.

        A time that is further away than the longest pause was written by a clock that was wrong: it is not waited for.

        Args:
            now: seconds since 1970.
            limit: how many at most.
        """
        due = col(AttemptRow.not_before)
        statement = (
            select(AttemptRow)
            .where(AttemptRow.submitter == submitter, or_(due <= now, due > now + RETRY_SECONDS_MAX))
            .order_by(col(AttemptRow.not_before))
            .limit(limit)
        )
        with self._database.read() as session:
            return [Attempt(**row.model_dump()) for row in session.exec(statement).all()]

    def due_at(self, now: float) -> float | None:
        """When the first of all tried documents is to be looked at again, by the rule of `due`; None for never."""
        not_before = col(AttemptRow.not_before)
        statement = select(func.min(not_before), func.max(not_before))
        with self._database.read() as session:
            first, last = session.exec(statement).one()
        return now if last is not None and last > now + RETRY_SECONDS_MAX else first

    def forget(self, document_id: str) -> None:
        """Drop the tries of a document, of which nothing more is to be done."""
        with self._database.write() as session:
            table = table_of(AttemptRow)
            session.connection().execute(delete(table).where(table.c.document_id == document_id))

    def put(self, attempt: Attempt) -> None:
        """Remember."""
        with self._database.write() as session:
            session.connection().execute(self.upsert(attempt))

    def later(self, attempt: Attempt, **values: Any) -> None:
        """Remember a try with some fields changed; the next one is twice as far away as the one before."""
        changed = attempt.with_values(**values)
        pause = min(RETRY_SECONDS_MAX, self._retry_seconds * 2 ** min(changed.tries, 20) / 2)
        self.put(changed.with_values(not_before=time.time() + pause))

    def upsert(self, attempt: Attempt) -> Executable:
        """The statement that remembers, to run in another transaction on the state database."""
        return replacing(self._database.dialect, table_of(AttemptRow)).values(dataclasses.asdict(attempt))
