"""What a batch costs in round trips, and that reading ahead and ranges over many writes change no answer."""

from __future__ import annotations

import json
from typing import Any

import world_bodies as words
from world import World, founded, play
from world_bodies import BUYER, CARRIER, DAY, FINANCIER, SUPPLIER, approval, attestation, command, hex64, hexid


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
    assert len(world.read(f"shipment_reports/{first}/{SUPPLIER}")["events"]) == 50


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


def test_an_older_ledgers_shipment_finds_its_invoices_by_their_index() -> None:
    world = founded()
    play(world, without=["approval"])
    key = f"shipment/{hexid('shipment')}"
    gone = ("invoice_ids", "events_listed")
    old = {name: value for name, value in world.read(key).items() if name not in gone} | {"version": 1}
    index = f"link/shipment/{hexid('shipment')}/{hexid('invoice')}"
    world.apply({key: json.dumps(old).encode(), index: b'{"version":1}'})
    world.must(CARRIER, "RecordShipmentEvent", **event(hexid("shipment"), "one more")["body"])
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == [hexid("invoice")]


def test_a_record_that_cannot_be_read_is_said_to_be_so_by_whoever_needs_it() -> None:
    world = founded()
    world.apply({f"shipment/{hexid('broken')}": b"{}"})
    answer = world.dispatch(SUPPLIER, json.dumps({"version": 1, "commands": [event(hexid("broken"), "x")]}).encode())
    assert json.loads(answer.payload)["code"] == "FAILED"


def waiting(count: int) -> World:
    """So many invoices, each on papers and a shipment of its own, that miss nothing but the approval."""
    world = founded()
    play(world, without=["approval", "request"])
    world.must(SUPPLIER, "RequestEarlyPayment", **words.request() | {"invoice_id": ""})
    for name in map(str, range(count)):
        for msp_id, type_, fields in evidence(name):
            world.must(msp_id, type_, **fields)
    return world


def evidence(name: str) -> list[words.Step]:
    read = {"facts": words.facts(), "fingerprints": words.fingerprints(name)}
    papers = {"document_ids": [hexid(f"d {name}")], "proof_ids": [hexid(f"p {name}")]}
    claims = {"shipment_ids": [hexid(f"s {name}")], "fingerprints": words.fingerprints(name)}
    return [
        (SUPPLIER, "RegisterDocument", words.document(f"d {name}")),
        (SUPPLIER, "RegisterDocument", words.document(f"p {name}", "proof_of_delivery")),
        (SUPPLIER, "RegisterShipment", words.shipment(f"s {name}")),
        (BUYER, "AcceptCarrier", {"shipment_id": hexid(f"s {name}")}),
        (CARRIER, "RecordShipmentEvent", words.event(name, f"s {name}")),
        (BUYER, "AttestDocument", attestation(f"p {name}")),
        (CARRIER, "AttestDocument", attestation(f"p {name}")),
        (BUYER, "AttestDocument", attestation(f"d {name}", **read)),
        (FINANCIER, "AttestDocument", attestation(f"d {name}", **read)),
        (SUPPLIER, "RegisterInvoice", words.invoice(f"i {name}", **papers, **claims)),
    ]


def approvals(count: int) -> list[dict[str, Any]]:
    return [command("ApproveInvoice", hexid(f"a {n}"), **approval(f"i {n}")) for n in range(count)]


def test_release_checks_of_a_batch_share_their_round_trips() -> None:
    world = waiting(4)
    world.batch(BUYER, approvals(1))
    one = world.reads
    results = world.batch(BUYER, approvals(4)[1:])
    assert [result["result"]["released"] for result in results] == [[hexid(f"i {n}")] for n in (1, 2, 3)]
    assert world.reads == one


def test_reading_ahead_for_release_checks_changes_no_answer_and_no_record() -> None:
    together, apart = waiting(4), waiting(4)
    assert together.state == apart.state
    answered = together.batch(BUYER, approvals(4))
    one_by_one = [apart.batch(BUYER, [each])[0] for each in approvals(4)]
    assert answered == one_by_one
    assert all(each["result"]["released"] for each in answered)
    assert {key for key in together.state} == {key for key in apart.state}
    for kind in ("invoice/", "facility/", "account/", "fingerprint/"):
        assert _of(together, kind) == _of(apart, kind)


def _of(world: World, prefix: str) -> dict[str, Any]:
    """Records without the ids of the transactions that wrote them, which differ."""
    found = {key: world.read(key) for key in world.keys if key.startswith(prefix)}

    def without_ids(one: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in one.items() if "transaction" not in name}

    plain: dict[str, Any] = json.loads(json.dumps(found), object_hook=without_ids)
    return plain


def test_an_approval_of_no_id_and_a_record_that_cannot_be_read_do_not_stop_the_others() -> None:
    world = waiting(2)
    world.apply({f"request/{hexid('i 0')}": b"{}"})
    broken = command("ApproveInvoice", hexid("broken"), **approval("i 1") | {"invoice_id": ["x"]})
    answers = world.batch(BUYER, [broken, approvals(2)[1], event(hexid("shipment"), "late")])
    assert [each["status"] for each in answers[:2]] == ["refused", "applied"]
