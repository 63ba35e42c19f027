"""The feed of blocks: one thread for all who listen, a bound for each, and no fault of the database ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ledger_node.api import events
from ledger_node.api.events import LISTENERS_MAX, OF_ONE_MAX, Feed
from ledger_node.node import Node


class ReadModel:
    """Counts up a block each time it is asked; fails where it is told to."""

    def __init__(self) -> None:
        self.block, self.fails, self.looked = 0, 0, threading.Event()

    def block_number(self) -> int:
        return self.block

    @contextmanager
    def changes(self) -> Iterator[Callable[[], bool]]:
        def changed() -> bool:
            self.looked.set()
            if self.fails:
                self.fails -= 1
                raise RuntimeError("the database is away")
            self.block += 1
            return True

        yield changed


@pytest.fixture
def readmodel(monkeypatch: pytest.MonkeyPatch) -> ReadModel:
    monkeypatch.setattr(events, "AGAIN_SECONDS", 0.01)
    return ReadModel()


def feed_of(readmodel: Any) -> Feed:
    return Feed(cast(Node, SimpleNamespace(readmodel=readmodel)))


def test_one_reader_has_a_bound_of_its_own_and_all_have_one(readmodel: ReadModel) -> None:
    feed = feed_of(readmodel)
    assert [feed.enter("a") for _ in range(OF_ONE_MAX + 1)] == [0] * OF_ONE_MAX + [OF_ONE_MAX]
    feed.leave("a")
    assert feed.enter("a") == 0 and feed.enter("b") == 0
    others = [f"other {number}" for number in range(LISTENERS_MAX - OF_ONE_MAX - 1)]
    assert not any(feed.enter(each) for each in others)
    assert feed.enter("one more") == LISTENERS_MAX
    for each in ["a"] * OF_ONE_MAX + ["b", *others]:
        feed.leave(each)


def test_coming_and_going_starts_one_thread(readmodel: ReadModel) -> None:
    feed, before = feed_of(readmodel), {each.ident for each in threading.enumerate()}
    for _ in range(20):
        feed.enter("a")
        feed.leave("a")
    feed.enter("a")
    started = [each for each in threading.enumerate() if each.name == "feed" and each.ident not in before]
    assert len(started) == 1
    feed.leave("a")
    started[0].join(30)
    assert not started[0].is_alive(), "nobody listens"


def test_the_feed_goes_on_after_the_database_was_away(readmodel: ReadModel) -> None:
    readmodel.fails = 2
    feed = feed_of(readmodel)
    feed.enter("a")
    assert feed.after(0, 30.0) > 0
    assert readmodel.fails == 0
    feed.leave("a")


def test_a_stream_ends_when_its_session_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now, good = [0.0], [True]
    monkeypatch.setattr(events, "time", SimpleNamespace(monotonic=lambda: now[0]))
    is_ending = events._each_minute(lambda: good[0], lambda: False)
    good[0] = False
    assert not is_ending(), "it is asked each minute"
    now[0] = events.ASK_SECONDS
    assert is_ending()
    good[0], now[0] = True, 2 * events.ASK_SECONDS
    assert not is_ending(), "the control"
