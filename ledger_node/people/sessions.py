"""Who is signed in, with which browser, since when; each session can be ended, by its owner or an admin.

A session's secret is 32 random bytes that only the browser has; here is its SHA-256. It ends after a while without a
request, and after some hours in any case.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, or_, update
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable
from ledger_node.people.tokens import digest_of

AGENT_CHARACTERS_MAX = 200
NOTE_SECONDS = 60


class SessionRow(StateTable, table=True):
    """One session; times are seconds since 1970."""

    __tablename__ = "login_session"
    digest: str = Field(primary_key=True)
    id: str = Field(unique=True)
    login_id: str = Field(index=True)
    created_at: float
    used_at: float
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session as it may be shown; `used_at` is right to NOTE_SECONDS."""

    id: str
    login_id: str
    created_at: dt.datetime
    used_at: dt.datetime
    address: str
    agent: str


class Sessions:
    """All sessions, in the state database, so that they outlive a restart and can be ended from anywhere.

    Args:
        database: the state database.
        now: the clock; UTC.
        idle_minutes: without a request, after which one ends.
        hours: after which one ends in any case.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime], idle_minutes: int, hours: int) -> None:
        self._database = database
        self._now = now
        self._idle_seconds = idle_minutes * 60
        self._seconds = hours * 3600

    def begin(self, login_id: str, address: str, agent: str, session_id: str = "") -> tuple[str, SignedIn]:
        """A new session, and its secret, which is stored nowhere; sessions that are over are forgotten.

        Args:
            login_id: whose.
            address: from where.
            agent: the browser, as it calls itself.
            session_id: of `fresh_id`, where it was written down already.
        """
        secret, now = secrets.token_urlsafe(32), self._now().timestamp()
        row = SessionRow(
            digest=digest_of(secret),
            id=session_id or fresh_id(),
            login_id=login_id,
            created_at=now,
            used_at=now,
            address=address,
            agent=agent[:AGENT_CHARACTERS_MAX],
        )
        with self._database.write() as session:
            over = or_(
                col(SessionRow.used_at) < now - self._idle_seconds, col(SessionRow.created_at) < now - self._seconds
            )
            session.connection().execute(delete(SessionRow).where(over))
            session.add(row)
        return secret, _shown(row)

    def check(self, secret: str, *, note: bool = True) -> SignedIn | None:
        """The session with that secret; None when there is none, or it is over.

        Args:
            secret: of its browser.
            note: whether somebody uses it; what a page asks for by itself is no use.
        """
        now = self._now().timestamp()
        with self._database.read() as session:
            row = session.get(SessionRow, digest_of(secret))
        if row is None or not self._goes_on(row, now):
            return None
        if note and row.used_at < now - NOTE_SECONDS:
            with self._database.write() as session:
                used = update(SessionRow).where(col(SessionRow.digest) == row.digest).values(used_at=now)
                session.connection().execute(used)
        return _shown(row)

    def goes_on(self, session_id: str) -> bool:
        """Whether that session is there and not over."""
        with self._database.read() as session:
            row = session.exec(select(SessionRow).where(SessionRow.id == session_id)).first()
        return row is not None and self._goes_on(row, self._now().timestamp())

    def of(self, login_id: str) -> list[SignedIn]:
        """The sessions of a person that go on, the latest first."""
        now = self._now().timestamp()
        statement = select(SessionRow).where(SessionRow.login_id == login_id)
        with self._database.read() as session:
            rows = session.exec(statement.order_by(col(SessionRow.created_at).desc())).all()
        return [_shown(row) for row in rows if self._goes_on(row, now)]

    def end(self, login_id: str, session_id: str = "") -> int:
        """End one session of a person, or all of them. Returns: how many."""
        mine = col(SessionRow.login_id) == login_id
        wanted = mine & (col(SessionRow.id) == session_id) if session_id else mine
        with self._database.write() as session:
            return session.connection().execute(delete(SessionRow).where(wanted)).rowcount

    def _goes_on(self, row: SessionRow, now: float) -> bool:
        return now - row.used_at <= self._idle_seconds and now - row.created_at <= self._seconds


def fresh_id() -> str:
    """The id of a session that is to begin."""
    return secrets.token_hex(8)


def _shown(row: SessionRow) -> SignedIn:
    created, used = (dt.datetime.fromtimestamp(each, dt.UTC) for each in (row.created_at, row.used_at))
    return SignedIn(row.id, row.login_id, created, used, row.address, row.agent)
