"""A corpus of mutated and of honest look-alike invoices, as real documents: what duplicates are measured on.

Every case is an original and a later document. Both are read by the node's own formats, fingerprinted by its own code
and registered with the contract, so what is measured is what runs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from world import World
from world_bodies import BUYER, SUPPLIER, document, hex64, hexid, invoice

from ledger_node.demo import samples
from ledger_node.formats import InvoiceFacts, fingerprints, read_facts
from ledger_node.formats.ledger_facts import ledger_facts

KEY = bytes(range(32))
RECORDS = [
    {
        "msp_id": msp_id,
        "name": party.name,
        "identity_fingerprint": fingerprints.identity(KEY, party.vat_id),
        "payout_fingerprint": fingerprints.account(KEY, samples.SUPPLIER_IBAN),
    }
    for msp_id, party in ((SUPPLIER, samples.SUPPLIER), (BUYER, samples.BUYER))
]
Paper = dict[str, Any]
CASES_PER_KIND = 5


def paper(number: str, **changes: Any) -> Paper:
    """What an invoice says."""
    return {
        "number": number,
        "supplier": samples.SUPPLIER,
        "buyer": samples.BUYER,
        "issue_date": dt.date(2026, 11, 2),
        "due_date": dt.date(2027, 1, 29),
        "currency": "EUR",
        "amount_minor": 1_000_000,
        "order_reference": f"PO {number}",
        "shipment_reference": f"DES {number}",
        "iban": samples.SUPPLIER_IBAN,
    } | changes


def original(case: int) -> Paper:
    """The first invoice of a case; no two cases look alike, and each number has a letter, a zero and separators."""
    return paper(f"INV-2026-{1000 + case * 10}", amount_minor=1_000_000 + case * 1_306)


@dataclass(frozen=True)
class Mutation:
    """A kind of second invoice; `same` says whether it is for the same claim."""

    name: str
    what: str
    same: bool
    change: Callable[[Paper], list[Paper]]
    rewrite: Callable[[bytes], bytes] = bytes
    cancelled: bool = False


def _with(**changes: Callable[[Paper], Any]) -> Callable[[Paper], list[Paper]]:
    return lambda first: [first | {name: change(first) for name, change in changes.items()}]


def _number(change: Callable[[str], str]) -> Callable[[Paper], list[Paper]]:
    return _with(number=lambda first: change(first["number"]))


def _fresh(change: Callable[[Paper], Paper]) -> Callable[[Paper], list[Paper]]:
    """A change that also takes another delivery, as an honest second claim, or a careful fraud, has."""
    return lambda first: [change(first) | {"shipment_reference": f"{first['shipment_reference']} B"}]


def _split(percent: int) -> Callable[[Paper], list[Paper]]:
    """Two invoices for an amount, of which the first has so much; neither names a delivery."""

    def change(first: Paper) -> list[Paper]:
        part = first["amount_minor"] * percent // 100
        return [
            first | {"number": f"{first['number']}-{place}", "amount_minor": amount, "shipment_reference": ""}
            for place, amount in ((1, part), (2, first["amount_minor"] - part))
        ]

    return change


def _later(days: int) -> Callable[[Paper], dt.date]:
    return lambda first: first["issue_date"] + dt.timedelta(days=days)


MUTATIONS = (
    Mutation("number spelt differently", "`inv/2026/01000` for `INV-2026-1000`", True,
             _number(lambda number: number.lower().replace("-", "/").replace("/1", "/01"))),
    Mutation("spaces in the number", "`INV 2026  1000`", True, _number(lambda number: number.replace("-", "  "))),
    Mutation("O for 0", "`INV-2O26-1000`, all else the same", True,
             _number(lambda number: number.replace("0", "O", 1))),
    Mutation("O for 0, date shifted", "`INV-2O26-1000`, a day later, another delivery", True,
             _fresh(lambda first: first | {"number": first["number"].replace("0", "O", 1),
                                           "issue_date": _later(1)(first)})),
    Mutation("another number", "a number of its own, all else the same", True, _number(lambda number: f"X{number}7")),
    Mutation("date shifted", "a day later, the same number", True, _with(issue_date=_later(1))),
    Mutation("date and number changed", "a day later under another number, the same delivery", True,
             _with(issue_date=_later(1), number=lambda first: f"X{first['number']}7")),
    Mutation("date and number changed, delivery left out", "the same, and the paper names no despatch advice", True,
             _with(issue_date=_later(1), number=lambda first: f"X{first['number']}7", shipment_reference=lambda _: "")),
    Mutation("amount split in two", "60 % and 40 % under `…-1` and `…-2`, no delivery named", True, _split(60)),
    Mutation("amount split in two equal parts", "which look like each other, not like the first", True, _split(50)),
    Mutation("another currency", "the same number in USD", True, _with(currency=lambda _: "USD")),
    Mutation("another currency and number", "in USD under another number, another delivery", True,
             _fresh(lambda first: first | {"currency": "USD", "number": f"X{first['number']}7"})),
    Mutation("another file", "the same invoice with other bytes", True, lambda first: [first],
             lambda content: re.sub(rb"\n\s*", b"\n", content) + b"<!-- again -->\n"),
    Mutation("invented anew", "other number, amount, date and delivery", True,
             _fresh(lambda first: first | {"number": f"X{first['number']}7", "amount_minor": first["amount_minor"] + 1,
                                           "issue_date": _later(3)(first)})),
    Mutation("monthly rent", "the same amount a month later, the next number", False,
             _fresh(lambda first: first | {"number": f"{first['number']}-12", "issue_date": _later(30)(first)})),
    Mutation("numbers cut differently", "`INV-1-11` and `INV-11-1`, other amounts and days", False,
             _fresh(lambda first: first | {"number": _recut(first["number"]),
                                           "amount_minor": first["amount_minor"] + 500,
                                           "issue_date": _later(2)(first)})),
    Mutation("invoiced again after cancellation", "the same invoice, the first one cancelled", False,
             lambda first: [first], cancelled=True),
    Mutation("same amount on the same day", "two equal deliveries of one day, numbers of their own", False,
             _fresh(lambda first: first | {"number": f"{first['number']}-2"})),
)  # fmt: skip


def _recut(number: str) -> str:
    """The same digits with the separator elsewhere: INV-2026-1000 becomes INV-20261-000."""
    head, year, serial = number.split("-")
    return f"{head}-{year}{serial[0]}-{serial[1:]}"


@dataclass(frozen=True)
class Measured:
    """How many of a mutation's cases were found to be duplicates."""

    mutation: Mutation
    cases: int
    found: int


def measure(world: World, folder: Path) -> list[Measured]:
    """Register every original and every look-alike, and count which the contract calls duplicates.

    Each mutation is played on originals of its own, so that no case meets another one's.
    """
    results = []
    for place, mutation in enumerate(MUTATIONS):
        firsts = [original(place * CASES_PER_KIND + case) for case in range(CASES_PER_KIND)]
        found = sum(_is_found(world, folder, mutation, first) for first in firsts)
        results.append(Measured(mutation, len(firsts), found))
    return results


def _is_found(world: World, folder: Path, mutation: Mutation, first: Paper) -> bool:
    name = f"{mutation.name} {first['number']}"
    assert register(world, folder, name, first) == "", "an original is nobody's duplicate"
    if mutation.cancelled:
        world.must(SUPPLIER, "CancelInvoice", invoice_id=hexid(name), reason_commitment=hex64("reason"))
    seconds = mutation.change(first)
    told = [register(world, folder, f"{name} {n}", one, mutation.rewrite) for n, one in enumerate(seconds)]
    return any(told)


def register(world: World, folder: Path, name: str, said: Paper, rewrite: Callable[[bytes], bytes] = bytes) -> str:
    """Register what a document says, and give the invoice that it is a duplicate of, if any."""
    path = folder / f"{hexid(name)}.xml"
    path.write_bytes(rewrite(samples.invoice_ubl(**said)))
    facts = read_facts("invoice", "application/xml", path)
    assert isinstance(facts, InvoiceFacts)
    world.must(SUPPLIER, "RegisterDocument", **document(f"paper {name}"))
    body = invoice(
        name,
        document_ids=[hexid(f"paper {name}")],
        proof_ids=[],
        shipment_ids=[],
        facts=ledger_facts(KEY, facts, RECORDS[0], RECORDS[1]),
        fingerprints=fingerprints.fingerprints(KEY, facts, SUPPLIER, BUYER, KEY),
    )
    duplicate_of: str = world.must(SUPPLIER, "RegisterInvoice", **body)["duplicate_of"]
    return duplicate_of
