"""Programs that are told: HTTP servers on loopback, each answering as its test says; and a ledger of made-up writes."""

from __future__ import annotations

import dataclasses
import json
import ssl
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from consortium import BUYER, SUPPLIER

from chaincode import records
from chaincode.records import keys
from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.ledger.interface import VALID, Block, Transaction, Write
from ledger_node.readmodel import SCHEMA_VERSION
from ledger_node.readmodel.fold import Fold
from ledger_node.readmodel.tables import Checkpoint

Answer = Callable[["Told", BaseHTTPRequestHandler], None]
GENESIS = "ab" * 32


@dataclasses.dataclass(frozen=True)
class Told:
    """One request: its path, headers in lower case, body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


def status(code: int, **headers: str) -> Answer:
    """Answers with a status and nothing else."""

    def answer(_: Told, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


class Receiver:
    """A receiver at an address of this machine; `told` is all that came, `connections` counts."""

    def __init__(self, answer: Answer | None = None, host: str = "127.0.0.1", port: int = 0, tls: Any = None) -> None:
        self.answer, self.told, self.connections = answer or status(204), list[Told](), 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                told = Told(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver.told.append(told)
                receiver.answer(told, self)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def get_request(self) -> Any:
                receiver.connections += 1
                return super().get_request()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Quiet: who sends goes away in tests."""

        self._server = Server((host, port), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def events(self) -> list[Any]:
        return [each.event for each in self.told]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def tls_server(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def invoice(name: str, status: records.invoices.Status) -> Write:
    """A write of an invoice in a state."""
    facts = records.Facts(100, "EUR", "2026-11-01", "2027-01-01", "1" * 64, "2" * 64, "", (), (), (), ())
    invoice_id = name.encode().hex().rjust(32, "0")
    record = records.Invoice(
        invoice_id, SUPPLIER, BUYER, SUPPLIER, status, ("d" * 32,), (), (), facts, {}, 1, "", None, 0, 0, None, None,
        None, "2026-11-02",
    )  # fmt: skip
    return Write(keys.invoice(invoice_id), records.encode(record))


class Ledger:
    """A read model that blocks of made-up writes are folded into, as the projector does."""

    def __init__(self, path: Path) -> None:
        self.database = Database(f"sqlite:///{path}")
        self.database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        self.blocks: list[Block] = []

    def write(self, *blocks: Sequence[Write]) -> None:
        """One more block for each list, of one transaction."""
        for writes in blocks:
            number = len(self.blocks)
            transaction = Transaction(f"{number:064x}", VALID, BUYER, "2026-11-30T12:00:00Z", tuple(writes), b"")
            self.blocks.append(Block(number, (transaction,)))
        self.fold(self.blocks[-len(blocks) :])

    def fold(self, blocks: Sequence[Block], genesis: str = GENESIS) -> None:
        fold = Fold()
        for block in blocks:
            fold.add(block)
        with self.database.write() as session:
            fold.write(session)
            session.merge(Checkpoint(id=0, next_block=fold.next_block, timestamp="", genesis_hash=genesis))

    def empty(self) -> None:
        self.database.empty(ReadModelTable.metadata, ReadModelSchema)
