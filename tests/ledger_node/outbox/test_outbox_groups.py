"""What goes together, what goes beside, what must not overtake; and what an outbox that is full says."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from sender import LIMITS, NEVER, Crash, Sender, document, now
from sqlalchemy import insert, update

from ledger_node.database import table_of
from ledger_node.ledger.interface import CommitError, EndorseError, Prepared, TooLargeError
from ledger_node.outbox.groups import BACKOFF_SECONDS_MAX, Group, Room, next_group
from ledger_node.outbox.store import Outbox, OutboxFull, OutboxLimits, OutboxRow, SubmissionStatus
from ledger_node.workers.counters import Counters

ROOM = Room(commands_max=500, bytes_max=2_000_000)


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    sender = Sender(tmp_path)
    yield sender
    sender.ledger.close()
    sender.database.close()


def group_of(sender: Sender, *in_flight: Group, room: Room = ROOM, height: int = 0) -> Group:
    return next_group(sender.database, in_flight, room, time.time(), lambda number: number < height)


def ids(group: Group) -> list[str]:
    return [command.command_id for command in group.commands]


def event(shipment_id: str) -> dict[str, Any]:
    return {"shipment_id": shipment_id, "event_id": secrets.token_hex(16), "document_id": ""}


def test_all_that_waits_goes_together_in_its_order(sender: Sender) -> None:
    waiting = [sender.put().id for _ in range(30)]
    assert ids(group_of(sender)) == waiting


@pytest.mark.parametrize(
    ("ahead_seconds", "goes"), [(30 * 24 * 3600.0, True), (BACKOFF_SECONDS_MAX - 1, False), (-30 * 24 * 3600.0, True)]
)
def test_no_command_waits_longer_than_the_longest_pause_whatever_the_clock_said(
    sender: Sender, ahead_seconds: float, goes: bool
) -> None:
    """A month ahead, and (the control) within the longest pause."""
    submission, at = sender.put(), time.time()
    with sender.database.write() as session:
        waits = update(table_of(OutboxRow)).values(not_before=at + ahead_seconds)
        session.connection().execute(waits)
    found = next_group(sender.database, (), ROOM, at, lambda number: True)
    assert ids(found) == ([submission.id] if goes else [])


def test_a_group_ends_where_the_room_does_and_a_command_larger_than_it_goes_alone(sender: Sender) -> None:
    waiting = [sender.put().id for _ in range(5)]
    size_bytes = group_of(sender).commands[0].size_bytes
    two = group_of(sender, room=Room(500, 2 * size_bytes))
    assert (ids(two), two.full) == (waiting[:2], True)
    assert ids(group_of(sender, room=Room(500, 1))) == waiting[:1]
    assert ids(group_of(sender, room=Room(3, 2_000_000))) == waiting[:3]
    assert not group_of(sender).full


def test_commands_of_other_records_go_beside_what_is_in_flight(sender: Sender) -> None:
    first, other = secrets.token_hex(16), secrets.token_hex(16)
    sender.outbox.put("RecordShipmentEvent", event(first))
    flying = group_of(sender)
    same = sender.outbox.put("RecordShipmentEvent", event(first)).id
    beside = sender.outbox.put("RecordShipmentEvent", event(other)).id
    assert ids(group_of(sender, flying)) == [beside]
    assert ids(group_of(sender))[1:] == [same, beside]  # the control: with nothing in flight all go


def test_what_rests_on_a_command_that_waits_does_not_overtake_it(sender: Sender) -> None:
    first, other = secrets.token_hex(16), secrets.token_hex(16)
    late = sender.outbox.put("RegisterShipment", {"shipment_id": first}, block_number_min=7).id
    after = sender.outbox.put("RecordShipmentEvent", event(first)).id
    free = sender.outbox.put("RecordShipmentEvent", event(other)).id
    assert ids(group_of(sender, height=7)) == [free]
    assert ids(group_of(sender, height=8)) == [late, after, free]


@pytest.mark.parametrize("type_", ["IssueDeposit", "ApproveInvoice", "OpenDay", "FundInvoice", "RegisterInvoice"])
def test_money_and_days_go_when_nothing_is_in_flight_and_nothing_goes_beside_them(sender: Sender, type_: str) -> None:
    sender.put()
    flying = group_of(sender)
    money = sender.outbox.put(type_, {"amount": 1}).id
    later = sender.put().id
    assert ids(group_of(sender, flying)) == []
    assert ids(group_of(sender))[1:] == [money, later]
    assert ids(group_of(sender, Group(group_of(sender).commands[1:2]))) == []


def run_while(sender: Sender, check: Callable[[], None]) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=sender.worker.run, args=(stop,))
    thread.start()
    try:
        check()
    finally:
        stop.set()
        thread.join()


def test_a_group_that_breaks_is_halved_while_others_go_through_beside_it(sender: Sender) -> None:
    spoilt = [sender.put() for _ in range(16)]
    bad, tried, others_done = spoilt[5], 0, threading.Event()

    def broken(prepared: Prepared) -> None:
        nonlocal tried
        if bad.id.encode() in prepared.payload:
            tried += 1
            assert tried == 1 or others_done.wait(20), "the others waited for the group that breaks"
            raise TooLargeError("too large")

    sender.ledger.before_submit = broken

    def others() -> None:
        while not tried:
            NEVER.wait(0.005)
        for _ in range(3):
            assert sender.outbox.wait(sender.put().id, 20).status is SubmissionStatus.APPLIED
        others_done.set()
        assert sender.outbox.wait(bad.id, 20).code == "TOO_LARGE"

    run_while(sender, others)
    assert tried == 5, "16, 8, 4, 2, 1"
    sender.drain()
    assert {sender.get(each).status for each in spoilt if each is not bad} == {SubmissionStatus.APPLIED}


def test_a_lone_command_is_sent_at_once_and_company_is_waited_for_only_behind_another(sender: Sender) -> None:
    sender.restart(dataclasses.replace(LIMITS, batch_age_seconds_max=3600.0))
    inside, go_on, groups = threading.Event(), threading.Event(), []

    def note(prepared: Prepared) -> None:
        groups.append(prepared.payload.count(b"RegisterDocument"))
        inside.set()
        assert len(groups) > 1 or go_on.wait(20)

    sender.ledger.before_submit = note

    def put() -> None:
        sender.put()
        assert inside.wait(20)
        rest = [sender.put() for _ in range(5)]
        go_on.set()
        assert sender.outbox.wait(rest[-1].id, 20).status is SubmissionStatus.APPLIED

    run_while(sender, put)
    assert groups == [1, 5]


def test_one_transaction_goes_first_then_twice_as_many_and_one_again_after_a_conflict(sender: Sender) -> None:
    sender.restart(dataclasses.replace(LIMITS, batch_commands_max=1, transactions_in_flight_max=4))
    go_on, sent, conflicts = threading.Event(), [], [False] * 7 + [True]

    def fail(prepared: Prepared) -> None:
        assert go_on.wait(20)
        if conflicts and conflicts.pop(0):
            raise CommitError("MVCC_READ_CONFLICT", prepared.transaction_id, 1)

    sender.ledger.before_submit = fail
    with ThreadPoolExecutor(4) as pool:
        for count in (5, 0, 2, 1, 4):
            for _ in range(count):
                sender.put()
            sent.append(sum(sender.worker._send_more(pool, NEVER) for _ in range(5)))
            go_on.set()
            wait(sender.worker._flights._by_future)
            sender.worker._flights.take_back()
            go_on.clear()
    assert sent == [1, 2, 4, 1, 2]  # the last but one had its conflict, and went through then


@pytest.mark.parametrize("point", ["before_submit", "after_submit"])
def test_a_kill_with_two_transactions_in_flight_has_one_effect_of_each_command(sender: Sender, point: str) -> None:
    sender.restart(dataclasses.replace(LIMITS, batch_commands_max=1))
    sender.put()
    sender.drain()  # the first one goes alone
    submissions = [sender.put(), sender.put()]
    both = threading.Barrier(2)

    def crash(_: Prepared) -> None:
        both.wait(20)
        raise Crash

    setattr(sender.ledger, point, crash)
    with pytest.raises(Crash):
        sender.worker.run(threading.Event())
    assert sender.outbox.counts()["sent"] == 2
    setattr(sender.ledger, point, lambda _: None)
    sender.restart()
    sender.drain()
    assert [sender.get(each).status for each in submissions] == [SubmissionStatus.APPLIED] * 2
    assert len(sender.effects()) == 3


def test_what_must_be_sent_anew_is_counted_by_its_reason(sender: Sender, tmp_path: Path) -> None:
    counters, failures = Counters(tmp_path / "retries.json"), iter([True, True])
    sender.restart(count=counters.count)

    def fail(_: Prepared) -> None:
        if next(failures, False):
            raise EndorseError("peers are at different heights")

    sender.ledger.before_submit = fail
    assert counters.counts() == {}
    submission = sender.put()
    sender.drain()
    assert sender.get(submission).status is SubmissionStatus.APPLIED
    assert Counters(tmp_path / "retries.json").counts() == {"NOT_ENDORSED": 2}
    (tmp_path / "retries.json").write_text('{"NOT')
    assert counters.counts() == {}


@pytest.mark.parametrize("limits", [OutboxLimits(3, 10**6), OutboxLimits(10**6, 600)])
def test_a_full_outbox_takes_nothing_new_but_knows_what_it_has(sender: Sender, limits: OutboxLimits) -> None:
    outbox = Outbox(sender.database, now, 50_000, limits)
    for number in range(3):
        outbox.require_room(f"key {number}")
        outbox.put("RegisterDocument", document(secrets.token_hex(16)), idempotency_key=f"key {number}")
    with pytest.raises(OutboxFull):
        outbox.require_room("key 3")
    outbox.require_room("key 1")
    sender.drain()
    deadline = time.monotonic() + 120
    while True:  # what waits is counted now and then
        try:
            outbox.require_room("key 3")
        except OutboxFull:
            assert time.monotonic() < deadline
            NEVER.wait(0.01)
        else:
            return


def test_a_hundred_thousand_waiting_commands_take_no_memory_and_a_poll_reads_one_page(sender: Sender) -> None:
    template = {
        "type": "RegisterDocument",
        "request_digest": "",
        "block_number_min": 0,
        "status": "waiting",
        "code": "",
        "text": "",
        "sent_transaction_id": "",
        "transaction_id": "",
        "tries": 0,
        "not_before": 0.0,
        "created_at": "2026-11-22T00:00:00Z",
    }
    for start in range(0, 100_000, 10_000):
        rows = [{**template, "command_id": f"{n:032x}", "body": '{"x":1}'} for n in range(start, start + 10_000)]
        with sender.database.write() as session:
            session.connection().execute(insert(table_of(OutboxRow)), rows)
    group_of(sender)  # what is made once is not counted
    tracemalloc.start()
    try:
        group = group_of(sender)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(group.commands) == 500
    assert peak_bytes < 2_000_000
