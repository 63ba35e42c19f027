"""The verifier: says only what it recomputed, says it once, and is stopped by nobody's document."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from consortium import WAIT_SECONDS, eventually
from sender import Sender, document
from sqlalchemy import event

from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.documents.findings import Findings
from ledger_node.hashing import Hashed, Source, UnreadableError, commitment, digest
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.migrations import migrate_state
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.sender import OutboxSender
from ledger_node.outbox.store import Outbox, SubmissionStatus
from ledger_node.people.names import Names
from ledger_node.readmodel import SCHEMA_VERSION, ReadModel
from ledger_node.readmodel.projector import Projector
from ledger_node.rules import Slow
from ledger_node.verification.attempts import RETRY_SECONDS_MAX, Attempt, Attempts
from ledger_node.verification.due import FETCHES_A_SUBMITTER_MAX, DueDocuments
from ledger_node.verification.exchange import Given, NotEntitled, Unavailable
from ledger_node.verification.fetcher import Fetcher
from ledger_node.verification.recompute import NOTHING_READ, Recomputed
from ledger_node.verification.verdicts import Verdicts, attestation_id
from ledger_node.verification.verifier import FETCHES_AT_ONCE, Batches, HashBatch, Verifier

SALT = b"\x05" * 32
CONTENT = b"the document"
ID = "d" * 32
NEVER = threading.Event()


class Bench:
    """Organisation A registers documents, B verifies them; everything but the wire is real."""

    def __init__(self, sender: Sender, folder: Path) -> None:
        self.sender, self.folder = sender, folder
        self.state = Database(f"sqlite:///{folder / 'b.db'}")
        migrate_state(self.state)
        self.database = Database(f"sqlite:///{folder / 'readmodel.db'}")
        self.database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        self.ledger = EmbeddedLedger(folder / "ledger.db", "B", b"certificate of B", lambda: dt.datetime.now(dt.UTC))
        self.readmodel = ReadModel(self.database)
        self.outbox = Outbox(self.state, lambda: dt.datetime.now(dt.UTC), 50_000)
        self.worker = OutboxSender(self.outbox, self.state, self.ledger, sender.worker._limits, Contention("B"))
        self.documents = threading.Event()
        self.attempts = Attempts(self.state, retry_seconds=0.02)
        self.findings = Findings(self.state, lambda: dt.datetime.now(dt.UTC))
        self.hash_batch: HashBatch = HashlibBackend().hash_batch
        self.given: list[bytes | Exception] = []
        self.slow: set[str] = set()
        self.before: dict[str, Callable[[str], None]] = {}
        self.read: Callable[[dict[str, Any], Path], Recomputed] = lambda document, path: NOTHING_READ

    def fetch(self, peer_url: str, msp_id: str, document_id: str, sink: BinaryIO, size_bytes_max: int) -> Given:
        if msp_id in self.before:
            self.before[msp_id](document_id)
        answer = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        if isinstance(answer, Exception):
            raise answer
        sink.write(answer)
        return Given(SALT)

    def register(self, document_id: str = ID, content: bytes = CONTENT) -> None:
        body = document(document_id) | {"commitment": commitment(SALT, digest(content)).hex()}
        self.sender.outbox.put("RegisterDocument", body)
        self.sender.drain()

    def verifier(self) -> Verifier:
        def recompute(document: dict[str, Any], path: Path, _file_name: str, patient: bool) -> Recomputed:
            if not patient and document["document_id"] in self.slow:
                raise Slow
            return self.read(document, path)

        return Verifier(
            DueDocuments("B", self.readmodel, self.outbox.get, self.attempts),
            Fetcher(self.fetch, self.readmodel, self.folder / "fetched", size_bytes_max=1000),
            Verdicts("B", self.outbox, self.attempts, self.findings, Names(self.state), recompute, tries_max=3),
            Batches(lambda sources: self.hash_batch(sources), documents_max=100, bytes_max=10_000),
            self.documents,
            self.database.changes,
        )

    def run_until(self, done: Callable[[], Any], what: str) -> None:
        """Run verifier, outbox and projector until something holds."""
        stop = threading.Event()
        runs = (
            self.verifier().run,
            self.worker.run,
            Projector(self.database, self.ledger, 1000, documents=self.documents).run,
        )
        threads = [threading.Thread(target=run, args=(stop,)) for run in runs]
        for thread in threads:
            thread.start()
        try:
            eventually(done, what)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def verdict(self, document_id: str = ID) -> str:
        found = self.readmodel.attestations(document_id)
        return found[0]["verdict"] if found else ""

    def said(self, document_id: str = ID) -> list[str]:
        """Every verdict that ever stood on the ledger."""
        return [row["what"] for row in self.history() if row["key"] == f"attestation/{document_id}/B"]

    def history(self) -> list[dict[str, Any]]:
        import json

        from sqlmodel import select

        from ledger_node.readmodel.tables import HistoryRow

        with self.database.read() as session:
            rows = session.exec(select(HistoryRow)).all()
        return [{"key": row.key, "what": json.loads(row.value or "{}").get("verdict", "")} for row in rows]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    sender = Sender(tmp_path)
    bench = Bench(sender, tmp_path)
    yield bench
    for each in (bench.ledger, bench.state, bench.database, sender.ledger, sender.database):
        each.close()


def test_what_has_the_ledgers_commitment_is_verified_and_its_bytes_are_deleted(bench: Bench) -> None:
    bench.register()
    bench.given = [CONTENT]
    bench.run_until(lambda: bench.verdict() == "verified", "verified")
    assert bench.said() == ["verified"]
    assert list((bench.folder / "fetched").iterdir()) == []


def test_a_mismatch_is_said_only_after_a_second_fetch_agrees(bench: Bench) -> None:
    bench.register()
    bench.given = [b"one", b"two", CONTENT]
    bench.run_until(lambda: bench.verdict() != "", "something is said")
    assert bench.said() == ["verified"]
    bench.register("e" * 32)
    bench.given = [b"swapped"]
    bench.run_until(lambda: bench.verdict("e" * 32) != "", "something is said")
    assert bench.said("e" * 32) == ["mismatch"]
    recomputed = commitment(SALT, digest(b"swapped")).hex()
    assert bench.readmodel.attestations("e" * 32)[0]["commitment"] == recomputed
    (finding,), total = bench.findings.list()
    assert total == 1
    evidence = {name: finding[name] for name in ("kind", "document_id", "expected", "found", "size_bytes", "backend")}
    assert evidence == {
        "kind": "mismatch",
        "document_id": "e" * 32,
        "expected": commitment(SALT, digest(CONTENT)).hex(),
        "found": recomputed,
        "size_bytes": len(b"swapped"),
        "backend": "hashlib",
    }


def test_what_a_backend_gets_wrong_is_hashed_again_before_anybody_hears_of_it(bench: Bench) -> None:
    bench.register()
    bench.given = [CONTENT]
    bench.hash_batch = lambda sources: [Hashed(b"\x00" * 32, 12, "gpu:broken") for _ in sources]
    bench.run_until(lambda: bench.verdict() != "", "something is said")
    assert (bench.said(), bench.findings.list()) == (["verified"], ([], 0))


def test_what_has_come_is_hashed_together_the_oldest_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ledger_node.verification.verifier.GATHER_SECONDS", WAIT_SECONDS
    )  # a busy machine takes long to fetch all of them
    ids = [f"{number:032x}" for number in range(FETCHES_A_SUBMITTER_MAX, 0, -1)]
    for document_id in ids:
        bench.register(document_id)
    Projector(bench.database, bench.ledger, 1000).catch_up()
    barrier, batches, hash_batch = threading.Barrier(len(ids)), list[int](), bench.hash_batch
    bench.given, bench.before = [CONTENT], {"A": lambda document_id: void(barrier.wait(WAIT_SECONDS))}

    def counted(sources: Sequence[Source]) -> list[Hashed | UnreadableError]:
        batches.append(len(sources))
        return hash_batch(sources)

    bench.hash_batch = counted
    bench.run_until(lambda: bench.verdict(ids[-1]) == "verified", "verified")
    assert batches == [len(ids)]
    assert [row["key"].split("/")[1] for row in bench.history() if row["key"].startswith("attestation")] == ids


def void(_: object) -> None:
    """Nothing."""


def test_only_the_oldest_few_of_each_submitter_are_looked_at_and_through_the_index(bench: Bench) -> None:
    ids = [f"{number:032x}" for number in range(30, 0, -1)]
    for document_id in ids:
        bench.sender.put(document_id)
        bench.sender.drain()
    Projector(bench.database, bench.ledger, 1000).catch_up()
    first = bench.readmodel.unattested("B", "A", limit=7)
    assert [each["document_id"] for each in first] == ids[:7]
    after = (first[-1]["block_number"], first[-1]["document_id"])
    assert [each["document_id"] for each in bench.readmodel.unattested("B", "A", after=after)] == ids[7:]
    statements: list[tuple[str, Any]] = []

    def keep(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        statements.append((statement, parameters))

    event.listen(bench.database._engine, "before_cursor_execute", keep)
    bench.readmodel.unattested("B", "A", after=after, limit=7)
    event.remove(bench.database._engine, "before_cursor_execute", keep)
    with bench.database.read() as session:
        found = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[-1][0]}", statements[-1][1]).all()
    plan = " ".join(str(row[-1]) for row in found)
    assert "ix_entitlement_open (party=? AND submitter=? AND open=? AND (block_number," in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_a_restarted_verifier_goes_on_with_its_tries_and_ends_with_none(bench: Bench) -> None:
    for document_id in (ID, "e" * 32, "f" * 32):
        bench.register(document_id)
    bench.given = [Unavailable("down")]
    bench.run_until(lambda: all(bench.attempts.known([each]) for each in (ID, "e" * 32, "f" * 32)), "all were tried")
    bench.given = [CONTENT]
    bench.run_until(lambda: {bench.verdict(each) for each in (ID, "e" * 32, "f" * 32)} == {"verified"}, "verified")
    bench.run_until(lambda: bench.attempts.known([ID, "e" * 32, "f" * 32]) == set(), "nothing is left to be done")


def test_a_next_try_that_a_clock_a_month_ahead_wrote_down_is_not_waited_for(bench: Bench) -> None:
    bench.register()
    bench.given = [CONTENT]
    bench.attempts.put(Attempt(ID, "A", tries=1, not_before=RETRY_SECONDS_MAX - 60))
    assert bench.attempts.due("A", 0.0, 10) == []  # the control: within the longest pause it is waited for
    bench.attempts.put(Attempt(ID, "A", tries=1, not_before=4e9))
    bench.run_until(lambda: bench.verdict() == "verified", "verified")


def test_documents_said_to_be_unavailable_are_tried_again_even_when_the_tries_were_forgotten(bench: Bench) -> None:
    bench.register()
    bench.given = [Unavailable("down")]
    bench.run_until(lambda: bench.verdict() == "unavailable", "unavailable")
    bench.attempts.forget(ID)
    bench.given = [CONTENT]
    bench.run_until(lambda: bench.verdict() == "verified", "verified after all")


@pytest.mark.parametrize("error", [Unavailable("down"), NotEntitled("no"), OSError("disk"), RuntimeError("a fault")])
def test_what_cannot_be_had_is_unavailable_after_some_tries_and_may_still_be_verified(
    bench: Bench, error: Exception
) -> None:
    bench.register()
    bench.given = [error] * 6 + [CONTENT]
    bench.run_until(lambda: bench.verdict() == "verified", "verified after all")
    assert bench.said() == ["unavailable", "verified"]


def test_a_document_that_breaks_its_reader_keeps_no_other_from_being_verified(bench: Bench) -> None:
    bench.register()
    bench.register("e" * 32)

    def read(document: dict[str, Any], path: Path) -> Recomputed:
        if document["document_id"] == ID:
            raise RecursionError("a document made for this")
        return NOTHING_READ

    bench.read, bench.given = read, [CONTENT]
    bench.run_until(lambda: bench.verdict("e" * 32) == "verified" and bench.verdict() != "", "both are looked at")
    assert bench.said() == ["unavailable"]


def test_a_submitter_that_never_answers_delays_only_its_own_documents(bench: Bench) -> None:
    other = EmbeddedLedger(bench.folder / "ledger.db", "C", b"certificate of C", lambda: dt.datetime.now(dt.UTC))
    for number in range(FETCHES_AT_ONCE):
        command = {"command_id": f"{number:032x}", "type": "RegisterDocument", "body": document(f"{number:032x}")}
        other.submit(other.prepare(json.dumps({"version": 1, "commands": [command]}).encode()))
    other.close()
    bench.register()
    released, stalled = threading.Event(), list[str]()

    def never(document_id: str) -> None:
        stalled.append(document_id)
        released.wait(2 * WAIT_SECONDS)

    bench.given, bench.before = [CONTENT], {"C": never}

    def verified() -> bool:
        if bench.verdict() == "verified":
            released.set()
        return released.is_set()

    bench.run_until(verified, "verified all the same")
    assert len(stalled) == FETCHES_A_SUBMITTER_MAX


def test_a_document_whose_check_is_slow_holds_up_no_other(bench: Bench) -> None:
    """The slow one is read again beside the others; it is concluded only after the quick one was, and work goes on."""
    slow, quick, later = "a" * 32, "b" * 32, "c" * 32
    for document_id in (slow, quick):
        bench.register(document_id)
    bench.given, bench.slow = [CONTENT], {slow}

    def read(document: dict[str, Any], path: Path) -> Recomputed:
        assert path.read_bytes() == CONTENT
        if document["document_id"] == slow:
            eventually(lambda: bench.verdict(quick), "a verdict of the quick one")
        return NOTHING_READ

    def slow_is_concluded() -> bool:
        if bench.verdict(slow) and not bench.readmodel.document(later):
            bench.register(later)
        return bool(bench.verdict(later))

    bench.read = read
    bench.run_until(slow_is_concluded, "a verdict of the one after the slow one")
    assert [bench.verdict(each) for each in (slow, quick, later)] == ["verified"] * 3
    assert not list((bench.folder / "fetched").iterdir())


def test_a_verifier_killed_after_it_queued_an_attestation_does_not_attest_twice(bench: Bench) -> None:
    bench.register()
    bench.given = [CONTENT]
    Projector(bench.database, bench.ledger, 1000).catch_up()
    for _ in range(2):  # two lives of the verifier, and nobody sends in between
        stop = threading.Event()
        thread = threading.Thread(target=bench.verifier().run, args=(stop,))
        thread.start()
        eventually(lambda: bench.outbox.counts()["waiting"], "the attestation is queued")
        stop.wait(0.2)
        stop.set()
        thread.join()
    assert bench.outbox.counts()["waiting"] == 1
    assert bench.outbox.get(attestation_id(ID, "B", "verified", 0)) is not None
    bench.run_until(lambda: bench.verdict() == "verified", "verified")
    assert bench.said() == ["verified"]


def test_a_refused_attestation_is_made_again_under_another_id(bench: Bench) -> None:
    bench.register()
    bench.given = [CONTENT]
    bench.read = lambda document, path: Recomputed({"no": "facts"}, {})  # MALFORMED for the contract
    first, second = (attestation_id(ID, "B", "verified", generation) for generation in (0, 1))
    bench.run_until(lambda: bench.outbox.get(second) is not None, "it is made again")
    refused = bench.outbox.get(first)
    assert refused is not None
    assert (refused.status, refused.code) == (SubmissionStatus.REFUSED, "MALFORMED")
    bench.read = lambda document, path: NOTHING_READ
    bench.run_until(lambda: bench.verdict() == "verified", "verified after all")


def test_a_refused_attestation_is_made_again_even_when_the_tries_were_forgotten(bench: Bench) -> None:
    bench.register()
    bench.given = [CONTENT]
    bench.read = lambda document, path: Recomputed({"no": "facts"}, {})
    refused = attestation_id(ID, "B", "verified", 0)
    bench.run_until(lambda: (each := bench.outbox.get(refused)) and each.final, "it is refused")
    bench.attempts.forget(ID)
    second = attestation_id(ID, "B", "verified", 1)
    bench.run_until(lambda: bench.outbox.get(second) is not None, "it is made again")


def test_an_attestation_with_other_facts_after_a_crash_is_no_reason_to_stop(bench: Bench) -> None:
    bench.register()
    bench.given = [CONTENT]
    bench.outbox.put("AttestDocument", {"other": "facts"}, command_id=attestation_id(ID, "B", "verified", 0))
    bench.run_until(lambda: bench.verdict() == "verified", "verified after all")
