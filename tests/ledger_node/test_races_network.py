"""Races on the real network: many clients want the same thing at once, one gets it, the others are told why not."""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import contention
import pytest
import world_bodies as words
from contention import BUYER, CARRIER, FINANCIER, PARTIES, SUPPLIER, Command
from world_bodies import DEPOSIT, FACE_MINOR, hexid

from ledger_node.fabric import FabricLedger
from ledger_node.ledger import CommitError, ContractRefused, EndorseError, Ledger
from network.topology import Topology

pytestmark = pytest.mark.network

TRIES_MAX = 200
CLIENTS = 2
"""Connections that each organisation has: its nodes."""


@dataclass
class Race:
    """What became of the commands, and how often a client had to try anew because another was faster."""

    conflicts: Counter[str] = field(default_factory=Counter)
    applied: list[dict[str, Any]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


def ledgers_of(network: Topology, stack: ExitStack) -> dict[str, Ledger]:
    return {
        organisation.msp_id: stack.enter_context(
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
        for organisation, folders in network.all_folders()
    }


@pytest.fixture(scope="module")
def nodes(network: Topology) -> Iterator[list[dict[str, Ledger]]]:
    """Two nodes of each organisation; the consortium is founded."""
    with ExitStack() as stack:
        opened = [ledgers_of(network, stack) for _ in range(CLIENTS)]
        contention.found(opened[0])
        yield opened


def run(nodes: Sequence[dict[str, Ledger]], entries: Sequence[tuple[str, Command]]) -> Race:
    """Everybody sends its command at the same moment, and again until it has an answer."""
    race, start, lock = Race(), threading.Barrier(len(entries)), threading.Lock()

    def enter(number: int) -> None:
        who, (type_, body) = entries[number]
        ledger = nodes[number % len(nodes)][who]
        command = {"command_id": secrets.token_hex(16), "type": type_, "body": body}
        argument = json.dumps({"version": 1, "commands": [command]}).encode()
        start.wait(60)
        for _ in range(TRIES_MAX):
            try:
                answer = ledger.submit(ledger.prepare(argument)).answer
            except CommitError as error:
                with lock:
                    race.conflicts[error.code] += 1
            except EndorseError:  # peers are at different heights for a moment
                threading.Event().wait(0.05)
            except ContractRefused as error:
                with lock:
                    race.refused[json.loads(error.answer)["results"][0]["code"]] += 1
                return
            else:
                with lock:
                    race.applied.append(json.loads(answer)["results"][0]["result"])
                return
        raise AssertionError(f"no answer after {TRIES_MAX} tries")

    with ThreadPoolExecutor(len(entries)) as pool:
        list(pool.map(enter, range(len(entries))))
    contention.level(nodes[0])
    assert race.conflicts, "nobody was in anybody's way, so nothing has been tried"
    codes = {"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT", "ENDORSEMENT_POLICY_FAILURE"}
    assert set(race.conflicts) <= codes
    return race


def ask(nodes: Sequence[dict[str, Ledger]], **query: Any) -> Any:
    asked = json.dumps({"version": 1, "query": query}).encode()
    return json.loads(nodes[0][SUPPLIER].evaluate(asked))["result"]


def record(nodes: Sequence[dict[str, Ledger]], key: str) -> Any:
    return ask(nodes, type="Record", key=key)


def reason(nodes: Sequence[dict[str, Ledger]], invoice_id: str, class_: str) -> str:
    answer = ask(nodes, type="ReleaseCheck", invoice_id=invoice_id)
    (found,) = (each["reason"] for each in answer["classes"] if each["class"] == class_)
    return str(found)


def test_of_twenty_who_fund_one_invoice_one_does(nodes: list[dict[str, Ledger]]) -> None:
    prepared = contention.prepare(nodes[0], 1, (BUYER,), mode="manual")
    (invoice_id,) = prepared.invoice_ids
    contention.submit(nodes[0][BUYER], prepared.last[BUYER])
    contention.level(nodes[0])
    fund = ("FundInvoice", {"invoice_id": invoice_id, "facility_id": prepared.facility_id})
    race = run(nodes, [(FINANCIER, fund)] * 20)
    assert race.applied == [{"released": [invoice_id]}]
    assert race.refused == {"STATUS_WRONG": 19}
    contention.assert_all_paid_once(nodes[0][SUPPLIER], prepared)


def test_of_two_nodes_that_register_one_invoice_twice_the_first_is_unique(nodes: list[dict[str, Ledger]]) -> None:
    prepared = contention.prepare(nodes[0], 1, (BUYER,))
    known = record(nodes, f"invoice/{prepared.invoice_ids[0]}")
    name, label = secrets.token_hex(4), "rests on other papers"
    documents = [words.document(f"{label} {name}"), words.document(f"{label} {name} p", "proof_of_delivery")]
    contention.submit(nodes[0][SUPPLIER], [("RegisterDocument", document) for document in documents])
    contention.level(nodes[0])
    claims = {"fingerprints": words.fingerprints(name), "shipment_ids": known["shipment_ids"]}
    papers = {"document_ids": [documents[0]["document_id"]], "proof_ids": [documents[1]["document_id"]]}
    twins = [words.invoice(f"{name} {number}", **claims, **papers) for number in range(4)]
    race = run(nodes, [(SUPPLIER, ("RegisterInvoice", twin)) for twin in twins])
    first = [each["invoice_id"] for each in race.applied if not each["duplicate_of"]]
    assert (len(first), len(race.applied)) == (1, 4)
    assert {each["duplicate_of"] for each in race.applied} == {"", first[0]}
    reasons = {twin["invoice_id"]: reason(nodes, twin["invoice_id"], "UNIQUE") for twin in twins}
    # The first one misses what nobody has attested yet, and is no duplicate.
    assert Counter(reasons.values()) == {"FINGERPRINTS_MISSING": 1, "DUPLICATE_CLAIM": 3}
    assert reasons[first[0]] == "FINGERPRINTS_MISSING"


def test_of_four_sides_that_use_up_a_limit_one_is_paid(nodes: list[dict[str, Ledger]]) -> None:
    prepared = contention.prepare(nodes[0], 4, PARTIES, limit_minor=FACE_MINOR, supplier_limit_minor=FACE_MINOR)
    race = run(nodes, [(who, command) for who in (*PARTIES,) for command in prepared.last[who]])
    assert (len(race.applied), sum(len(each["released"]) for each in race.applied)) == (4, 1)
    statuses = {each: record(nodes, f"invoice/{each}")["status"] for each in prepared.invoice_ids}
    assert Counter(statuses.values()) == {"early-paid": 1, "approved": 3}
    waiting = [each for each, status in statuses.items() if status == "approved"]
    assert {reason(nodes, each, "FACILITY") for each in waiting} == {"LIMIT_EXCEEDED"}
    assert record(nodes, f"facility/{prepared.facility_id}")["used_minor"] == FACE_MINOR


def test_of_two_nodes_that_issue_for_one_booked_credit_one_does(nodes: list[dict[str, Ledger]]) -> None:
    contention.submit(nodes[0][FINANCIER], [issue(secrets.token_hex(32))])
    contention.level(nodes[0])
    key = f"account/cash/{DEPOSIT}/cash:{CARRIER}"
    before = record(nodes, key)["balance_minor"]
    race = run(nodes, [(FINANCIER, issue(hexid("one credit") + secrets.token_hex(16)))] * 8)
    assert len(race.applied) == 1
    assert race.refused == {"CREDIT_ALREADY_ISSUED": 7}
    assert record(nodes, key)["balance_minor"] == before + 5


def issue(credit_reference: str) -> Command:
    body = {"deposit": DEPOSIT, "to": CARRIER, "amount_minor": 5, "credit_reference": credit_reference}
    return "IssueDeposit", body | {"booked_on": contention.today()}
