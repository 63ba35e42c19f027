"""`GET /v1/events`: every block that the read model shows, as it does, as server-sent events.

An event's id is its block, so that whoever comes back with `Last-Event-ID` misses none. One thread asks the database
whether anybody has written, for all who listen, and only while somebody does. A stream holds a thread, so there is a
bound; it ends when its session or token does (asked every minute), when its reader goes, and when the door closes.
Source: HTML Living Standard, 9.2 Server-sent events.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import structlog
from apiflask import APIBlueprint
from flask import Response, current_app, g, request
from pydantic import Field

from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.api.wire import Query
from ledger_node.door.application import ENDING
from ledger_node.node import Node

routes = APIBlueprint("events", __name__, tag="Events")

LISTENERS_MAX, OF_ONE_MAX = 500, 20
"""Streams in all, and of one session or token."""
ASK_SECONDS = 60.0
LOOK_SECONDS = 0.1
HEARTBEAT_SECONDS = 15.0
STREAM_SECONDS_MAX = 600.0
"""A stream ends after that and is asked for anew, with whatever the reader may by then."""
BLOCKS_AGAIN_MAX, CHANGES_ROWS_MAX = 1000, 5000
AGAIN_SECONDS = 1.0
_FEED = "ledger_node_feed"
log = structlog.get_logger("events")


class Feed:
    """The number of the newest block, for any number of threads that wait for the next.

    Args:
        node: whose read model it is.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._changed = threading.Condition()
        self._newest = -1
        self._of = Counter[str]()
        self._is_looking = False

    def enter(self, whose: str) -> int:
        """Begin to listen, unless there are too many; the first one starts the thread that looks.

        Args:
            whose: the session or the token.

        Returns: the bound that is reached; 0 when one listens.
        """
        newest = self._node.readmodel.block_number()
        with self._changed:
            if self._of.total() >= LISTENERS_MAX:
                return LISTENERS_MAX
            if self._of[whose] >= OF_ONE_MAX:
                return OF_ONE_MAX
            self._of[whose] += 1
            self._newest = max(newest, self._newest)
            if not self._is_looking:
                self._is_looking = True
                threading.Thread(target=self._look, name="feed", daemon=True).start()
        return 0

    def leave(self, whose: str) -> None:
        """Listen no more."""
        with self._changed:
            self._of[whose] -= 1
            self._of += Counter()  # whoever has none is forgotten

    def after(self, block_number: int, seconds: float) -> int:
        """The newest block, as soon as it is later than that one, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest > block_number, seconds)
            return self._newest

    def _look(self) -> None:
        while self._goes_on():
            try:
                self._look_well()
            except Exception:  # whatever it is, it must not leave all who listen without news for ever
                log.exception("the feed of blocks begins anew")
                with self._changed:
                    self._changed.wait(AGAIN_SECONDS)

    def _look_well(self) -> None:
        pause = threading.Event()
        with self._node.readmodel.changes() as changed:
            while self._of:
                if changed():
                    newest = self._node.readmodel.block_number()
                    with self._changed:
                        self._newest = newest
                        self._changed.notify_all()
                pause.wait(LOOK_SECONDS)

    def _goes_on(self) -> bool:
        """Whether anybody listens; once nobody does, the next to come starts the thread anew."""
        with self._changed:
            self._is_looking = bool(self._of)
            return self._is_looking


class EventsQuery(Query):
    """What comes besides blocks."""

    changes: bool = Field(False, description="Each block's changes of state before it, as webhooks are told them.")


@routes.get("/v1/events")
@routes.auth_required(bearer)
@routes.input(EventsQuery, location="query", arg_name="query")
@routes.doc(responses={200: "Server-sent events.", 503: "Too many listen."})
def listen_events(query: EventsQuery) -> Response:
    """Every block as this node shows it: `id` is its number, `event` is `block`, `data` names the keys it wrote.

    With `changes=true` its changes of state come before it: `event` is `change`, `data` a CloudEvent, the same as
    webhooks are told. They have no `id` of their own: whoever was cut off within a block is told all of it again.

    With `Last-Event-ID` the blocks after that one come first; where those are too many, one event `again` says to read
    anew what is shown. A comment comes every 15 seconds. The stream ends after ten minutes, to be asked for again.
    """
    node, token_id = current_node(), g.token.id
    return stream(f"token/{token_id}", lambda: node.tokens.goes_on(token_id), with_changes=query.changes)


def stream(whose: str, goes_on: Callable[[], bool], *, with_changes: bool = False) -> Response:
    """The answer, to whoever may read.

    Args:
        whose: the session or the token.
        goes_on: whether that is still good.
        with_changes: whether changes of state come before the block that made them.

    Raises: Problem 400 or 503.
    """
    node = current_node()
    feed = current_app.extensions.setdefault(_FEED, Feed(node))
    sent = request.headers.get("Last-Event-ID", "")
    if sent and not re.fullmatch(r"[0-9]{1,15}", sent, re.ASCII):
        raise Problem(400, "EVENT_ID_INVALID", "Last-Event-ID is no number of a block", "Send the id of an event.")
    if bound := feed.enter(whose):
        text = f"{bound} listen already"
        raise Problem(503, "TOO_MANY_LISTEN", text, "Ask again later.", headers={"Retry-After": "30"})
    ending = request.environ.get(ENDING)
    is_closing = ending.is_set if isinstance(ending, threading.Event) else lambda: False
    is_ending = _each_minute(goes_on, is_closing)
    events = _events(node, feed, int(sent) if sent else node.readmodel.block_number(), is_ending, with_changes)
    answer = Response(events, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    answer.call_on_close(lambda: feed.leave(whose))
    return answer


def _each_minute(goes_on: Callable[[], bool], is_closing: Callable[[], bool]) -> Callable[[], bool]:
    asked = [time.monotonic()]

    def is_ending() -> bool:
        if is_closing():
            return True
        if time.monotonic() - asked[0] < ASK_SECONDS:
            return False
        asked[0] = time.monotonic()
        return not goes_on()

    return is_ending


def _events(
    node: Node, feed: Feed, seen: int, is_ending: Callable[[], bool], with_changes: bool = False
) -> Iterator[str]:
    began = told = time.monotonic()
    yield f"retry: 2000\nid: {seen}\nevent: hello\ndata: {{}}\n\n"
    while not is_ending() and time.monotonic() - began < STREAM_SECONDS_MAX:
        newest = feed.after(seen, 1.0)
        if newest > seen + BLOCKS_AGAIN_MAX:
            yield f"id: {newest}\nevent: again\ndata: {{}}\n\n"
        elif newest > seen:
            yield from _blocks(node, seen, newest, with_changes)
        elif time.monotonic() - told < HEARTBEAT_SECONDS:
            continue
        else:
            yield ": still here\n\n"
        seen, told = max(seen, newest), time.monotonic()


def _blocks(node: Node, seen: int, newest: int, with_changes: bool) -> Iterator[str]:
    while seen < newest:
        changes, last = _changes(node, seen, newest) if with_changes else ({}, newest)
        for number, written in node.readmodel.written_by_block(seen, last).items():
            yield from (f"event: change\ndata: {body}\n\n" for body in changes.get(number, ()))
            yield f"id: {number}\nevent: block\ndata: {json.dumps({'block_number': number, 'keys': written})}\n\n"
        seen = last


def _changes(node: Node, seen: int, newest: int) -> tuple[dict[int, list[str]], int]:
    """The changes of state in some blocks after one, none after another, and the last of these: never all at once."""
    found = defaultdict[int, list[str]](list)
    batch = node.events.read(seen + 1, CHANGES_ROWS_MAX)
    for event in batch.events:
        found[event.block_number].append(event.body)
    return found, min(newest, max(batch.next_block - 1, seen + 1))
