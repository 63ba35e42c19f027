"""Ledgers that earlier versions of the contract wrote are read by this one, and life goes on on them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from invariants import check_state
from invariants_once import check_deliveries
from invariants_records import reported
from world import World, founded
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    FINANCIER,
    approval,
    command,
    deposit,
    event,
    hex64,
    hexid,
    of_content,
    settlement,
)

from chaincode.records import Command, Party, canonical, decode, encode
from chaincode.records.command_ids import command_digest
from chaincode.records.evidence import REPORTS_MAX
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


def upgraded(world: World) -> dict[str, bytes]:
    """All records as they are written today."""
    return {key: encode(decode(KINDS[key.partition("/")[0]], data)) for key, data in world.state.items()}


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


DELIVERED = {"shipment_id": hexid("shipment"), "event_id": hexid("event delivered")}


@pytest.mark.parametrize("commit", LEDGERS)
def test_a_delivery_of_an_older_ledger_stands_once_however_often_it_is_told_since(commit: str) -> None:
    world = older(commit, "registered")
    before = reported(world.state)
    for name in ("again", "once more"):
        assert world.must(CARRIER, "RecordShipmentEvent", **event(name))["event_id"] == hexid("event delivered")
    assert reported(world.state) == before
    own = of_content(command("RecordShipmentEvent", "", **event()))
    (result,) = world.batch(CARRIER, [own])
    assert (result["status"], result["result"]["event_id"]) == ("exists", hexid("event delivered"))
    assert world.refusal(CARRIER, "RecordShipmentEvent", **event(type="picked_up")) == "ID_TAKEN"
    check_deliveries(upgraded(world))


@pytest.mark.parametrize("commit", LEDGERS)
def test_an_event_of_an_older_ledger_is_taken_back_where_it_stands_and_one_told_since_counts(commit: str) -> None:
    world = older(commit, "registered")
    assert world.refusal(BUYER, "WithdrawShipmentEvent", **DELIVERED) == "NOT_YOUR_EVENT"
    world.must(CARRIER, "WithdrawShipmentEvent", **DELIVERED)
    assert world.read(f"shipment_event/{hexid('shipment')}/{hexid('event delivered')}")["withdrawn_on"] == DAY
    assert world.read(f"shipment_reports/{hexid('shipment')}/{CARRIER}") is None
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert world.must(CARRIER, "RecordShipmentEvent", **event("really"))["released"] == [hexid("invoice")]
    check_deliveries(upgraded(world))


@pytest.mark.parametrize("commit", LEDGERS)
def test_events_of_an_older_ledger_and_those_told_since_are_bounded_together(commit: str) -> None:
    world = older(commit, "registered")
    more = [event(f"{number}", type="in_transit") for number in range(REPORTS_MAX)]
    results = world.batch(CARRIER, [of_content(command("RecordShipmentEvent", "", **one)) for one in more])
    assert [one["status"] for one in results] == ["applied"] * (REPORTS_MAX - 1) + ["refused"]
    assert results[-1]["code"] == "EVENTS_EXHAUSTED"


@pytest.mark.parametrize("commit", LEDGERS)
def test_a_command_of_an_older_ledger_that_comes_again_is_answered_with_its_first_result(commit: str) -> None:
    world = older(commit, "registered")
    digest = command_digest("RecordShipmentEvent", event())
    known = {key: world.read(key) for key in world.state if key.startswith(f"command/{CARRIER}/")}
    ((key, record),) = [(key, record) for key, record in known.items() if record["digest"] == digest]
    again = command("RecordShipmentEvent", key.rpartition("/")[2], **event())
    (result,) = world.batch(CARRIER, [again])
    assert (result["status"], result["result"]) == ("exists", record["result"])


@pytest.mark.parametrize("taken", ["the same", "another"])
@pytest.mark.parametrize("commit", LEDGERS)
def test_a_delivery_told_again_on_an_older_ledger_is_not_counted_when_that_comes_again(commit: str, taken: str) -> None:
    world = older(commit, "registered")
    again = of_content(command("RecordShipmentEvent", "", **event("again")))
    answered = {"event_id": hexid("event delivered"), "released": []}
    digest = command_digest("RecordShipmentEvent", event("again" if taken == "the same" else "one more"))
    world.apply({f"command/{CARRIER}/{again['command_id']}": encode(Command(digest, answered))})
    world.must(CARRIER, "WithdrawShipmentEvent", **DELIVERED)
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    before = dict(world.state)
    (result,) = world.batch(CARRIER, [again])
    assert result.get("result") == (answered if taken == "the same" else None)
    assert (result["status"], result.get("code")) == (
        ("exists", None) if taken == "the same" else ("refused", "COMMAND_ID_REUSED")
    )
    assert world.state == before
    really = of_content(command("RecordShipmentEvent", "", **event("really")))
    assert world.batch(CARRIER, [really])[0]["result"]["released"] == [hexid("invoice")]


def test_an_account_that_was_replaced_before_anybody_noted_when_counts_for_no_invoice() -> None:
    world = founded()
    of_version_2 = world.read(f"party/{BUYER}") | {"version": 2, "former_payouts": [hex64("an old account")]}
    del of_version_2["identities"], of_version_2["agreement_keys"]
    party = decode(Party, canonical(of_version_2))
    assert party.former_payouts == (FormerPayout(hex64("an old account"), "2000-01-01"),)


def test_the_first_ledger_that_must_stay_readable_is_kept() -> None:
    assert any(commit.startswith("9b6c5c0") for commit in LEDGERS)
