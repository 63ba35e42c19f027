"""Findings: what this node checked and found false, with the evidence, until it is true again.

Kept in the state database so that API, metrics and command line see what any process found. A finding is raised only
after the bytes were read and hashed a second time by the standard library; one thing has one open finding however
often it is found; what is mended is closed and stays as history. This room checks nothing itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, func, text, update
from sqlmodel import Field, col, select

from ledger_node.database import Database, Serial, StateTable, insert_new, table_of

OPEN, CLOSED = "open", "closed"


class FindingKind(StrEnum):
    """What is wrong: another organisation's document that is not what it registered, or a file of the own vault."""

    MISMATCH = "mismatch"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    EXTRA = "extra"


DAMAGE = (FindingKind.DAMAGED, FindingKind.MISSING, FindingKind.UNREADABLE)
"""Kinds that mean that a document which this organisation must keep is not there as it was."""


class FindingRow(StateTable, table=True):
    """One finding."""

    __tablename__ = "finding"
    __table_args__ = (
        Index(
            "one_open_finding",
            "kind",
            "document_id",
            "file",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    kind: str
    document_id: str
    file: str
    expected: str
    found: str
    size_bytes: int = Field(sa_type=BigInteger)
    backend: str
    state: str = Field(index=True)
    raised_at: str
    closed_at: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found.

    `document_id` is empty for a file that belongs to no document, `file` (its place in the vault) for a document of
    another organisation. `expected` is the ledger's commitment and `found` the one recomputed, 64 hex characters
    each, empty when there is none; `size_bytes` is what was read; `backend` names what computed `found`.
    """

    kind: FindingKind
    document_id: str = ""
    file: str = ""
    expected: str = ""
    found: str = ""
    size_bytes: int = 0
    backend: str = ""


class Findings:
    """The findings of this node; may be used from any thread and process.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def open(self, evidence: Evidence) -> bool:
        """Raise a finding, unless the same one is open already.

        Returns: whether it is new.
        """
        row = {**asdict(evidence), "state": OPEN, "raised_at": self._time(), "closed_at": ""}
        with self._database.write() as session:
            return insert_new(session.connection(), table_of(FindingRow), row)

    def close(self, kinds: Iterable[FindingKind], document_ids: Iterable[str]) -> int:
        """Close the open findings of these kinds about these documents, which are right again.

        Returns: how many there were.
        """
        return self._close(col(FindingRow.kind).in_(list(kinds)), col(FindingRow.document_id).in_(list(document_ids)))

    def open_documents(self, kinds: Iterable[FindingKind]) -> set[str]:
        """The documents that open findings of these kinds are about."""
        statement = select(FindingRow.document_id).where(
            FindingRow.state == OPEN, col(FindingRow.kind).in_(list(kinds))
        )
        with self._database.read() as session:
            return set(session.exec(statement).all())

    def close_one(self, finding_id: int) -> bool:
        """Close the finding of that id.

        Returns: whether there was one, and open.
        """
        return self._close(col(FindingRow.id) == finding_id) == 1

    def close_files_except(self, kind: FindingKind, files: Iterable[str]) -> int:
        """Close the open findings of a kind about other files than these.

        Returns: how many there were.
        """
        return self._close(col(FindingRow.kind) == kind, col(FindingRow.file).not_in(list(files)))

    def list(self, *, state: str = "", page: int = 1, per_page: int = 50) -> tuple[list[dict[str, Any]], int]:
        """Findings, the latest first, and how many there are on all pages.

        Args:
            state: "open", "closed", or empty for both.
        """
        wanted = select(FindingRow).where(FindingRow.state == state) if state else select(FindingRow)
        with self._database.read() as session:
            total = session.exec(select(func.count()).select_from(wanted.subquery())).one()
            ordered = wanted.order_by(col(FindingRow.id).desc()).offset((page - 1) * per_page).limit(per_page)
            return [row.model_dump() for row in session.exec(ordered).all()], total

    def open_counts(self) -> dict[str, int]:
        """How many findings are open, by kind."""
        statement = select(FindingRow.kind, func.count()).where(FindingRow.state == OPEN).group_by(FindingRow.kind)
        with self._database.read() as session:
            counted = dict(session.exec(statement).all())
        return {kind.value: counted.get(kind.value, 0) for kind in FindingKind}

    def _close(self, *conditions: Any) -> int:
        statement = update(table_of(FindingRow)).where(col(FindingRow.state) == OPEN, *conditions)
        with self._database.write() as session:
            return session.connection().execute(statement.values(state=CLOSED, closed_at=self._time())).rowcount

    def _time(self) -> str:
        return self._now().astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
