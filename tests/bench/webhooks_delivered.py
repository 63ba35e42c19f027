"""Deliveries of webhooks to a receiver on this machine, with the node's workers killed by SIGKILL in the middle.

Run it with `python tests/bench/webhooks_delivered.py [EVENTS]`; it prints one JSON document. A ledger of blocks of 100
made-up invoices each is folded into a read model; a process tells its events to a receiver in another one, which keeps
ids and states. When a third has come, the process is killed by SIGKILL and started again. Measured is from the start to
the last event, the restart of Python included; lost and out of order must be 0.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node"))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node" / "notifications"))

from receivers import GENESIS, Ledger, invoice

from chaincode.records.invoices import Status
from ledger_node.config import WebhookSettings
from ledger_node.database import Database
from ledger_node.migrations import migrate_state
from ledger_node.node import utc_now
from ledger_node.notifications.events import EventLog
from ledger_node.notifications.sender import WebhookSender
from ledger_node.notifications.store import Webhooks

EVENTS, INVOICES_A_BLOCK = 20_000, 100
STATES: tuple[Status, ...] = ("registered", "approved", "disputed", "settled")
HEAD_END, ANSWER = b"\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"


def tell(home: Path) -> None:
    """The process that is killed: a node's worker, and nothing else of a node."""
    state, readmodel = Database(f"sqlite:///{home}/state.db"), Database(f"sqlite:///{home}/readmodel.db")
    settings = WebhookSettings(private_hosts=("127.0.0.1",))
    webhooks, events = Webhooks(state, utc_now), EventLog(readmodel, "scf")
    WebhookSender(webhooks, events, settings, None, "SupplierMSP", (state, readmodel)).run(threading.Event())


class Sink:
    """A receiver that costs as little as can be: sockets, a thread for each connection, no library."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self.bodies: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._until_killed, args=(connection,), daemon=True).start()

    def _until_killed(self, connection: socket.socket) -> None:
        with suppress(ConnectionResetError):
            self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = b""
        while piece := connection.recv(65536):
            held += piece
            while (end := held.find(HEAD_END)) >= 0:
                begin = held.lower().find(b"content-length:") + len(b"content-length:")
                length = int(held[begin : held.find(b"\r\n", begin)])
                whole = end + len(HEAD_END) + length
                if len(held) < whole:
                    break
                self.bodies.append(held[end + len(HEAD_END) : whole])
                held = held[whole:]
                connection.sendall(ANSWER)


def judged(bodies: list[bytes], expected: int) -> dict[str, Any]:
    """How many came, how often again, which are lost, and of how many invoices something came out of order."""
    ids: dict[str, int] = {}
    first: dict[str, list[str]] = {}
    for body in bodies:
        event = json.loads(body)
        ids[event["id"]] = ids.get(event["id"], 0) + 1
        if ids[event["id"]] == 1:
            first.setdefault(event["partitionkey"], []).append(event["sequence"])
    disordered = [order for order, sequence in first.items() if sequence != sorted(sequence)]
    return {
        "told": len(ids),
        "again": len(bodies) - len(ids),
        "lost": expected - len(ids),
        "disordered": len(disordered),
    }


def main() -> None:
    """Measure and print."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ledger, state, sink = Ledger(home / "readmodel.db"), Database(f"sqlite:///{home}/state.db"), Sink()
        migrate_state(state)
        row = {"name": "", "url": f"http://127.0.0.1:{sink.port}/", "types": ["invoice"], "only_own": True}
        Webhooks(state, utc_now).add({**row, "created_by": "bench", "next_block": 0, "genesis_hash": GENESIS})
        rounds = wanted // (INVOICES_A_BLOCK * len(STATES))
        for number in range(rounds):
            names = [f"{number}/{each}" for each in range(INVOICES_A_BLOCK)]
            ledger.write(*([invoice(name, status) for name in names] for status in STATES))
        expected = rounds * INVOICES_A_BLOCK * len(STATES)
        context = multiprocessing.get_context("spawn")
        began = time.perf_counter()
        sender = context.Process(target=tell, args=(home,))
        sender.start()
        until(lambda: len(sink.bodies) >= expected // 3)
        assert sender.pid
        os.kill(sender.pid, signal.SIGKILL)
        sender.join()
        killed_at = len(sink.bodies)
        sender = context.Process(target=tell, args=(home,))
        sender.start()
        until(lambda: Webhooks(state, utc_now).all()[0].next_block == len(ledger.blocks) and not waits(state))
        seconds = time.perf_counter() - began
        os.kill(sender.pid or 0, signal.SIGKILL)
        sender.join()
        figures = {
            "events": expected,
            "killed_after": killed_at,
            **judged(sink.bodies, expected),
            "seconds": round(seconds, 2),
            "deliveries_a_second": round(len(sink.bodies) / seconds),
            "cpu_ms_a_delivery": round(1000 * cpu_seconds() / len(sink.bodies), 2),
            "load": os.getloadavg()[0],
        }
        state.close()
        ledger.database.close()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def cpu_seconds() -> float:
    """Of the processes that were killed, their starts included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def waits(state: Database) -> bool:
    webhooks = Webhooks(state, utc_now)
    return bool(webhooks.waiting(webhooks.all()[0].id))


def until(check: Any) -> None:
    """Wait for something that comes if nothing is broken."""
    pause = threading.Event()
    while not check():
        pause.wait(0.05)


if __name__ == "__main__":
    main()
