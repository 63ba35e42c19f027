"""Four organisations that pay out of one facility and one account at once, on a network with the contract itself.

Invoices are prepared until each misses one piece of evidence, which the organisation whose turn it is then brings. So
every last command of everybody reads and changes the same facility and the same account of the financier.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent / "chaincode"))

import world_bodies as words
from world_bodies import FACE_MINOR, hexid

from ledger_node.ledger.interface import EndorseError, Ledger
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.store import Outbox, Submission
from ledger_node.workers.running import Run

SUPPLIER, BUYER, FINANCIER, CARRIER = "SupplierMSP", "BuyerMSP", "FinancierMSP", "CarrierMSP"
PARTIES = (SUPPLIER, BUYER, FINANCIER, CARRIER)
FINANCIERS = (FINANCIER, CARRIER)
ROLES = {
    SUPPLIER: ["supplier"],
    BUYER: ["buyer"],
    FINANCIER: ["financier", "issuer"],
    CARRIER: ["carrier", "financier", "supplier"],
}
"""The carrier also buys invoices, with deposits that it holds, and has some of its own."""
COMMANDS_A_TRANSACTION = 200
LIMIT_MINOR = 10**13
TRIES_MAX = 60
Command = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Prepared:
    """Invoices that miss one piece each: `last` is who must send what; `facilities` are their ids by financier."""

    facilities: dict[str, str]
    invoice_ids: list[str]
    last: dict[str, list[Command]]

    @property
    def facility_id(self) -> str:
        """The facility of the organisation that is a financier first of all."""
        return self.facilities[FINANCIER]


def submit(ledger: Ledger, commands: Sequence[Command]) -> list[dict[str, Any]]:
    """Submit commands past any outbox, and give their results, none of them a refusal."""
    results: list[dict[str, Any]] = []
    for first in range(0, len(commands), COMMANDS_A_TRANSACTION):
        envelopes = [
            {"command_id": secrets.token_hex(16), "type": type_, "body": body}
            for type_, body in commands[first : first + COMMANDS_A_TRANSACTION]
        ]
        answer = _submitted(ledger, json.dumps({"version": 1, "commands": envelopes}).encode())
        results += [result["result"] for result in json.loads(answer)["results"]]
    return results


def level(ledgers: Mapping[str, Ledger]) -> None:
    """Wait until every peer has the blocks that any of them has."""
    last = max(ledger.height() for ledger in ledgers.values()) - 1
    for ledger in ledgers.values():
        _query(ledger, "day", last)


def _submitted(ledger: Ledger, argument: bytes) -> bytes:
    for _ in range(TRIES_MAX):
        try:
            return ledger.submit(ledger.prepare(argument)).answer
        except EndorseError:  # peers are at different heights for a moment
            threading.Event().wait(0.1)
    return ledger.submit(ledger.prepare(argument)).answer


def found(ledgers: Mapping[str, Ledger]) -> None:
    """Found the consortium, unless another test of the session did, and open today."""
    founding = _query(ledgers[SUPPLIER], "founding")
    if founding is None:
        parties = [words.party(each, *ROLES[each]) for each in PARTIES]
        parties[2]["issue_limits"] = {"EUR": LIMIT_MINOR}
        (proposed,) = submit(ledgers[SUPPLIER], [("FoundConsortium", {"parties": parties})])
        for each in PARTIES:
            level(ledgers)
            submit(ledgers[each], [("ConfirmFounding", {"digest": proposed["digest"]})])
        level(ledgers)
        submit(ledgers[SUPPLIER], [("OpenDay", {"date": today()})])
        level(ledgers)
        for each in FINANCIERS:
            submit(ledgers[each], [("AcceptSupplier", words.acceptance())])


def prepare(
    ledgers: Mapping[str, Ledger],
    count: int,
    senders: Sequence[str],
    financiers: Sequence[str] = (FINANCIER,),
    **terms: Any,
) -> Prepared:
    """Prepare invoices, for a facility of these terms of each financier; the senders bring the last pieces in turn."""
    label = secrets.token_hex(4)
    wide = {"limit_minor": LIMIT_MINOR, "supplier_limit_minor": LIMIT_MINOR}
    offers = {each: words.facility(f"facility {label} {each}", **wide | terms) for each in financiers}
    for each, facility in offers.items():
        submit(ledgers[each], [("OpenFacility", facility)])
    facilities = {each: str(facility["facility_id"]) for each, facility in offers.items()}
    stages: list[dict[str, list[Command]]] = [{each: [] for each in PARTIES} for _ in range(5)]
    last: dict[str, list[Command]] = {each: [] for each in PARTIES}
    names = [f"{label} {number}" for number in range(count)]
    for number, name in enumerate(names):
        sender = senders[number % len(senders)]
        for stage, who, command in _steps(name, facilities):
            is_last = (
                who == sender and command[0] == LAST[sender] and command[1].get("document_id") != hexid(f"p {name}")
            )
            (last[who] if is_last else stages[stage][who]).append(command)
    for stage_commands in stages:
        level(ledgers)
        for who, commands in stage_commands.items():
            submit(ledgers[who], commands)
    level(ledgers)
    return Prepared(facilities, [hexid(f"i {name}") for name in names], last)


LAST = {
    SUPPLIER: "RequestEarlyPayment",
    BUYER: "ApproveInvoice",
    FINANCIER: "AttestDocument",
    CARRIER: "RecordShipmentEvent",
}


def _steps(name: str, facilities: Mapping[str, str]) -> list[tuple[int, str, Command]]:
    """The steps of one invoice that is offered to all facilities: at which stage, by whom, what."""
    read = {"facts": words.facts(), "fingerprints": words.fingerprints(name)}
    invoice = words.invoice(f"i {name}", document_ids=[hexid(f"d {name}")], proof_ids=[hexid(f"p {name}")])
    invoice |= {"shipment_ids": [hexid(f"s {name}")], "fingerprints": read["fingerprints"]}
    proof = words.document(f"p {name}", "proof_of_delivery")
    request = words.request(f"i {name}", facility_ids=list(facilities.values()), valid_until="2999-12-31")
    document = words.document(f"d {name}", entitled=[BUYER, *facilities])
    attested = ("AttestDocument", words.attestation(f"d {name}", **read))
    return [
        (0, SUPPLIER, ("RegisterDocument", document)),
        (0, SUPPLIER, ("RegisterDocument", proof)),
        (0, SUPPLIER, ("RegisterShipment", words.shipment(f"s {name}"))),
        (1, BUYER, ("AcceptCarrier", {"shipment_id": hexid(f"s {name}")})),
        (2, CARRIER, ("RecordShipmentEvent", words.event(name, f"s {name}", occurred_on=today()))),
        (2, BUYER, ("AttestDocument", words.attestation(f"p {name}"))),
        (2, CARRIER, ("AttestDocument", words.attestation(f"p {name}"))),
        *((2, who, attested) for who in (BUYER, *facilities)),
        (3, SUPPLIER, ("RegisterInvoice", invoice)),
        (4, SUPPLIER, ("RequestEarlyPayment", request)),
        (4, BUYER, ("ApproveInvoice", words.approval(f"i {name}"))),
    ]


def watching(ledger: Ledger, observer: Contention) -> Run:
    """Shows the ledger's blocks to whoever tells whose turn it is, as a node's projector does."""

    def run(stop: threading.Event) -> None:
        for block in ledger.blocks(ledger.height(), stop):
            observer.saw(block)

    return run


@contextmanager
def sending(runs: Sequence[Run]) -> Iterator[None]:
    """All of these run within."""
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(stop,)) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def put_all(outboxes: Mapping[str, Outbox], last: Mapping[str, Sequence[Command]]) -> dict[str, list[Submission]]:
    """Put everybody's last pieces into their outboxes."""
    return {who: [outboxes[who].put(*command) for command in commands] for who, commands in last.items()}


def await_answers(outboxes: Mapping[str, Outbox], seconds_max: float) -> dict[str, float]:
    """Wait until nothing waits; the seconds after which each had its last answer."""
    began, idle = time.monotonic(), threading.Event()
    done: dict[str, float] = {}
    while len(done) < len(outboxes):
        for who, outbox in outboxes.items():
            counts = outbox.counts()
            if who not in done and not counts["waiting"] and not counts["sent"]:
                done[who] = time.monotonic() - began
        assert time.monotonic() - began < seconds_max, f"still waiting: {set(outboxes) - set(done)}"
        idle.wait(0.02)
    return done


def assert_all_paid_once(ledger: Ledger, prepared: Prepared) -> None:
    """Every invoice is paid, and the one facility is used up by exactly so much."""
    statuses = [_query(ledger, f"invoice/{each}")["status"] for each in prepared.invoice_ids]
    assert statuses == ["early-paid"] * len(prepared.invoice_ids)
    facility = _query(ledger, f"facility/{prepared.facility_id}")
    assert facility["used_minor"] == FACE_MINOR * len(prepared.invoice_ids), facility


def shipment() -> dict[str, Any]:
    """Body of a command that registers a fresh shipment."""
    return words.shipment(secrets.token_hex(8))


def today() -> str:
    """The date in UTC."""
    return dt.datetime.now(dt.UTC).date().isoformat()


def _query(ledger: Ledger, key: str, block_number_min: int = 0) -> Any:
    asked = json.dumps({"version": 1, "query": {"type": "Record", "key": key}}).encode()
    return json.loads(ledger.evaluate(asked, block_number_min))["result"]
