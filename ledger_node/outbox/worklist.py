"""The outbox as people work through it: what is on its way, what waits for persons, what failed; and trying it again.

A command that failed or was refused left no trace on the ledger, so it may go again under its own id and has one effect
at most. It reads and marks rows; sending is the sender's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, func, or_
from sqlmodel import col, select

from ledger_node.database import Database
from ledger_node.errors import BadRequest
from ledger_node.outbox.store import OutboxRow, locked, submission_of
from ledger_node.outbox.submission import RetryConflict, Submission, SubmissionStatus

PER_PAGE_MAX = 500
LATEST = 100
IN_FLIGHT = "in_flight"
STATES: dict[str, tuple[SubmissionStatus, ...]] = {
    IN_FLIGHT: (SubmissionStatus.WAITING, SubmissionStatus.SENT),
    "attention": (SubmissionStatus.AWAITING_PERSONS, SubmissionStatus.FAILED, SubmissionStatus.REFUSED),
} | {status.value: (status,) for status in SubmissionStatus}
"""What a list can be narrowed to: each status, and two groups of them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of submissions; `total` counts all pages'."""

    items: Sequence[Submission]
    total: int


class WorkList:
    """Submissions in lists, and again on their way; may be used from any thread and process.

    Args:
        database: the state database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        *,
        state: str = "",
        type: str = "",
        own: bool = False,
        mentions: Collection[str] | None = None,
        page: int = 1,
        per_page: int = 50,
    ) -> Listed:
        """Submissions, the latest first.

        Args:
            state: of STATES; empty for all.
            type: of the command; empty for all.
            own: whether those that the node makes by itself (attestations, days) are among them.
            mentions: only those whose own id, or a text in whose body, begins with one of these; None for all.

        Raises: BadRequest.
        """
        if page < 1 or not 1 <= per_page <= PER_PAGE_MAX:
            raise BadRequest(f"page {page} with {per_page} items does not exist", f"At most {PER_PAGE_MAX} a page.")
        wanted: list[ColumnElement[bool]] = []
        if state:
            wanted.append(col(OutboxRow.status).in_(STATES[state]))
        if type:
            wanted.append(col(OutboxRow.type) == type)
        if not own:
            wanted.append(col(OutboxRow.idempotency_key).is_not(None))
        if mentions is not None:
            begins = [col(OutboxRow.command_id).startswith(text, autoescape=True) for text in mentions]
            inside = [col(OutboxRow.body).contains(f'"{text}', autoescape=True) for text in mentions]
            wanted.append(or_(false(), *begins, *inside))
        statement = select(OutboxRow).where(*wanted).order_by(col(OutboxRow.number).desc())
        with self._database.read() as session:
            total = session.exec(select(func.count()).select_from(OutboxRow).where(*wanted)).one()
            rows = session.exec(statement.offset((page - 1) * per_page).limit(per_page)).all()
        return Listed([submission_of(row) for row in rows], total)

    def last_block(self) -> int:
        """The highest block of the latest commands; -1 when none of them is in one."""
        latest = select(OutboxRow.block_number).order_by(col(OutboxRow.number).desc()).limit(LATEST).subquery()
        with self._database.read() as session:
            found = session.exec(select(func.max(latest.c.block_number))).one()
        return -1 if found is None else int(found)

    def retry(self, command_id: str) -> Submission:
        """Let a command that failed or was refused go again, under its own id.

        Persons who signed one that was refused have signed it for that time: they sign anew.

        Args:
            command_id: 32 hex characters.

        Returns: the submission; unchanged when it is on its way already.

        Raises: NotFound, RetryConflict.
        """
        with self._database.write() as session:
            row = locked(session, command_id)
            if row.status in (SubmissionStatus.FAILED, SubmissionStatus.REFUSED):
                if row.status == SubmissionStatus.REFUSED:
                    row.persons = "[]"
                row.status, row.code, row.text, row.transaction_id = SubmissionStatus.WAITING, "", "", ""
                row.tries, row.not_before = 0, 0.0
            elif row.status not in STATES[IN_FLIGHT]:
                text = f"the command is {row.status}: only one that failed or was refused can go again"
                raise RetryConflict(text, "Look at the submission; write anew what is wanted besides.")
        return submission_of(row)
