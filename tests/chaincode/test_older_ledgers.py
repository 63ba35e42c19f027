"""Ledgers that earlier versions of the contract wrote are read by this one, and life goes on on them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from invariants import check_state
from world import World, founded
from world_bodies import BUYER, DAY, FINANCIER, approval, deposit, hex64, hexid, settlement

from chaincode.records import Party, canonical, decode, encode
from chaincode.records.parties import FormerPayout
from ledger_node.readmodel.fold import KINDS

LEDGERS = {
    path.name.partition(".")[0]: json.loads(gzip.decompress(path.read_bytes()))["worlds"]
    for path in sorted((Path(__file__).parent / "ledgers").glob("*.json.gz"))
}
WORLDS = [(commit, name) for commit, worlds in LEDGERS.items() for name in worlds]


def older(commit: str, name: str) -> World:
    """A world in the very bytes that the contract of that commit wrote."""
    world = World()
    content: dict[str, Any] = LEDGERS[commit][name]
    world.apply({key: canonical(value) for key, value in content.items()})
    world.transactions = len(world.state)
    return world


@pytest.mark.parametrize(("commit", "name"), WORLDS)
def test_every_record_of_an_older_ledger_is_read_and_can_be_written_again(commit: str, name: str) -> None:
    world = older(commit, name)
    assert len(world.state) > 30
    upgraded = {}
    for key, data in world.state.items():
        kind = KINDS[key.partition("/")[0]]
        upgraded[key] = encode(decode(kind, data))
        assert decode(kind, upgraded[key]) == decode(kind, data)
    check_state(upgraded)


@pytest.mark.parametrize("commit", LEDGERS)
def test_what_was_registered_under_an_older_version_is_paid_under_this_one(commit: str) -> None:
    world = older(commit, "registered")
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == [hexid("invoice")]


@pytest.mark.parametrize("commit", LEDGERS)
def test_what_was_paid_under_an_older_version_is_settled_under_this_one(commit: str) -> None:
    world = older(commit, "paid")
    world.must(BUYER, "AcknowledgeAssignment", invoice_id=hexid("invoice"))
    world.must(FINANCIER, "IssueDeposit", **deposit())
    world.must(BUYER, "SettleInvoice", **settlement())
    assert world.read(f"facility/{hexid('facility')}")["used_minor"] == 0
    world.open_day("2026-11-24")
    assert world.read("day")["date"] > DAY


def test_an_account_that_was_replaced_before_anybody_noted_when_counts_for_no_invoice() -> None:
    world = founded()
    of_version_2 = world.read(f"party/{BUYER}") | {"version": 2, "former_payouts": [hex64("an old account")]}
    del of_version_2["identities"]
    party = decode(Party, canonical(of_version_2))
    assert party.former_payouts == (FormerPayout(hex64("an old account"), "2000-01-01"),)


def test_the_first_ledger_that_must_stay_readable_is_kept() -> None:
    assert any(commit.startswith("9b6c5c0") for commit in LEDGERS)
