"""A node goes on with the ledger that the contract of the first issue's last commit wrote, and reads all of it anew."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "chaincode"))

import world_bodies as words
from sender import LIMITS, send_group
from world_bodies import BUYER, FACE_MINOR, FINANCIER, SUPPLIER, hexid

from chaincode.records import canonical
from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.ledger.interface import Ledger
from ledger_node.migrations import migrate_state
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.sender import OutboxSender
from ledger_node.outbox.store import Outbox, SubmissionStatus
from ledger_node.readmodel import SCHEMA_VERSION, ReadModel
from ledger_node.readmodel.projector import Projector
from ledger_node.readmodel.tables import dump

FIRST = Path(__file__).parents[2] / "chaincode" / "ledgers" / "9b6c5c06b39b37fe0fa1af243990101a733c7662.json.gz"


def now() -> dt.datetime:
    """A moment of the day that is open on the old ledger."""
    return dt.datetime.fromisoformat(f"{words.DAY}T12:00:00+00:00")


def old_ledger(path: Path, world: str) -> None:
    """An embedded ledger whose first block holds all that the old contract wrote, byte for byte."""
    content: dict[str, Any] = json.loads(gzip.decompress(FIRST.read_bytes()))["worlds"][world]
    state = {key: canonical(value) for key, value in content.items()}
    EmbeddedLedger(path, SUPPLIER, b"", now).close()
    writes = json.dumps([[key, base64.b64encode(value).decode()] for key, value in state.items()])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO block VALUES (0, ?, ?, ?, ?, ?)", ("0" * 64, SUPPLIER, f"{words.DAY}T11:00:00Z", writes, b"{}")
        )
        connection.executemany("INSERT INTO state VALUES (?, ?)", state.items())


def send(folder: Path, ledger: Ledger, name: str, type_: str, body: dict[str, Any]) -> Any:
    """One command through a node's outbox; its result."""
    database = Database(f"sqlite:///{folder / name}.db")
    migrate_state(database)
    outbox = Outbox(database, now, 50_000)
    submission = outbox.put(type_, body)
    assert send_group(OutboxSender(outbox, database, ledger, LIMITS, Contention(SUPPLIER)))
    answered = outbox.get(submission.id)
    assert answered is not None
    assert answered.status is SubmissionStatus.APPLIED, answered
    return answered.result


def test_a_node_goes_on_with_an_old_ledger_and_its_read_model_comes_back_from_the_first_block(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    old_ledger(path, "registered")
    ledgers = {each: EmbeddedLedger(path, each, b"", now) for each in (BUYER, FINANCIER)}
    folded = Database(f"sqlite:///{tmp_path / 'readmodel.db'}")
    folded.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
    projector, readmodel = Projector(folded, ledgers[BUYER], 1_000), ReadModel(folded)
    projector.catch_up()
    before = readmodel.invoice(hexid("invoice"))
    assert before is not None
    assert (before["status"], before["credited_minor"]) == ("registered", 0)

    released = send(tmp_path, ledgers[BUYER], "buyer", "ApproveInvoice", words.approval())
    assert released == {"released": [hexid("invoice")]}
    send(tmp_path, ledgers[FINANCIER], "financier", "IssueDeposit", words.deposit())
    send(tmp_path, ledgers[BUYER], "buyer", "AcknowledgeAssignment", {"invoice_id": hexid("invoice")})
    send(tmp_path, ledgers[BUYER], "buyer", "SettleInvoice", words.settlement())

    projector.catch_up()
    after = readmodel.invoice(hexid("invoice"))
    assert after is not None
    assert (after["status"], after["settled_minor"]) == ("settled", FACE_MINOR)
    with folded.read() as session:
        followed = dump(session)
    assert projector.rebuild() == 5
    with folded.read() as session:
        assert dump(session) == followed
