"""API tokens: who may ask this node for what.

A token is 32 random bytes shown once; only its SHA-256 is stored, so a stolen database opens nothing. Each has a role,
an expiry and a principal: the person or program that acts with it. A token ends and is renewed, its principal goes on,
and idempotency keys are the principal's. Tokens say nothing on the ledger: there the organisation's certificate speaks.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable
from ledger_node.errors import BadRequest, NotFound
from ledger_node.people.roles import DAYS_DEFAULT, Role

PREFIX = "lnt_"
DAYS_MAX = 3660
_PRINCIPAL = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}", re.ASCII)  # no slash: it ends where a key begins


class TokenRow(StateTable, table=True):
    """One token, by its digest."""

    __tablename__ = "token"
    digest: str = Field(primary_key=True)
    id: str = Field(unique=True)
    role: str
    created_at: str
    expires_at: str
    principal: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown: never the secret. Times are RFC 3339 in UTC."""

    id: str
    role: Role
    created_at: str
    expires_at: str
    principal: str


class Tokens:
    """The tokens of this node, in the state database.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def create(self, role: str, days: int = DAYS_DEFAULT, principal: str = "") -> tuple[str, Token]:
        """Make a token.

        Args:
            role: a value of Role.
            days: how long it is good for, 1 to 3660.
            principal: who acts with it; the role's name when empty, which all unnamed tokens of the role share.

        Returns: the secret, which is stored nowhere, and what may be shown later.

        Raises: BadRequest for an unknown role, a wrong number of days, or a principal that is no name.
        """
        if role not in list(Role):
            raise BadRequest(f"there is no role {role!r}", f"Roles are: {', '.join(Role)}.")
        principal = principal or role
        if not _PRINCIPAL.fullmatch(principal):
            text = f"{principal!r} is no name of a principal"
            raise BadRequest(text, "Use 1 to 60 lower-case letters, digits, dots, hyphens or underscores.")
        if not 1 <= days <= DAYS_MAX:
            raise BadRequest(f"{days} days is not between 1 and {DAYS_MAX}", "Choose fewer, or more.")
        secret = PREFIX + secrets.token_urlsafe(32)
        now = self._now()
        row = TokenRow(
            digest=_digest(secret),
            id=secrets.token_hex(8),
            role=role,
            created_at=_text(now),
            expires_at=_text(now + dt.timedelta(days=days)),
            principal=principal,
        )
        with self._database.write() as session:
            session.add(row)
        return secret, _token(row)

    def renew(self, token_id: str, days: int = DAYS_DEFAULT) -> tuple[str, Token]:
        """Make a token with the role and the principal of another, which may have expired and stays as it is.

        Args:
            token_id: of the other.
            days: how long the new one is good for.

        Returns: as `create`.

        Raises: NotFound, BadRequest.
        """
        with self._database.read() as session:
            row = session.exec(select(TokenRow).where(TokenRow.id == token_id)).first()
        if row is None:
            raise NotFound(f"there is no token {token_id}", "List them: ledger-node token list")
        return self.create(row.role, days, row.principal)

    def check(self, secret: str) -> Token | None:
        """The token with that secret; None when there is none or it has expired."""
        with self._database.read() as session:
            row = session.get(TokenRow, _digest(secret))
        return _token(row) if row is not None and _text(self._now()) < row.expires_at else None

    def list(self) -> list[Token]:
        """All tokens, oldest first, expired ones too."""
        with self._database.read() as session:
            return [_token(row) for row in session.exec(select(TokenRow).order_by(col(TokenRow.created_at))).all()]

    def revoke(self, token_id: str) -> bool:
        """Remove a token by its id.

        Returns: whether there was one.
        """
        with self._database.write() as session:
            return session.connection().execute(delete(TokenRow).where(col(TokenRow.id) == token_id)).rowcount == 1


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _token(row: TokenRow) -> Token:
    return Token(row.id, Role(row.role), row.created_at, row.expires_at, row.principal)
