"""Both databases on a real PostgreSQL: the same answers as on SQLite, under concurrency too.

The server is Debian's, started for this module as an unprivileged user; without it the tests are skipped loudly.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from consortium import eventually, new_document
from sender import Sender, document
from test_migrations import V1, check_content, check_schema, open_at_once
from test_outbox_persons import check_races, under_four_eyes
from test_projector import open_database, rows

from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.documents.findings import DAMAGE, Evidence, FindingKind, Findings
from ledger_node.documents.index import Documents
from ledger_node.documents.vault import StoredDocument
from ledger_node.errors import ConfigError
from ledger_node.migrations import migrate_state
from ledger_node.outbox.store import IdempotencyConflict, Outbox, SubmissionStatus
from ledger_node.people.tokens import Tokens
from ledger_node.readmodel import SCHEMA_VERSION, ReadModel
from ledger_node.readmodel.counts import count_invoices
from ledger_node.readmodel.projector import Projector
from ledger_node.readmodel.tables import INVOICE_FILTERS
from ledger_node.verification.attempts import Attempt, Attempts
from ledger_node.workers.heartbeats import Heartbeats, WorkerState

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
USER = "postgres" if os.getuid() == 0 else ""


def command(*arguments: str) -> list[str]:
    """A server command, never as root, which PostgreSQL refuses."""
    return [*(["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"] if USER else []), *arguments]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a running server, without the name of a database."""
    if not BINARIES:
        pytest.skip("POSTGRESQL WAS NOT TESTED: no server in /usr/lib/postgresql (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if USER:
        shutil.chown(folder, USER, USER)
    data, binaries = folder / "data", BINARIES[-1]
    made = [str(binaries / "initdb"), "-D", str(data), "-U", "node", "-A", "trust", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(command(*made), check=True, capture_output=True, cwd="/")
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(
            command(str(binaries / "postgres"), "-D", str(data), *options), stdout=log, stderr=log, cwd="/"
        )
    try:
        eventually(lambda: list(folder.glob(".s.PGSQL.*")) and can_connect(folder), "the server answers", 30)
        yield str(folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
        Path(log.name).unlink()


def can_connect(folder: Path) -> bool:
    try:
        psycopg.connect(f"host={folder} user=node dbname=postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def url(server: str) -> str:
    """A fresh database, sorted in a language in which capitals do not come first."""
    name = f"node_{secrets.token_hex(4)}"
    with psycopg.connect(f"host={server} user=node dbname=postgres", autocommit=True) as connection:
        language = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        connection.execute(f"CREATE DATABASE {name} {language}".encode())
    return f"postgresql+psycopg://node@/{name}?host={server}"


@pytest.fixture
def state(url: str) -> Iterator[Database]:
    database = Database(url)
    migrate_state(database)
    yield database
    database.close()


@pytest.fixture
def readmodel_database(url: str) -> Iterator[Database]:
    database = Database(url)
    database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
    yield database
    database.close()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def sender(tmp_path: Path, state: Database) -> Iterator[Sender]:
    sender = Sender(tmp_path)
    sender.database.close()
    sender.database = state
    sender.restart()
    yield sender
    sender.ledger.close()


def test_the_read_model_is_the_same_on_both(sender: Sender, readmodel_database: Database, tmp_path: Path) -> None:
    for _ in range(20):
        sender.put()
    sender.drain()
    lite = open_database(tmp_path / "readmodel.db")
    for database in (lite, readmodel_database):
        Projector(database, sender.ledger, 7).catch_up()
    assert rows(lite) == rows(readmodel_database)
    assert Projector(readmodel_database, sender.ledger, 1000).rebuild() == sender.ledger.height()
    assert rows(lite) == rows(readmodel_database)
    ours, theirs = ReadModel(lite), ReadModel(readmodel_database)
    assert ours.unattested("B", "A", limit=5) == theirs.unattested("B", "A", limit=5)
    assert ours.documents(submitter="A", page=2, per_page=7) == theirs.documents(submitter="A", page=2, per_page=7)
    assert ours.attestations("a" * 32) == theirs.attestations("a" * 32)
    assert (ours.parties(), ours.day()) == (theirs.parties(), theirs.day())
    assert ours.shipments(state="open") == theirs.shipments(state="open")
    lite.close()


def test_invoices_are_counted_alike_and_in_whole_numbers(readmodel_database: Database, tmp_path: Path) -> None:
    lite, of = open_database(tmp_path / "readmodel.db"), {name: name for name in INVOICE_FILTERS}
    for database in (lite, readmodel_database):
        with database.write() as session:
            count_invoices(session.connection(), {("1",): of, ("2",): of})
            count_invoices(session.connection(), {("3",): of})
        total = ReadModel(database).invoices(status="status").total
        assert (total, type(total)) == (3, int), "decimals would be texts in JSON"
    assert rows(lite) == rows(readmodel_database)
    lite.close()


def test_a_state_database_of_the_last_release_is_brought_up_to_date(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute((V1 / "postgresql.sql").read_bytes())
    open_at_once(url)
    database = Database(url)
    check_content(database)
    check_schema(database)
    database.close()


def test_one_thing_has_one_open_finding(state: Database) -> None:
    findings = Findings(state, now)
    evidence = Evidence(FindingKind.DAMAGED, document_id="a" * 32, found="b" * 64)
    assert [findings.open(evidence) for _ in range(2)] == [True, False]
    assert findings.close(DAMAGE, ["a" * 32]) == 1
    assert findings.open(evidence)
    assert findings.open_counts()["damaged"] == 1
    assert [row["state"] for row in findings.list()[0]] == ["open", "closed"]


def test_one_idempotency_key_used_by_many_at_once_is_one_submission(state: Database) -> None:
    outbox, barrier = Outbox(state, now, 50_000), threading.Barrier(8)
    body, ids = document("a" * 32), []

    def put() -> None:
        barrier.wait()
        ids.append(outbox.put("RegisterDocument", body, idempotency_key="key").id)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1
    with pytest.raises(IdempotencyConflict):
        outbox.put("RegisterDocument", document("b" * 32), idempotency_key="key")


def test_commands_are_sent_and_answered(sender: Sender) -> None:
    twice = secrets.token_hex(16)
    submissions = [sender.put(twice), sender.put(), sender.put(twice)]
    sender.drain()
    found = [sender.get(each) for each in submissions]
    assert [each.status for each in found] == [
        SubmissionStatus.APPLIED,
        SubmissionStatus.APPLIED,
        SubmissionStatus.REFUSED,
    ]
    assert len(sender.effects()) == 2


def test_of_a_withdrawal_and_the_last_signature_at_once_exactly_one_counts(sender: Sender) -> None:
    under_four_eyes(sender)
    check_races(sender)


def test_the_other_rooms_keep_what_they_are_given(state: Database) -> None:
    documents, outbox = Documents(state), Outbox(state, now, 50_000)
    own = new_document(StoredDocument(b"\x01" * 32, 5), media_type="text/plain", kind="invoice", filename="f")
    outbox.put("RegisterDocument", document(own.document_id), beside=documents.insertion(own))
    assert documents.list() == [own]
    tokens = Tokens(state, now)
    secret, token = tokens.create("auditor")
    assert tokens.check(secret) == token
    assert tokens.revoke(token.id)
    heartbeats = Heartbeats(state, now)
    for worker_state in (WorkerState.RUNNING, WorkerState.FAILING):
        heartbeats.beat("outbox", worker_state)
    assert [beat.state for beat in heartbeats.list()] == [WorkerState.FAILING]
    attempts = Attempts(state, retry_seconds=1)
    for tries in (1, 2):
        attempts.put(Attempt("a" * 32, "B", tries=tries))
    assert attempts.get("a" * 32, "B").tries == 2


def test_a_server_that_is_not_there_is_a_configuration_error_without_the_password() -> None:
    database = Database("postgresql+psycopg://node:secret@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(ConfigError, match="cannot be opened") as caught:
        migrate_state(database)
    assert "secret" not in caught.value.text
