"""Invoices in several currencies, financed, paid, late and written off: a ledger for the reports, on known days.

2026-11-23 three invoices are financed (10 000.00 and 2 000.00 EUR, 3 000 000 JPY), a fourth (5 000.00 EUR) is paid by
its buyer early; 2026-12-15 the buyer pays 3 000.00 and 2 000.00 EUR; 2027-01-25 what is left is overdue; 2027-02-25
1 000 000 JPY are written off and 400 000 of them recovered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projected import ProjectedWorld
from world import found
from world_bodies import (
    BUYER,
    CARRIER,
    DEPOSIT,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    acceptance,
    approval,
    attestation,
    deposit,
    document,
    event,
    facility,
    facts,
    fingerprints,
    hexid,
    invoice,
    party,
    request,
    settlement,
    shipment,
)

YEN = f"JPY@{FINANCIER}"
LIMITS = {"EUR": 100_000_000, "JPY": 1_000_000_000}
LISTED = [
    party(FINANCIER, "financier", "issuer", issue_limits=LIMITS) if one["msp_id"] == FINANCIER else one
    for one in PARTIES
]
PART_PAID, LATE, LOST = "2026-12-15", "2027-01-25", "2027-02-25"


@dataclass(frozen=True)
class Deals:
    """The world, and the number of the last block of each of its days."""

    world: ProjectedWorld
    paid: int
    part_paid: int
    late: int
    lost: int


def traded() -> Deals:
    """All of it."""
    world = ProjectedWorld()
    found(world, LISTED)
    world.must(FINANCIER, "AcceptSupplier", **acceptance())
    world.must(FINANCIER, "OpenFacility", **facility())
    yen = {"limit_minor": 9_000_000, "supplier_limit_minor": 4_000_000, "fee_minor": 1_000, "deposit": YEN}
    world.must(FINANCIER, "OpenFacility", **facility("yen", **yen))
    limit = {"buyer": BUYER, "currency": "EUR", "limit_minor": 8_000_000, "facility_ids": [hexid("facility")]}
    world.must(FINANCIER, "SetBuyerLimit", **limit)
    delivered(world)
    financed(world, "invoice", 1_000_000)
    financed(world, "second", 200_000)
    financed(world, "third", 3_000_000, "JPY", "yen")
    register(world, "fourth", 500_000)
    approve(world, "fourth", 500_000)
    world.must(FINANCIER, "IssueDeposit", **deposit("euros", amount_minor=2_000_000))
    world.must(FINANCIER, "IssueDeposit", **deposit("yen", amount_minor=3_000_000, deposit=YEN))
    offer = {"rate_bps": 600, "day_count": "ACT/365F", "valid_until": "2026-12-31"}
    world.must(SUPPLIER, "OfferDiscount", invoice_id=hexid("fourth"), **offer)
    world.must(BUYER, "PayEarly", invoice_id=hexid("fourth"), deposit=DEPOSIT)
    paid = world.block_number
    world.open_day(PART_PAID)
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=300_000))
    world.must(BUYER, "SettleInvoice", **settlement("second", amount_minor=200_000))
    part_paid = world.block_number
    world.open_day(LATE)
    world.must(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice"), hexid("third")])
    late = world.block_number
    world.open_day(LOST)
    lost = {"invoice_id": hexid("third")}
    world.must(FINANCIER, "WriteOff", **lost, amount_minor=1_000_000)
    world.must(BUYER, "RecordRecovery", **lost, amount_minor=400_000, deposit=YEN)
    return Deals(world, paid, part_paid, late, world.block_number)


def delivered(world: ProjectedWorld) -> None:
    """Goods that all invoices are for, with a proof that two have verified."""
    world.must(SUPPLIER, "RegisterShipment", **shipment())
    world.must(BUYER, "AcceptCarrier", shipment_id=hexid("shipment"))
    world.must(CARRIER, "RecordShipmentEvent", **event())
    world.must(SUPPLIER, "RegisterDocument", **document("proof", "proof_of_delivery"))
    for msp_id in (BUYER, CARRIER):
        world.must(msp_id, "AttestDocument", **attestation("proof"))


def register(world: ProjectedWorld, name: str, amount_minor: int, currency: str = "EUR", **other: Any) -> None:
    """A document of its own, attested by buyer and financier, and an invoice on it."""
    paper = f"document {name}"
    said = facts(amount_minor=amount_minor, currency=currency)
    world.must(SUPPLIER, "RegisterDocument", **document(paper))
    for msp_id in (BUYER, FINANCIER):
        read = {"facts": said, "fingerprints": fingerprints(name)}
        world.must(msp_id, "AttestDocument", **attestation(paper, **read))
    world.must(SUPPLIER, "RegisterInvoice", **invoice(name, document_ids=[hexid(paper)], facts=said) | other)


def approve(world: ProjectedWorld, name: str, amount_minor: int, currency: str = "EUR") -> list[str]:
    """The buyer undertakes to pay; ids of the invoices that this pays early."""
    said = world.must(BUYER, "ApproveInvoice", **approval(name, amount_minor=amount_minor, currency=currency))
    released: list[str] = said["released"]
    return released


def financed(
    world: ProjectedWorld, name: str, amount_minor: int, currency: str = "EUR", facility_name: str = "facility"
) -> None:
    """An invoice that a facility pays early, in the transaction of its approval."""
    register(world, name, amount_minor, currency)
    asked = request(name, facility_ids=[hexid(facility_name)], net_min_minor=1)
    world.must(SUPPLIER, "RequestEarlyPayment", **asked)
    assert approve(world, name, amount_minor, currency) == [hexid(name)]
