"""What only looks like a financed invoice can be cleared and decided by persons; what is one never pays twice."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from invariants import check_state, check_step
from life_worlds import ID, REASON, part
from world import World, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    FINANCIER,
    SUPPLIER,
    Step,
    approval,
    attestation,
    body,
    document,
    facts,
    hex64,
    hexid,
    invoice,
    request,
    story,
)

KINDS = ("amount", "delivery", "number")
FACILITY = {"facility_id": hexid("facility")}
GUESSES = [("number",), ("amount",), ("delivery",), ("delivery", "number"), ("amount", "delivery")]
THE_SAME = [("amount", "number"), KINDS]


def prints(name: str, shared: Collection[str] = (), of: str = "invoice") -> dict[str, str]:
    """All three fingerprints of an invoice, some of them another one's."""
    return {kind: hex64(f"{kind} {of if kind in shared else name}") for kind in KINDS}


def told(said: dict[str, str]) -> dict[str, Step]:
    """The story of an invoice with these fingerprints."""
    read = {"facts": facts(), "fingerprints": said}
    return (
        story()
        | body("invoice", fingerprints=said)
        | body("buyer document", **read)
        | body("financier document", **read)
    )


def financed() -> World:
    """The invoice, with all three fingerprints, has been paid early."""
    world = founded()
    assert play(world, told(prints("invoice"))) == [hexid("invoice")]
    return world


def another(world: World, name: str, said: dict[str, str]) -> None:
    """Another invoice, of a paper of its own, that has all it needs but a look of its own."""
    paper = f"paper of {name}"
    world.must(SUPPLIER, "RegisterDocument", **document(paper))
    world.must(SUPPLIER, "RegisterInvoice", **invoice(name, document_ids=[hexid(paper)], fingerprints=said))
    world.must(SUPPLIER, "RequestEarlyPayment", **request(name))
    for msp_id in (BUYER, FINANCIER):
        world.must(msp_id, "AttestDocument", **attestation(paper, facts=facts(), fingerprints=said))
    assert world.must(BUYER, "ApproveInvoice", **approval(name))["released"] == []


def decided(world: World, name: str) -> list[str]:
    """A financier's decision, all that is paid by it checked."""
    before = dict(world.state)
    said = world.must(FINANCIER, "FundInvoice", invoice_id=hexid(name), **FACILITY)["released"]
    assert check_step(before, world.state, "FundInvoice") == 1
    check_state(world.state)
    return list(said)


def refused(world: World, name: str) -> None:
    """No decision pays it."""
    assert world.refusal(FINANCIER, "FundInvoice", invoice_id=hexid(name), **FACILITY) == "NOT_RELEASABLE"


def cleared(world: World, name: str) -> None:
    """Persons of the buyer say that it is no duplicate; by itself that pays nothing."""
    which = {"invoice_id": hexid(name)}
    world.must(BUYER, "ClearDuplicate", **which, **REASON)
    assert world.must(CARRIER, "CheckRelease", invoice_ids=[hexid(name)])["released"] == []


@pytest.mark.parametrize("shared", GUESSES, ids="-".join)
def test_what_shares_less_than_number_and_amount_with_a_financed_invoice_is_paid_when_cleared_and_decided(
    shared: tuple[str, ...],
) -> None:
    world = financed()
    another(world, "second", prints("second", shared))
    assert world.classes("second")["UNIQUE"] == "ALREADY_FINANCED"
    refused(world, "second")
    cleared(world, "second")
    assert world.classes("second")["UNIQUE"] == "CLEARED_BY_PERSON"
    assert decided(world, "second") == [hexid("second")]


@pytest.mark.parametrize("shared", THE_SAME, ids="-".join)
def test_a_second_file_of_a_financed_invoice_is_never_paid_whoever_clears_and_decides_it(
    shared: tuple[str, ...],
) -> None:
    world = financed()
    another(world, "second", prints("second", shared))
    cleared(world, "second")
    assert world.classes("second")["UNIQUE"] == "ALREADY_FINANCED"
    refused(world, "second")
    assert world.query(type="Quote", invoice_id=hexid("second"), facility_id="")["reason"] == "ALREADY_FINANCED"


def test_the_first_of_two_look_alikes_is_paid_after_the_second_one_was() -> None:
    world = founded()
    assert play(world, told(prints("invoice")), without=["approval"]) == []
    another(world, "second", prints("second", ("amount",)))
    assert world.classes("second")["UNIQUE"] == "DUPLICATE_CLAIM"
    assert world.refusal(BUYER, "ClearDuplicate", **ID, **REASON) == "NOT_A_DUPLICATE"
    cleared(world, "second")
    assert decided(world, "second") == [hexid("second")]
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert world.classes()["UNIQUE"] == "ALREADY_FINANCED"
    refused(world, "invoice")
    cleared(world, "invoice")
    assert decided(world, "invoice") == [hexid("invoice")]


def test_number_of_one_and_amount_of_another_financed_invoice_is_neither_of_them() -> None:
    world = financed()
    another(world, "second", prints("second", ("delivery",)))
    cleared(world, "second")
    decided(world, "second")
    mixed = prints("third", ("number",)) | {"amount": prints("second")["amount"]}
    another(world, "third", mixed)
    refused(world, "third")
    cleared(world, "third")
    assert decided(world, "third") == [hexid("third")]


def split_world() -> World:
    """The invoice was split in two before anybody approved it, and the first part is paid early."""
    world = founded()
    play(world, told(prints("invoice")), without=["approval", "request"])
    world.must(SUPPLIER, "SplitInvoice", **ID, parts=[part("part 1", 400_000, "shipment"), part("part 2", 600_000)])
    world.must(SUPPLIER, "RequestEarlyPayment", **request("part 1", net_min_minor=1))
    paid = world.must(BUYER, "ApproveInvoice", **approval("part 1", amount_minor=400_000))["released"]
    assert paid == [hexid("part 1")]
    return world


@pytest.mark.parametrize("shared", GUESSES, ids="-".join)
def test_what_only_looks_like_an_invoice_that_was_split_is_paid_when_cleared_and_decided(
    shared: tuple[str, ...],
) -> None:
    world = split_world()
    another(world, "second", prints("second", shared))
    refused(world, "second")
    cleared(world, "second")
    assert decided(world, "second") == [hexid("second")]


@pytest.mark.parametrize("shared", THE_SAME, ids="-".join)
def test_an_invoice_that_was_split_is_not_sold_whole_beside_its_parts(shared: tuple[str, ...]) -> None:
    world = split_world()
    another(world, "second", prints("second", shared))
    cleared(world, "second")
    refused(world, "second")


def test_a_part_is_held_by_a_look_alike_of_its_whole_until_it_is_cleared() -> None:
    world = founded()
    play(world, told(prints("invoice")), without=["approval", "request"])
    another(world, "second", prints("second", ("amount",)))
    cleared(world, "second")
    decided(world, "second")
    world.must(SUPPLIER, "SplitInvoice", **ID, parts=[part("part 1", 400_000, "shipment"), part("part 2", 600_000)])
    world.must(SUPPLIER, "RequestEarlyPayment", **request("part 1", net_min_minor=1))
    assert world.must(BUYER, "ApproveInvoice", **approval("part 1", amount_minor=400_000))["released"] == []
    refused(world, "part 1")
    cleared(world, "part 1")
    assert decided(world, "part 1") == [hexid("part 1")]
