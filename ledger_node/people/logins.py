"""Persons of this organisation who sign in with a browser: who they are, what they may do, and what proves it.

A password is kept as argon2id, the second factor as the secret that an authenticator computes with (RFC 6238), a
one-time link as its SHA-256. Whoever signs in has both factors; a link stands for them once, within its time.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, update
from sqlmodel import Field, Session, col, select

from ledger_node.database import Database, StateTable
from ledger_node.errors import BadRequest, NodeError, NotFound
from ledger_node.people.passkeys import PasskeyRow
from ledger_node.people.roles import ADMIN, Role
from ledger_node.people.tokens import digest_of

LOGIN_ROLES = (*(role.value for role in Role), ADMIN)
LINK_HOURS_MAX = 7 * 24
HALF, HALF_SECONDS = "half", 300
"""What stands for a person whose password was right, and how long."""
PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX = 12, 200
NAME_CHARACTERS_MAX = 100
STEP_SECONDS = 30
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}", re.ASCII)  # a principal, as those of tokens
_HASHER = PasswordHasher()


def _of_no_password() -> str:
    """What is compared where there is no password, which takes the same time: random bytes in the place of a hash.

    To hash something would take each process 0.3 s as it starts.
    """
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    salt, nobodys = (b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (16, _HASHER.hash_len))
    return f"$argon2id$v=19${costs}${salt}${nobodys}"


_NO_PASSWORD = _of_no_password()


class LinkSpent(NodeError):
    """The link was used, is too old, or never was one."""


class LoginRow(StateTable, table=True):
    """One person. `password` and `totp_secret` are empty until they are chosen; `totp_step` is the last one used."""

    __tablename__ = "login"
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    full_name: str
    roles: str
    password: str
    totp_secret: str
    totp_step: int
    created_at: str
    ended: bool


class LinkRow(StateTable, table=True):
    """What stands for a person once, by the digest of its secret; `expires_at` in seconds since 1970.

    Its purpose: a one-time link's, or HALF, which only waits for the second factor.
    """

    __tablename__ = "login_link"
    digest: str = Field(primary_key=True)
    login_id: str
    purpose: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Login:
    """A person as it may be shown. `is_set_up` says whether password and second factor are chosen."""

    id: str
    name: str
    full_name: str
    roles: tuple[str, ...]
    created_at: str
    ended: bool
    is_set_up: bool


class Logins:
    """The persons who may sign in, in the state database.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def invite(self, name: str, full_name: str, roles: Collection[str], hours: int, purpose: str = "set-up") -> str:
        """Make a person, or take one that exists, and a one-time link; links that were there before end.

        Args:
            name: that is typed to sign in.
            full_name: as it is shown; empty keeps that of a person that exists.
            roles: of LOGIN_ROLES; those of a person that exists become these at once, and stay where none is given.
            hours: how long the link is good.
            purpose: "set-up" to choose password and second factor, or "sign-in" to be signed in at once.

        Returns: the link's secret, which is stored nowhere.

        Raises: BadRequest for a name, a role or hours that are none, and for the last admin who would be one no more.
        """
        row = _new_row(name, full_name, roles, self._now())
        if not 1 <= hours <= LINK_HOURS_MAX:
            raise BadRequest(f"{hours} hours is not between 1 and {LINK_HOURS_MAX}", "Choose fewer, or more.")
        secret = secrets.token_urlsafe(32)
        with self._database.write() as session:
            known = session.exec(select(LoginRow).where(LoginRow.name == name)).first()
            if known is None:
                session.add(row)
            else:
                if roles and ADMIN not in roles:
                    _require_another_admin(session, known, "Give this one the role admin too, or invite another first.")
                known.full_name, known.roles = full_name or known.full_name, row.roles or known.roles
                if known.ended:  # who comes back proves anew who it is
                    known.password, known.totp_secret, known.ended = "", "", False
                session.add(known)
            login_id = row.id if known is None else known.id
            session.connection().execute(delete(LinkRow).where(col(LinkRow.login_id) == login_id))
            ends = self._now().timestamp() + hours * 3600
            session.add(LinkRow(digest=digest_of(secret), login_id=login_id, purpose=purpose, expires_at=ends))
        return secret

    def begin_half(self, login_id: str) -> str:
        """A secret that stands for whoever gave the right password, until the second factor; stored nowhere."""
        secret, now = secrets.token_urlsafe(32), self._now().timestamp()
        with self._database.write() as session:
            over = (col(LinkRow.purpose) == HALF) & (col(LinkRow.expires_at) <= now)
            session.connection().execute(delete(LinkRow).where(over))
            ends = now + HALF_SECONDS
            session.add(LinkRow(digest=digest_of(secret), login_id=login_id, purpose=HALF, expires_at=ends))
        return secret

    def of_half(self, secret: str) -> Login | None:
        """Whose password was right a moment ago."""
        with self._database.read() as session:
            link = session.get(LinkRow, digest_of(secret))
            row = None if link is None else session.get(LoginRow, link.login_id)
        is_good = link is not None and link.purpose == HALF and link.expires_at > self._now().timestamp()
        return _login(row) if is_good and row is not None and not row.ended else None

    def end_half(self, secret: str) -> None:
        """Its sign-in is whole, or given up."""
        with self._database.write() as session:
            half = (col(LinkRow.digest) == digest_of(secret)) & (col(LinkRow.purpose) == HALF)
            session.connection().execute(delete(LinkRow).where(half))

    def of_link(self, secret: str) -> tuple[Login, str]:
        """Whom a link is for, and its purpose; it stays good. Raises: LinkSpent."""
        with self._database.read() as session:
            link, row = self._link(session, secret)
        return _login(row), link.purpose

    def spend(self, secret: str, password: str = "", totp_secret: str = "") -> Login:
        """Use a link, once.

        Args:
            secret: of the link.
            password: the one that was chosen, where the link is for that.
            totp_secret: of the authenticator that has shown a right code.

        Raises: LinkSpent, also for the second of two at once; BadRequest for a password that will not do.
        """
        hashed = ""
        if password:
            require_password(password)
            hashed = _HASHER.hash(password)
        with self._database.write() as session:
            link, row = self._link(session, secret)
            if (link.purpose == "set-up") != bool(hashed and totp_secret):
                raise LinkSpent("the link is for something else", "Open it anew.")
            if hashed:
                row.password, row.totp_secret, row.totp_step = hashed, totp_secret, 0
                session.connection().execute(delete(PasskeyRow).where(col(PasskeyRow.login_id) == row.id))
                session.add(row)
            session.delete(link)
        return _login(row)

    def by_password(self, name: str, password: str) -> Login | None:
        """The person of that name, if it is its password; it takes the same time when there is none."""
        with self._database.read() as session:
            row = session.exec(select(LoginRow).where(LoginRow.name == name)).first()
        known = row is not None and bool(row.password) and not row.ended
        stored = row.password if row is not None and known else _NO_PASSWORD
        try:
            _HASHER.verify(stored, password[: PASSWORD_CHARACTERS_MAX + 1])
        except (VerificationError, InvalidHashError):
            return None
        return _login(row) if row is not None and known else None

    def take_code(self, login_id: str, code: str) -> bool:
        """Whether it is a code that this person's authenticator shows now; each is taken once. Source: RFC 6238."""
        if not re.fullmatch(r"[0-9]{6}", code, re.ASCII):
            return False
        with self._database.read() as session:
            row = session.get(LoginRow, login_id)
        if row is None or row.ended or not row.totp_secret:
            return False
        step = step_of(row.totp_secret, code, self._now())
        with self._database.write() as session:
            later = (col(LoginRow.id) == login_id) & (col(LoginRow.totp_step) < step)
            return session.connection().execute(update(LoginRow).where(later).values(totp_step=step)).rowcount == 1

    def get(self, login_id: str) -> Login | None:
        """A person who may sign in; None for one who may not, or no more."""
        with self._database.read() as session:
            row = session.get(LoginRow, login_id)
        return None if row is None or row.ended else _login(row)

    def list(self) -> list[Login]:
        """All persons by name, those too who may not sign in any more."""
        with self._database.read() as session:
            return [_login(row) for row in session.exec(select(LoginRow).order_by(LoginRow.name)).all()]

    def end(self, name: str) -> Login:
        """Let a person sign in no more, from now on. Raises: NotFound; BadRequest for the last admin."""
        with self._database.write() as session:
            row = session.exec(select(LoginRow).where(LoginRow.name == name, ~col(LoginRow.ended))).first()
            if row is None:
                raise NotFound(
                    f"nobody signs in as {name!r}", "Look at the page of persons, or: ledger-node invite --help"
                )
            _require_another_admin(session, row, "Invite another one first.")
            row.ended = True
            session.add(row)
            session.connection().execute(delete(LinkRow).where(col(LinkRow.login_id) == row.id))
        return _login(row)

    def _link(self, session: Session, secret: str) -> tuple[LinkRow, LoginRow]:
        link = session.get(LinkRow, digest_of(secret))
        row = None if link is None else session.get(LoginRow, link.login_id)
        if (
            link is None
            or link.purpose == HALF
            or row is None
            or row.ended
            or link.expires_at <= self._now().timestamp()
        ):
            text = "this link was used already, is too old, or never was one"
            raise LinkSpent(text, "Ask your administrator for another one.")
        return link, row


def _require_another_admin(session: Session, row: LoginRow, remedy: str) -> None:
    """Raises: BadRequest for the last admin, without whom nobody would be let in again but at the prompt."""
    others = select(func.count()).where(col(LoginRow.id) != row.id, ~col(LoginRow.ended))
    admins = session.exec(others.where(col(LoginRow.roles).contains(ADMIN))).one()
    if ADMIN in row.roles.split(",") and not row.ended and not admins:
        raise BadRequest(f"{row.name} is the only admin", remedy)


def require_password(password: str) -> None:
    """Raises: BadRequest for one that is too short or too long; what it consists of is its owner's choice."""
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        text = f"a password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters"
        raise BadRequest(text, "Take a few words that nobody else would put together.")


def step_of(totp_secret: str, code: str, now: dt.datetime) -> int:
    """The time step of which it is the code, this one or a neighbour; -1 for none."""
    totp, current = pyotp.TOTP(totp_secret), int(now.timestamp()) // STEP_SECONDS
    steps = (current, current - 1, current + 1)
    return next((step for step in steps if secrets.compare_digest(totp.generate_otp(step), code)), -1)


def _new_row(name: str, full_name: str, roles: Collection[str], now: dt.datetime) -> LoginRow:
    if not NAME.fullmatch(name):
        text = f"{name!r} is no name to sign in with"
        raise BadRequest(text, "Use 1 to 60 lower-case letters, digits, dots, hyphens or underscores.")
    if unknown := sorted(set(roles) - set(LOGIN_ROLES)):
        raise BadRequest(f"there is no role {unknown[0]!r}", f"Roles are: {', '.join(LOGIN_ROLES)}.")
    if len(full_name) > NAME_CHARACTERS_MAX or not full_name.isprintable():
        raise BadRequest("that is no name of a person", f"Use up to {NAME_CHARACTERS_MAX} characters.")
    return LoginRow(
        id=secrets.token_hex(8),
        name=name,
        full_name=full_name or name,
        roles=",".join(sorted(roles)),
        password="",
        totp_secret="",
        totp_step=0,
        created_at=now.isoformat(timespec="seconds"),
        ended=False,
    )


def _login(row: LoginRow) -> Login:
    roles = tuple(filter(None, row.roles.split(",")))
    is_set_up = bool(row.password and row.totp_secret)
    return Login(row.id, row.name, row.full_name, roles, row.created_at, row.ended, is_set_up)
