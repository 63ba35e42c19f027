"""Workers run once per node, are started again after a failure, and show how they are to every process."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from consortium import Consortium, Trade, eventually, organisations, write_settings

from ledger_node.cli import main
from ledger_node.database import Database
from ledger_node.errors import ConfigError, ProjectionError
from ledger_node.migrations import migrate_state
from ledger_node.node import open_node
from ledger_node.readmodel import SCHEMA_VERSION
from ledger_node.readmodel.tables import AccountRow
from ledger_node.workers.heartbeats import TROUBLE_SECONDS_MAX, Heartbeats, WorkerState
from ledger_node.workers.outcomes import Outcomes
from ledger_node.workers.running import Workers, WorkersLock


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority")
    organisations(home)
    return home


@pytest.fixture
def heartbeats(tmp_path: Path) -> Iterator[Heartbeats]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate_state(database)
    yield Heartbeats(database, lambda: dt.datetime.now(dt.UTC))
    database.close()


def states(heartbeats: Heartbeats) -> dict[str, WorkerState]:
    return {beat.worker: beat.state for beat in heartbeats.list()}


def test_a_worker_that_fails_is_shown_and_started_again(heartbeats: Heartbeats) -> None:
    stop, runs = threading.Event(), iter([True, False])

    def run(stop: threading.Event) -> None:
        if next(runs):
            raise RuntimeError("the disk is full")
        stop.wait()

    workers = Workers({"outbox": run}, heartbeats, stop)
    eventually(lambda: states(heartbeats).get("outbox") is WorkerState.FAILING, "the failure is shown")
    assert "the disk is full" in heartbeats.list()[0].text
    eventually(lambda: heartbeats.list()[0].well, "it runs again")
    stop.set()
    workers.join()
    assert states(heartbeats) == {"outbox": WorkerState.STOPPED}
    assert not heartbeats.list()[0].well


def test_a_worker_that_runs_and_has_had_nothing_but_errors_for_a_time_is_not_well(heartbeats: Heartbeats) -> None:
    stop, seconds = threading.Event(), [0.0]
    outcomes = Outcomes(lambda: seconds[0])
    told = outcomes.teller("outbox")
    told("")
    workers = Workers({"outbox": wait}, heartbeats, stop, outcomes)
    try:
        eventually(lambda: heartbeats.list() and heartbeats.list()[0].well, "it is well")
        told("the peer: timestamp 20 minutes off")
        seconds[0] += TROUBLE_SECONDS_MAX / 2
        told("the peer: timestamp still 20 minutes off")
        eventually(lambda: heartbeats.list()[0].trouble_seconds, "the trouble is shown")
        assert heartbeats.list()[0].well  # not yet: a peer is started anew now and then
        seconds[0] += TROUBLE_SECONDS_MAX
        eventually(lambda: not heartbeats.list()[0].well, "nothing but errors for a time")
        shown = heartbeats.list()[0]
        assert (shown.state, shown.text) == (WorkerState.RUNNING, "the peer: timestamp still 20 minutes off")
        assert shown.success_age_seconds == 1.5 * TROUBLE_SECONDS_MAX
        told("")
        eventually(lambda: heartbeats.list()[0].well, "one success, and it is well")
        assert heartbeats.list()[0].text == ""
    finally:
        stop.set()
        workers.join()


def test_a_projector_that_has_not_reached_its_ledger_is_starting(heartbeats: Heartbeats) -> None:
    stop, outcomes = threading.Event(), Outcomes()
    workers = Workers({"projector": wait}, heartbeats, stop, outcomes)
    try:
        eventually(lambda: states(heartbeats).get("projector") is WorkerState.STARTING, "it has reached nothing yet")
        outcomes.teller("projector")("")
        eventually(lambda: states(heartbeats).get("projector") is WorkerState.RUNNING, "it has")
    finally:
        stop.set()
        workers.join()


def test_every_worker_of_the_latest_process_must_have_given_a_sign(
    heartbeats: Heartbeats, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeats.beat("projector", WorkerState.RUNNING)
    assert [beat.well for beat in heartbeats.of({"outbox", "projector"})] == [False, True]
    monkeypatch.setattr(os, "getpid", lambda: 1)
    heartbeats.beat("outbox", WorkerState.RUNNING)
    found = heartbeats.of({"outbox", "projector"})
    assert [(beat.worker, beat.state) for beat in found] == [
        ("outbox", WorkerState.RUNNING),
        ("projector", WorkerState.STARTING),  # its sign is of a process that is gone
    ]
    heartbeats.beat("projector", WorkerState.RUNNING)
    assert all(beat.well for beat in heartbeats.of({"outbox", "projector"}))


def wait(stop: threading.Event) -> None:
    stop.wait()


def test_a_projector_that_cannot_read_a_block_stays_stopped_and_the_others_go_on(heartbeats: Heartbeats) -> None:
    stop, runs = threading.Event(), 0

    def project(_: threading.Event) -> None:
        nonlocal runs
        runs += 1
        raise ProjectionError("block 7 is missing", "Look at the peer.")

    workers = Workers({"projector": project, "verifier": wait}, heartbeats, stop)
    shown = {"projector": WorkerState.STOPPED, "verifier": WorkerState.RUNNING}
    eventually(lambda: states(heartbeats) == shown, "it is shown as stopped, and the other one as running")
    beats = {beat.worker: beat for beat in heartbeats.list()}
    assert beats["projector"].text == "block 7 is missing Look at the peer."
    assert beats["verifier"].well
    stop.set()
    workers.join()
    assert runs == 1


def test_a_silent_worker_is_not_well(heartbeats: Heartbeats, tmp_path: Path) -> None:
    heartbeats.beat("outbox", WorkerState.RUNNING)
    assert heartbeats.list()[0].well
    later = Heartbeats(
        Database(f"sqlite:///{tmp_path / 'state.db'}"), lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    )
    assert not later.list()[0].well
    assert later.list()[0].as_json()["silent_seconds"] >= 59


def test_the_workers_of_a_node_run_in_one_process(tmp_path: Path) -> None:
    lock = WorkersLock(tmp_path)
    with pytest.raises(ConfigError, match=f"already run in process {os.getpid()}"):
        WorkersLock(tmp_path)
    lock.release()
    lock.release()
    WorkersLock(tmp_path).release()


def test_a_killed_process_gives_the_lock_back(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time\nfrom ledger_node.workers.running import WorkersLock\n"
        "lock = WorkersLock(pathlib.Path(sys.argv[1]))\nprint('held', flush=True)\nsys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(ConfigError, match=f"process {holder.pid}"):
        WorkersLock(tmp_path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    WorkersLock(tmp_path).release()


# A node


@pytest.fixture
def world(tmp_path: Path, authority: Path) -> Iterator[Consortium]:
    consortium = Consortium(tmp_path, authority)
    consortium.serve("supplier")
    consortium.start()
    yield consortium
    consortium.close()


def test_health_is_seen_by_another_process_of_the_node(world: Consortium) -> None:
    web = open_node(world.settings["buyer"])
    names = ["day opener", "namer", "outbox", "projector", "scrubber", "verifier", "webhooks"]
    shown: list[dict[str, Any]] = []

    def all_well() -> bool:  # the first signs come one by one
        shown.append(web.health())
        return bool(shown[-1]["ok"]) and [worker["worker"] for worker in shown[-1]["workers"]] == names

    eventually(all_well, "all workers are well")
    world.stop("buyer")
    assert web.health()["ok"] is False
    web.close()
    json.dumps(shown[-1])


def test_a_web_process_puts_and_the_workers_process_sends(world: Consortium) -> None:
    world.found()
    web = open_node(world.settings["supplier"])
    today = dt.datetime.now(dt.UTC).date().isoformat()
    submission = web.outbox.put("OpenDay", {"date": today})
    assert web.outbox.wait(submission.id, 10).code == "DAY_NOT_LATER"
    web.close()


def test_only_one_node_opens_the_day_and_the_others_are_refused(world: Consortium) -> None:
    world.found()
    eventually(
        lambda: all(not node.outbox.counts()["waiting"] for node in world.nodes.values()), "all have had their answer"
    )
    answers = [
        (submission.status.value, submission.code)
        for node in world.nodes.values()
        for submission in [node.outbox.get(day_id(node.msp_id))]
        if submission is not None
    ]
    assert answers.count(("applied", "")) == 1
    assert all(code == "DAY_NOT_LATER" for status, code in answers if status == "refused")


def day_id(msp_id: str) -> str:
    import hashlib

    from chaincode.records import canonical

    today = dt.datetime.now(dt.UTC).date().isoformat()
    return hashlib.sha256(canonical(["open day", today, msp_id])).hexdigest()[:32]


@pytest.mark.parametrize(
    ("file", "text"), [("fingerprint.key", "cannot be read"), ("certificate", "cannot be read"), ("root", "TLS cannot")]
)
def test_a_node_that_lacks_a_file_does_not_open(tmp_path: Path, authority: Path, file: str, text: str) -> None:
    changes: dict[str, Any] = {
        "fingerprint.key": {"fingerprint_key_file": tmp_path / "none"},
        "certificate": {"certificate": tmp_path / "none"},
        "root": {},
    }[file]
    settings = write_settings(tmp_path, authority, "buyer", **changes)
    if file == "root":
        roots = {"BuyerMSP": tmp_path / "none"}
        settings = settings.model_copy(update={"tls": settings.tls.model_copy(update={"roots": roots})})
    with pytest.raises(ConfigError, match=text):
        open_node(settings)


# ledger-node db


def db(world: Consortium, command: str, name: str = "supplier") -> tuple[int, dict[str, Any]]:
    arguments = ["db", command, "--node", str(world.settings[name].directory), "--json"]
    done = CliRunner().invoke(main, arguments)
    answer: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, answer


@pytest.fixture
def uploaded(world: Consortium) -> Trade:
    world.found()
    trade = Trade()
    trade.upload(world)
    return trade


def test_db_check_agrees_with_a_node_that_runs(world: Consortium, uploaded: Trade) -> None:
    code, answer = db(world, "check")
    assert (code, answer["ok"], answer["result"]["documents"]) == (0, True, 2)


def test_db_check_finds_a_changed_row_a_swapped_file_and_books_that_do_not_balance(
    world: Consortium, uploaded: Trade
) -> None:
    world.stop("supplier")
    node = world["supplier"]
    own = node.documents.get(uploaded.document_id)
    assert own is not None
    node.vault.path(own.digest).write_bytes(b"another file")
    with node.readmodel_database.write() as session:
        session.add(
            AccountRow(
                key="account/cash/EUR@X/cash:A",
                book="cash",
                unit="EUR@X",
                invoice_id="",
                name="cash:A",
                party="A",
                balance_minor=1,
            )
        )
    code, answer = db(world, "check")
    assert code == 6
    for found in (uploaded.document_id, "'tables_differing': ['account']", "'books_unbalanced': ['cash EUR@X']"):
        assert found in answer["error"]["text"]


def test_db_rebuild_and_upgrade_wait_until_the_node_is_stopped(world: Consortium, uploaded: Trade) -> None:
    for command in ("rebuild", "upgrade"):
        code, answer = db(world, command)
        assert (code, answer["error"]["type"]) == (2, "ConfigError")
    world.stop("supplier")
    before = world["supplier"].ledger.height()
    code, answer = db(world, "rebuild")
    assert code == 0
    assert before <= answer["result"]["blocks"] <= world["supplier"].ledger.height()  # the others go on
    kept = {"schema_version": SCHEMA_VERSION, "read_model_emptied": False}
    assert db(world, "upgrade") == (0, {"ok": True, "result": kept})
    assert db(world, "check")[0] == 0


def test_db_upgrade_empties_a_read_model_of_another_version(world: Consortium, uploaded: Trade) -> None:
    world.stop("supplier")
    database = world["supplier"].readmodel_database
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE readmodel_schema SET version = 99")
    with pytest.raises(ConfigError, match="schema version 99") as caught:
        open_node(world.settings["supplier"])
    assert caught.value.remedy == "Run: ledger-node db upgrade"
    assert db(world, "upgrade")[1]["result"]["read_model_emptied"] is True
    assert db(world, "check")[1]["result"]["blocks"] == 0
    assert db(world, "rebuild")[0] == 0


def test_a_state_database_of_another_version_is_never_touched(world: Consortium, uploaded: Trade) -> None:
    world.stop("supplier")
    with world["supplier"].state.write() as session:
        session.connection().exec_driver_sql("UPDATE state_schema SET version = 0")
    code, answer = db(world, "upgrade")
    assert (code, answer["error"]["type"]) == (2, "SchemaVersionError")
    assert world["supplier"].documents.get(uploaded.document_id) is not None
