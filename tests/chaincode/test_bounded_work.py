"""One transaction does a bounded work, whatever a hostile member puts into it; what it leaves undecided goes later."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from world import MemoryStub, World, finish, found
from world_bodies import (
    BUYER,
    CARRIER,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    acceptance,
    approval,
    command,
    document,
    event,
    facility,
    fingerprints,
    hex64,
    hexid,
    invoice,
    request,
    shipment,
)

from chaincode.batch import KEYS_AHEAD_MAX, KEYS_ASKED_MAX, Overlay
from chaincode.dispatch import ARGUMENT_COMMAS_MAX

SHIPMENTS, INVOICES = 10, 20


@functools.cache
def heavy() -> dict[str, bytes]:
    """A state in which 20 approved invoices rest on as many shipments, with as many events, as one can."""
    world = World()
    found(world, PARTIES)
    world.must(FINANCIER, "AcceptSupplier", **acceptance())
    world.must(FINANCIER, "OpenFacility", **facility(mode="manual"))
    world.must(SUPPLIER, "RegisterDocument", **document("document"))
    names = [f"shipment {number}" for number in range(SHIPMENTS)]
    for name in names:
        world.must(SUPPLIER, "RegisterShipment", **shipment(name))
        for msp_id in (SUPPLIER, BUYER, CARRIER):
            events = [event(f"{msp_id} {number}", name, type="in_transit") for number in range(100)]
            world.batch(
                msp_id, [command("RecordShipmentEvent", hexid(f"{name} {one['event_id']}"), **one) for one in events]
            )
    for name in bills():
        rests_on = {"shipment_ids": [hexid(one) for one in names], "proof_ids": []}
        world.must(SUPPLIER, "RegisterInvoice", **invoice(name, fingerprints=fingerprints(name), **rests_on))
        world.must(SUPPLIER, "RequestEarlyPayment", **request(name))
        world.must(BUYER, "ApproveInvoice", **approval(name))
    return world.state


def bills() -> list[str]:
    return [f"bill {number}" for number in range(INVOICES)]


@pytest.fixture
def world() -> World:
    world = World()
    world.apply(dict(heavy()))
    return world


def checks(count: int, name: str = "check") -> list[dict[str, Any]]:
    """Commands that each check all the invoices."""
    ids = [hexid(one) for one in bills()]
    return [command("CheckRelease", hexid(f"{name} {number}"), invoice_ids=ids) for number in range(count)]


def test_release_checks_of_one_transaction_end_where_its_work_is_done_and_go_on_in_the_next(world: World) -> None:
    sent = [*checks(30), command("RegisterDocument", hexid("last"), **document("last"))]
    transactions = 0
    while sent:
        results = world.batch(CARRIER, sent)
        transactions += 1
        undecided = [one["command_id"] for one in results if one.get("code") == "TRANSACTION_FULL"]
        decided = [one for one in results if one["command_id"] not in undecided]
        assert decided
        assert all(one["status"] == "applied" for one in decided)
        assert [one["command_id"] for one in sent[len(decided) :]] == undecided, "nothing behind it is decided"
        sent = sent[len(decided) :]
    assert transactions > 1
    assert world.read(f"document/{hexid('last')}") is not None


def test_what_fits_into_one_transaction_is_decided_in_one(world: World) -> None:
    assert {one["status"] for one in world.batch(CARRIER, checks(2))} == {"applied"}


def test_a_command_alone_is_never_left_undecided(world: World) -> None:
    for number in range(3):
        assert world.batch(CARRIER, checks(1, f"alone {number}"))[0]["status"] == "applied"


def test_an_undecided_command_leaves_no_trace_and_its_id_is_free(world: World) -> None:
    sent = checks(30)
    last = [one for one in world.batch(CARRIER, sent) if one["status"] == "refused"][-1]
    assert (last["code"], world.read(f"command/{CARRIER}/{last['command_id']}")) == ("TRANSACTION_FULL", None)
    assert world.batch(CARRIER, sent[-1:])[0]["status"] == "applied"
    assert world.batch(CARRIER, sent[:1])[0]["status"] == "exists"


def test_commands_that_are_refused_use_up_the_transaction_as_well(world: World) -> None:
    ids = [hexid(name) for name in bills()]
    fund = [
        command("FundInvoice", hexid(f"{n}"), invoice_id=ids[n % INVOICES], facility_id=hexid("facility"))
        for n in range(340)
    ]
    codes = [one.get("code") for one in world.batch(FINANCIER, fund)]
    assert set(codes) == {"NOT_RELEASABLE", "TRANSACTION_FULL"}
    assert codes[-1] == "TRANSACTION_FULL"


@pytest.mark.parametrize("many", [51, 100_000])
def test_a_malformed_command_that_names_many_invoices_reads_none_of_them(world: World, many: int) -> None:
    ids = [f"{number:032x}" for number in range(many)]
    assert many < ARGUMENT_COMMAS_MAX
    result = world.batch(CARRIER, [command("CheckRelease", hexid("wrong"), invoice_ids=ids)])[0]
    assert result["code"] == "MALFORMED"
    assert len(world.keys_read) < 10
    result = world.batch(CARRIER, [command("CheckRelease", hexid("right"), invoice_ids=ids[:50])])[0]
    assert result["code"] == "INVOICE_UNKNOWN"
    assert len(world.keys_read) > 50


def test_what_is_read_ahead_is_bounded_however_many_commands_name_something(world: World) -> None:
    batch = []
    for number in range(500):
        ids = [f"{50 * number + each:032x}" for each in range(50)]
        batch.append(command("CheckRelease", hexid(f"wide {number}"), invoice_ids=ids))
    answer = world.dispatch(CARRIER, json.dumps({"version": 1, "commands": batch}).encode())
    assert not answer.ok
    assert len(world.keys_read) < 2 * KEYS_AHEAD_MAX < KEYS_ASKED_MAX


def test_a_list_is_asked_for_at_the_price_of_its_events(world: World) -> None:
    key = f"shipment_reports/{hexid('shipment 0')}/{CARRIER}"
    overlay = Overlay(MemoryStub(world, CARRIER, hex64("transaction"), world.timestamp))
    finish(overlay.get_state(key))
    assert 50 < overlay.keys_asked < 200, "a hundred events, of some 0.2 KiB each"
    alone = overlay.keys_asked
    finish(overlay.get_states([key, f"shipment_reports/{hexid('none')}/{CARRIER}"]))
    assert overlay.keys_asked == 2 * alone + 1
