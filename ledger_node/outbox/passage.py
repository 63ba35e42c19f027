"""The passage of one group: sent as one transaction, again when that must be, until each command has an answer.

The order of steps survives a kill at any point: prepare -> mark the rows `sent` with the transaction id (committed) ->
submit -> write the answers (committed). Retries follow the table in section 5 of the design's house note: refusals are
final, conflicts and failed endorsements get a new transaction, unknown fates are asked for first. A group that breaks
is halved until the command that spoils it stands alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from ledger_node.ledger.interface import (
    VALID,
    CommitError,
    ContractRefused,
    EndorseError,
    Ledger,
    LedgerError,
    TooLargeError,
)
from ledger_node.outbox.answers import Answers
from ledger_node.outbox.contention import CONFLICTS, OwnTurn
from ledger_node.outbox.flights import Flight, Flights
from ledger_node.outbox.groups import BACKOFF_SECONDS_MAX, Group
from ledger_node.outbox.retries import Retries

NOT_ENDORSED = "NOT_ENDORSED"
LATE_ENDORSERS = "ENDORSEMENT_POLICY_FAILURE"  # as a rule, a rival set a key's endorsers after ours were chosen

log = structlog.get_logger(__name__)


class Passage:
    """How groups of one sender pass; may be used from any thread.

    Args:
        ledger: where they go.
        answers: where it is written down what became of them.
        flights: learns how many may be on their way.
        retries: when what failed goes again.
        own_turn: when this node may send while others contend.
        status_seconds_max: how long an unknown fate is waited for.
        count: called with the reason whenever commands must be sent again.
        told: hears the error of a try that failed, and an empty text when the ledger has answered.
    """

    def __init__(
        self,
        ledger: Ledger,
        answers: Answers,
        flights: Flights,
        retries: Retries,
        own_turn: OwnTurn,
        status_seconds_max: float,
        count: Callable[[str], None],
        told: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._answers = answers
        self._flights = flights
        self._retries = retries
        self._own_turn = own_turn
        self._status_seconds_max = status_seconds_max
        self._count = count
        self._told = told

    def see_through(self, flight: Flight, stop: threading.Event) -> None:
        """Send a group until each of its commands is answered, failed, or set aside; in halves when it breaks."""
        parts, tries = [flight.group], 0
        try:
            while parts and not stop.is_set():
                part = parts.pop(0)
                if part.commands:
                    again = self._try(flight, part, tries, stop)
                    tries = tries + 1 if again == [part] else 0
                    parts[:0] = again
        finally:
            flight.breaks = False

    def ask_fate(self, group: Group, transaction_id: str) -> Group:
        """Wait for the fate for a bounded time and note it. Returns: the commands, to be sent again for answers."""
        try:
            receipt = self._ledger.status(transaction_id, self._status_seconds_max)
        except LedgerError as error:
            log.warning("the fate of a transaction cannot be asked", transaction_id=transaction_id, error=str(error))
            receipt = None
        if receipt is None or receipt.code != VALID:
            self._answers.waits(group)
            return group
        return self._answers.had_effect(group, transaction_id, receipt.block_number)

    def _try(self, flight: Flight, group: Group, tries: int, stop: threading.Event) -> list[Group]:
        """Send a group once. Returns: what is left to send of it, in order: nothing, the same, or its halves."""
        try:
            # Nothing is `sent` while it waits for its turn: its fate would be asked for in vain.
            with self._own_turn.awaited(tries, stop):
                prepared = self._ledger.prepare(group.argument())
                self._answers.sending(group, prepared.transaction_id)
                begun = time.monotonic()
                receipt = self._ledger.submit(prepared)
        except ContractRefused as error:
            self._told("")
            return self._answered(flight, group, error.answer.encode(), error.transaction_id, None)
        except TooLargeError as error:
            return self._too_large(flight, group, error)
        except CommitError as error:
            self._own_turn.used(error.block_number, time.monotonic() - begun)
            self._told("" if error.code in CONFLICTS else error.text)
            return self._invalidated(flight, group, error, tries, stop)
        except EndorseError as error:
            self._count(NOT_ENDORSED)
            self._told(error.text)
            return self._not_endorsed(flight, group, error, tries, stop, NOT_ENDORSED)
        except LedgerError as error:  # SubmitError, or anything else after which the fate is unknown
            log.warning("the fate of a transaction is unknown", transaction_id=error.transaction_id, error=error.text)
            self._count("FATE_UNKNOWN")
            self._told(error.text)
            return [self.ask_fate(group, prepared.transaction_id)]
        self._own_turn.used(receipt.block_number, time.monotonic() - begun)
        self._flights.went_through()
        self._told("")
        return self._answered(flight, group, receipt.answer, receipt.transaction_id, receipt.block_number)

    def _answered(
        self, flight: Flight, group: Group, answer: bytes, transaction_id: str, block_number: int | None
    ) -> list[Group]:
        if not self._answers.answered(group, answer, transaction_id, block_number):
            return self._halved(flight, group)  # the contract could not read the envelope: something is no command
        self._retries.answered(group)
        return []

    def _too_large(self, flight: Flight, group: Group, error: TooLargeError) -> list[Group]:
        self._count("TOO_LARGE")
        if len(group.commands) == 1:
            self._give_up(group, "TOO_LARGE", error.text)
            return []
        self._flights.too_large(group.size_bytes)
        return self._halved(flight, group)

    def _invalidated(
        self, flight: Flight, group: Group, error: CommitError, tries: int, stop: threading.Event
    ) -> list[Group]:
        """A conflict gets a new transaction in its turn; anything else is tried in halves and fails when alone."""
        log.warning("a transaction was invalidated", transaction_id=error.transaction_id, code=error.code)
        self._count(error.code)
        if error.code in CONFLICTS:
            self._flights.conflicted()
            self._answers.waits(group)
            return [group]
        if error.code == LATE_ENDORSERS:
            return self._not_endorsed(flight, group, error, tries, stop, error.code)
        if len(group.commands) == 1:
            self._give_up(group, error.code, error.text)
            return []
        return self._halved(flight, group)

    def _not_endorsed(
        self, flight: Flight, group: Group, error: LedgerError, tries: int, stop: threading.Event, code: str
    ) -> list[Group]:
        """It had no effect: try again in place, then in halves; one that fails alone is set aside."""
        log.warning("a transaction was not endorsed", error=error.text, commands=len(group.commands), tries=tries)
        pause = self._retries.pause_in_place(tries)
        if pause is None and len(group.commands) > 1:
            return self._halved(flight, group)
        flight.breaks = True
        self._answers.waits(group)
        if pause is not None:
            stop.wait(pause)
            return [group]
        self._set_aside(group, error, code)
        return []

    def _set_aside(self, group: Group, error: LedgerError, code: str) -> None:
        """Let others go before a lone command that fails; give it up when they went through and it goes on failing."""
        (command,) = group.commands
        next_try = self._retries.next_try(command)
        if next_try is None:
            self._give_up(group, code, error.text)
        else:
            self._answers.waits(group, tries=next_try.tries, not_before=next_try.not_before)

    def _give_up(self, group: Group, code: str, text: str) -> None:
        """The command has failed for good, unless it has had its effect: then only its answer is still asked for."""
        (command,) = group.commands
        if command.block_number is not None:
            self._answers.waits(group, not_before=time.time() + BACKOFF_SECONDS_MAX)
            return
        self._answers.failed(command, code, text)
        self._told("")  # it is decided: what failed is the command, not the way to the ledger

    def _halved(self, flight: Flight, group: Group) -> list[Group]:
        flight.breaks = True
        self._answers.waits(group)
        return group.halves()
