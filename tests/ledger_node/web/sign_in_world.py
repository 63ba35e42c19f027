"""The node and the helpers with which signing in is tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from consortium import organisations, write_settings
from page_world import PASSWORD, Browser

from ledger_node.node import Node, open_node
from ledger_node.people import audit
from ledger_node.web.app import UserPort


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority")
    organisations(home)
    return home


class Clock:
    """The node's clock, which a test may put on."""

    ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("ledger_node.node.utc_now", clock)
    monkeypatch.setattr("ledger_node.people.logins._HASHER", PasswordHasher(1, 64, 1))  # as slow as need be elsewhere
    return clock


@pytest.fixture
def node(authority: Path, tmp_path: Path, clock: Clock) -> Iterator[Node]:
    node = open_node(write_settings(tmp_path, authority, "supplier"))
    yield node
    node.close()


@pytest.fixture
def port(node: Node) -> UserPort:
    return UserPort(node)


def give_password(browser: Browser, password: str = PASSWORD, name: str = "anna") -> str:
    browser.open("/sign-in")
    return browser.submit(browser.form("name", "password"), name=name, password=password)


def acts(node: Node) -> list[str]:
    return [str(act["act"]) for _, act in audit.read(node.audit.path)]
