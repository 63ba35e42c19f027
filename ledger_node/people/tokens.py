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

import structlog
from sqlalchemy import delete, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable
from ledger_node.errors import BadRequest, NotFound
from ledger_node.people.roles import DAYS_DEFAULT, Role

PREFIX = "lnt_"
DAYS_MAX = 3660
NAME_CHARACTERS_MAX = 100
LAST_USE_SECONDS = 600
_PRINCIPAL = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}", re.ASCII)  # no slash: it ends where a key begins


log = structlog.get_logger(__name__)


class TokenRow(StateTable, table=True):
    """One token, by its digest."""

    __tablename__ = "token"
    digest: str = Field(primary_key=True)
    id: str = Field(unique=True)
    role: str
    created_at: str
    expires_at: str
    principal: str
    name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    last_used_at: str = Field(default="", sa_column_kwargs={"server_default": ""})


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown: never the secret. Times are RFC 3339 in UTC.

    `name` is what people call it; `last_used_at` is right to LAST_USE_SECONDS, and empty for one that was never used.
    """

    id: str
    role: Role
    created_at: str
    expires_at: str
    principal: str
    name: str
    last_used_at: str


class Tokens:
    """The tokens of this node, in the state database.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def create(self, role: str, days: int = DAYS_DEFAULT, principal: str = "", name: str = "") -> tuple[str, Token]:
        """Make a token.

        Args:
            role: a value of Role.
            days: how long it is good for, 1 to 3660.
            principal: who acts with it; the role's name when empty, which all unnamed tokens of the role share.
            name: what people call it, such as where it is used.

        Returns: the secret, which is stored nowhere, and what may be shown later.

        Raises: BadRequest for an unknown role, a wrong number of days, or a principal that is no name.
        """
        if role not in list(Role):
            raise BadRequest(f"there is no role {role!r}", f"Roles are: {', '.join(Role)}.")
        principal = principal or role
        if not _PRINCIPAL.fullmatch(principal):
            text = f"{principal!r} is no name of a principal"
            raise BadRequest(text, "Use 1 to 60 lower-case letters, digits, dots, hyphens or underscores.")
        if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise BadRequest(f"{name!r} is no name of a token", f"Use up to {NAME_CHARACTERS_MAX} characters.")
        if not 1 <= days <= DAYS_MAX:
            raise BadRequest(f"{days} days is not between 1 and {DAYS_MAX}", "Choose fewer, or more.")
        secret = PREFIX + secrets.token_urlsafe(32)
        now = self._now()
        row = TokenRow(
            digest=digest_of(secret),
            id=secrets.token_hex(8),
            role=role,
            created_at=_text(now),
            expires_at=_text(now + dt.timedelta(days=days)),
            principal=principal,
            name=name,
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
        return self.create(row.role, days, row.principal, row.name)

    def check(self, secret: str) -> Token | None:
        """The token with that secret, which is being used; None when there is none or it has expired."""
        now = self._now()
        with self._database.read() as session:
            row = session.get(TokenRow, digest_of(secret))
        if row is None or _text(now) >= row.expires_at:
            return None
        if row.last_used_at < _text(now - dt.timedelta(seconds=LAST_USE_SECONDS)):
            self._note_use(row.digest, _text(now))
        return _token(row)

    def goes_on(self, token_id: str) -> bool:
        """Whether that token is there and has not expired; nobody uses it by that."""
        with self._database.read() as session:
            row = session.exec(select(TokenRow).where(TokenRow.id == token_id)).first()
        return row is not None and _text(self._now()) < row.expires_at

    def _note_use(self, digest: str, at: str) -> None:
        """Write down that a token is used; a database that is busy for long is no reason to refuse it."""
        try:
            with self._database.write() as session:
                statement = update(TokenRow).where(col(TokenRow.digest) == digest).values(last_used_at=at)
                session.connection().execute(statement)
        except OperationalError as error:
            log.warning("the last use of a token was not written down", reason=str(error.orig))

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


def digest_of(secret: str) -> str:
    """SHA-256 of a secret with 32 random bytes: all that is stored of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _token(row: TokenRow) -> Token:
    return Token(row.id, Role(row.role), row.created_at, row.expires_at, row.principal, row.name, row.last_used_at)
