"""A year in fast motion: invoices with all their events on the embedded ledger, day after day.

    python tests/chaincode/year.py --invoices 200000 --days 250

plays it in a temporary folder and prints one JSON document. Each organisation sends what it has to say of a day in one
transaction, or as many as the limit of commands wants. Most invoices are paid early and settled when due; of every
hundred some are disputed, credited, split, paid by the buyer itself, bought back, unwound, overdue,
written off and recovered.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from invariants import check_state
from life_worlds import REASON
from sqlmodel import Session
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    DEPOSIT,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    acceptance,
    approval,
    attestation,
    command,
    confirmation,
    deposit,
    document,
    event,
    facility,
    facts,
    hex64,
    hexid,
    invoice,
    party,
    request,
    settlement,
    shipment,
)

from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.readmodel import SCHEMA_VERSION
from ledger_node.readmodel.projector import Projector

BATCH = 500
TENOR_DAYS = 20
LARGE = 10**13
FACE_MINOR = 100_000
CHECKED: tuple[str, ...] = (
    "account/",
    "entry/",
    "invoice/",
    "fingerprint/",
    "credit_note/",
    "facility/",
    "redemption/",
    "person/",
)
CHECKED += ("party/", "open/", "unacknowledged/", "link/")
"""The records that invariants of a state speak of."""
PAID_EARLY_BY_BUYER = 1
OFFER = {"rate_bps": 600, "day_count": "ACT/365F", "valid_until": "2029-12-31"}
Sent = tuple[str, dict[str, Any]]
Planned = tuple[int, str, str, dict[str, Any]]
"""In which turn of a day, who, what."""
Plans = dict[int, tuple[list[Planned], list[Planned]]]
"""By kind of invoice, what follows on its first day and what when it is due."""
MONEY = {"deposit": DEPOSIT}
CREDITED_MINOR = 1_000
SENDERS = (SUPPLIER, BUYER, CARRIER, FINANCIER)


class Bill:
    """What is said of one invoice in most of its lives.

    Args:
        name: of which its ids are made.
        due: the day on which it is due.
    """

    def __init__(self, name: str, due: str) -> None:
        self.name = name
        self.own = {"invoice_id": hexid(name)}
        self.approval = approval(name, amount_minor=FACE_MINOR, due_date=due)
        self.pay = settlement(name, amount_minor=FACE_MINOR)
        money = deposit(name, amount_minor=FACE_MINOR, booked_on=DAY)
        self.issued: Planned = (0, FINANCIER, "IssueDeposit", money)
        self.approved: Planned = (2, BUYER, "ApproveInvoice", self.approval)
        self.noticed: Planned = (5, BUYER, "AcknowledgeAssignment", self.own)
        self.settled: list[Planned] = [self.issued, (1, BUYER, "SettleInvoice", self.pay)]
        self.note = {
            **self.own,
            "credit_note_id": hexid(f"{name} note"),
            "amount_minor": CREDITED_MINOR,
            "document_id": hexid(name),
            "shipment_ids": [],
        }


def before_it_is_due(bill: Bill) -> Plans:
    """Invoices that are disputed, paid early by the buyer, credited, split, or taken back by their supplier."""
    own, name, approve = bill.own, bill.name, bill.approval
    less = {"amount_minor": FACE_MINOR - CREDITED_MINOR}
    disputed: list[Planned] = [
        (2, BUYER, "DisputeInvoice", own | REASON),
        (3, BUYER, "ResolveDispute", own | {"outcome": "cancelled"}),
    ]
    paid_by_buyer: list[Planned] = [
        bill.approved,
        (3, *bill.issued[1:]),
        (3, SUPPLIER, "OfferDiscount", own | OFFER),
        (4, BUYER, "PayEarly", own | MONEY),
    ]
    credited: list[Planned] = [
        (2, SUPPLIER, "RecordCreditNote", bill.note),
        (3, BUYER, "ApproveInvoice", approve | less),
        bill.noticed,
    ]
    claimed: list[Planned] = [
        bill.approved,
        (3, SUPPLIER, "RecordCreditNote", bill.note),
        (4, SUPPLIER, "PayClaim", MONEY | {"credit_note_id": hexid(f"{name} note")}),
        bill.noticed,
    ]
    unwound: list[Planned] = [(3, SUPPLIER, "Unwind", own), (4, FINANCIER, "Unwind", own)]
    return {
        0: (disputed, []),
        PAID_EARLY_BY_BUYER: (paid_by_buyer, []),
        2: (credited, [bill.issued, (1, BUYER, "SettleInvoice", bill.pay | less)]),
        3: split(bill),
        4: (claimed, bill.settled),
        5: ([bill.approved, *unwound, bill.noticed], bill.settled),
        6: ([bill.approved, (4, SUPPLIER, "Repurchase", own | MONEY), bill.noticed], bill.settled),
    }


def split(bill: Bill) -> tuple[list[Planned], list[Planned]]:
    """An invoice of which one half has been delivered and is paid early, and the other is not."""
    names, amount = [f"{bill.name} {part}" for part in (1, 2)], {"amount_minor": FACE_MINOR // 2}
    shipments = [[hexid(f"{bill.name} goods")], []]
    parts = [
        {"invoice_id": hexid(one), **amount, "shipment_ids": goods} for one, goods in zip(names, shipments, strict=True)
    ]
    due = {"due_date": bill.approval["due_date"]}
    return [
        (2, SUPPLIER, "SplitInvoice", bill.own | {"parts": parts}),
        *((3, BUYER, "ApproveInvoice", approval(one, **amount, **due)) for one in names),
        (5, BUYER, "AcknowledgeAssignment", {"invoice_id": parts[0]["invoice_id"]}),
    ], [bill.issued, *((1, BUYER, "SettleInvoice", settlement(one, **amount)) for one in names)]


def when_it_is_due(bill: Bill) -> Plans:
    """Invoices that are paid late, in part or outside the ledger, or whose money is redeemed."""
    own, begun = bill.own, [bill.approved, bill.noticed]
    half, redemption = {"amount_minor": FACE_MINOR // 2}, {"redemption_id": hexid(bill.name)}
    written_off: list[Planned] = [
        (10, CARRIER, "MarkOverdue", {"invoice_ids": [hexid(bill.name)]}),
        (11, FINANCIER, "WriteOff", own | {"amount_minor": FACE_MINOR}),
        (20, *bill.issued[1:]),
        (21, BUYER, "RecordRecovery", bill.pay),
    ]
    in_halves: list[Planned] = [(turn, BUYER, "SettleInvoice", bill.pay | half) for turn in (1, 2)]
    outside: list[Planned] = [(1, FINANCIER, "RecordPaidOutside", own | REASON | {"amount_minor": FACE_MINOR})]
    redeemed: list[Planned] = [
        (2, SUPPLIER, "RedeemDeposit", MONEY | redemption | half),
        (3, FINANCIER, "ConfirmRedemption", confirmation(bill.name, bill.name)),
    ]
    return {
        7: (begun, written_off),
        8: (begun, [bill.issued, *in_halves]),
        9: (begun, outside),
        10: (begun, [*bill.settled, *redeemed]),
    }


class Year:
    """A consortium of four on one embedded ledger, and a node's read model of it.

    Args:
        folder: where the databases are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.date = dt.date.fromisoformat(DAY)
        self.commands = self.transactions = 0
        self.seconds = self.folding_seconds = 0.0
        self.due: defaultdict[dt.date, list[Planned]] = defaultdict(list)
        self.ledgers = {
            msp_id: EmbeddedLedger(folder / "ledger.db", msp_id, b"certificate", self.now) for msp_id in SENDERS
        }
        self.database = Database(f"sqlite:///{folder / 'readmodel.db'}")
        self.database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        self.projector = Projector(self.database, self.ledgers[SUPPLIER], 20_000)
        issuer = party(FINANCIER, "financier", "issuer", issue_limits={"EUR": LARGE})
        parties = [issuer if one["msp_id"] == FINANCIER else one for one in PARTIES]
        self.send(SUPPLIER, [("FoundConsortium", {"parties": parties})])
        founding = json.loads(self.ledgers[SUPPLIER].evaluate(query("founding")))["result"]
        for msp_id in SENDERS:
            self.send(msp_id, [("ConfirmFounding", {"digest": founding["digest"]})])
        self.send(SUPPLIER, [("OpenDay", {"date": DAY})])
        offer = facility(limit_minor=LARGE, supplier_limit_minor=LARGE, recourse="full", overdue_days_max=3_650)
        self.send(FINANCIER, [("AcceptSupplier", acceptance()), ("OpenFacility", offer)])
        standing = request(invoice_id="", net_min_minor=1, valid_until="2029-12-31")
        self.send(SUPPLIER, [("RequestEarlyPayment", standing)])

    def now(self) -> dt.datetime:
        """Noon of the day that is played."""
        return dt.datetime.combine(self.date, dt.time(12), dt.UTC)

    def send(self, msp_id: str, commands: list[tuple[str, dict[str, Any]]]) -> None:
        """Send commands, all of which have to be applied."""
        ledger, begun = self.ledgers[msp_id], time.process_time()
        for start in range(0, len(commands), BATCH):
            batch = [
                command(type_, hexid(f"{msp_id} {self.commands + number}"), **body)
                for number, (type_, body) in enumerate(commands[start : start + BATCH])
            ]
            receipt = ledger.submit(ledger.prepare(json.dumps({"version": 1, "commands": batch}).encode()))
            refused = [one for one in json.loads(receipt.answer)["results"] if one["status"] != "applied"]
            assert not refused, refused[:3]
            self.commands += len(batch)
            self.transactions += 1
        self.seconds += time.process_time() - begun

    def play_day(self, first: int, count: int) -> None:
        """Open the next day, register `count` invoices from number `first` on, and do all that is due."""
        self.date += dt.timedelta(days=1)
        self.send(SUPPLIER, [("OpenDay", {"date": self.date.isoformat()})])
        turns: defaultdict[int, defaultdict[str, list[Sent]]] = defaultdict(lambda: defaultdict(list))
        planned = self.due.pop(self.date, [])
        for number in range(first, first + count):
            planned += self.begin(number)
        for turn, msp_id, type_, body in planned:
            turns[turn][msp_id].append((type_, body))
        for turn in sorted(turns):
            for msp_id, commands in turns[turn].items():
                self.send(msp_id, commands)
        begun = time.process_time()
        self.projector.catch_up()
        self.folding_seconds += time.process_time() - begun

    def begin(self, number: int) -> list[Planned]:
        """What happens to a new invoice today; what happens when it is due is noted."""
        name, kind, due = f"bill {number}", number % 100, self.date + dt.timedelta(days=TENOR_DAYS)
        said = facts(amount_minor=FACE_MINOR, due_date=due.isoformat())
        prints = {of: hex64(f"{of} {name}") for of in ("amount", "number")}
        goods = {"shipment_id": hexid(f"{name} goods")}
        papers = {"document_ids": [hexid(name)], "proof_ids": [hexid(f"{name} proof")]}
        claim = invoice(name, facts=said, fingerprints=prints, shipment_ids=[goods["shipment_id"]], **papers)
        arrived = event(name) | goods | {"occurred_on": self.date.isoformat()}
        read_bill, read_proof = attestation(name, facts=said, fingerprints=prints), attestation(f"{name} proof")
        plan: list[Planned] = [
            (0, SUPPLIER, "RegisterDocument", document(name)),
            (0, SUPPLIER, "RegisterDocument", document(f"{name} proof", "proof_of_delivery")),
            (0, SUPPLIER, "RegisterShipment", shipment(f"{name} goods")),
            (0, SUPPLIER, "RegisterInvoice", claim),
            (1, BUYER, "AcceptCarrier", goods),
            (1, CARRIER, "AttestDocument", read_proof),
            (1, CARRIER, "RecordShipmentEvent", arrived),
            (1, BUYER, "AttestDocument", read_bill),
            (1, BUYER, "AttestDocument", read_proof),
            (1, FINANCIER, "AttestDocument", read_proof),
        ]
        if kind != PAID_EARLY_BY_BUYER:
            plan.append((1, FINANCIER, "AttestDocument", read_bill))
        today, later = self.afterwards(name, kind, due)
        for turn, msp_id, type_, body in later:
            self.due[due + dt.timedelta(days=turn // 10)].append((turn % 10, msp_id, type_, body))
        return plan + today

    def afterwards(self, name: str, kind: int, due: dt.date) -> tuple[list[Planned], list[Planned]]:
        """What follows today in turns from 2 on, and when it is due: tens of a turn are days after that."""
        bill = Bill(name, due.isoformat())
        rare = before_it_is_due(bill) | when_it_is_due(bill)
        return rare.get(kind, ([bill.approved, bill.noticed], bill.settled))

    def check(self) -> None:
        """Assert every invariant of the whole state."""
        with sqlite3.connect(self.folder / "ledger.db") as connection:
            rows = connection.execute("SELECT key, value FROM state")
            check_state({key: value for key, value in rows if key.startswith(CHECKED)})

    def digest(self) -> str:
        """SHA-256 of the read model, table by table."""
        with self.database.read() as session:
            return dumped(session)

    def close(self) -> None:
        """Close the files."""
        self.database.close()
        for ledger in self.ledgers.values():
            ledger.close()


def query(key: str) -> bytes:
    """The argument that asks for a record."""
    return json.dumps({"version": 1, "query": {"type": "Record", "key": key}}).encode()


def dumped(session: Session) -> str:
    """SHA-256 of all rows of all tables, in the order of their keys."""
    digest = hashlib.sha256()
    for table in ReadModelTable.metadata.sorted_tables:
        rows = (
            session.connection()
            .execution_options(yield_per=10_000)
            .execute(table.select().order_by(*table.primary_key))
        )
        for row in rows:
            digest.update(repr((table.name, *row)).encode())
    return digest.hexdigest()


def play(folder: Path, invoices: int, days: int) -> dict[str, Any]:
    """Play so many invoices over so many days, and until all of them are due; check, fold anew, and measure.

    Returns: the figures. The read model folded as blocks came and the one folded from block 0 are compared.
    """
    year = Year(folder)
    part = -(-invoices // days)
    pace = []
    for first in range(0, invoices, part):
        commands, seconds = year.commands, year.seconds
        year.play_day(first, min(part, invoices - first))
        pace.append((year.commands - commands) / (year.seconds - seconds))
    while year.due:
        year.play_day(invoices, 0)
    year.check()
    first_read_model, begun = year.digest(), time.process_time()
    blocks = year.projector.rebuild()
    rebuild_seconds = time.process_time() - begun
    assert year.digest() == first_read_model, "folding all blocks anew gives another read model"
    year.close()
    fifth = max(1, len(pace) // 5)
    return {
        "invoices": invoices,
        "commands": year.commands,
        "blocks": blocks,
        "commands_per_cpu_second": round(year.commands / year.seconds),
        "commands_per_cpu_second_first_fifth": round(sum(pace[:fifth]) / fifth),
        "commands_per_cpu_second_last_fifth": round(sum(pace[-fifth:]) / fifth),
        "folded_commands_per_cpu_second": round(year.commands / year.folding_seconds),
        "rebuild_cpu_seconds": round(rebuild_seconds, 1),
        "ledger_bytes_per_invoice": round((folder / "ledger.db").stat().st_size / invoices),
        "read_model_bytes_per_invoice": round((folder / "readmodel.db").stat().st_size / invoices),
        "memory_bytes_max": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def main() -> None:
    """Play, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=250)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(play(Path(folder), asked.invoices, asked.days), indent=2) + "\n")


if __name__ == "__main__":
    main()
