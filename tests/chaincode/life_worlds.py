"""Worlds in the middle of an invoice's life, and what brings them on: the states that its commands need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refusal_rows import OTHER_SUPPLIER, Prepare, everybody, rest, waits_for_decision
from world import World, play
from world_bodies import (
    BUYER,
    CARRIER,
    DEPOSIT,
    DUE,
    FINANCIER,
    SUPPLIER,
    acceptance,
    approval,
    deposit,
    document,
    facility,
    hex64,
    hexid,
    invoice,
    settlement,
    story,
)

ID = {"invoice_id": hexid("invoice")}
REASON = {"reason_commitment": hex64("reason")}
NEXT_DAY = "2026-11-24"
AFTER_DUE = "2027-01-25"


def terms(**other: Any) -> dict[str, Any]:
    """The terms of the story's facility, as ChangeFacility takes them."""
    fixed = ("facility_id", "buyer", "deposit", "day_count")
    kept = {name: value for name, value in facility().items() if name not in fixed}
    return kept | {"two_step_above_minor": 2**53 - 1, "manual_first": 0, "reserve_days": 1} | other


def two_steps() -> World:
    """Everything holds for an approved invoice, and its financier decides in two steps; a day after the story."""
    world = waits_for_decision()
    changed = terms(mode="manual", two_step_above_minor=0)
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=changed)
    world.open_day(NEXT_DAY)
    give_money(world)
    return world


def give_money(world: World) -> None:
    """Deposits for buyer and supplier, to pay with."""
    give_buyer_money(world)
    supplier_has_money(world)


def give_buyer_money(world: World) -> None:
    world.must(FINANCIER, "IssueDeposit", **deposit("buyer's money"))


def registered() -> World:
    """A registered invoice, with money on hand."""
    world = everybody()
    for name in ("document", "proof", "shipment", "invoice"):
        msp_id, type_, body = story()[name]
        world.must(msp_id, type_, **body)
    give_money(world)
    return world


def funded(recourse: str = "full", **other: Any) -> World:
    """An invoice that was paid early out of a facility with these terms, with money on hand."""
    world = everybody()
    steps = story()
    steps["facility"] = (FINANCIER, "OpenFacility", facility(recourse=recourse, **other))
    assert play(world, steps) == [hexid("invoice")]
    give_buyer_money(world)
    return world


def supplier_has_money(world: World) -> None:
    world.must(FINANCIER, "IssueDeposit", **deposit("supplier's money", to=SUPPLIER))


def claim_paid(world: World) -> None:
    """The supplier has paid a claim of a tenth."""
    world.must(SUPPLIER, "RecordCreditNote", **credit_note())
    world.must(SUPPLIER, "PayClaim", credit_note_id=hexid("credit note"), deposit=settlement()["deposit"])


def happening(make: Callable[[], World], *then: Prepare) -> World:
    """A world in which more has happened."""
    world = make()
    for prepare in then:
        prepare(world)
    return world


def is_overdue(world: World) -> None:
    """Nobody has paid when it was due."""
    world.open_day(AFTER_DUE)
    world.must(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")])


def overdue() -> World:
    """An invoice that was paid early and that nobody paid when it was due."""
    return happening(funded, is_overdue)


def written_off() -> World:
    """An invoice that was paid early, and of which the financier has written off all; another one is owed too."""
    world = funded()
    world.must(SUPPLIER, "RegisterInvoice", **rest("other"))
    world.must(BUYER, "ApproveInvoice", **approval("other"))
    is_overdue(world)
    world.must(FINANCIER, "WriteOff", **ID, amount_minor=1_000_000)
    return world


def after_due(world: World) -> None:
    world.open_day(AFTER_DUE)


def due(world: World) -> None:
    world.open_day(DUE)


def reserved(world: World) -> None:
    """The financier has set the money aside, as the first of two steps."""
    said = world.must(FINANCIER, "FundInvoice", **ID, facility_id=hexid("facility"))
    assert said["released"] == []


def reservation() -> World:
    """Money is set aside for the invoice."""
    world = two_steps()
    reserved(world)
    return world


def disputed(world: World) -> None:
    world.must(BUYER, "DisputeInvoice", **ID, **REASON)


def partly_settled(world: World) -> None:
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=1))


def settled_whole(world: World) -> None:
    world.must(BUYER, "SettleInvoice", **settlement())


def other_day(date: str) -> Prepare:
    """Another day is open."""
    return lambda world: world.open_day(date)


def duplicate() -> World:
    """A second invoice that claims the fingerprints of the first one, with persons of the buyer's enrolled."""
    world = registered()
    twin = invoice("twin") | {"fingerprints": invoice()["fingerprints"]}
    world.must(SUPPLIER, "RegisterInvoice", **twin)
    return world


def credit_note(**other: Any) -> dict[str, Any]:
    """The body of RecordCreditNote: a tenth of the invoice."""
    return {
        "credit_note_id": hexid("credit note"),
        **ID,
        "amount_minor": 100_000,
        "document_id": hexid("document"),
        "shipment_ids": [],
    } | other


def claimed() -> World:
    """A credit note was recorded after funding."""
    world = funded()
    world.must(SUPPLIER, "RecordCreditNote", **credit_note())
    return world


def credited_before() -> World:
    """A credit note was recorded before funding, of the other supplier's invoice none."""
    world = registered()
    world.must(SUPPLIER, "RecordCreditNote", **credit_note())
    return world


def part(name: str, amount_minor: int, *shipments: str) -> dict[str, Any]:
    """One part of SplitInvoice."""
    return {"invoice_id": hexid(name), "amount_minor": amount_minor, "shipment_ids": [hexid(one) for one in shipments]}


def offered() -> World:
    """The supplier has offered the buyer of an approved invoice a discount."""
    world = two_steps()
    world.must(SUPPLIER, "OfferDiscount", **ID, rate_bps=600, day_count="ACT/365F", valid_until="2027-06-30")
    return world


def others_document(world: World) -> None:
    world.must(OTHER_SUPPLIER, "RegisterDocument", **document("theirs"))


def accepted_both(world: World) -> None:
    world.must(FINANCIER, "AcceptSupplier", **acceptance(supplier=OTHER_SUPPLIER))


def approved_twin(world: World) -> None:
    world.must(BUYER, "ApproveInvoice", **approval("twin"))


def frozen(msp_id: str) -> Prepare:
    """A large issue to this party, which has spent it, is taken back: it is short, and pays nothing out."""

    def prepare(world: World) -> None:
        large = {"amount_minor": 50_000_000}
        world.must(FINANCIER, "IssueDeposit", **deposit("large", to=msp_id, **large))
        world.must(msp_id, "TransferDeposit", deposit=DEPOSIT, to=CARRIER, **large)
        said = world.must(FINANCIER, "ReverseIssue", credit_reference=hex64("large"), **REASON)
        assert said["shortfall_minor"] > 0

    return prepare


def book(world: World, step: str = "") -> list[tuple[str, str, int]]:
    """Debit, credit and amount of all entries, or those of one step."""
    entries = [world.read(key) for key in world.keys if key.startswith("entry/")]
    return [(one["debit"], one["credit"], one["amount_minor"]) for one in entries if step in ("", one["step"])]


def obligations(world: World, name: str = "invoice") -> dict[str, int]:
    """The balances of an invoice's obligations that are not zero."""
    found = [world.read(key) for key in world.keys if key.startswith(f"account/obligation/{hexid(name)}/")]
    return {account["name"]: account["balance_minor"] for account in found if account["balance_minor"]}


def read(world: World, name: str = "invoice") -> Any:
    return world.read(f"invoice/{hexid(name)}")


def used(world: World) -> int:
    return int(world.read(f"facility/{hexid('facility')}")["used_minor"])
