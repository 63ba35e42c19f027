"""Credit notes when nothing is open any more: that is when they matter, and they never come to more than the face."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from invariants import check_state
from life_worlds import (
    ID,
    credit_note,
    funded,
    happening,
    obligations,
    read,
    registered,
    settled_whole,
    supplier_has_money,
    written_off,
)
from world import World
from world_bodies import BUYER, DEPOSIT, FACE_MINOR, SUPPLIER, approval, hexid


def settled() -> World:
    """A financed invoice that its buyer has paid in full."""
    return happening(funded, supplier_has_money, settled_whole)


def lost() -> World:
    """A financed invoice that its holder has written off in full."""
    return happening(written_off, supplier_has_money)


def recovered() -> World:
    """What was written off came in after all."""
    world = lost()
    world.must(BUYER, "RecordRecovery", **ID, amount_minor=FACE_MINOR, deposit=DEPOSIT)
    return world


def bought_back() -> World:
    """The supplier has bought it back, and the buyer has paid it then."""
    world = happening(funded, supplier_has_money)
    world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)
    settled_whole(world)
    return world


OVER: dict[str, tuple[Callable[[], World], str]] = {
    "settled": (settled, "settled"),
    "written off": (lost, "written-off"),
    "recovered": (recovered, "recovered"),
    "bought back and settled": (bought_back, "settled"),
}
EACH = pytest.mark.parametrize(("make", "status"), OVER.values(), ids=OVER)


def noted(world: World, name: str, amount_minor: int) -> str:
    """The code of what the ledger answers to a credit note, empty when it is recorded."""
    note = credit_note(credit_note_id=hexid(name), amount_minor=amount_minor)
    return str(world.run(SUPPLIER, "RecordCreditNote", **note).get("code", ""))


@EACH
def test_a_credit_note_on_what_is_over_is_a_claim_that_the_supplier_pays(
    make: Callable[[], World], status: str
) -> None:
    world = make()
    owed, before = obligations(world), read(world)
    assert noted(world, "late", 100_000) == ""
    assert obligations(world) == owed | {f"claim:{BUYER}": 100_000, f"owed:{SUPPLIER}": -100_000}
    assert (read(world)["status"], read(world)["open_face_minor"]) == (status, before["open_face_minor"])
    had = world.balance(f"cash:{BUYER}")
    world.must(SUPPLIER, "PayClaim", credit_note_id=hexid("late"), deposit=DEPOSIT)
    assert (world.balance(f"cash:{BUYER}"), obligations(world)) == (had + 100_000, owed)
    check_state(world.state)


@EACH
def test_credit_notes_on_what_is_over_never_come_to_more_than_the_face(make: Callable[[], World], status: str) -> None:
    world = make()
    assert noted(world, "too much", FACE_MINOR + 1) == "CREDIT_EXCEEDS"
    assert [noted(world, name, FACE_MINOR // 2) for name in ("first", "second")] == ["", ""]
    assert noted(world, "one too many", 1) == "CREDIT_EXCEEDS"
    world.must(SUPPLIER, "PayClaim", credit_note_id=hexid("first"), deposit=DEPOSIT)
    assert noted(world, "one too many", 1) == "CREDIT_EXCEEDS"
    assert read(world)["status"] == status
    check_state(world.state)


def test_what_was_credited_before_the_settlement_counts_with_what_is_credited_after_it() -> None:
    world = happening(funded, supplier_has_money)
    assert noted(world, "before", 600_000) == ""
    settled_whole(world)
    assert noted(world, "after", 400_001) == "CREDIT_EXCEEDS"
    assert noted(world, "after", 400_000) == ""


def test_an_invoice_that_was_never_financed_is_not_credited_once_it_is_settled() -> None:
    world = registered()
    world.must(BUYER, "ApproveInvoice", **approval())
    settled_whole(world)
    assert read(world)["funded_on"] == ""
    assert noted(world, "late", 1) == "STATUS_WRONG"
