"""Shipment events of one node, grouped, and of the official Node client, one by one; prints one JSON document.

One network, one contract (the real one), the supplier's identity and peer. The Node client submits one event a
transaction, at every number in flight, each on another shipment so that none conflict; its best is what counts. The
node's events wait in its outbox when it starts; the clock runs from its readiness until the last is answered. What
committed is counted from the blocks. A shipment needs three parties, so the Raft network has three organisations, of
which two endorse.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from _consortium import Consortium, argument, command, cpu_seconds, event, events_since, founded, register_shipments
from _load import load_average
from _rivals import node_client, run_node
from sqlmodel import col, select

from ledger_node.demo.stage import await_true
from ledger_node.node import Node, open_node
from ledger_node.outbox.store import OPEN, OutboxRow

ORGANISATIONS = {"raft": ("supplier", "buyer", "carrier"), "bft": ("supplier", "buyer", "financier", "carrier")}
WIDTHS = (1, 50, 200, 400)
ALONE_COUNT = 30  # one at a time waits for a block each, so fewer of them are measured


def node_client_rate(folder: Path, consortium: Consortium, ledger: Any, shipments: list[str], width: int) -> float:
    """Committed events a second of the Node client."""
    chosen = shipments[: ALONE_COUNT if width == 1 else None]
    lines = [argument(command("RecordShipmentEvent", event(each))) for each in chosen]
    (folder / "events.txt").write_text("\n".join(lines), "utf-8")
    first_block = ledger.height()
    topology = consortium.topology
    printed = run_node(folder / "node_events.mjs", topology, topology.chaincode, folder / "events.txt", width)
    rate = events_since(ledger, first_block) / float(printed["seconds"])
    sys.stderr.write(f"node client, {width} in flight: {rate:.0f} a second, {printed} (load {load_average()})\n")
    return rate


def drained(node: Node) -> bool:
    """Whether nothing waits any more; asked often, so it does not count."""
    with node.state.read() as session:
        return session.exec(select(OutboxRow.number).where(col(OutboxRow.status).in_(OPEN)).limit(1)).first() is None


def put_events(node: Node, shipments: list[str], count: int, listed: int) -> None:
    """Let so many events wait in the outbox, each in a command of its own or so many of a shipment in a list."""
    if listed:
        for number in range(0, count, listed):
            of = shipments[number // listed % len(shipments)]
            events = [event(of) for _ in range(min(listed, count - number))]
            node.outbox.put("RecordShipmentEvents", {"events": events})
    else:
        for number in range(count):
            node.outbox.put("RecordShipmentEvent", event(shipments[number % len(shipments)]))


def node_rate(consortium: Consortium, node: Node, shipments: list[str], count: int, listed: int) -> dict[str, Any]:
    """Committed events a second of the node, from a full outbox, and the CPU of all processes for each."""
    put_events(node, shipments, count, listed)
    process = consortium.node
    process.start()
    try:
        process.await_ready()
        began, first_block = time.monotonic(), node.ledger.height()
        before = cpu_seconds(consortium.topology, process)
        await_true("the answers", lambda: drained(node), node.ledger.height)
        seconds = time.monotonic() - began
        await_true(
            "the read model", lambda: node.readmodel.block_number() >= node.ledger.height() - 1, node.ledger.height
        )
        after = cpu_seconds(consortium.topology, process)
    finally:
        assert process.process is not None
        process.process.terminate()
        process.process.wait()
    found = events_since(node.ledger, first_block)
    taken = {kind: round(1000 * (after[kind] - before[kind]) / max(found, 1), 3) for kind in sorted(after)}
    return {
        "events": found,
        "events_per_second": round(found / seconds),
        "seconds": round(seconds, 1),
        "cpu_milliseconds_an_event": {**taken, "all": round(sum(taken.values()), 3)},
    }


def compare(folder: Path, consensus: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Both on one fresh network."""
    home = folder / consensus
    home.mkdir()
    with (
        founded(home, ORGANISATIONS[consensus], consensus) as consortium,
        closing(open_node(consortium.node.settings)) as node,
    ):
        shipments = register_shipments(node.ledger, consortium.topology, options.shipments)
        some = shipments[: options.node_client_events]
        widths = () if options.node_alone else WIDTHS
        theirs = {width: node_client_rate(folder / "node", consortium, node.ledger, some, width) for width in widths}
        ours = node_rate(consortium, node, shipments, options.events, options.listed)
    best = max(theirs.values(), default=0.0)
    return {
        "ratio": round(ours["events_per_second"] / best, 1) if best else None,
        "node": ours,
        "node_client_best_per_second": round(best, 1),
        "node_client_per_second": {width: round(rate, 1) for width, rate in theirs.items()},
        "load": load_average(),
    }


def main() -> int:
    """Print the figures; the exit code is 1 when events of the node are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--consensus", choices=sorted(ORGANISATIONS), help="only this network; both by default")
    parser.add_argument("--events", type=int, default=20_000, help="of the node")
    parser.add_argument("--shipments", type=int, default=4000, help="that the node's events are spread over")
    parser.add_argument("--node-client-events", type=int, default=1000, help="in each of its runs, each on a shipment")
    parser.add_argument("--listed", type=int, default=0, help="events of a shipment in one list; 0 for single ones")
    parser.add_argument("--node-alone", action="store_true", help="without the Node client, to compare two builds")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not options.node_alone:
            node_client(folder / "node")
            shutil.copy(Path(__file__).with_name("node_events.mjs"), folder / "node")
        chosen = [options.consensus] if options.consensus else ["raft", "bft"]
        figures = {consensus: compare(folder, consensus, options) for consensus in chosen}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(any(each["node"]["events"] != options.events for each in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
