"""What is told, and how it is signed: each change once, in order, to those that want it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cloudevents.v1.http import from_http
from consortium import BUYER, FINANCIER, SUPPLIER, eventually
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from webhook_world import World, life, opened, states

from ledger_node.errors import BadRequest
from ledger_node.notifications import store as stores


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from opened(tmp_path)


def test_every_change_is_told_once_in_order_signed_so_that_standard_webhooks_and_cloudevents_take_it(
    world: World,
) -> None:
    receiver = world.receiver()
    secret, webhook = world.webhook(receiver)
    life(world, "a", "b")
    world.until_told(webhook.id)
    assert list(states(receiver).values()) == [["registered", "approved", "settled"]] * 2
    assert len(receiver.told) == 6
    for told in receiver.told:
        assert Webhook(secret).verify(told.body, told.headers) == told.event
        envelope = from_http(told.headers, told.body)
        assert envelope["id"] == told.headers["webhook-id"]
        assert envelope["type"] == f"ledger-node.invoice.{told.event['data']['state']}"
        assert envelope["subject"] == told.event["data"]["record"]
    sequence = [each["sequence"] for each in receiver.events if each["partitionkey"].endswith("61")]
    assert sequence == sorted(sequence)
    row = world.webhooks.get(webhook.id)
    assert (row.delivered, row.next_block, row.error) == (6, 3, "")


def test_a_body_that_was_changed_or_signed_by_another_secret_does_not_verify(world: World) -> None:
    receiver = world.receiver()
    secret, webhook = world.webhook(receiver)
    other, _ = world.webhook(world.receiver())
    life(world, "a")
    world.until_told(webhook.id)
    told = receiver.told[0]
    Webhook(secret).verify(told.body, told.headers)
    for key, body, headers in (
        (other, told.body, told.headers),
        (secret, told.body.replace(b"registered", b"approvedXX"), told.headers),
        (secret, told.body, told.headers | {"webhook-id": "other"}),
        (secret, told.body, told.headers | {"webhook-timestamp": str(int(told.headers["webhook-timestamp"]) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(body, headers)


def test_a_secret_is_rotated_without_a_gap_and_the_former_ends_with_its_time(world: World) -> None:
    receiver = world.receiver()
    former, webhook = world.webhook(receiver)
    fresh = world.webhooks.rotate(webhook.id, 24)
    life(world, "a")
    world.until_told(webhook.id)
    for told in receiver.told:
        Webhook(former).verify(told.body, told.headers)
        Webhook(fresh).verify(told.body, told.headers)
    world.ahead = dt.timedelta(hours=25)
    receiver.told.clear()
    life(world, "b")
    world.until_told(webhook.id)
    told = receiver.told[0]
    Webhook(fresh).verify(told.body, told.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(former).verify(told.body, told.headers)
    stolen, last = fresh, world.webhooks.rotate(webhook.id, 0)
    assert world.webhooks.keys(webhook.id) == [last] != [stolen]
    for _ in range(stores.SECRETS_MAX - 1):
        world.webhooks.rotate(webhook.id, 1)
    with pytest.raises(BadRequest, match="good already"):
        world.webhooks.rotate(webhook.id, 1)


def test_everything_from_a_block_on_is_told_again_under_the_ids_of_then(world: World) -> None:
    receiver = world.receiver()
    _, webhook = world.webhook(receiver)
    life(world, "a")
    world.until_told(webhook.id)
    first = [(each.headers["webhook-id"], each.body) for each in receiver.told]
    with pytest.raises(BadRequest, match="later than"):
        world.webhooks.replay_from(webhook.id, 99)
    world.webhooks.replay_from(webhook.id, 1)
    world.until_told(webhook.id)
    assert [(each.headers["webhook-id"], each.body) for each in receiver.told[3:]] == first[1:]


def test_only_events_of_the_wanted_types_that_name_the_organisation_are_told(world: World) -> None:
    wanted, others = world.receiver(), world.receiver()
    _, approvals = world.webhook(wanted, types=["invoice.approved", "deposit"])
    _, foreign = world.webhook(others)
    life(world, "a")
    world.until_told(approvals.id)
    with closing(world.deliveries(foreign.id, FINANCIER)) as deliveries:
        eventually(lambda: world.turned(deliveries, foreign.id), "everything is told")
    assert [each["type"] for each in wanted.events] == ["ledger-node.invoice.approved"]
    assert others.told == []
    _, everything = world.webhook(world.receiver(), only_own=False)
    with closing(world.deliveries(everything.id, FINANCIER)) as deliveries:
        eventually(lambda: world.turned(deliveries, everything.id), "everything is told")
    assert len(world.receivers[-1].told) == 3
    with pytest.raises(BadRequest, match="no event has the type"):
        world.webhook(wanted, types=["invoices"])


def test_a_body_names_states_parties_and_places_and_no_amount_name_or_document(world: World) -> None:
    receiver = world.receiver()
    _, webhook = world.webhook(receiver)
    life(world, "a")
    world.until_told(webhook.id)
    for each in receiver.events:
        data = each["data"]
        assert set(data) == {
            "record", "state", "previous_state", "changed", "parties", "by", "block_number", "transaction_id",
        }  # fmt: skip
        assert data["parties"] == [BUYER, SUPPLIER]
        assert "d" * 32 not in str(each)
