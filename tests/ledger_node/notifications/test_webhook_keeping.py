"""Keeping webhooks over REST and at the prompt: who may, what is shown, and what is never shown again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from api_world import Caller
from consortium import organisations, write_settings
from prompt import Prompt
from receivers import Ledger, Receiver, invoice, status
from standardwebhooks import Webhook

from ledger_node.api import events
from ledger_node.background import webhook_sender_of
from ledger_node.config import WebhookSettings
from ledger_node.node import Node, open_node
from ledger_node.notifications.events import Batch
from ledger_node.notifications.sender import Receiver as Deliveries
from ledger_node.people.audit import read


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    home = tmp_path_factory.mktemp("keeping")
    organisations(home)
    settings = write_settings(
        home,
        home,
        "supplier",
        webhooks=WebhookSettings(private_hosts=("127.0.0.1",), tries_max=1, pause_seconds=0.01, pause_seconds_max=0.01),
    )
    with closing(open_node(settings)) as opened:
        yield opened


@pytest.fixture(scope="module")
def people(node: Node) -> Iterator[Prompt]:
    world: Any = {"supplier": node}
    prompt = Prompt(Caller(world, "supplier"))
    yield prompt
    prompt.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def url(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/secret-place?key=1"


def turns(node: Node, webhook_id: str, times: int = 4) -> None:
    sender: Any = webhook_sender_of(node)
    deliveries: Deliveries = sender._receiver(webhook_id)
    with closing(deliveries):
        for _ in range(times):
            deliveries.turn()


def test_a_webhook_is_added_tried_paused_rotated_replayed_and_removed_at_the_prompt(
    people: Prompt, node: Node, receiver: Receiver
) -> None:
    made = people.json("operator", "webhook", "add", url(receiver), "--type", "invoice", "--name", "erp")
    webhook_id, secret = made["id"], made["secret"]
    assert "HTTP 204" in people.text("operator", "webhook", "test", webhook_id)
    assert Webhook(secret).verify(receiver.told[0].body, receiver.told[0].headers)["type"] == "ledger-node.webhook.test"
    ledger = Ledger(node.settings.directory / "readmodel.db")
    receiver.answer = status(500)
    ledger.write([invoice("a", "registered")], [invoice("a", "approved")])
    turns(node, webhook_id)
    found = people.json("auditor", "webhook", "dead", webhook_id)
    assert [row["type"] for row in found["items"]] == ["invoice.approved", "invoice.registered"][-found["total"] :]
    assert "HTTP 500" in people.text("auditor", "webhook", "dead", webhook_id)
    assert json.loads(people.text("auditor", "webhook", "dead", webhook_id, "--bodies").splitlines()[0])["data"]
    receiver.answer = status(200)
    assert "again" in people.text("operator", "webhook", "replay", webhook_id)
    turns(node, webhook_id)
    shown = people.json("operator", "webhook", "show", webhook_id)
    assert (shown["delivered"], shown["dead"], shown["waiting"]) == (2, 0, 0)
    assert "from block 0" in people.text("operator", "webhook", "replay", webhook_id, "--from-block", "0")
    assert "0 forgotten" in people.text("operator", "webhook", "dead", webhook_id, "--discard")
    fresh = people.text("operator", "webhook", "rotate", webhook_id).strip()
    assert fresh != secret
    assert len(node.webhooks.keys(webhook_id)) == 2
    assert "paused" in people.text("operator", "webhook", "pause", webhook_id)
    assert "active" in people.text("operator", "webhook", "resume", webhook_id)
    assert webhook_id in people.text("auditor", "webhook", "list")
    assert "removed" in people.text("operator", "webhook", "remove", webhook_id)
    assert people.run("operator", "webhook", "show", webhook_id).exit_code == 3
    ledger.database.close()


def test_no_secret_is_shown_again_nor_written_into_the_audit_log(
    people: Prompt, node: Node, receiver: Receiver
) -> None:
    made = people.json("operator", "webhook", "add", url(receiver))
    webhook_id = made["id"]
    fresh = people.json("operator", "webhook", "rotate", webhook_id)["secret"]
    later = [
        people.run("operator", "webhook", *words, "--json").output
        for words in (("list",), ("show", webhook_id), ("pause", webhook_id), ("dead", webhook_id))
    ]
    acts = [act for _, act in read(node.audit.path)]
    for secret in (made["secret"], fresh):
        assert secret.startswith("whsec_")
        assert [text for text in later if secret in text or secret[6:] in text] == []
        assert secret[6:] not in str(acts)
    told = [act["path"] for act in acts if act["act"] == "asked"]
    assert "/v1/webhooks" in told
    assert f"/v1/webhooks/{webhook_id}/rotation" in told
    people.json("operator", "webhook", "remove", webhook_id)


def test_only_operators_see_the_whole_address(people: Prompt, receiver: Receiver) -> None:
    made = people.json("operator", "webhook", "add", url(receiver))
    assert people.json("operator", "webhook", "show", made["id"])["url"] == url(receiver)
    for role in ("auditor", "uploader"):
        seen = people.run(role, "webhook", "show", made["id"], "--json").output
        assert "127.0.0.1" in seen
        assert "secret-place" not in seen
    people.json("operator", "webhook", "remove", made["id"])


def test_a_receiver_that_fails_a_trial_says_so_and_one_inside_is_refused(people: Prompt, receiver: Receiver) -> None:
    receiver.answer = status(302, Location=url(receiver))
    made = people.json("operator", "webhook", "add", url(receiver))
    tried = people.run("operator", "webhook", "test", made["id"])
    assert (tried.exit_code, len(receiver.told)) == (1, 1)
    assert "HTTP 302" in tried.output
    again = people.run("operator", "webhook", "add", url(receiver))
    assert (again.exit_code, "already" in again.output) == (2, True)
    for inside in ("https://10.0.0.1/", "http://example.com/", "https://user:word@example.com/"):
        assert people.run("operator", "webhook", "add", inside).exit_code == 2
    assert people.run("operator", "webhook", "add", "https://example.com/", "--type", "nothing").exit_code == 2
    both = people.caller.post("operator", f"/v1/webhooks/{made['id']}/replay", {"event_id": "x", "from_block": 1})
    assert both.status == 400
    people.json("operator", "webhook", "remove", made["id"])


def test_the_answers_are_as_the_description_says(people: Prompt, receiver: Receiver) -> None:
    made = people.json("operator", "webhook", "add", url(receiver))
    for path in ("", f"/{made['id']}", f"/{made['id']}/dead-letters"):
        assert people.caller.get(f"/v1/webhooks{path}").status == 200
    people.json("operator", "webhook", "remove", made["id"])


def test_the_stream_tells_the_same_events_each_before_its_block(people: Prompt, node: Node) -> None:
    ledger = Ledger(node.settings.directory / "readmodel.db")
    ledger.empty()
    ledger.write([invoice("s", "registered")], [invoice("s", "approved"), invoice("t", "registered")])
    wanted = [event.body for event in node.events.read(1, 1000).events]
    ledger.database.close()
    assert len(wanted) == 2
    for query, changes in (("?changes=true", wanted), ("", [])):
        headers = people.caller.bearer("auditor") | {"Last-Event-ID": "0"}
        answer = people.caller.http.get(f"/v1/events{query}", headers=headers, buffered=False)
        frames = answer.iter_encoded()
        lines: list[str] = []
        while not any(line.startswith("event: block") for line in lines):
            lines += next(frames).decode().splitlines()
        answer.close()
        told = [line.removeprefix("data: ") for line in lines if line.startswith('data: {"specversion')]
        assert told == changes
        assert [line for line in lines if line.startswith("id: ")] == ["id: 0", "id: 1"]
        assert lines.count("event: change") == len(changes)


def test_the_stream_reads_no_further_ahead_than_it_has_told(
    people: Prompt, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(node.settings.directory / "readmodel.db")
    ledger.empty()
    ledger.write(*[[invoice(f"ahead-{number}", "registered")] for number in range(9)])
    ledger.database.close()
    started, read_at_once = list[int](), node.events.read

    def reads(start: int, rows_max: int) -> Batch:
        started.append(start)
        return read_at_once(start, rows_max)

    monkeypatch.setattr(events, "CHANGES_ROWS_MAX", 1)
    monkeypatch.setattr(node.events, "read", reads)
    headers = people.caller.bearer("auditor") | {"Last-Event-ID": "0"}
    answer = people.caller.http.get("/v1/events?changes=true", headers=headers, buffered=False)
    frames = answer.iter_encoded()
    told = 0
    while told < 8:
        told += next(frames).decode().count("event: block")
        assert len(started) <= told + 1
    assert started == list(range(1, 9))
    answer.close()
