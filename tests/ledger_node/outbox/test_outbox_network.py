"""Outboxes on the real network: organisations in each other's way, a command that breaks its group, large refusals."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import contention
import pytest
from contention import BUYER, CARRIER, FINANCIER, SUPPLIER
from sender import LIMITS, now

from ledger_node.database import Database
from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import Ledger
from ledger_node.migrations import migrate_state
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.sender import OutboxSender
from ledger_node.outbox.store import Outbox, SubmissionStatus
from ledger_node.workers.counters import Counters
from ledger_node.workers.running import Run
from network.topology import Topology

pytestmark = pytest.mark.network

PATIENT = replace(LIMITS, batch_commands_max=500, batch_bytes_max=2_000_000, status_seconds_max=8.0)


@pytest.fixture(scope="module")
def ledgers(network: Topology) -> Iterator[dict[str, Ledger]]:
    """Everybody's way to the ledger; the consortium is founded."""
    with ExitStack() as stack:
        opened: dict[str, Ledger] = {}
        for organisation, folders in network.all_folders():
            opened[organisation.msp_id] = stack.enter_context(
                closing(
                    FabricLedger(
                        endpoint=organisation.peer_endpoint,
                        tls_roots=folders.tls_ca,
                        msp_id=organisation.msp_id,
                        certificate=folders.user.certificate,
                        key=folders.user.key,
                        channel=network.channel,
                        chaincode=network.chaincode,
                    )
                )
            )
        contention.found(opened)
        yield opened


class Senders:
    """An outbox and its worker for each organisation."""

    def __init__(self, folder: Path, ledgers: dict[str, Ledger]) -> None:
        self.outboxes: dict[str, Outbox] = {}
        self.runs: list[Run] = []
        self.counters = Counters(folder / "retries.json")
        for msp_id, ledger in ledgers.items():
            database = Database(f"sqlite:///{folder / msp_id}.db")
            migrate_state(database)
            self.outboxes[msp_id] = Outbox(database, now, 1_000_000)
            observer = Contention(msp_id)
            worker = OutboxSender(self.outboxes[msp_id], database, ledger, PATIENT, observer, self.counters.count)
            self.runs += [worker.run, contention.watching(ledger, observer)]


@pytest.fixture
def senders(tmp_path: Path, ledgers: dict[str, Ledger]) -> Senders:
    return Senders(tmp_path, ledgers)


def test_four_organisations_that_pay_out_of_one_facility_lose_nothing_and_pay_nothing_twice(
    ledgers: dict[str, Ledger], senders: Senders
) -> None:
    prepared = contention.prepare(ledgers, 16, contention.PARTIES)
    put = contention.put_all(senders.outboxes, prepared.last)
    assert [len(submissions) for submissions in put.values()] == [4] * 4
    with contention.sending(senders.runs):
        contention.await_answers(senders.outboxes, 120)
    for who, submissions in put.items():
        found = [senders.outboxes[who].get(each.id) for each in submissions]
        assert {each.status for each in found if each} == {SubmissionStatus.APPLIED}
    assert len({each.id for submissions in put.values() for each in submissions}) == 16
    contention.assert_all_paid_once(ledgers[BUYER], prepared)
    assert senders.counters.counts(), "they were in each other's way, which is what this is about"


def test_a_group_of_nothing_but_refusals_is_answered_however_long_the_answer_is(
    ledgers: dict[str, Ledger], senders: Senders
) -> None:
    outbox = senders.outboxes[CARRIER]
    bodies = [{"shipment_id": secrets.token_hex(16), "buyer": "x" * 200} for _ in range(500)]
    submissions = [outbox.put("RegisterShipment", body) for body in bodies]
    height = ledgers[CARRIER].height()
    with contention.sending(senders.runs):
        contention.await_answers({CARRIER: outbox}, 60)
    codes = {each.code for each in (outbox.get(submission.id) for submission in submissions) if each}
    assert codes == {"MALFORMED"}
    assert ledgers[CARRIER].height() == height
    assert senders.counters.counts() == {}


def test_a_command_that_no_transaction_takes_is_found_by_halving_and_its_neighbours_go_through(
    ledgers: dict[str, Ledger], senders: Senders
) -> None:
    outbox = senders.outboxes[SUPPLIER]
    good = [outbox.put("RegisterShipment", contention.shipment()) for _ in range(8)]
    bad = outbox.put("RegisterShipment", {"shipment_id": "x"}, command_id="no id")
    good += [outbox.put("RegisterShipment", contention.shipment()) for _ in range(8)]
    with contention.sending(senders.runs):
        contention.await_answers({SUPPLIER: outbox}, 60)
    assert {each.status for each in (outbox.get(one.id) for one in good) if each} == {SubmissionStatus.APPLIED}
    refused = outbox.get(bad.id)
    assert refused is not None
    assert (refused.status, refused.code) == (SubmissionStatus.REFUSED, "MALFORMED")


def test_groups_fit_into_the_blocks_of_the_channel(ledgers: dict[str, Ledger]) -> None:
    """2 MB are preferred, 10 MB the most: see network/channel.py."""
    assert ledgers[FINANCIER].group_bytes_max() == 1024 * 1024
