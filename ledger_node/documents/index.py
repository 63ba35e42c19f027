"""The index of the documents that this organisation submitted: which file, which salt, which name.

The salt makes the ledger's commitment say nothing to outsiders; it is kept here and travels with the file to the
parties entitled to it. Erasing a document is deleting its file and this row. The index says nothing about anybody
else's documents.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Executable, Index, LargeBinary, func, insert, or_, update
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable, table_of
from ledger_node.hashing import commitment


class OwnDocumentRow(StateTable, table=True):
    """One submitted document."""

    __tablename__ = "own_document"
    __table_args__ = (Index("ix_own_document_checked_at", "checked_at", "document_id"),)
    document_id: str = Field(primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary, index=True)
    salt: bytes = Field(sa_type=LargeBinary)
    size_bytes: int = Field(sa_type=BigInteger)
    media_type: str
    kind: str
    filename: str
    checked_at: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})


@dataclass(frozen=True, slots=True)
class OwnDocument:
    """A document of this organisation; `digest` and `salt` are 32 bytes each, `document_id` 32 hex characters."""

    document_id: str
    digest: bytes
    salt: bytes
    size_bytes: int
    media_type: str
    kind: str
    filename: str

    @property
    def commitment(self) -> str:
        """What the ledger holds of it, 64 hex characters."""
        return commitment(self.salt, self.digest).hex()


class Documents:
    """The index, in the state database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insertion(self, document: OwnDocument) -> Executable:
        """The statement that adds a document, to run in the very transaction that queues its command.

        Hand it to `Outbox.put(..., beside=...)`: then there is never a command without its salt.
        """
        values: dict[str, Any] = {name: getattr(document, name) for name in OwnDocument.__slots__}
        return insert(table_of(OwnDocumentRow)).values(values)

    def get(self, document_id: str) -> OwnDocument | None:
        """The document of that id; None when this organisation did not submit it."""
        with self._database.read() as session:
            row = session.get(OwnDocumentRow, document_id)
        return None if row is None else _document(row)

    def with_content(self, digest: bytes) -> Sequence[str]:
        """The ids of own documents that have this content, sorted."""
        statement = select(OwnDocumentRow.document_id).where(OwnDocumentRow.digest == digest)
        with self._database.read() as session:
            return session.exec(statement.order_by(col(OwnDocumentRow.document_id))).all()

    def list(self, *, page: int = 1, per_page: int = 50) -> list[OwnDocument]:
        """Own documents, by id."""
        statement = select(OwnDocumentRow).order_by(col(OwnDocumentRow.document_id))
        with self._database.read() as session:
            rows = session.exec(statement.offset((page - 1) * per_page).limit(per_page)).all()
        return [_document(row) for row in rows]

    def oldest_checked(self, before: float, limit: int, now: float) -> Sequence[OwnDocument]:
        """Own documents whose files were last checked before that time, the longest ago first.

        One that was checked later than now was checked by a clock that was wrong, and counts as unchecked.

        Args:
            before: seconds since 1970.
            limit: how many at most.
            now: seconds since 1970.
        """
        statement = (
            select(OwnDocumentRow)
            .where(_unchecked(before, now))
            .order_by(col(OwnDocumentRow.checked_at), col(OwnDocumentRow.document_id))
            .limit(limit)
        )
        with self._database.read() as session:
            return [_document(row) for row in session.exec(statement).all()]

    def unchecked(self, before: float, now: float) -> tuple[int, int]:
        """How many own documents, with how many bytes, `oldest_checked` would give in all."""
        statement = select(func.count(), func.coalesce(func.sum(OwnDocumentRow.size_bytes), 0))
        with self._database.read() as session:
            count, size_bytes = session.exec(statement.where(_unchecked(before, now))).one()
        return count, int(size_bytes)

    def checked(self, document_ids: Collection[str], at: float) -> Executable:
        """The statement that notes when the files of some documents were checked, in seconds since 1970."""
        table = table_of(OwnDocumentRow)
        return update(table).where(table.c.document_id.in_(document_ids)).values(checked_at=at)

    def known(self, digests: Collection[bytes]) -> set[bytes]:
        """Those of some digests that an own document has."""
        statement = select(OwnDocumentRow.digest).where(col(OwnDocumentRow.digest).in_(digests))
        with self._database.read() as session:
            return set(session.exec(statement).all())


def _unchecked(before: float, now: float) -> ColumnElement[bool]:
    return or_(col(OwnDocumentRow.checked_at) < before, col(OwnDocumentRow.checked_at) > now)


def _document(row: OwnDocumentRow) -> OwnDocument:
    return OwnDocument(**{name: getattr(row, name) for name in OwnDocument.__slots__})
