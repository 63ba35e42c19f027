"""One organisation's outbox over a founded embedded ledger, and a ledger that can be made to fail around its steps."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from ledger_node.database import Database
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.ledger.interface import Block, Ledger, Prepared, Receipt
from ledger_node.migrations import migrate_state
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.flights import Flight
from ledger_node.outbox.sender import OutboxSender, SendLimits
from ledger_node.outbox.store import Outbox, Submission

LIMITS = SendLimits(batch_commands_max=50, batch_bytes_max=100_000, status_seconds_max=0.1, endorse_tries_max=2)
NEVER = threading.Event()


class Crash(BaseException):
    """The process is killed here: nothing catches it."""


class Unreliable:
    """A real ledger whose `prepare` and `submit` can be made to fail around what they really do."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.before_prepare: Callable[[bytes], None] = lambda argument: None
        self.before_submit: Callable[[Prepared], None] = lambda prepared: None
        self.after_submit: Callable[[Prepared], None] = lambda prepared: None
        self.submits = 0

    def prepare(self, argument: bytes) -> Prepared:
        self.before_prepare(argument)
        return self.ledger.prepare(argument)

    def submit(self, prepared: Prepared) -> Receipt:
        self.submits += 1
        self.before_submit(prepared)
        receipt = self.ledger.submit(prepared)
        self.after_submit(prepared)
        return receipt

    def status(self, transaction_id: str, timeout_seconds: float) -> Receipt | None:
        return self.ledger.status(transaction_id, timeout_seconds)

    def evaluate(self, argument: bytes, block_number_min: int = 0) -> bytes:
        return self.ledger.evaluate(argument, block_number_min)

    def blocks(self, start: int, stop: threading.Event) -> Generator[Block, None, None]:
        return self.ledger.blocks(start, stop)

    def height(self) -> int:
        return self.ledger.height()

    def group_bytes_max(self) -> int:
        return self.ledger.group_bytes_max()

    def close(self) -> None:
        self.ledger.close()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def party(msp_id: str, role: str) -> dict[str, Any]:
    return {
        "msp_id": msp_id,
        "name": msp_id,
        "roles": [role],
        "group_id": msp_id,
        "peer_url": "https://localhost:1",
        "identity_fingerprint": secrets.token_hex(32),
        "payout_fingerprint": secrets.token_hex(32),
        "issue_limits": {},
    }


def found(ledger: Ledger, *others: Ledger) -> None:
    """A consortium of A and the others, which are B and C, with an open day."""

    def run(who: Ledger, type_: str, body: dict[str, Any]) -> dict[str, Any]:
        command = {"command_id": secrets.token_hex(16), "type": type_, "body": body}
        receipt = who.submit(who.prepare(json.dumps({"version": 1, "commands": [command]}).encode()))
        result: dict[str, Any] = json.loads(receipt.answer)["results"][0]["result"]
        return result

    parties = [party("A", "supplier"), party("B", "buyer"), party("C", "supplier")][: 1 + len(others)]
    digest = run(ledger, "FoundConsortium", {"parties": parties})["digest"]
    for each in (ledger, *others):
        run(each, "ConfirmFounding", {"digest": digest})
    run(ledger, "OpenDay", {"date": now().date().isoformat()})


def send_group(sender: OutboxSender) -> bool:
    """Send the next group in this thread and see it through. Returns: whether there was anything to send."""
    group = sender._next_group()
    sender._passage.see_through(Flight(group), NEVER)
    return bool(group.commands)


class Sender:
    """One organisation's outbox and worker over a founded ledger; `restart` is a new process on the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(f"sqlite:///{folder / 'state.db'}")
        migrate_state(self.database)
        real = EmbeddedLedger(folder / "ledger.db", "A", b"certificate of A", now)
        found(real, *(EmbeddedLedger(folder / "ledger.db", name, b"certificate", now) for name in "BC"))
        self.ledger = Unreliable(real)
        self.restart()

    def restart(self, limits: SendLimits = LIMITS, count: Callable[[str], None] = lambda reason: None) -> None:
        self.outbox = Outbox(self.database, now, 50_000)
        self.worker = OutboxSender(self.outbox, self.database, self.ledger, limits, Contention("A"), count)

    def put(self, document_id: str = "", **options: Any) -> Submission:
        return self.outbox.put("RegisterDocument", document(document_id or secrets.token_hex(16)), **options)

    def get(self, submission: Submission) -> Submission:
        current = self.outbox.get(submission.id)
        assert current is not None
        return current

    def drain(self) -> None:
        """What a fresh process does: recover, then send until nothing waits."""
        self.worker.recover()
        for _ in range(200):
            if not self.outbox.counts()["waiting"]:
                return
            if not send_group(self.worker):
                NEVER.wait(0.05)
        raise AssertionError(f"still waiting: {self.outbox.counts()}")

    def effects(self) -> list[str]:
        """Every document that was ever written to the ledger, once per write."""
        stop, keys, height = threading.Event(), [], self.ledger.height()
        for block in self.ledger.blocks(0, stop):
            keys += [write.key for each in block.transactions for write in each.writes if write.key[:9] == "document/"]
            if block.number == height - 1:
                return keys
        raise AssertionError("the stream of blocks ended")


def document(document_id: str) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "kind": "invoice",
        "media_type": "application/xml",
        "size_bytes": 1,
        "algorithm": "SHA-256",
        "commitment": "0" * 64,
        "entitled": ["B"],
    }
