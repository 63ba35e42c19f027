"""Whole lives of invoices on a real network, in batches, from registration to settlement: commands a second, as JSON.

Raft, and three organisations of which two endorse: a trade has no fewer parties, the financier is the carrier too.
Each life takes 14 commands of three organisations; the buyer's approval pays, its settlement ends it. Cohorts of
invoices go through the stages beside each other; what moves money goes one transaction after the other, as in
one node's outbox. That every invoice is settled is read back from the ledger.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

# Folders of tests carry the packages' names: with the root before them the real packages win.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

import contention
import kv_network
import psutil
import world_bodies as words
from contention import BUYER, FINANCIER, LIMIT_MINOR, SUPPLIER, Command
from world_bodies import DEPOSIT, FACE_MINOR, hexid

from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import CommitError, EndorseError, Ledger
from network import control
from network.topology import Topology, demo_topology, free_base_port

Stage = tuple[str, list[Command]]


class Bench:
    """The organisations' ways to the ledger, and what it took to get commands through."""

    def __init__(self, ledgers: dict[str, Ledger], commands_max: int) -> None:
        self.ledgers = ledgers
        self.commands_max = commands_max
        self.money = threading.Lock()
        self.again: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def send(self, who: str, commands: list[Command]) -> None:
        """Submit commands in as few transactions as may be, and wait until every peer has them."""
        for first in range(0, len(commands), self.commands_max):
            envelopes = [
                {"command_id": secrets.token_hex(16), "type": type_, "body": body}
                for type_, body in commands[first : first + self.commands_max]
            ]
            began = time.monotonic()
            block = self._transact(who, json.dumps({"version": 1, "commands": envelopes}).encode())
            self.seconds[commands[first][0]] += time.monotonic() - began
            asked = json.dumps({"version": 1, "query": {"type": "Record", "key": "day"}}).encode()
            for ledger in self.ledgers.values():
                ledger.evaluate(asked, block)

    def _transact(self, who: str, argument: bytes) -> int:
        while True:
            try:
                ledger = self.ledgers[who]
                receipt = ledger.submit(ledger.prepare(argument))
            except CommitError as error:
                self.again[error.code] += 1
            except EndorseError as error:
                if "do not match" not in str(error):
                    raise
                self.again["NOT_ENDORSED"] += 1
            else:
                refused = [each for each in json.loads(receipt.answer)["results"] if each["status"] != "applied"]
                assert not refused, refused[:2]
                return receipt.block_number


def stages(names: list[str], facility_id: str) -> list[Stage]:
    """The lives of a cohort: who sends what, in order."""
    return [
        (SUPPLIER, [each for name in names for each in _papers(name)]),
        (BUYER, [each for name in names for each in _of_buyer(name)]),
        (FINANCIER, [each for name in names for each in _of_financier(name)]),
        (SUPPLIER, [each for name in names for each in _invoice(name, facility_id)]),
        (BUYER, [("ApproveInvoice", words.approval(f"i {name}")) for name in names]),
        (BUYER, [each for name in names for each in _end(name)]),
    ]


def _papers(name: str) -> list[Command]:
    entitled = [BUYER, FINANCIER]
    return [
        ("RegisterDocument", words.document(f"d {name}")),
        ("RegisterDocument", words.document(f"p {name}", "proof_of_delivery", entitled=entitled)),
        ("RegisterShipment", words.shipment(f"s {name}", carrier=FINANCIER)),
    ]


def _read(name: str) -> dict[str, Any]:
    return {"facts": words.facts(), "fingerprints": words.fingerprints(name)}


def _of_buyer(name: str) -> list[Command]:
    return [
        ("AcceptCarrier", {"shipment_id": hexid(f"s {name}")}),
        ("AttestDocument", words.attestation(f"p {name}")),
        ("AttestDocument", words.attestation(f"d {name}", **_read(name))),
    ]


def _of_financier(name: str) -> list[Command]:
    return [
        ("RecordShipmentEvent", words.event(name, f"s {name}", occurred_on=contention.today())),
        ("AttestDocument", words.attestation(f"p {name}")),
        ("AttestDocument", words.attestation(f"d {name}", **_read(name))),
    ]


def _invoice(name: str, facility_id: str) -> list[Command]:
    papers = {"document_ids": [hexid(f"d {name}")], "proof_ids": [hexid(f"p {name}")]}
    claims = {"shipment_ids": [hexid(f"s {name}")], "fingerprints": words.fingerprints(name)}
    wish = {"facility_ids": [facility_id], "valid_until": "2999-12-31"}
    return [
        ("RegisterInvoice", words.invoice(f"i {name}", **papers, **claims)),
        ("RequestEarlyPayment", words.request(f"i {name}", **wish)),
    ]


def _end(name: str) -> list[Command]:
    invoice_id = hexid(f"i {name}")
    settlement = {"invoice_id": invoice_id, "amount_minor": FACE_MINOR, "deposit": DEPOSIT}
    return [("AcknowledgeAssignment", {"invoice_id": invoice_id}), ("SettleInvoice", settlement)]


def found(bench: Bench) -> str:
    """Found the consortium; the id of the facility."""
    roles = {SUPPLIER: ["supplier"], BUYER: ["buyer"], FINANCIER: ["financier", "issuer", "carrier"]}
    parties = [words.party(msp_id, *roles[msp_id]) for msp_id in bench.ledgers]
    for party in parties:
        party["issue_limits"] = {"EUR": LIMIT_MINOR} if "issuer" in party["roles"] else {}
    (proposed,) = contention.submit(bench.ledgers[SUPPLIER], [("FoundConsortium", {"parties": parties})])
    for msp_id in bench.ledgers:
        contention.level(bench.ledgers)
        bench.send(msp_id, [("ConfirmFounding", {"digest": proposed["digest"]})])
    bench.send(SUPPLIER, [("OpenDay", {"date": contention.today()})])
    facility = words.facility("bench", limit_minor=LIMIT_MINOR, supplier_limit_minor=LIMIT_MINOR)
    credit: dict[str, Any] = {"amount_minor": LIMIT_MINOR // 2, "booked_on": contention.today()}
    opening: list[Command] = [("AcceptSupplier", words.acceptance()), ("OpenFacility", facility)]
    bench.send(FINANCIER, [*opening, ("IssueDeposit", words.deposit(**credit))])
    facility_id: str = facility["facility_id"]
    return facility_id


def live(bench: Bench, names: list[str], facility_id: str) -> int:
    """Take a cohort through its life; how many commands that took."""
    count = 0
    for who, commands in stages(names, facility_id):
        if commands[0][0] in ("ApproveInvoice", "AcknowledgeAssignment"):
            with bench.money:
                bench.send(who, commands)
        else:
            bench.send(who, commands)
        count += len(commands)
    return count


def assert_settled(ledger: Ledger, names: list[str]) -> None:
    """Every invoice has come to its end."""
    for name in names:
        asked = json.dumps({"version": 1, "query": {"type": "Record", "key": f"invoice/{hexid(f'i {name}')}"}})
        assert json.loads(ledger.evaluate(asked.encode()))["result"]["status"] == "settled", name


def cpu_seconds(topology: Topology) -> dict[str, float]:
    """What the processes of the network have taken so far, by kind, and this one."""
    taken: defaultdict[str, float] = defaultdict(float)
    for each in control.status(topology):
        times = psutil.Process(each.pid).cpu_times()
        taken[each.component.rpartition(".")[2]] += times.user + times.system
    taken["client"] = time.process_time()
    return taken


def measure(topology: Topology, bench: Bench, facility_id: str, invoices: int, cohorts: int) -> dict[str, Any]:
    """Commands a second of so many lives."""
    label = secrets.token_hex(4)
    names = [f"{label} {number}" for number in range(invoices)]
    bench.again.clear()
    bench.seconds.clear()
    began, before = time.monotonic(), cpu_seconds(topology)
    with ThreadPoolExecutor(cohorts) as pool:
        lives = pool.map(lambda cohort: live(bench, names[cohort::cohorts], facility_id), range(cohorts))
        commands = sum(lives)
    seconds, after = time.monotonic() - began, cpu_seconds(topology)
    assert_settled(bench.ledgers[SUPPLIER], names)
    return {
        "invoices": invoices,
        "cohorts": cohorts,
        "commands": commands,
        "commands_a_transaction_max": bench.commands_max,
        "commands_per_second": round(commands / seconds, 1),
        "seconds": round(seconds, 1),
        "cpu_milliseconds_a_command": {
            kind: round(1000 * (after[kind] - before[kind]) / commands, 2) for kind in sorted(after)
        },
        "seconds_by_first_command": {name: round(value, 1) for name, value in bench.seconds.items()},
        "sent_anew": dict(bench.again),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    """Print the figures; an invoice that is not settled in the end is an assertion that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=900)
    parser.add_argument("--cohorts", type=int, default=3)
    parser.add_argument("--group", type=int, default=500, help="commands in one transaction at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        demo = demo_topology(Path(temporary), free_base_port(first=random.randrange(15000, 30000, 40)))
        chosen = tuple(each for each in demo.organisations if each.msp_id in (SUPPLIER, BUYER, FINANCIER))
        changed = demo.model_copy(update={"organisations": chosen, "consensus": "raft"})
        changed.save(Path(temporary) / "network.yaml")
        topology = Topology.load(Path(temporary) / "network.yaml")
        stack.callback(control.down, topology)
        control.up(topology, kv_network.report)
        ledgers = {each.msp_id: stack.enter_context(closing(_ledger(topology, each.name))) for each in chosen}
        bench = Bench(ledgers, options.group)
        figures = measure(topology, bench, found(bench), options.invoices, options.cohorts)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


def _ledger(topology: Topology, name: str) -> Ledger:
    organisation, folders = topology.organisation(name), topology.folders(name)
    return FabricLedger(
        endpoint=organisation.peer_endpoint,
        tls_roots=folders.tls_ca,
        msp_id=organisation.msp_id,
        certificate=folders.user.certificate,
        key=folders.user.key,
        channel=topology.channel,
        chaincode=topology.chaincode,
    )


if __name__ == "__main__":
    sys.exit(main())
