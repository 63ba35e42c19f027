"""From the contract that ended the first issue to this one: on a running network, and on a node's own ledger.

The old contract's sources are kept beside the ledgers that it wrote, since a clone may have no history; they are served
by a process of their own, with the shim that they brought along.
"""

from __future__ import annotations

import json
import random
import secrets
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import contention
import pytest
import world_bodies as words
from contention import FINANCIER, SUPPLIER
from kv_network import report
from sender import LIMITS, now
from world_bodies import DEPOSIT

from chaincode.records.bodies import IssueDeposit
from ledger_node.database import Database
from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import Ledger
from ledger_node.migrations import migrate_state
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.sender import OutboxSender
from ledger_node.outbox.store import Outbox, Submission, SubmissionStatus
from ledger_node.workers.counters import Counters
from network import control
from network.lifecycle import Contract, read_contract
from network.ports import held_base_port
from network.topology import Topology, demo_topology

LEDGERS = Path(__file__).parents[2] / "chaincode" / "ledgers"
FIRST = "9b6c5c06b39b37fe0fa1af243990101a733c7662"
PATIENT = replace(LIMITS, batch_commands_max=20, batch_bytes_max=1_000_000, status_seconds_max=8.0)
BEFORE, AFTER = 40, 40


def old_contract(topology: Topology, folder: Path) -> Contract:
    """The contract of the first issue's last commit, as the network deployed it then."""
    with tarfile.open(LEDGERS / f"{FIRST}.contract.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    run = "runpy.run_module('chaincode.main', run_name='__main__')"
    program = f"import runpy, sys; sys.path.insert(0, {str(folder)!r}); {run}"
    return read_contract(topology, folder / "chaincode", (sys.executable, "-c", program))


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Topology]:
    """A supplier and a financier that run the old contract."""
    with held_base_port(first=random.randrange(15000, 30000, 40)) as base_port:
        demo = demo_topology(tmp_path, base_port)
        chosen = tuple(each for each in demo.organisations if each.msp_id in (SUPPLIER, FINANCIER))
        demo.model_copy(update={"organisations": chosen, "consensus": "raft"}).save(tmp_path / "network.yaml")
        loaded = Topology.load(tmp_path / "network.yaml")
        try:
            control.up(loaded, report, old_contract(loaded, tmp_path / "old"))
            yield loaded
        finally:
            control.down(loaded)


@pytest.fixture
def ledgers(topology: Topology) -> Iterator[dict[str, Ledger]]:
    with ExitStack() as stack:
        yield {
            organisation.msp_id: stack.enter_context(
                closing(
                    FabricLedger(
                        endpoint=organisation.peer_endpoint,
                        tls_roots=folders.tls_ca,
                        msp_id=organisation.msp_id,
                        certificate=folders.user.certificate,
                        key=folders.user.key,
                        channel=topology.channel,
                        chaincode=topology.chaincode,
                    )
                )
            )
            for organisation, folders in topology.all_folders()
        }


def found(ledgers: dict[str, Ledger]) -> None:
    parties = [words.party(SUPPLIER, "supplier"), words.party(FINANCIER, "financier", "issuer")]
    (proposed,) = contention.submit(ledgers[SUPPLIER], [("FoundConsortium", {"parties": parties})])
    for ledger in ledgers.values():
        contention.level(ledgers)
        contention.submit(ledger, [("ConfirmFounding", {"digest": proposed["digest"]})])
    contention.level(ledgers)
    contention.submit(ledgers[SUPPLIER], [("OpenDay", {"date": contention.today()})])
    contention.level(ledgers)
    credit: dict[str, Any] = {"to": SUPPLIER, "amount_minor": 100, "booked_on": contention.today()}
    as_it_was = {name: value for name, value in words.deposit(**credit).items() if name not in IssueDeposit.LATER}
    contention.submit(ledgers[FINANCIER], [("IssueDeposit", as_it_was)])
    contention.level(ledgers)


def document() -> dict[str, Any]:
    return words.document(secrets.token_hex(8), entitled=[FINANCIER])


def record(ledger: Ledger, key: str) -> Any:
    asked = json.dumps({"version": 1, "query": {"type": "Record", "key": key}}).encode()
    return json.loads(ledger.evaluate(asked))["result"]


def writes(ledger: Ledger) -> Counter[str]:
    """How often valid transactions wrote each document."""
    found_keys: Counter[str] = Counter()
    last = ledger.height() - 1
    for block in ledger.blocks(0, threading.Event()):
        for transaction in block.transactions:
            if transaction.code == "VALID":
                found_keys.update(each.key for each in transaction.writes if each.key.startswith("document/"))
        if block.number == last:
            break
    return found_keys


@pytest.mark.network
def test_the_contract_is_upgraded_under_an_outbox_that_goes_on_sending_and_no_command_is_lost_or_doubled(
    topology: Topology, ledgers: dict[str, Ledger], tmp_path: Path
) -> None:
    found(ledgers)
    account = f"account/cash/{DEPOSIT}/cash:{SUPPLIER}"
    assert record(ledgers[SUPPLIER], account)["version"] == 1
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate_state(database)
    outbox, counters = Outbox(database, now, 1_000_000), Counters(tmp_path / "retries.json")
    worker = OutboxSender(outbox, database, ledgers[SUPPLIER], PATIENT, Contention(SUPPLIER), counters.count)
    put: list[Submission] = []
    upgraded, enough = threading.Event(), threading.Event()

    def go_on() -> None:
        """Before the upgrade, all through it, and after it."""
        after = 0
        while after < AFTER:
            put.append(outbox.put("RegisterDocument", document()))
            after += upgraded.is_set()
            if len(put) == BEFORE:
                enough.set()
            threading.Event().wait(0.05)

    putter = threading.Thread(target=go_on)
    with contention.sending([worker.run]):
        putter.start()
        assert enough.wait(60)
        assert outbox.wait(put[0].id, 30) is not None
        deployment = control.up(topology, report).deployment
        upgraded.set()
        putter.join()
        contention.await_answers({SUPPLIER: outbox}, 120)
    assert (deployment.sequence, deployment.changed) == (2, True)
    answers = [outbox.get(each.id) for each in put]
    assert Counter((each.status, each.code) for each in answers if each) == {(SubmissionStatus.APPLIED, ""): len(put)}
    written = writes(ledgers[SUPPLIER])
    assert set(written.values()) == {1}
    assert len(written) == len(put) > BEFORE + AFTER
    assert counters.counts(), "the outbox did not notice the upgrade, which is what this is about"
    # Old records are read, written again in the newest version, and a command that is new does its work on them.
    redemption = {"redemption_id": secrets.token_hex(16), "deposit": DEPOSIT, "amount_minor": 1}
    contention.submit(ledgers[SUPPLIER], [("RedeemDeposit", redemption)])
    contention.level(ledgers)
    after = record(ledgers[SUPPLIER], account)
    assert (after["version"], after["balance_minor"], after["guard_parties"]) == (2, 99, 2)
