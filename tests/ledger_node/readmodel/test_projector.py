"""The read model is a fold over the committed writes: all or nothing of a block, and never a guess."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consortium import eventually
from sender import Crash, Sender, found, now, party
from sqlalchemy import Engine, event

from chaincode.records import canonical
from ledger_node.database import Database, ReadModelSchema, ReadModelTable, SchemaVersionError
from ledger_node.errors import BadRequest, ProjectionError
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.ledger.interface import (
    VALID,
    Block,
    BlockMissing,
    Ledger,
    LedgerError,
    Prepared,
    Receipt,
    Transaction,
    Write,
)
from ledger_node.readmodel import SCHEMA_VERSION, ReadModel
from ledger_node.readmodel.checks import last_touched
from ledger_node.readmodel.projector import Projector
from ledger_node.readmodel.tables import HistoryRow, dump


class Blocks:
    """A ledger that has these blocks; `break_after` loses the connection once after so many."""

    def __init__(self, *blocks: Block) -> None:
        self.given = list(blocks)
        self.break_after = -1

    def blocks(self, start: int, stop: threading.Event) -> Generator[Block, None, None]:
        for block in self.given[start:]:
            if self.break_after == 0:
                self.break_after = -1
                raise LedgerError("the connection was lost")
            self.break_after -= 1
            yield block
        stop.wait(5)

    def height(self) -> int:
        return len(self.given)

    def prepare(self, argument: bytes) -> Prepared:
        raise NotImplementedError

    def submit(self, prepared: Prepared) -> Receipt:
        raise NotImplementedError

    def status(self, transaction_id: str, timeout_seconds: float) -> Receipt | None:
        raise NotImplementedError

    def evaluate(self, argument: bytes, block_number_min: int = 0) -> bytes:
        raise NotImplementedError

    def group_bytes_max(self) -> int:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


def block(number: int, *writes: tuple[str, bytes | None], code: str = VALID) -> Block:
    plain = tuple(Write(key, value) for key, value in writes)
    return Block(number, (Transaction(f"{number:064x}", code, "A", "2026-11-22T12:00:00Z", plain, b""),))


def day(date: str) -> tuple[str, bytes]:
    return "day", json.dumps({"version": 1, "date": date}).encode()


MARK = b'{"version":1}'


def open_database(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
    return database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "readmodel.db")
    yield database
    database.close()


def rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as session:
        return dump(session)


def project(database: Database, ledger: Ledger, writes_max: int = 1000) -> Projector:
    projector = Projector(database, ledger, writes_max)
    projector.catch_up()
    return projector


def test_only_writes_of_valid_transactions_take_effect(database: Database) -> None:
    ledger = Blocks(block(0, day("2026-11-20")), block(1, day("2026-11-21"), code="MVCC_READ_CONFLICT"), block(2))
    project(database, ledger)
    readmodel = ReadModel(database)
    assert (readmodel.day(), readmodel.block_number()) == ("2026-11-20", 2)


def test_the_last_write_of_a_key_counts_and_every_write_is_remembered(database: Database) -> None:
    open_key = "open/B/2026-12-01/" + "a" * 32
    ledger = Blocks(block(0, day("2026-11-20"), (open_key, MARK)), block(1, day("2026-11-21"), (open_key, None)))
    project(database, ledger)
    assert ReadModel(database).day() == "2026-11-21"
    assert ReadModel(database).record(open_key) is None
    assert [row[3:5] for row in rows(database)["history"]] == [
        ("day", day("2026-11-20")[1].decode()),
        (open_key, MARK.decode()),
        ("day", day("2026-11-21")[1].decode()),
        (open_key, None),
    ]


def test_a_record_of_an_older_version_is_shown_as_the_newest_and_remembered_as_it_was(database: Database) -> None:
    older = canonical({"version": 1, **party("A", "supplier"), "status": "active"})
    project(database, Blocks(block(0, ("party/A", older))))
    found = ReadModel(database).party("A")
    assert found is not None
    assert (found["version"], found["four_eyes"], found["pending_payout"]) == (5, False, None)
    assert [row[4] for row in rows(database)["history"]] == [older.decode()]


@pytest.mark.parametrize("writes_max", [1, 2, 1000])
def test_how_many_blocks_go_into_one_sql_transaction_makes_no_difference(tmp_path: Path, writes_max: int) -> None:
    key = "open/B/2026-12-01/" + "a" * 32
    pairs = [block(n, day(f"2026-11-{n + 1:02d}"), (key, MARK if n % 2 else None)) for n in range(9)]
    first, second = open_database(tmp_path / "1.db"), open_database(tmp_path / "2.db")
    project(first, Blocks(*pairs))
    project(second, Blocks(*pairs), writes_max)
    assert rows(first) == rows(second)


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (block(1, ("weather", b"{}")), "a kind this program does not know"),
        (block(1, ("day", b"{}")), "cannot be read"),
        (block(1, ("day", b'{"version":2,"date":"2026-11-21"}')), "version"),
        (block(1, ("day", b'{"version":1,"date":"2026-11-21","more":1}')), "cannot be read"),
        (block(1, ("day", b"\xff")), "cannot be read"),
        (block(1, ("day", None)), "deletes day"),
        (block(2, day("2026-11-21")), "block 1 is missing"),
        (block(0, day("2026-11-21")), "block 1 is missing"),
    ],
)
def test_what_cannot_be_read_stops_the_projector_and_nothing_of_the_block_is_written(
    database: Database, bad: Block, text: str
) -> None:
    projector = Projector(database, Blocks(block(0, day("2026-11-20"))), 1)
    projector.catch_up()
    before = rows(database)
    with pytest.raises(ProjectionError, match=text):
        Projector(database, Blocks(block(0, day("2026-11-20")), bad), 1).run(threading.Event())
    assert before == rows(database)


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    sender = Sender(tmp_path)
    for _ in range(3):
        for _ in range(4):
            sender.put()
        sender.drain()
    yield sender
    sender.ledger.close()
    sender.database.close()


@pytest.mark.parametrize("point", range(1, 8))
def test_a_kill_at_any_write_repeats_a_block_or_leaves_it_out_and_never_does_half(
    sender: Sender, database: Database, tmp_path: Path, point: int
) -> None:
    expected = open_database(tmp_path / "expected.db")
    project(expected, sender.ledger)
    original, statements = database.write, 0

    class Failing:
        """The transaction is entered, everything is written, and the process dies before, or after, the commit."""

        def __init__(self) -> None:
            self.inner = original()

        def __enter__(self) -> Any:
            return self.inner.__enter__()

        def __exit__(self, *error: Any) -> Any:
            nonlocal statements
            statements += 1
            if statements == point:
                self.inner.__exit__(Crash, Crash(), None)
                raise Crash
            done = self.inner.__exit__(*error)
            if statements == point + 1:
                raise Crash
            return done

    database.write = Failing  # type: ignore[assignment, method-assign]
    crashes = 0
    for _ in range(3):
        try:
            project(database, sender.ledger, writes_max=1)
        except Crash:
            crashes += 1
    assert crashes == 2 if point < sender.ledger.height() else crashes <= 2
    database.write = original  # type: ignore[method-assign]
    project(database, sender.ledger)
    assert rows(expected) == rows(database)


def test_a_rebuild_gives_the_same_read_model(sender: Sender, database: Database) -> None:
    projector = project(database, sender.ledger)
    before = rows(database)
    assert projector.rebuild() == sender.ledger.height()
    assert before == rows(database)


def test_a_lost_stream_is_taken_up_where_it_broke(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger_node.readmodel.projector.RETRY_SECONDS", 0.01)
    ledger = Blocks(*(block(number, day(f"2026-11-{number + 1:02d}")) for number in range(5)))
    ledger.break_after = 2
    stop = threading.Event()
    thread = threading.Thread(target=Projector(database, ledger, 1).run, args=(stop,))
    thread.start()
    deadline = threading.Event()
    while ReadModel(database).block_number() < 4:
        assert not deadline.wait(0.01)
    stop.set()
    thread.join(10)
    assert ReadModel(database).day() == "2026-11-05"


def test_documents_to_attest_are_those_of_others_without_a_word_of_ours(sender: Sender, database: Database) -> None:
    project(database, sender.ledger)
    readmodel = ReadModel(database)
    assert len(readmodel.unattested("B", "A")) == 12
    assert readmodel.unattested("A", "A") == readmodel.unattested("C", "A") == []
    assert readmodel.unattested("B", "A")[0]["block_number"] == 5


def test_pages_are_counted_and_their_bounds_are_named(sender: Sender, database: Database) -> None:
    project(database, sender.ledger)
    readmodel = ReadModel(database)
    page = readmodel.documents(submitter="A", kind="invoice", page=2, per_page=5)
    assert (len(page.items), page.total) == (5, 12)
    assert readmodel.documents(submitter="B").total == readmodel.documents(kind="transport_events").total == 0
    for number, per_page in ((0, 50), (1, 0), (1, 501)):
        with pytest.raises(BadRequest):
            readmodel.documents(page=number, per_page=per_page)
    with pytest.raises(BadRequest, match="not sorted by"):
        readmodel.invoices(sort="colour")


def test_when_an_invoice_was_last_touched_is_found_by_its_keys_and_never_by_a_walk_through_history(
    database: Database,
) -> None:
    """However much it rests on: five documents, twenty proofs and ten shipments are what an invoice may have."""
    fields = {"document_ids": 5, "proof_ids": 20, "shipment_ids": 10}
    invoice: dict[str, Any] = {"invoice_id": "a" * 32}
    invoice |= {name: [f"{number:032x}" for number in range(many)] for name, many in fields.items()}
    places = [(9, 1, "invoice/" + "a" * 32), (10, 2, "attestation/" + f"{4:032x}/A"), (10, 10, "document/" + "0" * 32)]
    others = [(number, 0, f"invoice/{number:032x}") for number in range(11, 300)]
    with database.write() as session:
        for block_number, index, key in places + others:
            place: dict[str, Any] = {"block_number": block_number, "transaction_index": index, "write_index": 0}
            said: dict[str, Any] = {"key": key, "value": "{}", "timestamp": f"{block_number} {index}"}
            session.add(HistoryRow(**place, **said, transaction_id="t", msp_id="A"))
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, given))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        assert last_touched(database, "invoice", [invoice]) == ["10 10"]
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    ((statement, given),) = asked
    with database.read() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
    steps = [str(row[3]) for row in plan]
    assert any(step.startswith("SEARCH history USING INDEX ix_history_key") for step in steps)
    assert [step for step in steps if step.startswith("SCAN")] == []


def test_a_database_of_another_version_is_refused_and_nothing_is_guessed(database: Database) -> None:
    versions = f"schema version {SCHEMA_VERSION}, this program has {SCHEMA_VERSION + 1}"
    with pytest.raises(SchemaVersionError, match=versions):
        database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION + 1)


def test_a_founding_proposed_anew_without_a_party_does_not_stop_the_projector(
    tmp_path: Path, database: Database
) -> None:
    ledger = EmbeddedLedger(tmp_path / "ledger.db", "A", b"certificate of A", now)
    for number, names in enumerate(("ABC", "AB")):
        body = {"parties": [party(name, "supplier") for name in names]}
        command = {"command_id": f"{number:032x}", "type": "FoundConsortium", "body": body}
        ledger.submit(ledger.prepare(json.dumps({"version": 1, "commands": [command]}).encode()))
    project(database, ledger)
    ledger.close()
    assert [each["msp_id"] for each in ReadModel(database).parties()] == ["A", "B"]


def of_channel(name: str, *dates: str) -> Blocks:
    """A ledger of which each block has a hash of its own."""
    blocks = [replace(block(number, day(date)), hash=f"{name}{number}") for number, date in enumerate(dates)]
    return Blocks(*blocks)


DATES = ("2026-11-20", "2026-11-21", "2026-11-22")


@pytest.mark.parametrize("dates", [DATES, DATES[:2], (*DATES, "2026-11-23")], ids=["as long", "shorter", "longer"])
def test_blocks_of_another_channel_are_never_folded_onto_the_old_ones(database: Database, dates: tuple[str]) -> None:
    project(database, of_channel("a", *DATES))
    before = rows(database)
    with pytest.raises(ProjectionError, match="the ledger is another one") as told:
        Projector(database, of_channel("b", *dates), 1000).run(threading.Event())
    assert "db rebuild" in told.value.remedy
    assert rows(database) == before
    project(database, of_channel("a", *DATES, "2026-11-24"))  # the control: its own ledger goes on
    assert ReadModel(database).day() == "2026-11-24"


def test_another_block_at_the_height_of_the_checkpoint_stops_the_projector(database: Database) -> None:
    project(database, of_channel("a", *DATES))
    forked = of_channel("a", *DATES, "2026-11-23")
    forked.given[2] = replace(forked.given[2], hash="fork")
    with pytest.raises(ProjectionError, match="block 2 is not the one"):
        Projector(database, forked, 1000).run(threading.Event())
    assert ReadModel(database).block_number() == 2


def test_a_ledger_that_is_shorter_than_the_read_model_is_waited_for_and_goes_on(database: Database) -> None:
    project(database, of_channel("a", *DATES))
    ledger, stop = of_channel("a", *DATES[:1]), threading.Event()
    thread = threading.Thread(target=Projector(database, ledger, 1000).run, args=(stop,))
    thread.start()
    ledger.given[1:] = of_channel("a", *DATES, "2026-11-23").given[1:]  # the peer has caught up
    eventually(lambda: ReadModel(database).day() == "2026-11-23", "it goes on")
    stop.set()
    thread.join()


def test_a_peer_without_early_blocks_is_named_with_its_remedy(database: Database) -> None:
    class Snapshot(Blocks):
        def blocks(self, start: int, stop: threading.Event) -> Generator[Block, None, None]:
            raise BlockMissing("the own peer has later blocks, but not block 0: it joined the channel by a snapshot")
            yield from super().blocks(start, stop)

    with pytest.raises(ProjectionError, match="by a snapshot") as told:
        Projector(database, Snapshot(block(0)), 1000).run(threading.Event())
    assert "PEER_ENDPOINT" in told.value.remedy


def test_a_block_of_an_embedded_ledger_has_a_hash_that_no_other_ledger_has(tmp_path: Path) -> None:
    hashes = set()
    for name in ("one", "two"):
        ledger = EmbeddedLedger(tmp_path / name, "A", b"a", now)
        found(ledger, EmbeddedLedger(tmp_path / name, "B", b"b", now))
        with closing(ledger.blocks(0, threading.Event())) as blocks:
            hashes |= {next(blocks).hash for _ in range(2)}
        ledger.close()
    assert len(hashes) == 4


def test_a_projector_tells_why_the_ledger_is_lost_and_that_blocks_come_again(database: Database) -> None:
    heard, stop, ledger = list[str](), threading.Event(), of_channel("a", *DATES)
    ledger.break_after = 0
    projector = Projector(database, ledger, 1000, told=heard.append)
    thread = threading.Thread(target=projector.run, args=(stop,))
    thread.start()
    eventually(lambda: ReadModel(database).block_number() == 2, "all are folded")
    stop.set()
    thread.join()
    assert (heard[0], set(heard[1:])) == ("the connection was lost", {""})
