"""The one sender: takes waiting commands, groups them into transactions, and writes down what became of each.

The order of steps survives a kill at any point: prepare -> mark the rows `sent` with the transaction id (committed) ->
submit -> write the answers (committed). Rows found `sent` at the start are asked for by their transaction id, put back
and sent again under the same command ids; the contract answers `exists` with the first result, so nothing has two
effects and no answer is lost. Retries follow the table in section 5 of the design's house note:
refusals are final, conflicts and failed endorsements get a new transaction, unknown fates are asked for first.
A group that cannot be endorsed is halved until the command that spoils it stands alone.
"""

from __future__ import annotations

import dataclasses
import json
import random
import threading
import time
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import bindparam, func, update
from sqlmodel import col, select

from chaincode.records import canonical
from ledger_node.database import Database, table_of
from ledger_node.ledger import (
    CommitError,
    ContractRefused,
    EndorseError,
    Ledger,
    LedgerError,
    Receipt,
    TooLargeError,
)
from ledger_node.outbox import Outbox, OutboxRow
from ledger_node.submission import SubmissionStatus

IDLE_SECONDS = 0.05
ENVELOPE_BYTES = 100  # around one command: its id, the names of its fields
HALVE_AFTER_TRIES = 3
BACKOFF_SECONDS_MAX = 30.0
BACKOFF_SECONDS_GROUP = 0.5  # others wait behind a group, so it is halved soon
BACKOFF_SECONDS_LONE = 0.2
CONFLICT_SECONDS_MAX = 0.2
CONFLICTS = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class SendLimits:
    """How much goes into one transaction, how long a fate is waited for, how often a lone command is tried."""

    batch_commands_max: int
    batch_bytes_max: int
    status_seconds_max: float
    endorse_tries_max: int


class OutboxWorker:
    """The sender of one node. Only one may run at a time: whoever starts it holds the node's lock.

    Args:
        outbox: whose `news` wakes the worker.
        database: the state database, where the outbox is.
        ledger: nobody else submits to it.
        limits: of one transaction and of patience.
    """

    def __init__(self, outbox: Outbox, database: Database, ledger: Ledger, limits: SendLimits) -> None:
        self._outbox = outbox
        self._database = database
        self._ledger = ledger
        self._limits = limits
        self._group_max = limits.batch_commands_max
        self._failures = 0
        self._applied = 0  # groups that went through: while it grows, a lone command that fails is itself to blame
        self._applied_at_failure: dict[str, int] = {}

    def run(self, stop: threading.Event) -> None:
        """Send what waits until `stop` is set."""
        self.recover()
        while not stop.is_set():
            self._outbox.news.clear()
            try:
                busy = self.send_waiting(stop)
            except LedgerError as error:
                log.warning("the ledger does not answer", error=str(error))
                busy = False
            if not busy:
                self._outbox.news.wait(IDLE_SECONDS)

    def recover(self) -> None:
        """Ask for the fate of what was sent before a crash, and put it back to be sent again."""
        with self._database.read() as session:
            sent = session.exec(select(OutboxRow).where(OutboxRow.status == SubmissionStatus.SENT)).all()
        for transaction_id in dict.fromkeys(row.sent_transaction_id for row in sent):
            self._put_back([row for row in sent if row.sent_transaction_id == transaction_id], transaction_id)

    def send_waiting(self, stop: threading.Event) -> bool:
        """Send one group.

        Returns: whether there was anything to send.

        Raises: LedgerError when the ledger cannot be asked how high it is.
        """
        group = self._next_group()
        if not group:
            return False
        argument = _argument(group)
        prepared = self._ledger.prepare(argument)
        self._mark_sent(group, prepared.transaction_id)
        try:
            receipt = self._ledger.submit(prepared)
        except ContractRefused as error:
            self._answered(group, error.answer.encode(), error.transaction_id, None)
        except TooLargeError as error:
            self._too_large(group, error)
        except CommitError as error:
            self._invalidated(group, error, stop)
        except EndorseError as error:
            self._not_endorsed(group, error, stop)
        except LedgerError as error:  # SubmitError, or anything else after which the fate is unknown
            log.warning("the fate of a transaction is unknown", transaction_id=error.transaction_id, error=error.text)
            self._put_back(group, prepared.transaction_id)
        else:
            self._answered(group, receipt.answer, receipt.transaction_id, receipt)
        return True

    # Choosing

    def _next_group(self) -> list[OutboxRow]:
        """The oldest waiting commands that fit into one transaction; one that has failed alone stays alone."""
        waiting = col(OutboxRow.status) == SubmissionStatus.WAITING
        with self._database.read() as session:
            block_number_min = session.exec(select(func.max(OutboxRow.block_number_min)).where(waiting)).one()
            if block_number_min is None:
                return []
            height = self._ledger.height() if block_number_min > 0 else 1
            rows = session.exec(
                select(OutboxRow)
                .where(waiting, OutboxRow.not_before <= time.time(), OutboxRow.block_number_min < height)
                .order_by(col(OutboxRow.number))
                .limit(self._group_max)
            ).all()
        group: list[OutboxRow] = []
        size_bytes = 0
        for row in rows:
            size_bytes += len(row.body.encode()) + len(row.type) + ENVELOPE_BYTES
            if group and (size_bytes > self._limits.batch_bytes_max or row.tries > 0):
                break
            group.append(row)
            if row.tries > 0:
                break
        return group

    # What became of a group

    def _answered(
        self, group: Sequence[OutboxRow], answer: bytes, transaction_id: str, receipt: Receipt | None
    ) -> None:
        """Write down the contract's answer to each command."""
        results = _results(answer)
        if results is None and len(group) > 1:
            # The contract could not read the envelope: some command in it is no command at all. Find it.
            self._group_max = max(1, len(group) // 2)
            self._wait_again(group)
            return
        values = [_outcome(row, (results or {}).get(row.command_id), answer, transaction_id, receipt) for row in group]
        columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in OUTCOME}
        statement = update(table_of(OutboxRow)).where(table_of(OutboxRow).c.number == bindparam("row")).values(columns)
        with self._database.write() as session:
            session.connection().execute(statement, values)
        for row in group:
            self._applied_at_failure.pop(row.command_id, None)
        self._applied += 1
        self._failures = 0
        self._group_max = min(self._limits.batch_commands_max, self._group_max * 2)

    def _too_large(self, group: Sequence[OutboxRow], error: TooLargeError) -> None:
        if len(group) == 1:
            self._fail(group[0], "TOO_LARGE", error.text)
            return
        self._group_max = max(1, len(group) // 2)
        self._wait_again(group)

    def _invalidated(self, group: Sequence[OutboxRow], error: CommitError, stop: threading.Event) -> None:
        """A conflict gets a new transaction at once; anything else is tried in halves and fails when alone."""
        log.warning("a transaction was invalidated", transaction_id=error.transaction_id, code=error.code)
        if error.code in CONFLICTS:
            self._wait_again(group)
            stop.wait(random.uniform(0, CONFLICT_SECONDS_MAX))
        elif len(group) == 1:
            self._fail(group[0], error.code, error.text)
        else:
            self._group_max = max(1, len(group) // 2)
            self._wait_again(group)

    def _not_endorsed(self, group: Sequence[OutboxRow], error: EndorseError, stop: threading.Event) -> None:
        """Nothing was ordered: try again later; smaller when it goes on, and a lone command behind all others."""
        self._failures += 1
        log.warning("a transaction was not endorsed", error=error.text, commands=len(group), failures=self._failures)
        pause = random.uniform(0.5, 1.0) * min(BACKOFF_SECONDS_MAX, 0.1 * 2 ** min(self._failures, 12))
        if len(group) > 1:
            if self._failures >= HALVE_AFTER_TRIES:
                self._group_max = max(1, len(group) // 2)
            self._wait_again(group)
            stop.wait(min(BACKOFF_SECONDS_GROUP, pause))
            return
        row, pause = group[0], max(pause, BACKOFF_SECONDS_LONE)
        others_went_through = self._applied > self._applied_at_failure.get(row.command_id, self._applied)
        self._applied_at_failure[row.command_id] = self._applied
        tries = row.tries + 1 if others_went_through else max(1, row.tries)
        if tries > self._limits.endorse_tries_max:
            self._fail(row, "NOT_ENDORSED", error.text)
        else:
            self._wait_again(group, tries=tries, not_before=time.time() + pause)

    def _put_back(self, group: Sequence[OutboxRow], transaction_id: str) -> None:
        """Wait for the fate for a bounded time, remember it, and have the commands sent again for their answers."""
        try:
            receipt = self._ledger.status(transaction_id, self._limits.status_seconds_max)
        except LedgerError as error:
            log.warning("the fate of a transaction cannot be asked", transaction_id=transaction_id, error=str(error))
            receipt = None
        if receipt is None or receipt.code != "VALID":
            self._wait_again(group)
        else:
            self._wait_again(group, transaction_id=transaction_id, block_number=receipt.block_number)

    # Writing it down

    def _mark_sent(self, group: Sequence[OutboxRow], transaction_id: str) -> None:
        self._update(group, status=SubmissionStatus.SENT, sent_transaction_id=transaction_id)

    def _wait_again(self, group: Sequence[OutboxRow], **values: Any) -> None:
        self._update(group, status=SubmissionStatus.WAITING, **values)

    def _fail(self, row: OutboxRow, code: str, text: str) -> None:
        log.error("a command failed for good", command_id=row.command_id, type=row.type, code=code, error=text)
        self._update([row], status=SubmissionStatus.FAILED, code=code, text=text)

    def _update(self, group: Sequence[OutboxRow], **values: Any) -> None:
        numbers = [row.number for row in group]
        with self._database.write() as session:
            session.connection().execute(update(OutboxRow).where(col(OutboxRow.number).in_(numbers)).values(values))


def _argument(group: Sequence[OutboxRow]) -> bytes:
    commands = [{"command_id": row.command_id, "type": row.type, "body": json.loads(row.body)} for row in group]
    return canonical({"version": 1, "commands": commands})


def _results(answer: bytes) -> dict[str, dict[str, Any]] | None:
    """The contract's answers by command id; None when it could not read the envelope."""
    value = json.loads(answer)
    return {each["command_id"]: each for each in value["results"]} if "results" in value else None


OUTCOME = ("status", "code", "text", "result", "transaction_id", "block_number")


def _outcome(
    row: OutboxRow, result: dict[str, Any] | None, answer: bytes, transaction_id: str, receipt: Receipt | None
) -> dict[str, Any]:
    """What to write into the row of one command."""
    answered = json.loads(answer) | {"status": "refused"} if result is None else result
    refused = answered["status"] == "refused"
    block_number = None if receipt is None else receipt.block_number
    if not refused and row.block_number is not None:  # the effect was in an earlier transaction, whose fate is known
        transaction_id, block_number = row.transaction_id, row.block_number
    return {
        "row": row.number,
        "new_status": SubmissionStatus.REFUSED if refused else SubmissionStatus.APPLIED,
        "new_code": answered.get("code", ""),
        "new_text": answered.get("text", ""),
        "new_result": None if refused else canonical(answered.get("result")).decode(),
        "new_transaction_id": transaction_id,
        "new_block_number": block_number,
    }
