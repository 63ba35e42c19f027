"""The embedded ledger keeps Fabric's manners, among several processes too."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from consortium import eventually
from sender import document, found, now

from chaincode.stub import Answer, Stub
from ledger_node.errors import ConfigError
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.ledger.interface import VALID, ContractRefused, EndorseError, SubmitError


def argument(*bodies: dict[str, Any], type_: str = "RegisterDocument") -> bytes:
    commands = [{"command_id": secrets.token_hex(16), "type": type_, "body": body} for body in bodies]
    return json.dumps({"version": 1, "commands": commands}).encode()


def query(key: str) -> bytes:
    return json.dumps({"version": 1, "query": {"type": "Record", "key": key}}).encode()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    ledger = EmbeddedLedger(tmp_path / "ledger.db", "A", b"certificate of A", now)
    other = EmbeddedLedger(tmp_path / "ledger.db", "B", b"certificate of B", now)
    found(ledger, other)
    other.close()
    yield ledger
    ledger.close()


def test_each_transaction_is_a_block_and_blocks_are_numbered_from_0(ledger: EmbeddedLedger) -> None:
    receipt = ledger.submit(ledger.prepare(argument(document("a" * 32), document("b" * 32))))
    assert (receipt.code, receipt.block_number) == (VALID, ledger.height() - 1)
    stop, seen = threading.Event(), []
    for block in ledger.blocks(0, stop):
        seen.append(block)
        if block.number == receipt.block_number:
            stop.set()
    assert [block.number for block in seen] == list(range(ledger.height()))
    (transaction,) = seen[-1].transactions
    assert (transaction.id, transaction.msp_id, transaction.answer) == (receipt.transaction_id, "A", receipt.answer)
    written = {write.key for write in transaction.writes}
    assert {f"document/{'a' * 32}", f"document/{'b' * 32}"} <= written


def test_who_must_endorse_a_key_is_kept_until_the_key_is_deleted(
    ledger: EmbeddedLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def contract(stub: Stub, argument: bytes) -> Answer:
        if argument == b"delete":
            stub.del_state("key")
        else:
            stub.put_state("key", b"value")
            stub.set_key_endorsers("key", argument.decode().split(), *((["C", "D"], 1) if argument == b"A B" else ()))
        return Answer(True, b"{}")

    def kept() -> list[Any]:
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
            return connection.execute("SELECT key, msp_ids FROM key_endorsers").fetchall()

    monkeypatch.setattr("ledger_node.ledger.embedded.dispatch.dispatch", contract)
    for argument_, expected in (
        (b"A", [("key", '["A"]')]),
        (b"A B", [("key", '["A", "B", ["1", "C", "D"]]')]),
        (b"delete", []),
    ):
        ledger.submit(ledger.prepare(argument_))
        assert kept() == expected


def test_a_refused_transaction_changes_nothing(ledger: EmbeddedLedger) -> None:
    ledger.submit(ledger.prepare(argument(document("a" * 32))))
    height, prepared = ledger.height(), ledger.prepare(argument(document("a" * 32)))
    with pytest.raises(ContractRefused, match="ID_TAKEN"):
        ledger.submit(prepared)
    assert ledger.height() == height
    assert ledger.status(prepared.transaction_id, 0) is None


def test_a_transaction_sent_twice_happens_once_and_its_fate_is_known(ledger: EmbeddedLedger) -> None:
    prepared = ledger.prepare(argument(document("a" * 32)))
    receipt = ledger.submit(prepared)
    with pytest.raises(SubmitError, match="already processed"):
        ledger.submit(prepared)
    known = ledger.status(prepared.transaction_id, 0)
    assert known is not None
    assert known.block_number == receipt.block_number == ledger.height() - 1


def test_an_evaluation_writes_nothing_and_reads_what_is_committed(ledger: EmbeddedLedger) -> None:
    height = ledger.height()
    assert json.loads(ledger.evaluate(query(f"document/{'a' * 32}")))["result"] is None
    ledger.evaluate(argument(document("a" * 32)))
    assert ledger.height() == height
    ledger.submit(ledger.prepare(argument(document("a" * 32))))
    assert json.loads(ledger.evaluate(query(f"document/{'a' * 32}"), height + 1))["result"]["submitter"] == "A"


def test_an_evaluation_on_a_block_that_is_not_there_yet_is_no_refusal(ledger: EmbeddedLedger) -> None:
    with pytest.raises(EndorseError, match="not yet"):
        ledger.evaluate(query("day"), ledger.height() + 1)


def test_an_evaluation_can_be_refused(ledger: EmbeddedLedger) -> None:
    with pytest.raises(ContractRefused, match="MALFORMED"):
        ledger.evaluate(b"{}")


def test_a_contract_that_breaks_is_a_failure_and_no_refusal(ledger: EmbeddedLedger, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE state SET value = ? WHERE key = 'day'", (b"nonsense",))
    with pytest.raises(EndorseError):
        ledger.submit(ledger.prepare(argument(document("a" * 32))))


def test_blocks_come_as_they_are_committed_and_end_with_the_event(ledger: EmbeddedLedger) -> None:
    stop, start = threading.Event(), ledger.height()
    seen: list[int] = []

    def follow() -> None:
        seen.extend(block.number for block in ledger.blocks(start, stop))

    thread = threading.Thread(target=follow)
    thread.start()
    for name in "abc":
        ledger.submit(ledger.prepare(argument(document(name * 32))))
    eventually(lambda: seen == [start, start + 1, start + 2], "the blocks come")
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def ledger_numbers(ledger: EmbeddedLedger, start: int) -> Iterator[int]:
    stop = threading.Event()
    for block in ledger.blocks(start, stop):
        yield block.number
        if block.number == ledger.height() - 1:
            stop.set()


def test_ids_and_times_are_made_like_fabric_makes_them(tmp_path: Path) -> None:
    moment = dt.datetime(2026, 11, 22, 12, 30, 1, 5, dt.UTC)
    ledger = EmbeddedLedger(tmp_path / "ledger.db", "A", b"certificate", lambda: moment)
    first, second = ledger.prepare(b"{}"), ledger.prepare(b"{}")
    assert first.transaction_id != second.transaction_id
    assert len(first.transaction_id) == len(hashlib.sha256().hexdigest())
    assert first.payload == b"2026-11-22T12:30:01.000005Z\n{}"
    ledger.close()
    ledger.close()


def test_a_file_that_is_no_ledger_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("this is no database, and long enough to be looked at" * 100)
    with pytest.raises(ConfigError, match="cannot be opened"):
        EmbeddedLedger(tmp_path / "ledger.db", "A", b"", now)


def test_a_file_locked_for_too_long_is_a_failed_endorsement(
    ledger: EmbeddedLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_node.ledger.embedded.BUSY_SECONDS", 0.05)
    impatient = EmbeddedLedger(tmp_path / "ledger.db", "A", b"certificate of A", now)
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(EndorseError, match="locked"):
        impatient.submit(impatient.prepare(argument(document("a" * 32))))
    holder.execute("ROLLBACK")
    holder.close()
    impatient.submit(impatient.prepare(argument(document("a" * 32))))
    impatient.close()


REGISTER = """
import datetime, json, secrets, sys
from pathlib import Path
from ledger_node.ledger.embedded import EmbeddedLedger
ledger = EmbeddedLedger(Path(sys.argv[1]), "A", b"certificate of A", lambda: datetime.datetime.now(datetime.UTC))
for _ in range(15):
    body = json.loads(sys.argv[2]) | {"document_id": secrets.token_hex(16)}
    command = {"command_id": secrets.token_hex(16), "type": "RegisterDocument", "body": body}
    ledger.submit(ledger.prepare(json.dumps({"version": 1, "commands": [command]}).encode()))
"""


def test_several_processes_write_one_chain_without_gaps(ledger: EmbeddedLedger, tmp_path: Path) -> None:
    start = ledger.height()
    command = [sys.executable, "-c", REGISTER, str(tmp_path / "ledger.db"), json.dumps(document("a" * 32))]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert list(ledger_numbers(ledger, start)) == list(range(start, start + 45))
