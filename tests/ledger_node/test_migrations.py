"""The state database is brought up to date in place, whole or not at all, and never by a program that is too old."""

from __future__ import annotations

import itertools
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sender import Crash
from sqlalchemy import event

from ledger_node import node  # so that every table of the state database is known
from ledger_node.database import Database, SchemaVersionError, StateSchema, StateTable
from ledger_node.documents.index import Documents
from ledger_node.documents.scrub import Scrubs
from ledger_node.migrations import STATE_VERSION, configuration, migrate_state
from ledger_node.outbox.store import IdempotencyConflict, Outbox
from ledger_node.people.names import Names
from ledger_node.people.record_ids import RecordIds
from ledger_node.verification.attempts import Attempt, Attempts

V1 = Path(__file__).parent / "state_v1"


@pytest.fixture
def old(tmp_path: Path) -> Database:
    """A state database as the last release wrote it."""
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.executescript((V1 / "sqlite.sql").read_text())
    connection.close()
    return Database(f"sqlite:///{tmp_path / 'state.db'}")


def check_content(database: Database) -> None:
    """What version 1 held is there, and the new tables work."""
    (document,) = Documents(database).oldest_checked(1.0, 10, 1.0)
    assert (document.document_id, document.salt) == ("d" * 32, b"\x02" * 32)
    submission = Outbox(database, node.utc_now, 1000).get("c" * 32)
    assert submission is not None
    assert submission.status == "waiting"
    attempts = Attempts(database, retry_seconds=1)
    assert attempts.due("B", 1e12, 10) == []
    attempts.put(Attempt("e" * 32, "B", tries=1))
    assert attempts.due("B", 1e12, 10) == [Attempt("e" * 32, "B", tries=1)]
    attempts.forget("e" * 32)
    assert Scrubs(database).last() is None
    assert Names(database).of(["d" * 32]) == {"d" * 32: {"file": "invoice.xml"}}


def check_schema(database: Database) -> None:
    """The steps make exactly what the program's models say."""
    with database.read() as session:
        found = compare_metadata(MigrationContext.configure(session.connection()), StateTable.metadata)
        assert [change for change in found if "alembic_version" not in str(change)] == []
        assert database.version(session, StateSchema) == STATE_VERSION


def test_a_database_of_the_last_release_is_brought_up_to_date_and_keeps_what_it_holds(old: Database) -> None:
    migrate_state(old)
    check_content(old)
    check_schema(old)
    migrate_state(old)
    check_content(old)
    old.close()


def test_a_fresh_database_has_the_tables_of_the_models(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate_state(database)
    check_schema(database)
    database.close()


def test_the_last_step_is_the_version_that_the_program_names(old: Database) -> None:
    with old.read() as session:
        assert ScriptDirectory.from_config(configuration(session.connection())).get_heads() == [str(STATE_VERSION)]
    old.close()


def test_a_kill_at_any_statement_leaves_the_old_version_whole_and_the_next_start_goes_on(
    old: Database, tmp_path: Path
) -> None:
    before, kills = dump(tmp_path), 0
    while killed_at(old, kills):
        assert dump(tmp_path) == before
        kills += 1
    assert kills > 10
    check_content(old)
    old.close()


def killed_at(database: Database, number: int) -> bool:
    """Upgrade and die before the statement of that number; False when it was through before."""
    statements = itertools.count()

    def kill(*_: object) -> None:
        if next(statements) == number:
            raise Crash

    event.listen(database._engine, "before_cursor_execute", kill)
    try:
        migrate_state(database)
    except Crash:
        return True
    finally:
        event.remove(database._engine, "before_cursor_execute", kill)
    return False


SETTLE = ("SettleInvoice", {"invoice_id": "a" * 32, "amount_minor": 200_000})
LIVE, REVOKED, OTHER_REVOKED = "abababababababab", "1" * 16, "2" * 16


def used_before(database: Database, *owners: str, key: str = "month-end") -> list[str]:
    """A payment of each of these tokens under one key, as the last release stored it; the command ids."""
    migrate_state(database)
    outbox, ids = Outbox(database, node.utc_now, 1000), []
    for token_id in owners:
        ids.append(outbox.put(*SETTLE, idempotency_key=f"{token_id}/{key}").id)
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("DROP INDEX ix_outbox_key_of_a_token")
        connection.exec_driver_sql("ALTER TABLE outbox DROP COLUMN key_of_a_token")
        connection.exec_driver_sql("ALTER TABLE token DROP COLUMN principal")
        connection.exec_driver_sql("DROP TABLE secret")
        connection.exec_driver_sql("DROP TABLE known_ledger")
        told = ("webhook", "webhook_secret", "webhook_delivery", "invoice_response", "invoice_response_place")
        for later in ("name", "login", "login_link", "login_session", "guess", "passkey", "key_request", *told):
            connection.exec_driver_sql(f"DROP TABLE {later}")
        connection.exec_driver_sql("DROP TABLE heard_reason")
        connection.exec_driver_sql("DROP INDEX ix_reason_about")
        connection.exec_driver_sql("ALTER TABLE reason DROP COLUMN about")
        connection.exec_driver_sql("ALTER TABLE reason DROP COLUMN idempotency_key")
        connection.exec_driver_sql("ALTER TABLE token DROP COLUMN name")
        connection.exec_driver_sql("ALTER TABLE token DROP COLUMN last_used_at")
        connection.exec_driver_sql("ALTER TABLE heartbeat DROP COLUMN success_age_seconds")
        connection.exec_driver_sql("ALTER TABLE heartbeat DROP COLUMN trouble_seconds")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '3'")
        connection.exec_driver_sql("UPDATE state_schema SET version = 3")
    migrate_state(database)
    return ids


@pytest.mark.parametrize("owner", [LIVE, REVOKED])
def test_a_payment_of_before_the_upgrade_is_not_made_again_under_its_key(old: Database, owner: str) -> None:
    (paid,) = used_before(old, owner)
    check_schema(old)
    outbox = Outbox(old, node.utc_now, 1000)
    assert outbox.put(*SETTLE, idempotency_key="auditor/month-end").id == paid
    with pytest.raises(IdempotencyConflict, match=paid):
        outbox.put(SETTLE[0], SETTLE[1] | {"amount_minor": 1}, idempotency_key="auditor/month-end")
    assert outbox.put(*SETTLE, idempotency_key="auditor/next-month").id != paid
    old.close()


def test_tokens_of_one_role_that_used_one_key_before_the_upgrade_are_kept_apart(old: Database) -> None:
    first, second, third = used_before(old, LIVE, REVOKED, OTHER_REVOKED)
    outbox = Outbox(old, node.utc_now, 1000)
    assert outbox.put(*SETTLE, idempotency_key="auditor/month-end").id in (first, second, third)
    assert outbox.put("OpenDay", {"date": "2026-11-30"}, idempotency_key="clerk/month-end").id not in (first, second)
    assert sum(outbox.counts().values()) == 5
    old.close()


def test_the_secret_of_record_ids_is_each_nodes_own_and_stays(old: Database, tmp_path: Path) -> None:
    migrate_state(old)
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate_state(other)
    assert RecordIds(old).derive("erp", "invoice", "key") == RecordIds(old).derive("erp", "invoice", "key")
    assert RecordIds(old).derive("erp", "invoice", "key") != RecordIds(other).derive("erp", "invoice", "key")
    old.close()
    other.close()


def open_at_once(url: str) -> None:
    """Four programs open the same database."""
    barrier = threading.Barrier(4)

    def open_it(_: int) -> None:
        database = Database(url)
        barrier.wait()
        migrate_state(database)
        database.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_it, range(4))) == [None] * 4


def test_several_processes_may_open_an_old_database_at_once(old: Database) -> None:
    open_at_once(old.url)
    check_schema(old)
    old.close()


@pytest.mark.parametrize("version", [STATE_VERSION + 1, 0])
def test_a_database_of_a_newer_program_is_refused_and_left_as_it_is(
    old: Database, tmp_path: Path, version: int
) -> None:
    migrate_state(old)
    with old.write() as session:
        session.connection().exec_driver_sql(f"UPDATE state_schema SET version = {version}")
    before = dump(tmp_path)
    with pytest.raises(SchemaVersionError, match=re.escape(f"schema version {version}, this program knows")):
        migrate_state(old)
    old.close()
    assert dump(tmp_path) == before


def dump(folder: Path) -> str:
    connection = sqlite3.connect(folder / "state.db")
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()
