"""Tokens: shown once, stored as a digest, good for a role and a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.database import Database
from ledger_node.errors import BadRequest
from ledger_node.migrations import migrate_state
from ledger_node.people.tokens import Role, Tokens


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


@pytest.mark.parametrize(("role", "days"), [("admin", 1), ("", 1), ("auditor", 0), ("auditor", 3661)])
def test_an_unknown_role_or_a_wrong_time_makes_no_token(tokens: Tokens, role: str, days: int) -> None:
    with pytest.raises(BadRequest):
        tokens.create(role, days)
    assert tokens.list() == []
