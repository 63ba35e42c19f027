"""Answers to invoices that wait to be written as files, or were, in the state database.

An answer is put down in the transaction that moves the place in the ledger on, under an id that is its own wherever it
is computed again: a kill at any point, or a database restored from before, puts none down twice and loses none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import and_, exists, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from ledger_node.database import Database, replacing, table_of, write_rows
from ledger_node.notifications.tables import FAILED, WAITING, WRITTEN, ResponsePlaceRow, ResponseRow

WRITTEN_AT_ONCE_MAX = 500
_RESPONSE, _PLACE = table_of(ResponseRow), table_of(ResponsePlaceRow)


class Responses:
    """The answers of one node, as a buyer.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def place(self) -> ResponsePlaceRow | None:
        """How far answers were put down; None before the first time."""
        with self._database.read() as session:
            return session.get(ResponsePlaceRow, 0)

    def put(self, next_block: int, genesis_hash: str, answers: Sequence[dict[str, Any]]) -> None:
        """Put answers down and move the place on; one that is there already stays as it is.

        Args:
            next_block: the first block that was not looked at.
            genesis_hash: of which ledger.
            answers: with the columns of ResponseRow that say what is answered.
        """
        waits = {"status": WAITING, "tries": 0, "due_at": 0.0, "error": "", "written_at": ""}
        place = {"id": 0, "next_block": next_block, "genesis_hash": genesis_hash}
        with self._database.write() as session:
            connection, dialect = session.connection(), self._database.dialect
            write_rows(connection, replacing(dialect, _RESPONSE, keep=True), [each | waits for each in answers])
            write_rows(connection, replacing(dialect, _PLACE), [place])

    def due(self) -> list[ResponseRow]:
        """What is to be written now, in the ledger's order; of each invoice one after the other.

        What waits for its time is no part of it, however much that is, nor what comes after it for the same invoice.
        """
        row, earlier = col(ResponseRow.block_number), aliased(ResponseRow)
        before = or_(
            col(earlier.block_number) < row,
            and_(col(earlier.block_number) == row, col(earlier.id) < col(ResponseRow.id)),
        )
        same = (col(earlier.invoice_id) == col(ResponseRow.invoice_id), col(earlier.status) == WAITING)
        statement = select(ResponseRow).where(
            col(ResponseRow.status) == WAITING,
            col(ResponseRow.due_at) <= self._now().timestamp(),
            ~exists().where(*same, before),
        )
        with self._database.read() as session:
            found = session.exec(statement.order_by(row, col(ResponseRow.id)).limit(WRITTEN_AT_ONCE_MAX))
            return list(found.all())

    def written(self, response_id: str) -> None:
        """Its file is there."""
        at = self._now().astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._settle(response_id, status=WRITTEN, written_at=at, error="")

    def failed(self, response_id: str, error: str) -> None:
        """It cannot be written, and why."""
        self._settle(response_id, status=FAILED, error=error)

    def try_failed_again(self) -> None:
        """What failed waits again, to be tried at once."""
        waits = update(_RESPONSE).where(_RESPONSE.c.status == FAILED).values(status=WAITING, due_at=0.0)
        with self._database.write() as session:
            session.connection().execute(waits)

    def later(self, response_id: str, error: str, seconds: float) -> None:
        """It could not be written now, and why; it is tried again after some seconds."""
        due_at = self._now().timestamp() + seconds
        self._settle(response_id, error=error, due_at=due_at, tries=_RESPONSE.c.tries + 1)

    def page(self, invoice_id: str, status: str, page: int, per_page: int) -> tuple[list[ResponseRow], int]:
        """A page of answers, the latest first, and how many there are.

        Args:
            invoice_id: of one invoice; empty for all.
            status: of one status; empty for all.
        """
        wanted = [col(ResponseRow.invoice_id) == invoice_id] if invoice_id else []
        wanted += [col(ResponseRow.status) == status] if status else []
        statement = select(ResponseRow).where(*wanted)
        statement = statement.order_by(col(ResponseRow.block_number).desc(), col(ResponseRow.id).desc())
        with self._database.read() as session:
            total = session.exec(select(func.count()).select_from(ResponseRow).where(*wanted)).one()
            rows = session.exec(statement.offset((page - 1) * per_page).limit(per_page)).all()
        return list(rows), int(total)

    def _settle(self, response_id: str, **values: Any) -> None:
        with self._database.write() as session:
            session.connection().execute(update(_RESPONSE).where(_RESPONSE.c.id == response_id).values(values))
