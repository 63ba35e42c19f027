"""A delivery happens once, however often its carrier reports it under fresh ids."""

from __future__ import annotations

from typing import Any

import pytest
from invariants_records import reported
from refusal_rows import everybody
from world import World, play
from world_bodies import BUYER, CARRIER, DAY, command, event, hexid

from chaincode.records.evidence import REPORTS_MAX


def shipped() -> World:
    """The goods are on their way, and nobody has reported anything."""
    world = everybody()
    play(
        world, without=["delivered", "approval", "buyer proof", "carrier proof", "buyer document", "financier document"]
    )
    return world


def events_of(world: World) -> list[Any]:
    return reported(world.state, hexid("shipment"))


def test_a_delivery_that_its_carrier_reports_twice_is_answered_with_the_first_report() -> None:
    world = shipped()
    first = world.must(CARRIER, "RecordShipmentEvent", **event())
    before = dict(world.state)
    second = world.must(CARRIER, "RecordShipmentEvent", **event("told again"))
    assert second == {"event_id": event()["event_id"], "released": []}
    assert first == second
    written = {key for key in world.state if world.state[key] != before.get(key)}
    assert {key.partition("/")[0] for key in written} == {"command", "shipment_reports"}
    assert len(events_of(world)) == 1


def test_a_delivery_told_twice_in_one_transaction_is_one() -> None:
    world = shipped()
    told = [command("RecordShipmentEvent", hexid(name), **event(name)) for name in ("one", "two")]
    results = world.batch(CARRIER, told)
    assert [result["result"]["event_id"] for result in results] == [hexid("event one")] * 2
    assert len(events_of(world)) == 1


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "in part": (CARRIER, {"partial": True}),
    "on another day": (CARRIER, {"occurred_on": "2026-11-22"}),
    "with a paper": (CARRIER, {"document_id": hexid("document")}),
    "by the buyer": (BUYER, {}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_report_of_a_delivery_is_another_event(name: str) -> None:
    world = shipped()
    world.must(CARRIER, "RecordShipmentEvent", **event())
    sender, change = OTHERS[name]
    said = world.must(sender, "RecordShipmentEvent", **event("another", **change))
    assert said["event_id"] == hexid("event another")
    assert len(events_of(world)) == 2


def test_what_may_happen_twice_on_a_day_is_recorded_twice() -> None:
    world = shipped()
    for name in ("morning", "evening"):
        world.must(CARRIER, "RecordShipmentEvent", **event(name, type="in_transit"))
    assert len(events_of(world)) == 2


def test_a_delivery_that_was_taken_back_is_reported_anew() -> None:
    world = shipped()
    world.must(CARRIER, "RecordShipmentEvent", **event("wrong"))
    both = {"shipment_id": hexid("shipment"), "event_id": hexid("event wrong")}
    world.must(CARRIER, "WithdrawShipmentEvent", **both)
    assert world.must(CARRIER, "RecordShipmentEvent", **event("right"))["event_id"] == hexid("event right")
    assert [bool(one["withdrawn_on"]) for one in events_of(world)].count(False) == 1


def test_a_report_that_was_the_last_one_allowed_is_still_answered_when_it_comes_again() -> None:
    world = shipped()
    early = [event(f"{number}", type="in_transit") for number in range(REPORTS_MAX - 1)]
    world.batch(CARRIER, [command("RecordShipmentEvent", hexid(f"{n}"), **one) for n, one in enumerate(early)])
    world.must(CARRIER, "RecordShipmentEvent", **event())
    assert world.must(CARRIER, "RecordShipmentEvent", **event("again"))["event_id"] == hexid("event delivered")
    assert world.refusal(CARRIER, "RecordShipmentEvent", **event("on", type="in_transit")) == "EVENTS_EXHAUSTED"


def test_a_second_word_costs_no_more_round_trips_than_the_first() -> None:
    world = shipped()
    world.must(CARRIER, "RecordShipmentEvent", **event())
    world.must(CARRIER, "RecordShipmentEvent", **event("again", occurred_on=DAY))
    assert world.reads <= 2
