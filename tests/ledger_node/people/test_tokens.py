"""Tokens: shown once, stored as a digest, good for a role and a time."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.database import Database
from ledger_node.errors import BadRequest, NotFound
from ledger_node.migrations import migrate_state
from ledger_node.people.roles import Role
from ledger_node.people.tokens import LAST_USE_SECONDS, Tokens


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(tmp_path: Path, clock: Clock) -> Iterator[Tokens]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate_state(database)
    yield Tokens(database, clock)
    database.close()


def test_a_token_is_known_by_its_secret_and_the_secret_is_stored_nowhere(tokens: Tokens, tmp_path: Path) -> None:
    secret, token = tokens.create("approver")
    assert tokens.check(secret) == token
    assert token.role is Role.APPROVER
    assert tokens.check(secret + "x") is None
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in stored


def test_a_token_ends_with_its_last_day(tokens: Tokens, clock: Clock) -> None:
    secret, _ = tokens.create("auditor", days=2)
    clock.now += dt.timedelta(days=2, seconds=-1)
    assert tokens.check(secret) is not None
    clock.now += dt.timedelta(seconds=1)
    assert tokens.check(secret) is None
    assert len(tokens.list()) == 1


def test_a_revoked_token_is_no_token(tokens: Tokens) -> None:
    secret, token = tokens.create("funder")
    other, _ = tokens.create("funder")
    assert tokens.revoke(token.id)
    assert not tokens.revoke(token.id)
    assert tokens.check(secret) is None
    assert tokens.check(other) is not None


def test_a_renewed_token_has_another_secret_and_acts_for_the_same_principal(tokens: Tokens, clock: Clock) -> None:
    secret, token = tokens.create("funder", 1, "erp-2")
    clock.now += dt.timedelta(days=30)
    fresh, renewed = tokens.renew(token.id, 2)
    assert tokens.check(secret) is None
    assert tokens.check(fresh) == renewed
    assert (renewed.role, renewed.principal) == (token.role, "erp-2")
    assert renewed.id != token.id
    with pytest.raises(NotFound):
        tokens.renew("0" * 16)


def test_a_token_without_a_principal_of_its_own_acts_for_its_role(tokens: Tokens) -> None:
    assert tokens.create("funder")[1].principal == "funder"


@pytest.mark.parametrize("principal", ["a/b", "-a", "A", "a" * 61, "a b", "\u00e4"])
def test_a_principal_is_a_plain_name(tokens: Tokens, principal: str) -> None:
    with pytest.raises(BadRequest, match="no name of a principal"):
        tokens.create("funder", principal=principal)
    assert tokens.list() == []


@pytest.mark.parametrize(("role", "days"), [("admin", 1), ("", 1), ("auditor", 0), ("auditor", 3661)])
def test_an_unknown_role_or_a_wrong_time_makes_no_token(tokens: Tokens, role: str, days: int) -> None:
    with pytest.raises(BadRequest):
        tokens.create(role, days)
    assert tokens.list() == []


def test_a_token_has_a_name_which_its_renewal_keeps_and_says_when_it_was_last_used(
    tokens: Tokens, clock: Clock
) -> None:
    secret, token = tokens.create("uploader", name="ERP of plant 2")
    assert (token.name, token.last_used_at) == ("ERP of plant 2", "")
    assert tokens.check(secret) is not None
    assert tokens.list()[0].last_used_at == "2026-11-22T12:00:00Z"
    clock.now += dt.timedelta(seconds=LAST_USE_SECONDS - 1)
    assert tokens.check(secret) is not None
    assert tokens.list()[0].last_used_at == "2026-11-22T12:00:00Z"  # no write for every request
    clock.now += dt.timedelta(seconds=2)
    assert tokens.check(secret) is not None
    assert tokens.list()[0].last_used_at == "2026-11-22T12:10:01Z"
    clock.now += dt.timedelta(days=100)
    assert tokens.check(secret) is None
    assert tokens.list()[0].last_used_at == "2026-11-22T12:10:01Z"  # an ended token is not used
    assert tokens.renew(token.id)[1].name == "ERP of plant 2"


@pytest.mark.parametrize("name", ["x" * 101, "two\nlines", "\u202etxet"])
def test_a_name_that_would_deceive_in_a_list_is_refused(tokens: Tokens, name: str) -> None:
    with pytest.raises(BadRequest, match="no name of a token"):
        tokens.create("uploader", name=name)


def test_a_token_is_good_though_its_use_cannot_be_written_down(tokens: Tokens, tmp_path: Path) -> None:
    secret, _ = tokens.create("auditor")
    writer = sqlite3.connect(tmp_path / "state.db")
    writer.execute("BEGIN IMMEDIATE")
    with tokens._database._engine.connect() as connection:  # the pool keeps it: nobody waits long for the writer
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    assert tokens.check(secret) is not None
    writer.rollback()
    assert tokens.list()[0].last_used_at == ""
    assert tokens.check(secret) is not None
    assert tokens.list()[0].last_used_at != ""
    writer.close()
