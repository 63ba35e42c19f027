"""Passkeys of persons who sign in: a second factor that a browser or a phone holds, and no other site can ask for.

Here are their public halves. A counter that an authenticator keeps has to grow, or the passkey was copied.
Source: WebAuthn level 3, sections 6.1.1 and 7.2.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable
from ledger_node.errors import BadRequest

PASSKEYS_MAX = 10
NAME_CHARACTERS_MAX = 60


class PasskeyRow(StateTable, table=True):
    """One passkey; `credential_id` and `public_key` (COSE) in base64url."""

    __tablename__ = "passkey"
    credential_id: str = Field(primary_key=True)
    login_id: str = Field(index=True)
    public_key: str
    sign_count: int
    name: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as it may be shown, and what checks its answers."""

    credential_id: str
    public_key: str
    sign_count: int
    name: str
    created_at: str


class Passkeys:
    """All passkeys, in the state database.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def add(self, login_id: str, credential_id: str, public_key: str, sign_count: int, name: str) -> None:
        """Keep a new one of a person. Raises: BadRequest for one that is there, and for too many."""
        known = self.of(login_id)
        if len(known) >= PASSKEYS_MAX:
            raise BadRequest(f"there are {PASSKEYS_MAX} passkeys already", "Remove one first.")
        row = PasskeyRow(
            credential_id=credential_id,
            login_id=login_id,
            public_key=public_key,
            sign_count=sign_count,
            name=name[:NAME_CHARACTERS_MAX],
            created_at=self._now().isoformat(timespec="seconds"),
        )
        with self._database.write() as session:
            if session.get(PasskeyRow, credential_id) is not None:
                raise BadRequest("that passkey is known already", "Take another one.")
            session.add(row)

    def of(self, login_id: str) -> list[Passkey]:
        """A person's passkeys, the oldest first."""
        statement = select(PasskeyRow).where(PasskeyRow.login_id == login_id).order_by(col(PasskeyRow.created_at))
        with self._database.read() as session:
            rows = session.exec(statement).all()
        return [Passkey(row.credential_id, row.public_key, row.sign_count, row.name, row.created_at) for row in rows]

    def count(self, credential_id: str, sign_count: int) -> bool:
        """Whether an answer's counter has grown, which is noted; authenticators without one always say 0."""
        mine = col(PasskeyRow.credential_id) == credential_id
        grown = (col(PasskeyRow.sign_count) < sign_count) | ((col(PasskeyRow.sign_count) == 0) & (sign_count == 0))
        with self._database.write() as session:
            noted = update(PasskeyRow).where(mine & grown).values(sign_count=sign_count)
            return session.connection().execute(noted).rowcount == 1

    def remove(self, login_id: str, credential_id: str) -> bool:
        """Take one of a person's away. Returns: whether there was one."""
        mine = (col(PasskeyRow.credential_id) == credential_id) & (col(PasskeyRow.login_id) == login_id)
        with self._database.write() as session:
            return session.connection().execute(delete(PasskeyRow).where(mine)).rowcount == 1
