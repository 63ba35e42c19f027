"""The one sender: takes waiting commands in groups and puts each into flight as one transaction.

Rows found `sent` at the start are asked for by their transaction id, put back and sent again under the same command
ids; the contract answers `exists` with the first result, so nothing has two effects and no answer is lost. What happens
to a group on its way is `passage`; a group that breaks there holds up no other.

A group waits for company only while another transaction is in flight, and no longer than `batch_age_seconds_max`. How
many are in flight is for `flights` to say. While other nodes contend for what the own transactions change, those go one
at a time and in turn (`contention`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from ledger_node.database import Database
from ledger_node.ledger.interface import Ledger, LedgerError
from ledger_node.outbox.answers import Answers
from ledger_node.outbox.contention import Contention, OwnTurn
from ledger_node.outbox.flights import Flights
from ledger_node.outbox.groups import Group, Room, next_group
from ledger_node.outbox.known_ledger import require_known_ledger
from ledger_node.outbox.passage import Passage
from ledger_node.outbox.retries import Retries
from ledger_node.outbox.store import Outbox

IDLE_SECONDS = 0.05
LOOK_SECONDS_MAX = 5.0
"""So often the outbox is looked through at least, though nobody has written to its database."""
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class SendLimits:
    """How much goes into one transaction, how many are in flight, how long and how often is tried."""

    batch_commands_max: int
    batch_bytes_max: int
    status_seconds_max: float
    endorse_tries_max: int
    batch_age_seconds_max: float = 0.1
    transactions_in_flight_max: int = 2


class OutboxSender:
    """The sender of one node. Only one may run at a time: whoever starts it holds the node's lock.

    Args:
        outbox: whose `news` wakes the sender.
        database: the state database, where the outbox is.
        ledger: nobody else submits to it.
        limits: of one transaction and of patience; the channel's own may be tighter.
        contention: who contends with this node; somebody tells it of the ledger's blocks as they come.
        count: called with the reason whenever commands must be sent again.
        told: hears the error of a try that failed, and an empty text when the ledger has answered.
    """

    def __init__(
        self,
        outbox: Outbox,
        database: Database,
        ledger: Ledger,
        limits: SendLimits,
        contention: Contention,
        count: Callable[[str], None] = lambda reason: None,
        told: Callable[[str], None] = lambda error: None,
    ) -> None:
        self._outbox = outbox
        self._database = database
        self._ledger = ledger
        self._limits = limits
        self._contention = contention
        self._answers = Answers(database)
        self._flights = Flights(limits.transactions_in_flight_max, limits.batch_bytes_max, outbox.news)
        self._passage = Passage(
            ledger,
            self._answers,
            self._flights,
            Retries(limits.endorse_tries_max),
            OwnTurn(contention),
            limits.status_seconds_max,
            count,
            told,
        )
        self._told = told
        self._lost = False
        self._height = 0
        self._remembered = False
        self._left = False
        self._looked_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Send what waits until `stop` is set. Raises what broke a flight: whoever starts it anew recovers that."""
        self._flights.forget()
        while not self._is_known() and not stop.is_set():
            stop.wait(RETRY_SECONDS)
        if stop.is_set():
            return
        self.recover()
        with (
            self._database.changes() as changed,
            ThreadPoolExecutor(self._limits.transactions_in_flight_max, "outbox") as pool,
        ):
            busy = True
            while not stop.is_set():
                heard = self._outbox.news.is_set()
                self._outbox.news.clear()
                self._flights.take_back()
                if changed() or heard or busy or self._is_restless():
                    busy = self._look(pool, stop)
                if not busy:
                    self._outbox.news.wait(IDLE_SECONDS)
        self._flights.take_back()

    def _is_restless(self) -> bool:
        """Whether something may be to be done though nobody has written to the outbox."""
        unsettled = self._lost or self._left or not self._remembered or bool(self._flights.groups())
        return unsettled or time.monotonic() - self._looked_at > LOOK_SECONDS_MAX

    def _look(self, pool: ThreadPoolExecutor, stop: threading.Event) -> bool:
        """Returns: whether a transaction was put into flight."""
        self._looked_at = time.monotonic()
        try:
            busy = self._send_more(pool, stop)
            self._found()
        except LedgerError as error:
            self._is_lost(error)
            return False
        return busy

    def _is_known(self) -> bool:
        """Whether the ledger answers; it is the one that the commands are for, else ProjectionError is raised."""
        try:
            self._remembered = require_known_ledger(self._database, self._ledger)
        except LedgerError as error:
            self._is_lost(error)
            return False
        self._found()
        return True

    def _is_lost(self, error: LedgerError) -> None:
        log.warning("the ledger does not answer", error=str(error))
        self._lost = True
        self._told(error.text)

    def _found(self) -> None:
        """It answers again; while it was not lost, what became of the commands tells more."""
        if self._lost:
            self._lost = False
            self._told("")

    def recover(self) -> None:
        """Ask for the fate of what was sent before a crash, all at once, and put it back to be sent again."""
        sent = self._answers.sent()
        with ThreadPoolExecutor(max(1, self._limits.transactions_in_flight_max)) as pool:
            list(pool.map(self._passage.ask_fate, sent.values(), sent))

    def _send_more(self, pool: ThreadPoolExecutor, stop: threading.Event) -> bool:
        """Put one more transaction into flight, if there is room and something to send."""
        if not self._remembered:  # it had no blocks when the sender started
            self._is_known()
        if not self._flights.have_room(self._contention.contended()):
            return False
        group = self._next_group()
        self._left = group.left
        if not group.commands or (self._flights.groups() and not group.full and not self._is_old(group)):
            return False
        self._flights.start(pool, group, lambda flight: self._passage.see_through(flight, stop))
        return True

    def _next_group(self) -> Group:
        bytes_max = min(self._flights.bytes_max, self._ledger.group_bytes_max())
        room = Room(self._limits.batch_commands_max, bytes_max)
        return next_group(self._database, self._flights.groups(), room, time.time(), self._is_there)

    def _is_there(self, block_number: int) -> bool:
        """Whether the own peer has that block; it is asked only for one that it was not known to have."""
        if block_number >= self._height:
            self._height = self._ledger.height()
        return block_number < self._height

    def _is_old(self, group: Group) -> bool:
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(group.commands[0].created_at)
        return abs(age.total_seconds()) > self._limits.batch_age_seconds_max  # a clock set back makes none younger
