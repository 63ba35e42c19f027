"""Races on the real network: many clients want the same thing at once, one gets it, the others are told why not."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import contention
import pytest
import world_bodies as words
from contention import BUYER, CARRIER, FINANCIER, FINANCIERS, PARTIES, SUPPLIER, Command
from kv_network import channel_of
from world_bodies import DEPOSIT, FACE_MINOR, hex64, hexid

from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import CommitError, ContractRefused, EndorseError, Ledger
from network.topology import Topology

pytestmark = pytest.mark.network

TRIES_MAX = 200
Nodes = list[dict[str, Ledger]]
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
def nodes(network: Topology) -> Iterator[Nodes]:
    """Two nodes of each organisation; the consortium is founded."""
    with ExitStack() as stack:
        opened = [ledgers_of(network, stack) for _ in range(CLIENTS)]
        contention.found(opened[0])
        yield opened


def run(network: Topology, nodes: Nodes, entries: Sequence[tuple[str, Command]]) -> Race:
    """Everybody sends its command at the same moment, and again until it has an answer.

    Nobody's first transaction is ordered before everybody's is endorsed, so they are in each other's way for sure.
    """
    race, lock = Race(), threading.Lock()
    arguments = [envelope(command) for _, command in entries]

    def again(number: int) -> None:
        who, ledger = entries[number][0], nodes[number % len(nodes)]
        for _ in range(TRIES_MAX):
            try:
                answer = ledger[who].submit(ledger[who].prepare(arguments[number])).answer
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

    beaten = []
    for number, (fate, answer) in enumerate(asyncio.run(first_tries(network, entries, arguments))):
        if fate == "VALID":
            race.applied.append(json.loads(answer)["results"][0]["result"])
        else:
            race.conflicts[fate] += 1
            beaten.append(number)
    with ThreadPoolExecutor(len(entries)) as pool:
        list(pool.map(again, beaten))
    contention.level(nodes[0])
    assert race.conflicts, "nobody was in anybody's way, so nothing has been tried"
    codes = {"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT", "ENDORSEMENT_POLICY_FAILURE"}
    assert set(race.conflicts) <= codes
    return race


async def first_tries(
    network: Topology, entries: Sequence[tuple[str, Command]], arguments: Sequence[bytes]
) -> list[tuple[str, bytes]]:
    """What became of everybody's first transaction, and the answer in it; all are endorsed before one is ordered."""
    names = {organisation.msp_id: organisation.name for organisation in network.organisations}
    async with AsyncExitStack() as stack:
        channels = [
            {who: await stack.enter_async_context(channel_of(network, names[who])) for who in PARTIES}
            for _ in range(CLIENTS)
        ]
        contracts = [
            channels[number % CLIENTS][who].contract(network.chaincode) for number, (who, _) in enumerate(entries)
        ]
        proposals = [contract.propose(argument) for contract, argument in zip(contracts, arguments, strict=True)]
        transactions = await asyncio.gather(*(proposal.endorse() for proposal in proposals))
        commits = await asyncio.gather(*(transaction.submit() for transaction in transactions))
        fates = await asyncio.gather(*(commit.status() for commit in commits))
        return [(fate.code, transaction.result) for fate, transaction in zip(fates, transactions, strict=True)]


def envelope(command: Command) -> bytes:
    """The argument of a transaction with one command."""
    type_, body = command
    named = {"command_id": secrets.token_hex(16), "type": type_, "body": body}
    return json.dumps({"version": 1, "commands": [named]}).encode()


def ask(nodes: Nodes, **query: Any) -> Any:
    asked = json.dumps({"version": 1, "query": query}).encode()
    return json.loads(nodes[0][SUPPLIER].evaluate(asked))["result"]


def record(nodes: Nodes, key: str) -> Any:
    return ask(nodes, type="Record", key=key)


def reason(nodes: Nodes, invoice_id: str, class_: str) -> str:
    answer = ask(nodes, type="ReleaseCheck", invoice_id=invoice_id)
    (found,) = (each["reason"] for each in answer["classes"] if each["class"] == class_)
    return str(found)


def test_of_twenty_funders_of_two_financiers_one_funds_an_invoice(network: Topology, nodes: Nodes) -> None:
    deposits = [issue(secrets.token_hex(32), who, FACE_MINOR) for who in (SUPPLIER, CARRIER)]
    contention.submit(nodes[0][FINANCIER], deposits)  # so that no payment is the first one into an account
    prepared = contention.prepare(nodes[0], 1, (BUYER,), FINANCIERS, mode="manual")
    (invoice_id,) = prepared.invoice_ids
    contention.submit(nodes[0][BUYER], prepared.last[BUYER])
    contention.level(nodes[0])
    before = cash(nodes)
    fund = {who: {"invoice_id": invoice_id, "facility_id": id_} for who, id_ in prepared.facilities.items()}
    race = run(network, nodes, [(who, ("FundInvoice", fund[who])) for who in FINANCIERS for _ in range(10)])
    assert race.applied == [{"released": [invoice_id]}]
    assert race.refused == {"STATUS_WRONG": 19}
    paid = record(nodes, f"invoice/{invoice_id}")
    winner, net_minor = paid["holder"], paid["early_payment"]["net_minor"]
    (loser,) = set(FINANCIERS) - {winner}
    assert {who: after - before[who] for who, after in cash(nodes).items()} == {
        SUPPLIER: net_minor,
        winner: -net_minor,
        loser: 0,
    }
    used = {who: record(nodes, f"facility/{id_}")["used_minor"] for who, id_ in prepared.facilities.items()}
    assert (paid["status"], used) == ("early-paid", {winner: FACE_MINOR, loser: 0})


def test_of_two_suppliers_invoices_approved_under_one_reference_of_the_buyers_one_is(
    network: Topology, nodes: Nodes
) -> None:
    label, suppliers = secrets.token_hex(4), (SUPPLIER, CARRIER)
    pairs = [{who: f"{label} {number} {who}" for who in suppliers} for number in range(4)]
    for who in suppliers:
        papers = [("RegisterDocument", words.document(f"paper {pair[who]}")) for pair in pairs]
        claims = [("RegisterInvoice", bare_invoice(pair[who], who)) for pair in pairs]
        contention.submit(nodes[0][who], papers)
        contention.level(nodes[0])
        contention.submit(nodes[0][who], claims)
    contention.level(nodes[0])
    # The two of a pair are approved by different nodes of the buyer.
    approvals = [
        words.approval(pair[who], buyer_reference=hex64(f"order {label} {number}"))
        for number, pair in enumerate(pairs)
        for who in suppliers
    ]
    race = run(network, nodes, [(BUYER, ("ApproveInvoice", approval)) for approval in approvals])
    assert race.applied == [{"released": []}] * len(pairs)
    assert race.refused == {"BUYER_REFERENCE_USED": len(pairs)}
    for pair in pairs:
        statuses = [record(nodes, f"invoice/{hexid(name)}")["status"] for name in pair.values()]
        assert sorted(statuses) == ["approved", "registered"]


def bare_invoice(name: str, supplier: str) -> dict[str, Any]:
    """The body of an invoice that rests on its own paper only."""
    facts = words.facts(supplier=hex64(f"identity {supplier}"), payee=hex64(f"payout {supplier}"))
    papers = {"document_ids": [hexid(f"paper {name}")], "proof_ids": [], "shipment_ids": []}
    return words.invoice(name, facts=facts, **papers)


def test_of_two_nodes_that_register_one_invoice_twice_the_first_is_unique(network: Topology, nodes: Nodes) -> None:
    prepared = contention.prepare(nodes[0], 1, (BUYER,))
    known = record(nodes, f"invoice/{prepared.invoice_ids[0]}")
    name, label = secrets.token_hex(4), "rests on other papers"
    documents = [words.document(f"{label} {name}"), words.document(f"{label} {name} p", "proof_of_delivery")]
    contention.submit(nodes[0][SUPPLIER], [("RegisterDocument", document) for document in documents])
    contention.level(nodes[0])
    claims = {"fingerprints": words.fingerprints(name), "shipment_ids": known["shipment_ids"]}
    papers = {"document_ids": [documents[0]["document_id"]], "proof_ids": [documents[1]["document_id"]]}
    twins = [words.invoice(f"{name} {number}", **claims, **papers) for number in range(4)]
    race = run(network, nodes, [(SUPPLIER, ("RegisterInvoice", twin)) for twin in twins])
    first = [each["invoice_id"] for each in race.applied if not each["duplicate_of"]]
    assert (len(first), len(race.applied)) == (1, 4)
    assert {each["duplicate_of"] for each in race.applied} == {"", first[0]}
    reasons = {twin["invoice_id"]: reason(nodes, twin["invoice_id"], "UNIQUE") for twin in twins}
    # The first one misses what nobody has attested yet, and is no duplicate.
    assert Counter(reasons.values()) == {"FINGERPRINTS_MISSING": 1, "DUPLICATE_CLAIM": 3}
    assert reasons[first[0]] == "FINGERPRINTS_MISSING"


def test_of_four_sides_that_use_up_a_limit_one_is_paid(network: Topology, nodes: Nodes) -> None:
    prepared = contention.prepare(nodes[0], 4, PARTIES, limit_minor=FACE_MINOR, supplier_limit_minor=FACE_MINOR)
    race = run(network, nodes, [(who, command) for who in (*PARTIES,) for command in prepared.last[who]])
    assert (len(race.applied), sum(len(each["released"]) for each in race.applied)) == (4, 1)
    statuses = {each: record(nodes, f"invoice/{each}")["status"] for each in prepared.invoice_ids}
    assert Counter(statuses.values()) == {"early-paid": 1, "approved": 3}
    waiting = [each for each, status in statuses.items() if status == "approved"]
    assert {reason(nodes, each, "FACILITY") for each in waiting} == {"LIMIT_EXCEEDED"}
    assert record(nodes, f"facility/{prepared.facility_id}")["used_minor"] == FACE_MINOR


def test_of_two_nodes_that_issue_for_one_booked_credit_one_does(network: Topology, nodes: Nodes) -> None:
    contention.submit(nodes[0][FINANCIER], [issue(secrets.token_hex(32))])
    contention.level(nodes[0])
    key = f"account/cash/{DEPOSIT}/cash:{CARRIER}"
    before = record(nodes, key)["balance_minor"]
    race = run(network, nodes, [(FINANCIER, issue(hexid("one credit") + secrets.token_hex(16)))] * 8)
    assert len(race.applied) == 1
    assert race.refused == {"CREDIT_ALREADY_ISSUED": 7}
    assert record(nodes, key)["balance_minor"] == before + 5


def cash(nodes: Nodes) -> dict[str, int]:
    """What supplier and financiers have in the one deposit; for its issuer, what it has issued, below zero."""
    names = {SUPPLIER: f"cash:{SUPPLIER}", FINANCIER: f"issued:{FINANCIER}", CARRIER: f"cash:{CARRIER}"}
    found = {who: record(nodes, f"account/cash/{DEPOSIT}/{name}") for who, name in names.items()}
    return {who: account["balance_minor"] if account else 0 for who, account in found.items()}


def issue(credit_reference: str, to: str = CARRIER, amount_minor: int = 5) -> Command:
    """Deposit money for an organisation."""
    body = {"deposit": DEPOSIT, "to": to, "amount_minor": amount_minor, "credit_reference": credit_reference}
    return "IssueDeposit", body | {"booked_on": contention.today()}
