"""The one sender: takes waiting commands in groups, sends each as one transaction, sees it through to its answers.

The order of steps survives a kill at any point: prepare -> mark the rows `sent` with the transaction id (committed) ->
submit -> write the answers (committed). Rows found `sent` at the start are asked for by their transaction id, put back
and sent again under the same command ids; the contract answers `exists` with the first result, so nothing has two
effects and no answer is lost. Retries follow the table in section 5 of the design's house note: refusals are final,
conflicts and failed endorsements get a new transaction, unknown fates are asked for first. A group that breaks is
halved until the command that spoils it stands alone; meanwhile the others go on beside it.

A group waits for company only while another transaction is in flight, and no longer than `batch_age_seconds_max`.
How many are in flight begins with one, doubles with each that goes through, and is one again after a conflict; one that
breaks does not count, and so holds up nobody. While other nodes contend for what the own transactions change, those go
one at a time and in turn (`contention`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import structlog

from ledger_node.database import Database
from ledger_node.ledger.interface import (
    CommitError,
    ContractRefused,
    EndorseError,
    Ledger,
    LedgerError,
    TooLargeError,
)
from ledger_node.outbox.answers import Answers
from ledger_node.outbox.contention import CONFLICTS, Contention
from ledger_node.outbox.groups import Group, Room, next_group
from ledger_node.outbox.store import Outbox

IDLE_SECONDS = 0.05
HALVE_AFTER_TRIES = 3
BACKOFF_SECONDS_MAX = 30.0
BACKOFF_SECONDS_IN_PLACE = 0.5  # others may wait behind it, so it is halved, or set aside, soon
BACKOFF_SECONDS_LONE = 0.2
TURN_SECONDS_MIN, TURN_SECONDS_MAX = 0.1, 5.0
TURN_TRANSACTIONS = 2  # as long as so many take, a rival may take for one before it loses its turn
NOT_ENDORSED = "NOT_ENDORSED"
LATE_ENDORSERS = "ENDORSEMENT_POLICY_FAILURE"  # as a rule, a rival set a key's endorsers after ours were chosen

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


class OutboxWorker:
    """The sender of one node. Only one may run at a time: whoever starts it holds the node's lock.

    Args:
        outbox: whose `news` wakes the worker.
        database: the state database, where the outbox is.
        ledger: nobody else submits to it.
        limits: of one transaction and of patience; the channel's own may be tighter.
        contention: who contends with this node; somebody tells it of the ledger's blocks as they come.
        count: called with the reason whenever commands must be sent again.
    """

    def __init__(
        self,
        outbox: Outbox,
        database: Database,
        ledger: Ledger,
        limits: SendLimits,
        contention: Contention,
        count: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._outbox = outbox
        self._database = database
        self._ledger = ledger
        self._limits = limits
        self._contention = contention
        self._count = count
        self._answers = Answers(database)
        self._in_flight: dict[Future[None], Group] = {}
        self._bytes_max = limits.batch_bytes_max
        self._height = 0
        self._applied = 0  # groups that went through: while it grows, a lone command that fails is itself to blame
        self._applied_at_failure: dict[str, int] = {}
        self._places = 1  # how many transactions may be in flight, by what became of the latest
        self._breaking: set[int] = set()  # the threads whose transaction is tried again in place, or in halves
        self._alone = threading.Lock()  # held by the one transaction in flight while others contend
        self._block_number = 0  # where the own latest transaction is
        self._turn_seconds = TURN_SECONDS_MIN

    def run(self, stop: threading.Event) -> None:
        """Send what waits until `stop` is set."""
        self._in_flight.clear()
        self.recover()
        with ThreadPoolExecutor(self._limits.transactions_in_flight_max, "outbox") as pool:
            while not stop.is_set():
                self._outbox.news.clear()
                self._take_back()
                try:
                    busy = self._send_more(pool, stop)
                except LedgerError as error:
                    log.warning("the ledger does not answer", error=str(error))
                    busy = False
                if not busy:
                    self._outbox.news.wait(IDLE_SECONDS)
        self._take_back()

    def recover(self) -> None:
        """Ask for the fate of what was sent before a crash, all at once, and put it back to be sent again."""
        sent = self._answers.sent()
        with ThreadPoolExecutor(max(1, self._limits.transactions_in_flight_max)) as pool:
            list(pool.map(self._ask_fate, sent.values(), sent))

    def send_waiting(self, stop: threading.Event) -> bool:
        """Send one group and see it through.

        Returns: whether there was anything to send.

        Raises: LedgerError when the ledger cannot be asked how high it is.
        """
        group = self._next_group()
        self._see_through(group, stop)
        return bool(group.commands)

    def _send_more(self, pool: ThreadPoolExecutor, stop: threading.Event) -> bool:
        """Put one more transaction into flight, if there is a place and something to send."""
        places = (1 if self._contention.contended() else self._places) + len(self._breaking)
        if len(self._in_flight) >= min(places, self._limits.transactions_in_flight_max):
            return False
        group = self._next_group()
        if not group.commands or (self._in_flight and not group.full and not self._is_old(group)):
            return False
        flight = pool.submit(self._see_through, group, stop)
        self._in_flight[flight] = group
        flight.add_done_callback(lambda _: self._outbox.news.set())
        return True

    def _take_back(self) -> None:
        """Forget what has been seen through. Raises what kept it from that: the worker starts anew, and recovers."""
        for flight in [each for each in self._in_flight if each.done()]:
            del self._in_flight[flight]
            flight.result()

    def _next_group(self) -> Group:
        room = Room(self._limits.batch_commands_max, min(self._bytes_max, self._ledger.group_bytes_max()))
        return next_group(self._database, tuple(self._in_flight.values()), room, time.time(), self._is_there)

    def _is_there(self, block_number: int) -> bool:
        """Whether the own peer has that block; it is asked only for one that it was not known to have."""
        if block_number >= self._height:
            self._height = self._ledger.height()
        return block_number < self._height

    def _is_old(self, group: Group) -> bool:
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(group.commands[0].created_at)
        return age.total_seconds() > self._limits.batch_age_seconds_max

    # Seeing one group through

    def _see_through(self, group: Group, stop: threading.Event) -> None:
        """Send a group until each of its commands is answered, failed, or set aside; in halves when it breaks."""
        parts, tries = [group], 0
        try:
            while parts and not stop.is_set():
                part = parts.pop(0)
                if part.commands:
                    again = self._try(part, tries, stop)
                    tries = tries + 1 if again == [part] else 0
                    parts[:0] = again
        finally:
            self._breaking.discard(threading.get_ident())

    @contextmanager
    def _own_turn(self, tries: int, stop: threading.Event) -> Iterator[None]:
        """Where others contend: wait for the own turn, and let no other transaction of this node go meanwhile."""
        if not tries and not self._contention.contended():
            yield
            return
        with self._alone:
            self._contention.wait(self._block_number, self._turn_seconds, stop)
            yield

    def _try(self, group: Group, tries: int, stop: threading.Event) -> list[Group]:
        """Send a group once. Returns: what is left to send of it, in order: nothing, the same, or its halves."""
        try:
            with self._own_turn(tries, stop):  # nothing is `sent` while it waits: its fate would be asked for in vain
                prepared = self._ledger.prepare(group.argument())
                self._answers.sending(group, prepared.transaction_id)
                begun = time.monotonic()
                receipt = self._ledger.submit(prepared)
        except ContractRefused as error:
            return self._answered(group, error.answer.encode(), error.transaction_id, None)
        except TooLargeError as error:
            return self._too_large(group, error)
        except CommitError as error:
            self._timed(error.block_number, time.monotonic() - begun)
            return self._invalidated(group, error, tries, stop)
        except EndorseError as error:
            self._count(NOT_ENDORSED)
            return self._not_endorsed(group, error, tries, stop, NOT_ENDORSED)
        except LedgerError as error:  # SubmitError, or anything else after which the fate is unknown
            log.warning("the fate of a transaction is unknown", transaction_id=error.transaction_id, error=error.text)
            self._count("FATE_UNKNOWN")
            return [self._ask_fate(group, prepared.transaction_id)]
        self._timed(receipt.block_number, time.monotonic() - begun)
        self._places = min(2 * self._places, self._limits.transactions_in_flight_max)
        return self._answered(group, receipt.answer, receipt.transaction_id, receipt.block_number)

    def _timed(self, block_number: int, took_seconds: float) -> None:
        """Note where the latest transaction is, and how long a rival may take for one of its own."""
        self._block_number = block_number
        self._turn_seconds = min(max(TURN_TRANSACTIONS * took_seconds, TURN_SECONDS_MIN), TURN_SECONDS_MAX)

    def _answered(self, group: Group, answer: bytes, transaction_id: str, block_number: int | None) -> list[Group]:
        if not self._answers.answered(group, answer, transaction_id, block_number):
            return self._halved(group)  # the contract could not read the envelope: something in it is no command
        for command in group.commands:
            self._applied_at_failure.pop(command.command_id, None)
        self._applied += 1
        return []

    def _too_large(self, group: Group, error: TooLargeError) -> list[Group]:
        self._count("TOO_LARGE")
        if len(group.commands) == 1:
            self._answers.failed(group.commands[0], "TOO_LARGE", error.text)
            return []
        self._bytes_max = max(1, group.size_bytes // 2)  # the channel takes less than was thought
        return self._halved(group)

    def _invalidated(self, group: Group, error: CommitError, tries: int, stop: threading.Event) -> list[Group]:
        """A conflict gets a new transaction in its turn; anything else is tried in halves and fails when alone."""
        log.warning("a transaction was invalidated", transaction_id=error.transaction_id, code=error.code)
        self._count(error.code)
        if error.code in CONFLICTS:
            self._places = 1
            self._answers.waits(group)
            return [group]
        if error.code == LATE_ENDORSERS:
            return self._not_endorsed(group, error, tries, stop, error.code)
        if len(group.commands) == 1:
            self._answers.failed(group.commands[0], error.code, error.text)
            return []
        return self._halved(group)

    def _not_endorsed(
        self, group: Group, error: LedgerError, tries: int, stop: threading.Event, code: str
    ) -> list[Group]:
        """It had no effect: try again in place, then in halves; one that fails alone is set aside."""
        log.warning("a transaction was not endorsed", error=error.text, commands=len(group.commands), tries=tries)
        self._breaking.add(threading.get_ident())
        self._answers.waits(group)
        if tries + 1 < HALVE_AFTER_TRIES:
            stop.wait(random.uniform(0.5, 1.0) * min(BACKOFF_SECONDS_IN_PLACE, 0.1 * 2**tries))
            return [group]
        if len(group.commands) > 1:
            return group.halves()
        self._set_aside(group, error, code)
        return []

    def _set_aside(self, group: Group, error: LedgerError, code: str) -> None:
        """Let others go before a lone command that fails; give it up when they went through and it goes on failing."""
        command = group.commands[0]
        others_went_through = self._applied > self._applied_at_failure.get(command.command_id, self._applied)
        self._applied_at_failure[command.command_id] = self._applied
        tries = command.tries + 1 if others_went_through else max(1, command.tries)
        if tries > self._limits.endorse_tries_max:
            self._answers.failed(command, code, error.text)
            return
        pause = random.uniform(0.5, 1.0) * min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_LONE * 2 ** min(tries, 12))
        self._answers.waits(group, tries=tries, not_before=time.time() + pause)

    def _halved(self, group: Group) -> list[Group]:
        self._breaking.add(threading.get_ident())
        self._answers.waits(group)
        return group.halves()

    def _ask_fate(self, group: Group, transaction_id: str) -> Group:
        """Wait for the fate for a bounded time and note it. Returns: the commands, to be sent again for answers."""
        try:
            receipt = self._ledger.status(transaction_id, self._limits.status_seconds_max)
        except LedgerError as error:
            log.warning("the fate of a transaction cannot be asked", transaction_id=transaction_id, error=str(error))
            receipt = None
        if receipt is None or receipt.code != "VALID":
            self._answers.waits(group)
            return group
        return self._answers.had_effect(group, transaction_id, receipt.block_number)
