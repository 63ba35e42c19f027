"""A long generated life told as events: nothing left out, nothing twice, the same however its blocks are cut."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest
from generated import Life
from jsonschema import Draft202012Validator
from projected import replayed

from ledger_node.notifications.changes import TYPES
from ledger_node.notifications.events import PREFIX, CloudEvent, Event, EventLog
from ledger_node.readmodel import ReadModel

pytestmark = pytest.mark.no_cover  # what only a generated life reaches has no test

STEPS, SEEN_AT_LEAST = 250, 24


def told(log: EventLog, rows_max: int) -> list[Event]:
    """All events, so many writes at a time."""
    events: list[Event] = []
    start, reached = 0, -1
    while start != reached:
        reached, batch = start, log.read(start, rows_max)
        start = batch.next_block
        events += batch.events
    return events


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReadModel, EventLog]:
    life = Life(Random(7))
    for _ in range(STEPS):
        life.step()
    again, _ = replayed(life.world)
    read_model = again.read_model(Path(tmp_path_factory.mktemp("life")) / "readmodel.db")
    return read_model, EventLog(read_model._database, "scf")


def test_the_events_of_a_life_are_the_same_however_its_blocks_are_cut(life: tuple[ReadModel, EventLog]) -> None:
    _, log = life
    whole = told(log, 10**6)
    assert told(log, 40) == whole
    assert len({event.id for event in whole}) == len(whole)
    assert [json.loads(event.body)["sequence"] for event in whole] == sorted(
        json.loads(event.body)["sequence"] for event in whole
    )


def test_each_event_has_a_known_type_and_the_form_that_is_published(life: tuple[ReadModel, EventLog]) -> None:
    validator = Draft202012Validator(CloudEvent.model_json_schema())
    seen = set()
    for event in told(life[1], 10**6):
        body = json.loads(event.body)
        assert [error.message for error in validator.iter_errors(body)] == []
        assert body["type"] == PREFIX + event.type
        assert list(event.parties) == body["data"]["parties"]
        assert event.parties or event.type == "early_payment.declined"  # a no names its facility; who said it is `by`
        seen.add(event.type)
    assert seen <= set(TYPES)
    assert len(seen) >= SEEN_AT_LEAST, sorted(set(TYPES) - seen)


def test_told_one_after_the_other_the_events_lead_to_the_states_that_stand(life: tuple[ReadModel, EventLog]) -> None:
    read_model, log = life
    states: dict[str, list[Any]] = defaultdict(list)
    for event in told(log, 10**6):
        data = json.loads(event.body)["data"]
        if event.type.startswith("invoice."):
            former = states[data["record"]][-1] if states[data["record"]] else ""
            assert data["previous_state"] == former, event
            states[data["record"]].append(data["state"])
    invoices = read_model.invoices(per_page=500).items
    assert {f"invoice/{each['invoice_id']}": each["status"] for each in invoices} == {
        record: told[-1] for record, told in states.items()
    }
    paid = {event.order for event in told(log, 10**6) if event.type == "early_payment.paid"}
    assert paid == {f"invoice/{each['invoice_id']}" for each in invoices if each["early_payment"] or each["taken_back"]}
