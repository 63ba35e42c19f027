"""Reporting what happened to some shipments in one request: all of it or nothing, once however often it is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from api_trade import done
from api_world import Json, People
from consortium import BUYER, CARRIER, ORGANISATIONS, Consortium, organisations

PATH = "/v1/shipment-events"
SHIPMENTS = 11


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("events")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def shipments(people: People) -> list[str]:
    """Ids of shipments that go with the carrier."""
    replies = [
        people.supplier.post("uploader", "/v1/shipments", {"buyer": BUYER, "carrier": CARRIER, "reference": f"R{n}"})
        for n in range(SHIPMENTS)
    ]
    for reply in replies:
        done(reply, people)
    return [str(reply.body["record_id"]) for reply in replies]


def event(people: People, shipment_id: str, type_: str = "in_transit", **changes: Any) -> Json:
    return {"shipment_id": shipment_id, "type": type_, "occurred_on": people.day.isoformat()} | changes


def events_shown(people: People, shipment_id: str) -> list[Json]:
    return list(people.carrier.get(f"/v1/shipments/{shipment_id}").body["events"])


def test_a_list_of_several_shipments_is_reported_once_however_often_it_is_sent(
    people: People, shipments: list[str]
) -> None:
    first, second = shipments[:2]
    sent = {
        "events": [
            event(people, first, "delivered"),
            event(people, second),
            event(people, first, "delivered"),
        ]
    }
    reply = people.carrier.post("uploader", PATH, sent, key="one-list")
    told = done(reply, people)["event_ids"]
    assert told[0] == told[2] != told[1], "a delivery in the same words is one"
    again = people.carrier.post("uploader", PATH, sent, key="one-list")
    assert (again.body["id"], again.body["result"]) == (reply.body["id"], reply.body["result"])
    assert [one["event_id"] for one in events_shown(people, first)] == told[:1]
    assert [one["event_id"] for one in events_shown(people, second)] == told[1:2]
    part = people.carrier.post("uploader", PATH, {"events": sent["events"][:1]}, key="one-list")
    assert (part.status, part.code) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_list_of_which_one_event_is_wrong_reports_nothing_and_says_which(
    people: People, shipments: list[str]
) -> None:
    right = event(people, shipments[2])
    far = (people.day + dt.timedelta(days=400)).isoformat()
    unknown, early = event(people, "0" * 32), event(people, shipments[3], occurred_on=far)
    for wrong, refusal in ((unknown, (404, "SHIPMENT_UNKNOWN")), (early, (422, "EVENT_IN_FUTURE"))):
        reply = people.carrier.post("uploader", PATH, {"events": [right, wrong]})
        assert (reply.status, reply.code) == refusal
        assert "events[1]" in str(reply.body)
    assert events_shown(people, shipments[2]) == []
    done(people.carrier.post("uploader", PATH, {"events": [right]}), people)
    assert len(events_shown(people, shipments[2])) == 1


def test_a_list_of_more_shipments_than_ten_or_of_none_is_refused_in_words(people: People, shipments: list[str]) -> None:
    many = people.carrier.post("uploader", PATH, {"events": [event(people, one) for one in shipments]})
    assert (many.status, many.code) == (422, "MALFORMED")
    assert "10" in many.body["detail"]
    assert "shipments" in many.body["detail"]
    assert events_shown(people, shipments[-1]) == []
    wrong: list[list[Json]] = [[], [event(people, shipments[0]) | {"event_id": "0" * 32}]]
    for events in wrong:
        assert people.carrier.post("uploader", PATH, {"events": events}).status in (400, 422)
    done(people.carrier.post("uploader", PATH, {"events": [event(people, one) for one in shipments[1:]]}), people)
    assert len(events_shown(people, shipments[-1])) == 1
