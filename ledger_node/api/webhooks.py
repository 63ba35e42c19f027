"""Webhooks: who outside is told what happens on the ledger. Nothing here is written to the ledger.

A secret is answered once, by the write that makes it. Of a URL what may be a secret (path and query) is shown to
operators alone; everybody else sees its host.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import httpx
from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.answers import PageQuery, answers, reads
from ledger_node.api.auth import bearer, current_token
from ledger_node.api.context import current_node
from ledger_node.api.wire import Plain, Query
from ledger_node.errors import BadRequest
from ledger_node.notifications.addresses import checked_url, host_of
from ledger_node.notifications.events import trial
from ledger_node.notifications.post import Poster
from ledger_node.notifications.store import NAME_CHARACTERS_MAX, OVERLAP_HOURS_MAX
from ledger_node.notifications.tables import DEAD, WAITING, WebhookRow
from ledger_node.operations.fields import In, Nothing, Out
from ledger_node.people.roles import Role

routes = APIBlueprint("webhooks", __name__, tag="Webhooks")

KEEPERS = [Role.OPERATOR.value]
OVERLAP_HOURS = 24


class WebhookIn(In):
    """A receiver. `types` are types of events or their first parts; none is all."""

    url: str = Field(max_length=500, examples=["https://erp.example.com/hooks/ledger"])
    name: str = Field("", max_length=NAME_CHARACTERS_MAX)
    types: list[Annotated[str, Field(max_length=60)]] = Field([], max_length=50, examples=[["invoice", "deposit"]])
    only_own: bool = Field(True, description="Only events that name this organisation among their `parties`.")
    from_block: int | None = Field(
        None, ge=0, description="The first block that is told of; the next one when left out."
    )


class RotationIn(In):
    """How long the former secret signs as well."""

    overlap_hours: int = Field(OVERLAP_HOURS, ge=0, le=OVERLAP_HOURS_MAX, description="0 ends the former at once.")


class ReplayIn(In):
    """What is told again: one dead letter, everything from a block on, or, with neither, all dead letters."""

    event_id: str = Field("", max_length=120)
    from_block: int | None = Field(None, ge=0)


class WebhookOut(Out):
    """A receiver and how it goes; times are RFC 3339, empty for never."""

    id: str
    name: str
    url: str = Field(description="Without path and query for all but operators.")
    types: list[str]
    only_own: bool
    status: str = Field(description="active, paused, or gone: the receiver answered 410.")
    reason: str = Field(description="Why it is not active.")
    created_at: str
    created_by: str
    next_block: int = Field(description="The first block whose events were not put down for it yet.")
    waiting: int = Field(description="Events that are to be told.")
    dead: int = Field(description="Events that were given up.")
    delivered: int = Field(description="Events that were told.")
    delivered_at: str
    failed_at: str
    error: str = Field(description="Of the latest try; empty when it went through.")


class WebhooksOut(Out):
    """All receivers, the oldest first."""

    items: list[WebhookOut]


class NewWebhookOut(WebhookOut):
    """A receiver that was made, with its secret, which is shown this once."""

    secret: str


class SecretOut(Out):
    """A new secret, which is shown this once."""

    id: str
    secret: str


class TrialOut(Out):
    """What the receiver answered to an event of the type `ledger-node.webhook.test`."""

    delivered: bool
    status: int = Field(description="Of its answer; 0 where there was none.")
    error: str


class CountOut(Out):
    """How many events it was about; -1 where nobody has counted yet."""

    events: int


class DeadLetterOut(Out):
    """An event that was given up."""

    event_id: str
    type: str
    order: str = Field(description="What events are told in the order of.")
    tries: int
    error: str = Field(description="Of the last try.")
    died_at: str
    body: str = Field(description="As it was sent.")


class DeadLettersOut(Out):
    """A page of events that were given up, the latest first."""

    items: list[DeadLetterOut]
    total: int
    page: int
    per_page: int


class NoQuery(Query):
    """No parameters."""


@reads(routes, "/v1/webhooks", WebhooksOut, NoQuery)
def list_webhooks(query: NoQuery) -> Plain:
    """The webhooks of this node, the oldest first."""
    return {"items": _all_shown(current_node().webhooks.all())}


@reads(routes, "/v1/webhooks/<webhook_id>", WebhookOut)
def show_webhook(webhook_id: str) -> Plain:
    """A webhook and how it goes."""
    return _shown(current_node().webhooks.get(webhook_id))


@reads(routes, "/v1/webhooks/<webhook_id>/dead-letters", DeadLettersOut, PageQuery)
def list_dead_letters(webhook_id: str, query: PageQuery) -> Plain:
    """Events that were given up for a webhook, the latest first."""
    rows, total = current_node().webhooks.dead(webhook_id, query.page, query.per_page)
    items = [
        {
            "event_id": row.event_id,
            "type": row.type,
            "order": row.order_key,
            "tries": row.tries,
            "error": row.error,
            "died_at": row.died_at,
            "body": row.body,
        }
        for row in rows
    ]
    return {"items": items, "total": total, "page": query.page, "per_page": query.per_page}


@routes.post("/v1/webhooks")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(WebhookIn, arg_name="body")
@answers(routes, NewWebhookOut, 201)
def add_webhook(body: WebhookIn) -> Plain:
    """Tell a receiver what happens on the ledger, from the next block on; its secret is answered this once.

    One receiver has one webhook. Deliveries begin at once: try it out with `/test`.
    """
    node = current_node()
    checked_url(body.url, node.settings.webhooks.private_hosts)
    if same := [row.id for row in node.webhooks.all() if row.url == body.url]:
        raise BadRequest(f"there is a webhook for this URL already: {same[0]}", "Remove it, or rotate its secret.")
    newest = node.readmodel.block_number()
    row = {
        "name": body.name,
        "url": body.url,
        "types": sorted(set(body.types)),
        "only_own": body.only_own,
        "created_by": current_token().principal,
        "next_block": newest + 1 if body.from_block is None else min(body.from_block, newest + 1),
        "genesis_hash": node.events.genesis_hash(),
    }
    secret, made = node.webhooks.add(row)
    return {**_shown(made), "secret": secret}


@routes.post("/v1/webhooks/<webhook_id>/test")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(Nothing, arg_name="body")
@answers(routes, TrialOut)
def test_webhook(webhook_id: str, body: Nothing) -> Plain:
    """Send the receiver an event of the type `ledger-node.webhook.test` now, once, and say what it answered."""
    node = current_node()
    webhook, event_id = node.webhooks.get(webhook_id), f"test-{secrets.token_hex(8)}"
    content = trial(node.msp_id, node.clock.strftime("%Y-%m-%dT%H:%M:%SZ"), event_id)
    with closing(Poster(node.settings.webhooks, node.webhook_roots, 1)) as poster:
        outcome = poster.post(webhook.url, node.webhooks.keys(webhook_id), event_id, content)
    return {"delivered": outcome.is_delivered, "status": outcome.status, "error": outcome.error}


@routes.post("/v1/webhooks/<webhook_id>/pause")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(Nothing, arg_name="body")
@answers(routes, WebhookOut)
def pause_webhook(webhook_id: str, body: Nothing) -> Plain:
    """Tell a receiver nothing for now; what happens meanwhile waits in the ledger."""
    return _shown(current_node().webhooks.pause(webhook_id))


@routes.post("/v1/webhooks/<webhook_id>/resume")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(Nothing, arg_name="body")
@answers(routes, WebhookOut)
def resume_webhook(webhook_id: str, body: Nothing) -> Plain:
    """Go on with a receiver that was paused or gone, with all that has happened meanwhile."""
    return _shown(current_node().webhooks.resume(webhook_id))


@routes.post("/v1/webhooks/<webhook_id>/removal")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(Nothing, arg_name="body")
@answers(routes, WebhookOut)
def remove_webhook(webhook_id: str, body: Nothing) -> Plain:
    """Forget a webhook, its secrets, and what it was to be told."""
    shown = _shown(current_node().webhooks.get(webhook_id))
    current_node().webhooks.remove(webhook_id)
    return shown


@routes.post("/v1/webhooks/<webhook_id>/rotation")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(RotationIn, arg_name="body")
@answers(routes, SecretOut)
def rotate_webhook(webhook_id: str, body: RotationIn) -> Plain:
    """Make a new secret, answered this once; the former one signs as well until its time is over."""
    return {"id": webhook_id, "secret": current_node().webhooks.rotate(webhook_id, body.overlap_hours)}


@routes.post("/v1/webhooks/<webhook_id>/replay")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(ReplayIn, arg_name="body")
@answers(routes, CountOut)
def replay_webhook(webhook_id: str, body: ReplayIn) -> Plain:
    """Tell again what was given up, or everything from a block on, under the ids of then."""
    webhooks = current_node().webhooks
    if body.from_block is None:
        return {"events": webhooks.replay_dead(webhook_id, body.event_id)}
    if body.event_id:
        raise BadRequest("event_id and from_block name two things", "Send one of them.")
    webhooks.replay_from(webhook_id, body.from_block)
    return {"events": -1}


@routes.post("/v1/webhooks/<webhook_id>/discard")
@routes.auth_required(bearer, roles=KEEPERS)
@routes.input(Nothing, arg_name="body")
@answers(routes, CountOut)
def discard_dead_letters(webhook_id: str, body: Nothing) -> Plain:
    """Forget the events that were given up; `replay` from a block tells them all the same."""
    return {"events": current_node().webhooks.discard_dead(webhook_id)}


def _shown(row: WebhookRow) -> Plain:
    return _all_shown([row])[0]


def _all_shown(rows: list[WebhookRow]) -> list[Plain]:
    counts = current_node().webhooks.counts()
    show: Callable[[str], str] = str if current_token().role == Role.OPERATOR else _host_alone
    shown = []
    for row in rows:
        own = counts.get(row.id, {})
        types = row.types.split(",") if row.types else []
        numbers = {"waiting": own.get(WAITING, 0), "dead": own.get(DEAD, 0)}
        shown.append({**row.model_dump(exclude={"genesis_hash"}), "types": types, "url": show(row.url), **numbers})
    return shown


def _host_alone(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.scheme}://{host_of(parts)}/…"
