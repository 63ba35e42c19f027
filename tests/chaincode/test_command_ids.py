"""A command whose id is made of its content keeps no record of its own, and has one effect all the same."""

from __future__ import annotations

from typing import Any

import pytest
from invariants import check_state
from invariants_records import reported
from refusal_rows import everybody
from test_delivery_told_twice import shipped
from world import World, play
from world_bodies import (
    BUYER,
    CARRIER,
    FINANCIER,
    SUPPLIER,
    acceptance,
    approval,
    attestation,
    command,
    document,
    event,
    facility,
    facts,
    fingerprints,
    hexid,
    invoice,
    of_content,
    request,
    shipment,
)

from chaincode.records import keys
from chaincode.records.command_ids import OF_CONTENT
from chaincode.records.evidence import REPORTS_MAX


def said(type_: str = "RecordShipmentEvent", **body: Any) -> dict[str, Any]:
    """A command under the id that is made of it."""
    return of_content(command(type_, "", **body))


def sent(world: World, one: dict[str, Any], msp_id: str = CARRIER) -> dict[str, Any]:
    return world.batch(msp_id, [one])[0]


def listed(*events: dict[str, Any]) -> dict[str, Any]:
    return said("RecordShipmentEvents", events=list(events))


def test_an_event_under_such_an_id_is_one_write() -> None:
    world = shipped()
    before = dict(world.state)
    assert sent(world, said(**event(type="in_transit")))["status"] == "applied"
    assert {key for key in world.state if world.state[key] != before.get(key)} == {
        f"shipment_reports/{hexid('shipment')}/{CARRIER}"
    }
    assert world.reads <= 2
    assert not [key for key in world.keys_read if key.startswith("command/")]


def test_under_any_other_id_it_is_two() -> None:
    world = shipped()
    world.must(CARRIER, "RecordShipmentEvent", **event(type="in_transit"), command_id=hexid("drawn"))
    assert world.read(f"command/{CARRIER}/{hexid('drawn')}")["result"]["event_id"] == hexid("event delivered")


REPEATED: dict[str, tuple[dict[str, Any], ...]] = {
    "an event": (said(**event()),),
    "a delivery that was told before in the same words": (said(**event()), said(**event("again"))),
    "a list": (listed(event(), event("on the way", type="in_transit")),),
    "a list with a delivery told twice": (listed(event(), event("again")),),
    "a list after one of its own was told again": (listed(event()), said(**event("again")), listed(event("third"))),
}


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("meanwhile", ["nothing", "withdrawn", "suspended", "in the same transaction"])
def test_a_repeated_command_is_answered_with_its_first_result_and_has_no_effect(name: str, meanwhile: str) -> None:
    world, commands = shipped(), REPEATED[name]
    if meanwhile == "in the same transaction":
        results = world.batch(CARRIER, [*commands, *commands])
        first, again = results[: len(commands)], results[len(commands) :]
        assert [one["result"] for one in first] == [one["result"] for one in again]
        assert {one["status"] for one in again} == {"exists"}
        return
    first = [sent(world, one) for one in commands]
    assert {one["status"] for one in first} == {"applied"}
    if meanwhile == "withdrawn":
        world.must(CARRIER, "WithdrawShipmentEvent", shipment_id=hexid("shipment"), event_id=hexid("event delivered"))
    if meanwhile == "suspended":
        key = f"party/{CARRIER}"
        world.apply({key: world.state[key].replace(b'"status":"active"', b'"status":"suspended"')})
    before = dict(world.state)
    again = [sent(world, one) for one in commands]
    assert [one["result"] for one in again] == [one["result"] for one in first]
    assert {one["status"] for one in again} == {"exists"}
    assert world.state == before


def test_what_it_paid_is_said_again() -> None:
    for one in (said(**event()), listed(event("on the way", type="in_transit"), event())):
        world = everybody()
        play(world, without=["delivered"])
        first = sent(world, one)
        assert first["result"]["released"] == [hexid("invoice")]
        again = sent(world, one)
        assert (again["status"], again["result"]) == ("exists", first["result"])


OTHERS: dict[str, dict[str, Any]] = {
    "another day": said(**event(occurred_on="2026-11-22")) | {"command_id": said(**event())["command_id"]},
    "another shipment": said(**event(shipment="another")) | {"command_id": said(**event())["command_id"]},
    "another event": said(**event("another")) | {"command_id": said(**event())["command_id"]},
    "a list of it": listed(event()) | {"command_id": said(**event())["command_id"]},
    "a command of another type": command(
        "RegisterDocument", said(**event())["command_id"], **document("document of the carrier")
    ),
    "a drawn id that begins so": command("RecordShipmentEvent", OF_CONTENT + "0" * 24, **event("another")),
    "a type that proves nothing, under its own": said("RegisterDocument", **document("document of the carrier")),
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", OTHERS)
def test_no_other_command_can_have_the_id(name: str, known: bool) -> None:
    world = shipped()
    world.must(SUPPLIER, "RegisterShipment", **shipment("another"))
    if known:
        assert sent(world, said(**event()))["status"] == "applied"
    before = dict(world.state)
    refused = sent(world, OTHERS[name])
    assert (refused["status"], refused.get("code")) == ("refused", "COMMAND_ID_REUSED")
    assert world.state == before
    assert sent(world, said(**event("another", occurred_on="2026-11-22")))["status"] == "applied"


def test_an_event_id_is_its_partys_own_and_nobody_elses_word_takes_it() -> None:
    world = shipped()
    assert sent(world, said(**event()))["status"] == "applied"
    taken = sent(world, said(**event(type="picked_up")))
    assert taken["code"] == "ID_TAKEN"
    assert sent(world, said(**event()), BUYER)["status"] == "applied"
    assert len(reported(world.state, hexid("shipment"))) == 2


def test_an_event_under_a_drawn_id_is_no_repetition_of_one_under_another() -> None:
    world = shipped()
    assert sent(world, said(**event()))["status"] == "applied"
    assert world.refusal(CARRIER, "RecordShipmentEvent", **event()) == "ID_TAKEN"


def test_a_list_is_applied_as_a_whole_or_not_at_all_and_says_which_event_is_wrong() -> None:
    world = shipped()
    before = dict(world.state)
    wrong = listed(event("on the way", type="in_transit"), event(occurred_on="2026-11-25"))
    refused = sent(world, wrong)
    assert (refused["code"], refused["text"].partition(":")[0]) == ("EVENT_IN_FUTURE", "events[1]")
    assert world.state == before
    right = listed(event("on the way", type="in_transit"), event())
    assert sent(world, right)["result"]["event_ids"] == [hexid("event on the way"), hexid("event delivered")]


def test_a_list_that_names_an_event_twice_is_refused_unless_it_is_a_delivery_told_again() -> None:
    world = shipped()
    twice = [event("same", type="in_transit")] * 2
    assert sent(world, listed(*twice))["code"] == "ID_TAKEN"
    told = sent(world, listed(event("one"), event("two")))["result"]
    assert told == {"event_ids": [hexid("event one")] * 2, "released": []}


def test_a_list_of_several_shipments_pays_for_all_of_them_and_writes_each_once() -> None:
    world = everybody()
    play(world, without=["delivered"])
    world.must(SUPPLIER, "RegisterShipment", **shipment("another"))
    several = listed(
        *(event(f"{n}", name, type="in_transit") for n in "ab" for name in ("another", "shipment")), event()
    )
    assert sent(world, several)["result"]["released"] == [hexid("invoice")]
    assert len(reported(world.state, hexid("another"))) == 2
    assert len(reported(world.state, hexid("shipment"))) == 3


def test_a_list_has_a_bounded_number_of_events_and_shipments() -> None:
    world = shipped()
    for count in range(10):
        world.must(SUPPLIER, "RegisterShipment", **shipment(f"{count}"))
    many = [event("x", f"{count}", type="in_transit") for count in range(10)]
    assert sent(world, listed(*many, event("y")))["code"] == "MALFORMED"
    assert sent(world, listed(*many))["status"] == "applied"
    assert sent(world, listed())["code"] == "MALFORMED"
    assert sent(world, listed(*(event(f"{n}") for n in range(501))))["code"] == "MALFORMED"


def test_deliveries_are_told_again_a_bounded_number_of_times() -> None:
    world = shipped()
    assert sent(world, said(**event()))["status"] == "applied"
    again = [said(**event(f"{number}")) for number in range(REPORTS_MAX)]
    assert {one["status"] for one in world.batch(CARRIER, again)} == {"applied"}
    assert sent(world, said(**event("once more")))["code"] == "EVENTS_EXHAUSTED"
    assert sent(world, again[-1])["status"] == "exists"
    assert sent(world, said(**event("on", type="in_transit")))["status"] == "applied"


def test_a_withdrawn_event_keeps_its_id_and_what_it_paid_is_not_paid_again() -> None:
    world = everybody()
    play(world, without=["delivered", "approval"])
    assert sent(world, said(**event()))["result"]["released"] == []
    taken_back = {"shipment_id": hexid("shipment"), "event_id": hexid("event delivered")}
    world.must(CARRIER, "WithdrawShipmentEvent", **taken_back)
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert sent(world, said(**event()))["status"] == "exists"
    assert sent(world, said(**event("really")))["result"]["released"] == [hexid("invoice")]


def waiting_for_deliveries(*names: str) -> World:
    """Invoices that each wait for the delivery of the shipment of their name, and for nothing else."""
    world = everybody()
    world.must(FINANCIER, "AcceptSupplier", **acceptance())
    world.must(FINANCIER, "OpenFacility", **facility())
    for name in names:
        paper, proof = f"document {name}", f"proof {name}"
        world.must(SUPPLIER, "RegisterDocument", **document(paper))
        world.must(SUPPLIER, "RegisterDocument", **document(proof, "proof_of_delivery"))
        world.must(SUPPLIER, "RegisterShipment", **shipment(name))
        world.must(BUYER, "AcceptCarrier", shipment_id=hexid(name))
        rests_on = {"document_ids": [hexid(paper)], "proof_ids": [hexid(proof)], "shipment_ids": [hexid(name)]}
        world.must(SUPPLIER, "RegisterInvoice", **invoice(name, **rests_on))
        world.must(SUPPLIER, "RequestEarlyPayment", **request(name))
        world.must(BUYER, "ApproveInvoice", **approval(name))
        read = {"facts": facts(), "fingerprints": fingerprints(name)}
        for msp_id in (BUYER, FINANCIER):
            world.must(msp_id, "AttestDocument", **attestation(paper, **read))
        for msp_id in (BUYER, CARRIER):
            world.must(msp_id, "AttestDocument", **attestation(proof))
    return world


@pytest.mark.parametrize("forged", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_a_sender_that_makes_one_id_of_two_commands_cannot_overwrite_what_one_of_them_has_paid(
    monkeypatch: pytest.MonkeyPatch, forged: bool, together: bool
) -> None:
    world = waiting_for_deliveries("first", "second")
    deliveries = [said(**event(name, name)) for name in ("first", "second")]
    if forged:  # what takes 2^48 tries is had for nothing
        deliveries = [one | {"command_id": OF_CONTENT + "0" * 24} for one in deliveries]
        monkeypatch.setattr("chaincode.contract.id_of_content", lambda _: OF_CONTENT + "0" * 24)
    if together:
        first, second = world.batch(CARRIER, deliveries)
    else:
        first = sent(world, deliveries[0])
        before = dict(world.state)
        second = sent(world, deliveries[1])
        assert (world.state == before) == forged
    assert first["result"]["released"] == [hexid("first")]
    assert (second.get("code"), second["status"]) == (("COMMAND_ID_REUSED", "refused") if forged else (None, "applied"))
    paid = [name for name in ("first", "second") if world.read(f"invoice/{hexid(name)}")["early_payment"]]
    assert paid == (["first"] if forged else ["first", "second"])
    entries = [world.read(key) for key in world.state if key.startswith(f"entry/{CARRIER}/")]
    assert [(one["invoice_id"], one["step"]) for one in entries if one["step"] == "early_payment"] == [
        (hexid(name), "early_payment") for name in paid
    ]
    check_state(world.state)


def test_the_entries_of_one_command_stand_in_their_order() -> None:
    of_a_list = [keys.entry(CARRIER, hexid("command"), number) for number in range(400)]
    assert of_a_list == sorted(set(of_a_list))
