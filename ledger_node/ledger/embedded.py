"""The embedded ledger: the same contract over one SQLite file that the nodes of one machine share.

For trying the product out, for tests, and for one organisation alone; it is no network and says so wherever it is
named. It keeps Fabric's manners: reads never see the transaction's own writes, blocks are numbered from 0 (here one
transaction each), there is one writer, a refused transaction leaves nothing. It never shows conflicts, endorsement
policies or two peers that disagree; who must endorse a key (`set_key_endorsers`) it keeps as metadata beside the key
and cannot enforce. Identity is taken from the settings: whoever can write the file can be anybody.
Source: SQLite's WAL documentation; Fabric's transaction id is SHA-256(nonce ‖ creator).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaincode import dispatch
from chaincode.stub import Answer
from ledger_node.errors import ConfigError
from ledger_node.ledger.interface import (
    VALID,
    Block,
    EndorseError,
    Prepared,
    Receipt,
    SubmitError,
    Transaction,
    Write,
    not_ok,
)

CHANNEL = "embedded"
NONCE_BYTES = 24
BUSY_SECONDS = 30.0
POLL_SECONDS = 0.02
BLOCKS_A_READ = 200
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"

_TABLES = """
CREATE TABLE IF NOT EXISTS block (
    number INTEGER PRIMARY KEY, transaction_id TEXT NOT NULL UNIQUE, msp_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    writes TEXT NOT NULL, answer BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_endorsers (key TEXT PRIMARY KEY, msp_ids TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass
class EmbeddedStub:
    """One transaction as the contract sees it: committed state to read, a list of writes to fill. Never waits."""

    connection: sqlite3.Connection
    tx_id: str
    timestamp: int
    msp_id: str
    creator_certificate: bytes
    channel_id: str = CHANNEL
    writes: dict[str, bytes | None] = field(default_factory=dict)
    endorsers: dict[str, list[str | list[str]]] = field(default_factory=dict)

    async def get_state(self, key: str) -> bytes | None:
        """The committed value of a key."""
        row = self.connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of several keys, in their order."""
        return [await self.get_state(key) for key in keys]

    async def get_range(self, start: str, end: str, limit: int = 0) -> list[tuple[str, bytes]]:
        """The first committed keys, 0 for all, from `start` (inclusive) to `end` (exclusive), in byte order."""
        return self.connection.execute(
            "SELECT key, value FROM state WHERE key >= ? AND key < ? ORDER BY key LIMIT ?", (start, end, limit or -1)
        ).fetchall()

    def put_state(self, key: str, value: bytes) -> None:
        """Set a key when the transaction commits."""
        assert key and value, "neither key nor value may be empty"
        self.writes[key] = value

    def del_state(self, key: str) -> None:
        """Delete a key when the transaction commits."""
        self.writes[key] = None

    def set_key_endorsers(
        self, key: str, msp_ids: Sequence[str], others: Sequence[str] = (), others_min: int = 0
    ) -> None:
        """Note who would have to endorse later changes of a key; nothing here enforces it."""
        assert key and msp_ids and all(msp_ids), "neither the key nor an MSP id may be empty"
        assert others_min <= len(others), "more of the others than there are"
        self.endorsers[key] = [*msp_ids, *([[str(others_min), *others]] if others_min else [])]


class EmbeddedLedger:
    """The Ledger protocol over one file; may be used from any thread, the file by several processes.

    Args:
        path: the file; made when missing.
        msp_id: who this node is.
        certificate: this node's certificate, PEM, as the contract sees the creator.
        now: the clock, for the timestamps of proposals; UTC.

    Raises: ConfigError when the file cannot be opened.
    """

    def __init__(self, path: Path, msp_id: str, certificate: bytes, now: Callable[[], dt.datetime]) -> None:
        self._path = path
        self._msp_id = msp_id
        self._certificate = certificate
        self._now = now
        self._writing, self._reading = threading.RLock(), threading.RLock()
        self._connections: dict[str, sqlite3.Connection] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = self._connect()
            connection.executescript(_TABLES)
            connection.close()  # no connection before the first use: the process may fork
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"the embedded ledger {path} cannot be opened: {error}", "Look at embedded_database in node.toml."
            ) from error

    def prepare(self, argument: bytes) -> Prepared:
        """Make a transaction; its payload is the proposal's time and the argument, in two lines."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        creator = self._msp_id.encode() + b"\n" + self._certificate
        time = self._now().astimezone(dt.UTC).strftime(TIME_FORMAT)
        return Prepared(hashlib.sha256(nonce + creator).hexdigest(), time.encode() + b"\n" + argument)

    def submit(self, prepared: Prepared) -> Receipt:
        """Run the contract and commit its writes as the next block.

        Raises: ContractRefused; EndorseError when the file is locked or the contract breaks; SubmitError when the
            id is already there, or whether the commit came to be is unknown.
        """
        time, _, argument = prepared.payload.partition(b"\n")
        transaction_id = prepared.transaction_id
        with self._writing, _transaction(self._writer, transaction_id):
            if self._find(self._writer, transaction_id) is not None:
                raise SubmitError("this transaction was already processed", transaction_id)
            answer, stub = self._run(self._writer, transaction_id, time.decode(), argument)
            if not answer.ok:
                raise not_ok(answer.payload.decode(), transaction_id)
            number = self._append(stub, time.decode(), answer.payload)
        return Receipt(transaction_id, number, VALID, answer.payload)

    def status(self, transaction_id: str, timeout_seconds: float) -> Receipt | None:
        """The receipt of a committed transaction; None at once for any other.

        A submit is one SQLite transaction: when no writer is at work it has happened or it never will.
        """
        with self._writing, _transaction(self._writer, transaction_id):
            number = self._find(self._writer, transaction_id)
        return None if number is None else Receipt(transaction_id, number, VALID, b"")

    def evaluate(self, argument: bytes, block_number_min: int = 0) -> bytes:
        """Run the contract on the committed state.

        Raises: ContractRefused; EndorseError when the contract breaks or that block is not there yet.
        """
        with self._reading, _transaction(self._reader, "", write=False):
            height = _height(self._reader)
            if height < block_number_min:
                raise EndorseError(
                    f"the ledger has {height} blocks, not yet {block_number_min}", "", "Ask again later."
                )
            answer, _ = self._run(self._reader, "0" * 64, self._now().strftime(TIME_FORMAT), argument)
        if not answer.ok:
            raise not_ok(answer.payload.decode())
        return answer.payload

    def blocks(self, start: int, stop: threading.Event) -> Generator[Block, None, None]:
        """Committed blocks from `start` on, waiting for new ones until `stop` is set."""
        connection = self._connect()
        seen = None
        try:
            while not stop.is_set():
                version = connection.execute("PRAGMA data_version").fetchone()  # it changes with every commit
                if version == seen:
                    stop.wait(POLL_SECONDS)
                    continue
                rows = connection.execute(
                    "SELECT number, transaction_id, msp_id, timestamp, writes, answer FROM block"
                    " WHERE number >= ? ORDER BY number LIMIT ?",
                    (start, BLOCKS_A_READ),
                ).fetchall()
                for row in rows:
                    if stop.is_set():
                        return
                    yield _block(*row)
                start += len(rows)
                if not rows:
                    seen = version
        finally:
            connection.close()

    def height(self) -> int:
        """How many blocks there are."""
        with self._reading:
            return _height(self._reader)

    def group_bytes_max(self) -> int:
        """What the contract takes; there are no blocks to fit into."""
        return dispatch.ARGUMENT_BYTES_MAX

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with self._writing, self._reading:
            while self._connections:
                self._connections.popitem()[1].close()

    @property
    def _writer(self) -> sqlite3.Connection:
        """Used under `_writing` only."""
        return self._connections.setdefault("writer", self._connections.get("writer") or self._connect())

    @property
    def _reader(self) -> sqlite3.Connection:
        """Used under `_reading` only."""
        return self._connections.setdefault("reader", self._connections.get("reader") or self._connect())

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def _run(
        self, connection: sqlite3.Connection, transaction_id: str, time: str, argument: bytes
    ) -> tuple[Answer, EmbeddedStub]:
        seconds = int(dt.datetime.strptime(time, TIME_FORMAT).replace(tzinfo=dt.UTC).timestamp())
        stub = EmbeddedStub(connection, transaction_id, seconds, self._msp_id, self._certificate)
        try:
            # The stub never waits, so one step finishes the contract.
            dispatch.dispatch(stub, argument).send(None)
        except StopIteration as end:
            answer: Answer = end.value
            return answer, stub
        raise AssertionError("the contract waited for something that is no ledger")

    def _find(self, connection: sqlite3.Connection, transaction_id: str) -> int | None:
        row = connection.execute("SELECT number FROM block WHERE transaction_id = ?", (transaction_id,)).fetchone()
        return None if row is None else int(row[0])

    def _append(self, stub: EmbeddedStub, time: str, answer: bytes) -> int:
        number, writes = _height(self._writer), stub.writes
        coded = [[key, None if value is None else base64.b64encode(value).decode()] for key, value in writes.items()]
        self._writer.execute(
            "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)",
            (number, stub.tx_id, self._msp_id, time, json.dumps(coded), answer),
        )
        self._writer.executemany(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [(key, value) for key, value in writes.items() if value is not None],
        )
        self._writer.executemany(
            "INSERT INTO key_endorsers VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET msp_ids = excluded.msp_ids",
            [(key, json.dumps(msp_ids)) for key, msp_ids in stub.endorsers.items()],
        )
        deleted = [(key,) for key, value in writes.items() if value is None]
        self._writer.executemany("DELETE FROM state WHERE key = ?", deleted)
        self._writer.executemany("DELETE FROM key_endorsers WHERE key = ?", deleted)
        return number


@contextmanager
def _transaction(connection: sqlite3.Connection, transaction_id: str, write: bool = True) -> Iterator[None]:
    """One SQLite transaction. What fails before COMMIT has not happened; what fails in it is of unknown fate."""
    try:
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise EndorseError(f"the embedded ledger could not run the transaction: {error}", transaction_id) from error
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise SubmitError(f"the embedded ledger could not commit: {error}", transaction_id) from error


def _height(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT coalesce(max(number) + 1, 0) FROM block").fetchone()
    return int(row[0])


def _block(number: int, transaction_id: str, msp_id: str, timestamp: str, writes: str, answer: bytes) -> Block:
    plain = tuple(Write(key, None if value is None else base64.b64decode(value)) for key, value in json.loads(writes))
    told = hashlib.sha256("\n".join((str(number), transaction_id, msp_id, timestamp, writes)).encode()).hexdigest()
    return Block(number, (Transaction(transaction_id, VALID, msp_id, timestamp, plain, answer),), told)
