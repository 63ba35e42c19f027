"""A node at rest leaves its databases alone, and yet nothing that comes waits for the slow look of its workers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from consortium import Consortium, Trade, eventually, organisations, write_settings
from sqlalchemy import Engine, event, update

from ledger_node.background import Background
from ledger_node.database import Database, table_of
from ledger_node.migrations import migrate_state
from ledger_node.node import Node, open_node, utc_now
from ledger_node.outbox import sender
from ledger_node.outbox.store import OutboxRow
from ledger_node.verification import verifier
from ledger_node.workers import day_opener
from ledger_node.workers.heartbeats import Heartbeats, WorkerState

NEVER_SECONDS = 1e9
STATEMENTS_A_SECOND_MAX = 10.0
BEATS = 3


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority")
    organisations(home)
    return home


@contextmanager
def at_work(home: Path, authority: Path) -> Iterator[Node]:
    """One node whose workers run."""
    node = open_node(write_settings(home, authority, "supplier", open_days=False))
    background = Background(node, threading.Event())
    try:
        yield node
    finally:
        background.close()
        node.close()


@contextmanager
def from_elsewhere(node: Node) -> Iterator[Callable[[], str]]:
    """Stores a command as another process does, in the database and nowhere else, and gives its id."""
    database = Database(node.state.url)
    outbox = open_node(node.settings).outbox
    try:
        yield lambda: outbox.put("OpenDay", {"date": "2026-11-30"}).id
    finally:
        database.close()


def is_final(node: Node, command_id: str) -> bool:
    found = node.outbox.get(command_id)
    return found is not None and found.final


def without_slow_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sender, verifier, day_opener):
        monkeypatch.setattr(module, "LOOK_SECONDS_MAX", NEVER_SECONDS)


def no_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written to a database, nobody is told."""

    @contextmanager
    def silent(_: Database) -> Iterator[Callable[[], bool]]:
        yield lambda: False

    monkeypatch.setattr(Database, "changes", silent)


def test_a_node_at_rest_asks_its_databases_next_to_nothing(tmp_path: Path, authority: Path) -> None:
    world, counted = Consortium(tmp_path, authority), Counter[str]()

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        counted[" ".join(statement.split()[:3])] += 1

    def in_the_next_beats() -> float:
        """Statements a second and node."""
        counted.clear()
        begun = time.monotonic()
        eventually(lambda: counted["INSERT INTO heartbeat"] >= BEATS * len(world.nodes), "all give signs of life")
        return counted.total() / (time.monotonic() - begun) / len(world.nodes)

    try:
        for name in world.nodes:
            world.serve(name)
        world.start()
        world.found()
        trade = Trade()
        trade.upload(world)
        buyer = world["buyer"]
        eventually(lambda: len(buyer.readmodel.attestations(trade.proof_id)) == 3, "three have read it")
        eventually(lambda: buyer.readmodel.verdicts("BuyerMSP").get("pending", 0) == 0, "nothing is left to be read")
        event.listen(Engine, "before_cursor_execute", count)
        try:
            # What the trade left to do ends when the machine lets it; a node that is not at rest then never is.
            eventually(lambda: in_the_next_beats() <= STATEMENTS_A_SECOND_MAX, "all nodes are at rest")
        finally:
            event.remove(Engine, "before_cursor_execute", count)
    finally:
        world.close()


def test_a_command_that_another_process_stores_is_sent_without_the_slow_look(
    tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_slow_looks(monkeypatch)
    with at_work(tmp_path, authority) as node, from_elsewhere(node) as put:
        for _ in range(3):
            command_id = put()
            eventually(partial(is_final, node, command_id), "it is sent")


def test_a_command_of_which_nobody_was_told_is_found_by_the_slow_look(
    tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_signs(monkeypatch)
    monkeypatch.setattr(sender, "LOOK_SECONDS_MAX", 0.3)
    with at_work(tmp_path, authority) as node, from_elsewhere(node) as put:
        command_id = put()
        eventually(partial(is_final, node, command_id), "it is sent")


def test_a_command_whose_time_has_not_come_is_sent_when_it_comes_though_nobody_writes_anything(
    tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_slow_looks(monkeypatch)
    no_signs(monkeypatch)
    node = open_node(write_settings(tmp_path, authority, "supplier", open_days=False))
    command_id = node.outbox.put("OpenDay", {"date": "2026-11-30"}).id
    with node.state.write() as session:
        session.connection().execute(update(table_of(OutboxRow)).values(not_before=time.time() + 1.0))
    node.close()
    with at_work(tmp_path, authority) as node:
        eventually(partial(is_final, node, command_id), "it is sent")


def test_what_has_been_committed_is_told_once_to_each_who_asks(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate_state(database)
    heartbeats = Heartbeats(database, utc_now)
    with database.changes() as one, database.changes() as other:
        assert [one(), one(), other()] == [True, False, True]
        heartbeats.list()
        assert not one()
        heartbeats.beat("outbox", WorkerState.RUNNING)
        assert [one(), one(), other(), other()] == [True, False, True, False]
        with suppress(RuntimeError), database.write() as session:
            session.connection().exec_driver_sql("DELETE FROM heartbeat")
            raise RuntimeError
        assert not one()
    database.close()
