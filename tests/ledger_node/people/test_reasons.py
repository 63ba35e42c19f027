"""Reasons of others: kept within a bound for each party and record, and no flood pushes out what was heard before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.database import Database
from ledger_node.migrations import migrate_state
from ledger_node.people.reasons import HEARD_MAX, Reasons, Said, new_reason

ABOUT, OTHER = "invoice/1", "invoice/2"


@pytest.fixture
def reasons(tmp_path: Path) -> Iterator[Reasons]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate_state(database)
    yield Reasons(database)
    database.close()


def told(party: str, count: int, about: str = ABOUT) -> list[Said]:
    made = [new_reason("late") for _ in range(count)]
    return [Said(each.commitment, each.salt, each.text, about, party, "Dispute", "ab12") for each in made]


def test_a_party_that_tells_ever_new_reasons_is_kept_within_a_bound_and_refused_the_rest(reasons: Reasons) -> None:
    first = told("BuyerMSP", HEARD_MAX - 1)
    assert reasons.hear(ABOUT, "BuyerMSP", first) == 0
    assert reasons.hear(ABOUT, "BuyerMSP", told("BuyerMSP", 50)) == 49
    for _ in range(3):
        assert reasons.hear(ABOUT, "BuyerMSP", told("BuyerMSP", 50)) == 50
    kept = reasons.heard_about(ABOUT)
    assert len(kept) == HEARD_MAX
    assert {each.commitment for each in first} < {each.commitment for each in kept}


def test_what_is_told_again_is_neither_kept_twice_nor_refused(reasons: Reasons) -> None:
    said = told("BuyerMSP", HEARD_MAX)
    assert [reasons.hear(ABOUT, "BuyerMSP", said) for _ in range(3)] == [0, 0, 0]
    assert len(reasons.heard_about(ABOUT)) == HEARD_MAX


def test_one_partys_flood_leaves_the_room_of_others_and_of_other_invoices(reasons: Reasons) -> None:
    assert reasons.hear(ABOUT, "BuyerMSP", told("BuyerMSP", HEARD_MAX + 5)) == 5
    assert reasons.hear(ABOUT, "BankMSP", told("BankMSP", 3)) == 0
    assert reasons.hear(OTHER, "BuyerMSP", told("BuyerMSP", 3, OTHER)) == 0
    assert (len(reasons.heard_about(ABOUT)), len(reasons.heard_about(OTHER))) == (HEARD_MAX + 3, 3)
