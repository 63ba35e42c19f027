"""A release check reads a bounded number of keys, however much stands on the ledger."""

from __future__ import annotations

import re
from pathlib import Path

from refusal_rows import everybody
from world import World, play
from world_bodies import BUYER, SUPPLIER, approval, hexid, invoice

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "commands.md"
DOCUMENTS, ENTITLED, SHIPMENTS, FACILITIES, OF_A_LIMIT, PARTIES = 25, 20, 10, 8, 20, 50


def keys_max() -> int:
    """The keys of an invoice that rests on, and is offered to, as much as a command can name."""
    one_each = ["day", "invoice", "request", "standing request", "oldest overdue", "oldest notice"]
    of_a_facility = ["facility", "acceptance", "account", "shortfall", "two holds", "two holds", "decline", "limit"]
    shortfalls = PARTIES - 1  # in the issuer's deposit, where the financier is the issuer
    return (
        len(one_each)
        + 3  # fingerprints
        + 20  # numbers of the invoices that it says to follow
        + 200  # deliveries that it names
        + DOCUMENTS * (1 + ENTITLED)
        + SHIPMENTS * (1 + 3)
        + PARTIES
        + FACILITIES * (len(of_a_facility) + OF_A_LIMIT + shortfalls)
    )


def keys_read(world: World) -> set[str]:
    world.classes()
    return set(world.keys_read)


def late(world: World, count: int) -> None:
    """The buyer owes so many other invoices, and lets their due date pass."""
    for number in range(count):
        name = f"late {number}"
        papers = {"document_ids": [hexid(f"bill {number // 20}")], "proof_ids": [], "shipment_ids": []}
        if number % 20 == 0:
            document = {"document_id": papers["document_ids"][0], "kind": "invoice", "media_type": "text/xml"}
            more = {"size_bytes": 1, "algorithm": "SHA-256", "commitment": "0" * 64, "entitled": [BUYER]}
            world.must(SUPPLIER, "RegisterDocument", **document, **more)
        world.must(SUPPLIER, "RegisterInvoice", **invoice(name, **papers))
        world.must(BUYER, "ApproveInvoice", **approval(name))


def test_a_check_reads_as_many_keys_whatever_else_the_buyer_owes() -> None:
    counts = []
    for others in (1, 60):
        world = everybody()
        play(world, without=["delivered"])
        late(world, others)
        world.open_day("2027-02-01")
        assert world.classes()["FACILITY"] == "REQUEST_EXPIRED"
        counts.append(len(keys_read(world)))
    assert counts[0] == counts[1] <= 40


def test_the_reference_says_how_many_keys_that_are_at_most() -> None:
    said = re.search(r"reads at most ([0-9 ]+) keys", PAGE.read_text())
    assert said is not None
    assert int(said[1].replace(" ", "")) == keys_max()
