"""A founded consortium on a real network with the contract itself, and one node of it that runs when asked to."""

from __future__ import annotations

import datetime as dt
import json
import random
import secrets
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ledger_node.cli.init import write_demo
from ledger_node.config import load_settings
from ledger_node.demo.stage import NodeProcess, node_process
from ledger_node.ledger.interface import Ledger
from ledger_node.node import open_node
from network import control
from network.topology import Consensus, Topology, demo_topology, free_base_port

COMMANDS_A_TRANSACTION = 400
ROLES = {"supplier": ["supplier"], "buyer": ["buyer"], "financier": ["financier", "issuer"], "carrier": ["carrier"]}


@dataclass(frozen=True)
class Consortium:
    """The network, and the node of its first organisation, the supplier; the node does not run yet."""

    topology: Topology
    node: NodeProcess


@contextmanager
def founded(home: Path, names: tuple[str, ...], consensus: Consensus) -> Iterator[Consortium]:
    """A running network of some of the demo's organisations, founded, with today's day open; stopped afterwards."""
    demo = demo_topology(home, free_base_port(first=random.randrange(15000, 30000, 40)))
    chosen = tuple(each for each in demo.organisations if each.name in names)
    demo.model_copy(update={"organisations": chosen, "consensus": consensus}).save(home / "network.yaml")
    settings = {name: load_settings(home / "nodes" / name) for name in write_demo(home, None, "fabric")}
    topology = Topology.load(home / "network.yaml")
    try:
        control.up(topology, _told)
        with ExitStack() as stack:
            ledgers = {name: stack.enter_context(closing(open_node(each))).ledger for name, each in settings.items()}
            _found(topology, ledgers)
        yield Consortium(topology, node_process(home, "supplier", None))
    finally:
        control.down(topology)


def command(type_: str, body: dict[str, Any]) -> dict[str, Any]:
    """A command with an id of its own."""
    return {"command_id": secrets.token_hex(16), "type": type_, "body": body}


def argument(*commands: dict[str, Any]) -> str:
    """The contract's one argument."""
    return json.dumps({"version": 1, "commands": commands})


def submit(ledger: Ledger, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Submit commands in as few transactions as may be; the results in their order, none of them a refusal."""
    results: list[dict[str, Any]] = []
    for first in range(0, len(commands), COMMANDS_A_TRANSACTION):
        text = argument(*commands[first : first + COMMANDS_A_TRANSACTION])
        results += json.loads(ledger.submit(ledger.prepare(text.encode())).answer)["results"]
    return [result["result"] for result in results]


def register_shipments(ledger: Ledger, topology: Topology, count: int) -> list[str]:
    """Ids of fresh shipments of the supplier's, registered."""
    shipments = [secrets.token_hex(16) for _ in range(count)]
    others = {"buyer": topology.organisation("buyer").msp_id, "carrier": topology.organisation("carrier").msp_id}
    bodies = ({"shipment_id": each, **others, "reference_fingerprint": secrets.token_hex(32)} for each in shipments)
    submit(ledger, [command("RegisterShipment", body) for body in bodies])
    return shipments


def event(shipment_id: str) -> dict[str, Any]:
    """Body of a command that reports an event of a shipment."""
    return {
        "shipment_id": shipment_id,
        "event_id": secrets.token_hex(16),
        "type": "in_transit",
        "occurred_on": _today(),
        "partial": False,
        "document_id": "",
    }


def events_since(ledger: Ledger, first_block: int) -> int:
    """How many distinct events valid transactions wrote, each alone or in a list, read from the blocks since then."""
    found: set[str] = set()
    last, never = ledger.height() - 1, threading.Event()
    if last < first_block:
        return 0
    for block in ledger.blocks(first_block, never):
        for transaction in block.transactions:
            if transaction.code == "VALID":
                for write in transaction.writes:
                    if write.key.startswith("shipment_event/"):  # of a contract from before there were lists
                        found.add(write.key)
                    elif write.key.startswith("shipment_reports/") and write.value:
                        listed = json.loads(write.value)["events"]
                        found.update(f"{write.key}/{each['event_id']}" for each in listed)
        if block.number == last:
            break
    return len(found)


def cpu_seconds(topology: Topology, node: NodeProcess) -> dict[str, float]:
    """What the network's processes have taken so far, by kind, and the node's, which runs."""
    taken: defaultdict[str, float] = defaultdict(float)
    for each in control.status(topology):
        times = psutil.Process(each.pid).cpu_times()
        taken[each.component.rpartition(".")[2]] += times.user + times.system
    assert node.process is not None, "the node runs"
    server = psutil.Process(node.process.pid)
    for process in (server, *server.children(recursive=True)):
        times = process.cpu_times()
        taken["node"] += times.user + times.system
    return taken


def _found(topology: Topology, ledgers: dict[str, Ledger]) -> None:
    parties = [_party(each.name, each.msp_id) for each in topology.organisations]
    first = ledgers[topology.organisations[0].name]
    (proposed,) = submit(first, [command("FoundConsortium", {"parties": parties})])
    for ledger in ledgers.values():
        submit(ledger, [command("ConfirmFounding", {"digest": proposed["digest"]})])
    submit(first, [command("OpenDay", {"date": _today()})])


def _party(name: str, msp_id: str) -> dict[str, Any]:
    return {
        "msp_id": msp_id,
        "name": name,
        "roles": ROLES[name],
        "group_id": name,
        "peer_url": "https://localhost:1",
        "identity_fingerprint": secrets.token_hex(32),
        "payout_fingerprint": secrets.token_hex(32),
        "issue_limits": {"EUR": 10**12} if "issuer" in ROLES[name] else {},
    }


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _told(line: str) -> None:
    sys.stderr.write(line + "\n")
