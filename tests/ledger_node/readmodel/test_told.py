"""Lists of what parties report, told apart from their history: each event where it was told, and where it changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from test_projector import Blocks, block, open_database, project

from chaincode.records import Report, ShipmentEvent, ShipmentReports, decode, encode, keys
from chaincode.rules.reports import events_of, note_paid
from ledger_node.database import Database
from ledger_node.readmodel.tables import HistoryRow
from ledger_node.readmodel.told import reported, told_apart

SHIPMENT = f"{5:032x}"
DAY = "2026-11-23"


def report(number: int, is_delivery: bool = False) -> Report:
    return Report(f"{number:032x}", "delivered" if is_delivery else "in_transit", DAY, False, "", DAY, "", ())


def listed(*reports: Report, party: str = "CarrierMSP", retold: dict[str, str] | None = None) -> ShipmentReports:
    return ShipmentReports(SHIPMENT, party, reports, retold or {})


def written(*lists: ShipmentReports, in_one_block: bool = False) -> list[HistoryRow]:
    """Lists as they were written one after the other."""
    return [
        HistoryRow(
            block_number=0 if in_one_block else number,
            transaction_index=number if in_one_block else 0,
            write_index=0,
            key=keys.shipment_reports(SHIPMENT, each.party),
            value=encode(each).decode(),
            transaction_id=f"{number:064x}",
            msp_id=each.party,
            timestamp="2026-11-23T12:00:00Z",
        )
        for number, each in enumerate(lists)
    ]


def told(rows: Sequence[HistoryRow]) -> list[tuple[str, str, str, str]]:
    """Of each write its transaction, and the party, id and withdrawal of its event."""
    found = []
    for row in told_apart(rows):
        assert row.value is not None
        event = decode(ShipmentEvent, row.value.encode())
        assert row.key == f"shipment_event/{SHIPMENT}/{event.party}/{event.event_id}"
        found.append((row.transaction_id[-1], event.party, event.event_id[-1], event.withdrawn_on))
    return found


FIRST, SECOND, DELIVERED = report(1), report(2), report(3, is_delivery=True)
GONE = replace(FIRST, withdrawn_on=DAY)


def test_each_event_is_told_once_where_it_was_reported() -> None:
    rows = written(listed(FIRST), listed(FIRST, SECOND, DELIVERED))
    assert told(rows) == [
        ("0", "CarrierMSP", "1", ""),
        ("1", "CarrierMSP", "2", ""),
        ("1", "CarrierMSP", "3", ""),
    ]


def test_an_event_that_is_taken_back_is_told_again_and_those_beside_it_are_not() -> None:
    rows = written(listed(FIRST, SECOND), listed(GONE, SECOND), listed(GONE, SECOND, DELIVERED))
    assert told(rows)[2:] == [("1", "CarrierMSP", "1", DAY), ("2", "CarrierMSP", "3", "")]


def test_lists_of_two_parties_in_one_block_are_told_apart_though_their_events_have_the_same_ids() -> None:
    of_the_buyer = listed(FIRST, party="BuyerMSP")
    rows = written(listed(FIRST), of_the_buyer, listed(GONE), of_the_buyer, in_one_block=True)
    assert told(rows) == [
        ("0", "CarrierMSP", "1", ""),
        ("1", "BuyerMSP", "1", ""),
        ("2", "CarrierMSP", "1", DAY),
    ]


def test_a_delivery_told_again_and_what_an_event_has_paid_are_no_event() -> None:
    retold = listed(DELIVERED, retold={f"{9:032x}": DELIVERED.event_id})
    paid = note_paid(retold, DELIVERED.event_id, [f"{8:032x}"])
    assert told(written(listed(DELIVERED), retold, paid)) == [("0", "CarrierMSP", "3", "")]
    assert told(written(listed(DELIVERED), retold, listed(replace(DELIVERED, withdrawn_on=DAY))))[1:] == [
        ("2", "CarrierMSP", "3", DAY)
    ], "the control: what changes the event is told"


def test_what_is_told_does_not_depend_on_what_is_passed_over() -> None:
    """Every list read as a whole gives the same."""
    lists = [listed(FIRST), listed(FIRST, SECOND), listed(FIRST, SECOND, party="BuyerMSP"), listed(GONE, SECOND)]
    lists += [listed(GONE, SECOND, DELIVERED), listed(GONE, replace(SECOND, withdrawn_on=DAY), DELIVERED, report(4))]
    rows, wanted = written(*lists), []
    known: dict[tuple[str, str], ShipmentEvent] = {}
    for row, whole in zip(rows, lists, strict=True):
        for event in events_of(whole):
            if known.get((event.party, event.event_id)) != event:
                known[event.party, event.event_id] = event
                wanted.append((row.transaction_id[-1], event.party, event.event_id[-1], event.withdrawn_on))
    assert told(rows) == wanted


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "readmodel.db")
    yield database
    database.close()


def test_events_of_an_older_ledger_stand_beside_listed_ones_each_with_its_last_block(database: Database) -> None:
    older = ShipmentEvent(SHIPMENT, f"{7:032x}", "BuyerMSP", "picked_up", DAY, False, "", DAY, "")
    key, own = keys.shipment_reports(SHIPMENT, "CarrierMSP"), keys.shipment_event(SHIPMENT, older.event_id)
    project(
        database,
        Blocks(
            block(0, (own, encode(older))),
            block(1, (key, encode(listed(FIRST)))),
            block(2, (key, encode(listed(FIRST, SECOND)))),
            block(3, (key, encode(listed(GONE, SECOND))), (own, encode(replace(older, withdrawn_on=DAY)))),
        ),
    )
    with database.read() as session:
        found = reported(session, SHIPMENT)
    shown = [(one["event_id"], one["party"], one["withdrawn_on"], one["block_number"]) for one in found]
    assert shown == [
        (SECOND.event_id, "CarrierMSP", "", 2),
        (older.event_id, "BuyerMSP", DAY, 3),
        (FIRST.event_id, "CarrierMSP", DAY, 3),
    ]
    assert json.dumps(found)
