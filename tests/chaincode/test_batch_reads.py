"""What a batch costs in round trips, and that reading ahead and ranges over many writes change no answer."""

from __future__ import annotations

import json
from typing import Any

from world import World, founded, play
from world_bodies import BUYER, CARRIER, DAY, SUPPLIER, approval, attestation, command, hex64, hexid


def shipments(world: World, count: int) -> list[str]:
    ids = [hexid(f"shipment {number}") for number in range(count)]
    bodies = [{"shipment_id": each, "buyer": BUYER, "carrier": CARRIER} for each in ids]
    results = world.batch(
        SUPPLIER,
        [command("RegisterShipment", body["shipment_id"], reference_fingerprint=hex64("r"), **body) for body in bodies],
    )
    assert {result["status"] for result in results} == {"applied"}
    return ids


def event(shipment_id: str, name: str, **changes: Any) -> dict[str, Any]:
    body = {"shipment_id": shipment_id, "event_id": hexid(name), "type": "in_transit", "occurred_on": DAY}
    return command("RecordShipmentEvent", hexid(f"command {name}"), **body, partial=False, document_id="", **changes)


def test_records_that_commands_name_are_read_in_one_round_trip() -> None:
    world = founded()
    shipment_id, *others = shipments(world, 10)
    world.batch(SUPPLIER, [event(shipment_id, f"same {number}") for number in range(10)])
    assert world.reads == 1
    world.batch(SUPPLIER, [event(each, each) for each in others])
    assert world.reads == 1


def test_a_range_shows_the_writes_of_a_large_batch_in_it_and_no_others() -> None:
    world = founded()
    first, second = shipments(world, 2)
    events = [event((first, second)[number % 2], f"event {number:03}") for number in range(100)]
    results = world.batch(SUPPLIER, [*events, event(first, "event 000") | {"command_id": hexid("again")}])
    assert [result["status"] for result in results[:-1]] == ["applied"] * 100
    assert results[-1]["code"] == "ID_TAKEN"
    assert len([key for key in world.state if key.startswith(f"shipment_event/{first}/")]) == 50


def test_an_id_that_is_none_is_not_read_and_is_refused_by_its_command() -> None:
    world = founded()
    results = world.batch(SUPPLIER, [command("CheckRelease", hexid("x"), invoice_id=["a"], shipment_id="../day")])
    assert results[0]["code"] == "MALFORMED"
    assert world.reads == 1


def test_the_invoices_that_rest_on_what_commands_name_cost_one_round_trip_more() -> None:
    world = founded()
    play(world, without=["approval"])
    commands = [event(hexid("shipment"), f"late {number}") for number in range(10)]
    world.batch(SUPPLIER, commands)
    assert world.reads == 2
    stranger = command("AttestDocument", hexid("stranger"), **attestation("document") | {"document_id": "x"})
    assert world.batch(SUPPLIER, [stranger])[0]["code"] == "MALFORMED"


def test_an_older_ledgers_shipment_counts_its_events_and_finds_its_invoices_by_their_index() -> None:
    world = founded()
    play(world, without=["approval"])
    key, event_count = f"shipment/{hexid('shipment')}", f"event_count/{hexid('shipment')}/{CARRIER}"
    old = {name: value for name, value in world.read(key).items() if name != "invoice_ids"} | {"version": 1}
    index = f"link/shipment/{hexid('shipment')}/{hexid('invoice')}"
    world.apply({key: json.dumps(old).encode(), event_count: None, index: b'{"version":1}'})
    world.must(CARRIER, "RecordShipmentEvent", **event(hexid("shipment"), "one more")["body"])
    assert world.read(event_count)["count"] == 2
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == [hexid("invoice")]


def test_a_record_that_cannot_be_read_is_said_to_be_so_by_whoever_needs_it() -> None:
    world = founded()
    world.apply({f"shipment/{hexid('broken')}": b"{}"})
    answer = world.dispatch(SUPPLIER, json.dumps({"version": 1, "commands": [event(hexid("broken"), "x")]}).encode())
    assert json.loads(answer.payload)["code"] == "FAILED"
