"""The steady stream of trades: each from upload to early payment, several at once, whatever happens meanwhile."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass, field

from drills.world import World
from ledger_node.client import JSON, StillOpen
from ledger_node.demo import papers, story
from ledger_node.demo.stage import WAIT_SECONDS, Stage
from ledger_node.demo.trade import Trade
from ledger_node.errors import NodeError
from network.waiting import Patience

STEPS = ("upload", "ship", "register", "request", "deliver", "approve")
MOMENT_SECONDS_MAX = 30.0
PAID_QUIET_SECONDS_MAX = 300.0


class PatientStage(Stage):
    """A stage whose writes wait for the ledger however long a fault lasts."""

    def send(self, organisation: str, role: str, path: str, body: JSON) -> JSON:
        """Post, and ask again until the ledger has answered."""
        client = self.client(organisation, role)
        try:
            submission = client.post(path, body, wait_seconds=WAIT_SECONDS, block_number_min=self.block_number)
        except StillOpen as still:
            submission = self.await_submission(organisation, role, still.submission["id"])
        self.block_number = max(self.block_number, submission["block_number"])
        return submission

    def await_submission(self, organisation: str, role: str, submission_id: str) -> JSON:
        """Until it is decided; NotFound when the node has forgotten it."""
        while True:
            try:
                return self.client(organisation, role).await_submission(submission_id, WAIT_SECONDS)
            except StillOpen:
                continue


@dataclass
class Trades:
    """Streams of trades, and what became of each.

    Args:
        world: where they are played.
        streams: how many at once.
        paid: invoices that their supplier was shown to be paid for.
        broken: trades that could not be finished, with the error.
        paid_at: when each payment was shown, seconds of the monotonic clock.
    """

    world: World
    streams: int
    paid: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    paid_at: list[float] = field(default_factory=list)
    flowing: threading.Event = field(default_factory=threading.Event)
    _steps: dict[str, threading.Event] = field(default_factory=lambda: {step: threading.Event() for step in STEPS})
    _amounts: set[int] = field(default_factory=set)
    _drawing: threading.Lock = field(default_factory=threading.Lock)
    _over: bool = False
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Trades:
        stage = self.world.stage
        self._stage = PatientStage(
            stage.directory, stage.ledger, stage.nodes, stage.begun, stage.timings_ms, stage.clients
        )
        self._today = dt.datetime.now(dt.UTC).date()
        own = papers.generate(self._today)
        story.found(self._stage, own)
        story.await_day(self._stage, self._today)
        self._facts, self._facility = own.facts, story.open_facility(self._stage, own)
        self.flowing.set()
        for number in range(self.streams):
            self._threads.append(threading.Thread(target=self._stream, args=(number,), daemon=True))
            self._threads[-1].start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._over = True
        self.flowing.set()
        for each in self._threads if failure is None else ():  # what a failure left behind may never pay
            each.join()

    def await_moment(self, step: str) -> None:
        """Return when a trade begins that step, or when none does for some time."""
        self._steps[step].clear()
        self._steps[step].wait(MOMENT_SECONDS_MAX)

    def await_payment(self) -> float:
        """Seconds until the next payment is shown.

        Raises: AssertionError when none comes though trades are played.
        """
        before, began = len(self.paid_at), time.monotonic()
        patience, idle = Patience(PAID_QUIET_SECONDS_MAX), threading.Event()
        while len(self.paid_at) == before:
            assert not patience.is_over(self._stage.block_number), f"no payment: {patience.words}, {self.broken}"
            idle.wait(0.05)
        return self.paid_at[before] - began

    def _stream(self, number: int) -> None:
        for played in range(10**6):
            self.flowing.wait()
            if self._over:
                return
            trade = Trade(self._stage, self._facility, self._new_papers(), f"trade {number}.{played}")
            try:
                self._play(trade)
            except NodeError as error:
                self.broken[trade.label] = f"{trade.invoice_id or 'not registered'}: {error.text}"
            else:
                self.paid.append(trade.invoice_id)
                self.paid_at.append(time.monotonic())

    def _new_papers(self) -> papers.Papers:
        """Papers with an amount of their own: among a thousand random ones two are equal, and are no payment then."""
        while True:
            made = papers.generate(self._today, self._facts)
            with self._drawing:
                if made.facts.amount_minor not in self._amounts:
                    self._amounts.add(made.facts.amount_minor)
                    return made

    def _play(self, trade: Trade) -> None:
        self._steps["upload"].set()
        for name in ("invoice", "events", "proof"):
            submission = trade.upload(name, wait=False)
            self._stage.await_submission("supplier", "uploader", submission["id"])
        for step, act in (
            ("ship", trade.ship),
            ("register", trade.register),
            ("request", trade.request),
            ("deliver", trade.deliver),
            ("approve", trade.approve),
        ):
            self._steps[step].set()
            act()
        self._await_paid(trade)

    def _await_paid(self, trade: Trade) -> None:
        """Until the supplier is shown the money, for as long as the ledger goes on.

        Raises: NodeError when it is given up.
        """
        patience, idle = Patience(PAID_QUIET_SECONDS_MAX), threading.Event()
        client = self.world.stage.client("supplier", "auditor")
        while (shown := client.get(f"/v1/invoices/{trade.invoice_id}", missing_ok=True) or {}).get(
            "status"
        ) != "early-paid":
            if patience.is_over(shown.get("timeline")):
                raise NodeError(f"not paid: {patience.words}; {shown.get('classes')}")
            idle.wait(0.1)
