"""The worker that tells receivers what happened: a thread for each, so that a slow one holds nobody else up.

A receiver's thread puts down what is new, sends what is due, and writes down what became of it, in turns; in one turn
the events of one invoice go one after the other, others beside them. After a turn in which nothing got through it tries
with one event at a time, later and later.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import structlog

from ledger_node.config import WebhookSettings
from ledger_node.database import Database
from ledger_node.notifications.events import EventLog
from ledger_node.notifications.post import RETRY_AFTER_SECONDS_MAX, Outcome, Poster
from ledger_node.notifications.store import Webhooks, fits
from ledger_node.notifications.tables import ACTIVE, DeliveryRow, WebhookRow

LOOK_SECONDS, LOOK_SECONDS_UNTOLD, LOOK_SECONDS_MAX = 0.1, 1.0, 10.0
"""Between two questions whether anything was written, of databases that tell and of others; at the latest."""
TURN_DELIVERIES_MAX, TURN_SECONDS, ROWS_MAX = 500, 5.0, 5000
"""A turn begins nothing after that time: what was told is written down, and whoever paused it is heard."""
PROBE_SECONDS_MAX = 300.0

Tried = tuple[DeliveryRow, Outcome, float]
"""A delivery, what became of it, and when it is to be tried again, in seconds since 1970."""

log = structlog.get_logger(__name__)


def pause_seconds(tries: int, first: float, longest: float, share: float) -> float:
    """How long to wait after so many tries: doubling, and up to half of it shorter, so that not all come at once.

    Args:
        tries: that have failed, 1 or more.
        first: seconds after the first one.
        longest: seconds at most.
        share: 0 to 1, by chance.
    """
    full = min(longest, first * 2.0 ** min(tries - 1, 60))
    return full * (1 - share / 2)


class Receiver:
    """One receiver's deliveries.

    Args:
        webhook_id: which.
        webhooks: where they stand.
        events: the ledger's.
        settings: how deliveries are tried.
        msp_id: whose node it is.
        poster: sends.
    """

    def __init__(
        self,
        webhook_id: str,
        webhooks: Webhooks,
        events: EventLog,
        settings: WebhookSettings,
        msp_id: str,
        poster: Poster,
    ) -> None:
        self._id = webhook_id
        self._webhooks = webhooks
        self._events = events
        self._settings = settings
        self._msp_id = msp_id
        self._poster = poster
        self._pause_seconds_max = max(settings.pause_seconds_max, RETRY_AFTER_SECONDS_MAX)
        self._failed_turns = 0
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(settings.in_flight_max, thread_name_prefix="webhook")

    @property
    def is_backing_off(self) -> bool:
        """Whether nothing got through, so that nothing but time helps."""
        return self._failed_turns > 0

    def stop(self) -> None:
        """Begin no further delivery."""
        self._ended.set()

    def close(self) -> None:
        """Release threads and connections, once what is being sent has its answer."""
        self._pool.shutdown()
        self._poster.close()

    def turn(self) -> float:
        """Put down what is new, send what is due.

        Returns: after how many seconds to come again, unless something is written before; 0 for at once.
        """
        webhook = self._webhooks.get(self._id)
        if webhook.status != ACTIVE:
            return LOOK_SECONDS_MAX
        has_more = self._put_down(webhook)
        limit = 1 if self._failed_turns else TURN_DELIVERIES_MAX
        due = self._webhooks.due(self._id, limit, self._pause_seconds_max)
        if not due:
            return 0.0 if has_more else self._until_due()
        keys = self._webhooks.keys(self._id)
        by_order = [list(rows) for _, rows in groupby(sorted(due, key=_order), key=lambda row: row.order_key)]
        until = time.monotonic() + TURN_SECONDS
        sent = list(self._pool.map(lambda rows: self._send(webhook.url, keys, rows, until), by_order))
        tried = [each for rows in sent for each in rows]
        self._webhooks.settle(self._id, tried, self._settings.tries_max)
        if not tried:
            return LOOK_SECONDS
        if any(outcome.is_delivered for _, outcome, _ in tried):
            self._failed_turns = 0
            return 0.0
        self._failed_turns += 1
        longest = min(PROBE_SECONDS_MAX, self._settings.pause_seconds_max)
        return pause_seconds(self._failed_turns, self._settings.pause_seconds, longest, random.random())

    def _put_down(self, webhook: WebhookRow) -> bool:
        """Put down what is new, and say whether there may be more; what does not fit waits in the ledger."""
        if self._webhooks.waiting(webhook.id) >= self._settings.waiting_max:
            return False
        batch = self._events.read(webhook.next_block, ROWS_MAX)
        if batch.genesis_hash != webhook.genesis_hash and webhook.genesis_hash and batch.genesis_hash:
            log.warning("the ledger is another one: its events are told from the first on", webhook=webhook.id)
            self._webhooks.start_over(webhook, batch.genesis_hash)
            return True
        if batch.next_block == webhook.next_block:
            return False
        wanted = webhook.types.split(",") if webhook.types else []
        events = [
            event
            for event in batch.events
            if fits(event.type, wanted) and (not webhook.only_own or self._msp_id in event.parties)
        ]
        self._webhooks.put(webhook, batch, events)
        return True

    def _send(self, url: str, keys: Sequence[str], rows: Sequence[DeliveryRow], until: float) -> list[Tried]:
        """Send one after the other, up to the first that fails, or the end of the turn."""
        done: list[Tried] = []
        for row in rows:
            if self._ended.is_set() or time.monotonic() > until:
                break
            outcome = self._poster.post(url, keys, row.event_id, row.body)
            done.append((row, outcome, time.time() + self._pause(row, outcome)))
            if not outcome.is_delivered:
                break
        return done

    def _pause(self, row: DeliveryRow, outcome: Outcome) -> float:
        settings = self._settings
        pause = pause_seconds(row.tries + 1, settings.pause_seconds, settings.pause_seconds_max, random.random())
        return max(pause, outcome.retry_after_seconds)

    def _until_due(self) -> float:
        at = self._webhooks.next_due_at(self._id, self._pause_seconds_max)
        return LOOK_SECONDS_MAX if at is None else min(LOOK_SECONDS_MAX, max(LOOK_SECONDS, at - time.time()))


def _order(row: DeliveryRow) -> tuple[str, int]:
    return row.order_key, row.id or 0


def look_seconds(databases: Sequence[Database]) -> float:
    """How long to wait before looking again: where each question has every receiver look, it is asked less often."""
    tells = all(database.tells_changes for database in databases)
    return LOOK_SECONDS if tells else LOOK_SECONDS_UNTOLD


class WebhookSender:
    """The worker: a thread for each receiver that is active, told when anything was written.

    Args:
        webhooks: where they stand.
        events: the ledger's.
        settings: how deliveries are tried.
        roots: of TLS, beside the system's.
        msp_id: whose node it is.
        databases: the state database and the read model's.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        events: EventLog,
        settings: WebhookSettings,
        roots: Path | None,
        msp_id: str,
        databases: tuple[Database, Database],
    ) -> None:
        self._webhooks = webhooks
        self._settings = settings
        self._databases = databases
        self._receiver: Callable[[str], Receiver] = lambda webhook_id: Receiver(
            webhook_id, webhooks, events, settings, msp_id, Poster(settings, roots, settings.in_flight_max)
        )

    def run(self, stop: threading.Event) -> None:
        """Tell receivers until `stop` is set."""
        running: dict[str, _Running] = {}
        state, readmodel = self._databases
        looked_at = 0.0
        try:
            with state.changes() as state_changed, readmodel.changes() as readmodel_changed:
                while not stop.wait(look_seconds(self._databases)):
                    changed = [state_changed(), readmodel_changed()]
                    if any(changed) or time.monotonic() - looked_at > LOOK_SECONDS_MAX:
                        looked_at = time.monotonic()
                        self._look(running)
        finally:
            for each in running.values():
                each.stop()
            for each in running.values():
                each.join()

    def _look(self, running: dict[str, _Running]) -> None:
        """Start and end threads as receivers come and go, and wake those that wait."""
        active = {row.id for row in self._webhooks.all() if row.status == ACTIVE}
        for gone in running.keys() - active:
            running.pop(gone).stop()
        for webhook_id in active:
            each = running.get(webhook_id)
            if each is None or not each.is_alive():
                running[webhook_id] = _Running(webhook_id, self._receiver)
            else:
                each.wake()


class _Running:
    """A receiver's thread."""

    def __init__(self, webhook_id: str, receiver: Callable[[str], Receiver]) -> None:
        self._id, self._ended, self._woken = webhook_id, threading.Event(), threading.Event()
        self._receiver = receiver(webhook_id)
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was written."""
        self._woken.set()

    def stop(self) -> None:
        """End after the turn that is under way."""
        self._ended.set()
        self._receiver.stop()
        self._woken.set()

    def join(self) -> None:
        self._thread.join()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        try:
            while not self._ended.is_set():
                self._woken.clear()
                try:
                    pause, failures = self._receiver.turn(), 0
                except Exception:  # whatever it is, the other receivers go on, and this one is tried again
                    failures += 1
                    log.exception("a webhook's turn failed", webhook=self._id)
                    pause = pause_seconds(failures, 1.0, 60.0, random.random())
                if pause:
                    (self._ended if failures or self._receiver.is_backing_off else self._woken).wait(pause)
        finally:
            self._receiver.close()
