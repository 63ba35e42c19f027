"""What the verifier remembers of each document it has not attested yet, in the state database."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import Executable
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable, replacing, table_of


class AttemptRow(StateTable, table=True):
    """The tries of one document."""

    __tablename__ = "attempt"
    document_id: str = Field(primary_key=True)
    tries: int
    generation: int
    not_before: float
    mismatch_commitment: str
    command_id: str
    verdict: str


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """The tries of one document so far.

    `generation` counts refused attestations, `not_before` is in seconds since 1970, `mismatch_commitment` what the
    last fetch gave instead of what the ledger holds, `command_id` and `verdict` the last attestation queued.
    """

    document_id: str
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
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, document_id: str) -> Attempt:
        """The tries of a document; a fresh record when there were none."""
        with self._database.read() as session:
            row = session.get(AttemptRow, document_id)
        return Attempt(document_id) if row is None else Attempt(**row.model_dump())

    def resting(self, now: float) -> set[str]:
        """The ids of the documents that are not to be tried again yet, and of which nothing final is being said.

        Args:
            now: seconds since 1970.
        """
        nothing_final = col(AttemptRow.verdict).in_(["", "unavailable"])
        statement = select(AttemptRow.document_id).where(AttemptRow.not_before > now, nothing_final)
        with self._database.read() as session:
            return set(session.exec(statement).all())

    def put(self, attempt: Attempt) -> None:
        """Remember."""
        with self._database.write() as session:
            session.connection().execute(self.upsert(attempt))

    def upsert(self, attempt: Attempt) -> Executable:
        """The statement that remembers, to run in another transaction on the state database."""
        return replacing(self._database.dialect, table_of(AttemptRow)).values(dataclasses.asdict(attempt))
