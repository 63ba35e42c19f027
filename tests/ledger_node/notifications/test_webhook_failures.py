"""Deliveries when something is wrong: nothing is lost or told out of order, whoever is slow, wrong, dead or killed."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from consortium import SUPPLIER, eventually
from receivers import Told, status
from sqlalchemy import event as sql_event
from webhook_world import SETTINGS, World, life, opened, states

from ledger_node.database import Database
from ledger_node.errors import NotFound
from ledger_node.notifications import store as stores
from ledger_node.notifications.sender import (
    LOOK_SECONDS,
    LOOK_SECONDS_MAX,
    LOOK_SECONDS_UNTOLD,
    WebhookSender,
    look_seconds,
    pause_seconds,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from opened(tmp_path)


class Crash(BaseException):
    """The process is killed here."""


def test_what_fails_is_tried_again_under_its_id_and_holds_its_own_invoice_alone(world: World) -> None:
    refusals = iter([status(503), status(500)])

    def answer(told: Told, handler: BaseHTTPRequestHandler) -> None:
        is_first = told.event["partitionkey"].endswith("61") and told.event["data"]["state"] == "registered"
        (next(refusals, status(204)) if is_first else status(204))(told, handler)

    receiver = world.receiver(answer)
    _, webhook = world.webhook(receiver)
    life(world, "a", "b")
    world.until_told(webhook.id)
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]] * 2
    ids = [each.headers["webhook-id"] for each in receiver.told]
    assert sorted(map(ids.count, set(ids))) == [1, 1, 1, 1, 1, 3]
    of_a = [each["data"]["state"] for each in receiver.events if each["partitionkey"].endswith("61")]
    assert of_a == ["registered"] * 3 + ["approved", "settled"]
    timestamps = {each.headers["webhook-timestamp"] for each in receiver.told}
    assert all(stamp.isdigit() for stamp in timestamps)


def test_what_was_given_up_is_shown_lets_the_next_go_and_is_replayed(world: World) -> None:
    def answer(told: Told, handler: BaseHTTPRequestHandler) -> None:
        status(400 if told.event["data"]["state"] == "approved" else 200)(told, handler)

    receiver = world.receiver(answer)
    _, webhook = world.webhook(receiver)
    life(world, "a")
    world.until_told(webhook.id)
    (dead,), total = world.webhooks.dead(webhook.id, 1, 50)
    assert (total, dead.tries, dead.error, dead.type) == (1, 3, "HTTP 400", "invoice.approved")
    assert states(receiver)[dead.order_key] == ["registered", "approved", "settled"]
    receiver.answer = status(200)
    with pytest.raises(NotFound):
        world.webhooks.replay_dead(webhook.id, "unknown")
    assert world.webhooks.replay_dead(webhook.id, dead.event_id) == 1
    receiver.told.clear()
    world.until_told(webhook.id)
    assert [(each.headers["webhook-id"], each.body.decode()) for each in receiver.told] == [(dead.event_id, dead.body)]
    assert world.webhooks.dead(webhook.id, 1, 50) == ([], 0)


def test_a_receiver_that_answers_410_is_told_nothing_more_until_somebody_says_so(world: World) -> None:
    receiver = world.receiver(status(410))
    _, webhook = world.webhook(receiver)
    life(world, "a")
    with closing(world.deliveries(webhook.id)) as deliveries:
        deliveries.turn()
        came = len(receiver.told)
        assert world.webhooks.get(webhook.id).status == "gone"
        for _ in range(3):
            deliveries.turn()
    assert len(receiver.told) == came
    receiver.answer = status(200)
    world.webhooks.resume(webhook.id)
    world.until_told(webhook.id)
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]]


def test_what_happens_while_one_is_paused_waits_in_the_ledger(world: World) -> None:
    receiver = world.receiver()
    _, webhook = world.webhook(receiver)
    world.webhooks.pause(webhook.id)
    life(world, "a")
    with closing(world.deliveries(webhook.id)) as deliveries:
        deliveries.turn()
    assert (receiver.told, world.webhooks.get(webhook.id).next_block) == ([], 0)
    world.webhooks.resume(webhook.id)
    world.until_told(webhook.id)
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]]


def test_what_does_not_fit_waits_in_the_ledger_and_comes_later(world: World) -> None:
    receiver = world.receiver()
    _, webhook = world.webhook(receiver)
    receiver.answer = status(500)
    life(world, "a", "b", "c")
    with closing(world.deliveries(webhook.id, waiting_max=5, tries_max=99)) as deliveries:
        for _ in range(4):
            deliveries.turn()
        life(world, "d")
        deliveries.turn()
        assert world.webhooks.waiting(webhook.id) == 9
        assert world.webhooks.get(webhook.id).next_block == 3
        receiver.answer = status(200)
        eventually(lambda: world.turned(deliveries, webhook.id), "everything is told")
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]] * 4


def test_a_process_that_is_killed_at_any_statement_of_a_turn_loses_nothing_and_keeps_the_order(world: World) -> None:
    receiver = world.receiver()
    _, webhook = world.webhook(receiver)
    life(world, "a", "b")
    kills = 0
    while killed_at(world, webhook.id, kills):
        kills += 1
    assert kills > 8
    assert world.webhooks.waiting(webhook.id) == 0
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]] * 2
    assert len(receiver.told) > 6, "a kill between sending and writing it down sends again"


def killed_at(world: World, webhook_id: str, number: int) -> bool:
    """Turn, and die before the statement of that number; False when the turn was through before."""
    statements = itertools.count()

    def kill(*_: object) -> None:
        if next(statements) == number:
            raise Crash

    sql_event.listen(world.state._engine, "before_cursor_execute", kill)
    try:
        with closing(world.deliveries(webhook_id)) as deliveries:
            deliveries.turn()
    except Crash:
        return True
    finally:
        sql_event.remove(world.state._engine, "before_cursor_execute", kill)
    return False


def test_a_read_model_that_is_folded_anew_tells_nothing_twice_and_goes_on(world: World) -> None:
    receiver = world.receiver()
    _, webhook = world.webhook(receiver)
    life(world, "a")
    world.until_told(webhook.id)
    world.ledger.empty()
    with closing(world.deliveries(webhook.id)) as deliveries:
        deliveries.turn()
        world.ledger.fold(world.ledger.blocks[:2])
        deliveries.turn()
        world.ledger.empty()
        world.ledger.fold(world.ledger.blocks)
    life(world, "b")
    world.until_told(webhook.id)
    assert len(receiver.told) == 6
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]] * 2


def test_another_ledger_is_told_from_its_first_block_on(world: World) -> None:
    receiver = world.receiver()
    _, webhook = world.webhook(receiver)
    life(world, "a")
    world.until_told(webhook.id)
    world.ledger.empty()
    world.ledger.fold(world.ledger.blocks, "cd" * 32)
    world.until_told(webhook.id)
    sources = [each["source"] for each in receiver.events]
    assert sources == ["/channels/scf/" + "ab" * 8] * 3 + ["/channels/scf/" + "cd" * 8] * 3


def test_one_receiver_that_hangs_holds_no_other_up(world: World) -> None:
    ending = threading.Event()

    def hangs(told: Told, handler: BaseHTTPRequestHandler) -> None:
        ending.wait(60)
        status(503)(told, handler)

    hanging, quick = world.receiver(hangs), world.receiver()
    world.webhook(hanging)
    world.webhook(quick)
    stop = threading.Event()
    sender = WebhookSender(world.webhooks, world.events, SETTINGS, None, SUPPLIER, (world.state, world.ledger.database))
    thread = threading.Thread(target=sender.run, args=(stop,))
    thread.start()
    life(world, "a", "b")
    eventually(lambda: len(quick.told) == 6, "the quick one has all")
    eventually(lambda: hanging.told, "the other one was asked")
    assert {each.event["data"]["state"] for each in hanging.told} == {"registered"}, "control: it hangs at the first"
    hanging.answer = status(200)
    ending.set()
    eventually(lambda: {"settled"} <= {each["data"]["state"] for each in hanging.events}, "it goes on")
    stop.set()
    thread.join()


def test_receivers_that_come_pause_and_go_are_seen_while_the_sender_runs(world: World) -> None:
    first, second = world.receiver(), world.receiver()
    _, one = world.webhook(first)
    stop = threading.Event()
    sender = WebhookSender(world.webhooks, world.events, SETTINGS, None, SUPPLIER, (world.state, world.ledger.database))
    thread = threading.Thread(target=sender.run, args=(stop,))
    thread.start()
    life(world, "a")
    eventually(lambda: len(first.told) == 3, "the first one is told")
    _, two = world.webhook(second)
    eventually(lambda: len(second.told) == 3, "one that comes later is told")
    world.webhooks.remove(one.id)
    world.webhooks.pause(two.id)
    life(world, "b")
    world.webhooks.resume(two.id)
    eventually(lambda: len(second.told) == 6, "it goes on")
    stop.set()
    thread.join()
    assert len(first.told) == 3
    with pytest.raises(NotFound):
        world.webhooks.get(one.id)


def test_pauses_double_up_to_a_bound_and_are_never_all_the_same() -> None:
    assert [pause_seconds(tries, 5, 60, 0) for tries in range(1, 7)] == [5, 10, 20, 40, 60, 60]
    assert pause_seconds(1, 5, 60, 1) == 2.5
    assert pause_seconds(10**6, 5, 60, 0.5) == 45


def test_a_receiver_may_say_when_to_come_again(world: World) -> None:
    receiver = world.receiver(status(429, Retry_After="3600"))
    _, webhook = world.webhook(receiver)
    life(world, "a")
    with closing(world.deliveries(webhook.id, tries_max=99)) as deliveries:
        deliveries.turn()
        deliveries.turn()
    assert len(receiver.told) == 1
    world.ahead = dt.timedelta(hours=2)
    receiver.answer = status(200)
    world.until_told(webhook.id)
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]]


def test_one_with_too_many_that_were_given_up_is_paused_and_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "DEAD_MAX", 2)
    receiver = world.receiver(status(500))
    _, webhook = world.webhook(receiver)
    life(world, "a", "b", "c")
    with closing(world.deliveries(webhook.id, tries_max=1)) as deliveries:
        eventually(lambda: not deliveries.turn() or world.webhooks.get(webhook.id).status == "paused", "it is paused")
    assert "given up" in world.webhooks.get(webhook.id).reason
    assert world.webhooks.discard_dead(webhook.id) >= 2
    receiver.answer = status(200)
    world.webhooks.resume(webhook.id)
    world.webhooks.replay_from(webhook.id, 0)
    world.until_told(webhook.id)
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]] * 3


def test_a_clock_that_is_set_back_makes_nothing_wait_longer_than_the_longest_pause(world: World) -> None:
    receiver = world.receiver(status(429, Retry_After="3600"))
    _, webhook = world.webhook(receiver)
    life(world, "a")
    with closing(world.deliveries(webhook.id, tries_max=99)) as deliveries:
        deliveries.turn()
    receiver.answer = status(200)
    with closing(world.deliveries(webhook.id)) as deliveries:
        deliveries.turn()
        assert len(receiver.told) == 1, "control: it was asked to come in an hour"
    world.ahead = -dt.timedelta(days=365)
    world.until_told(webhook.id)
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]]


def test_what_stands_behind_one_that_fails_is_not_looked_at_again_and_again_meanwhile(world: World) -> None:
    _, webhook = world.webhook(world.receiver(status(429, Retry_After="3600")))
    life(world, "a")
    with closing(world.deliveries(webhook.id, tries_max=99)) as deliveries:
        deliveries.turn()
    assert world.webhooks.waiting(webhook.id) == 3, "control: two of them were never tried"
    with closing(world.deliveries(webhook.id, tries_max=99)) as deliveries:
        deliveries.turn()
        assert deliveries.turn() == LOOK_SECONDS_MAX


def test_a_database_that_tells_nobody_of_changes_is_asked_by_all_receivers_once_a_second(world: World) -> None:
    server = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert look_seconds((world.state, world.ledger.database)) == LOOK_SECONDS
    assert look_seconds((world.state, server)) == look_seconds((server, server)) == LOOK_SECONDS_UNTOLD
