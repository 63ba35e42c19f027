"""What became of commands that were sent, written into the outbox; each call is one SQL transaction.

It decides nothing about sending: it reads the contract's answer and writes it down for each command.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import structlog
from sqlalchemy import bindparam, select, update
from sqlmodel import col

from chaincode.errors import RefusalCode
from chaincode.records import canonical
from ledger_node.database import ROWS_A_STATEMENT_MAX, Database, table_of
from ledger_node.outbox.groups import COLUMNS, Group, Waiting
from ledger_node.outbox.store import OutboxRow
from ledger_node.outbox.submission import PERSONS_NEEDED, SubmissionStatus

OUTCOME = ("status", "code", "text", "result", "transaction_id", "block_number")

log = structlog.get_logger(__name__)


class Answers:
    """The writer of what became of commands.

    Args:
        database: the state database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def sent(self) -> dict[str, Group]:
        """What was sent and has no answer, by transaction id; there is never more than was in flight."""
        statement = select(table_of(OutboxRow).c.sent_transaction_id, *COLUMNS).where(
            col(OutboxRow.status) == SubmissionStatus.SENT
        )
        sent: dict[str, list[Waiting]] = {}
        with self._database.read() as session:
            for transaction_id, *row in session.connection().execute(statement.order_by(col(OutboxRow.number))):
                sent.setdefault(transaction_id, []).append(Waiting(*row))
        return {transaction_id: Group(tuple(commands)) for transaction_id, commands in sent.items()}

    def sending(self, group: Group, transaction_id: str) -> None:
        """The group is about to be sent as that transaction."""
        self._update(group, status=SubmissionStatus.SENT, sent_transaction_id=transaction_id)

    def waits(self, group: Group, **values: Any) -> None:
        """The group waits again; `values` are further columns of its rows."""
        self._update(group, status=SubmissionStatus.WAITING, **values)

    def had_effect(self, group: Group, transaction_id: str, block_number: int) -> Group:
        """The group's effect is in that block, its answers are not known: it waits to be sent again for them."""
        self.waits(group, transaction_id=transaction_id, block_number=block_number)
        return Group(
            tuple(
                dataclasses.replace(command, transaction_id=transaction_id, block_number=block_number)
                for command in group.commands
            )
        )

    def failed(self, command: Waiting, code: str, text: str) -> None:
        """The command is given up."""
        log.error("a command failed for good", command_id=command.command_id, type=command.type, code=code, error=text)
        self._update(Group((command,)), status=SubmissionStatus.FAILED, code=code, text=text)

    def answered(self, group: Group, answer: bytes, transaction_id: str, block_number: int | None) -> bool:
        """Write down the contract's answer to each command.

        Args:
            group: what was sent.
            answer: of the contract, JSON.
            transaction_id: of the transaction.
            block_number: where it is; None when the contract refused all of it.

        Returns: False, and nothing is written, when the contract could not read the envelope of several commands.
        """
        value = json.loads(answer)
        results = {result["command_id"]: result for result in value.get("results", [])}
        if not results and len(group.commands) > 1:
            return False
        rows = [
            _outcome(
                command, results.get(command.command_id, value | {"status": "refused"}), transaction_id, block_number
            )
            for command in group.commands
        ]
        columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in OUTCOME}
        table = table_of(OutboxRow)
        with self._database.write() as session:
            session.connection().execute(update(table).where(table.c.number == bindparam("row")).values(columns), rows)
        return True

    def _update(self, group: Group, **values: Any) -> None:
        numbers = [command.number for command in group.commands]
        with self._database.write() as session:
            for start in range(0, len(numbers), ROWS_A_STATEMENT_MAX):
                some = col(OutboxRow.number).in_(numbers[start : start + ROWS_A_STATEMENT_MAX])
                session.connection().execute(update(OutboxRow).where(some).values(values))


def _outcome(
    command: Waiting, answered: dict[str, Any], transaction_id: str, block_number: int | None
) -> dict[str, Any]:
    """What to write into the row of one command."""
    refused = answered["status"] == "refused"
    if refused and answered["code"] == RefusalCode.TRANSACTION_FULL:  # not decided: it goes with the next transaction
        return _undecided(command)
    signatures_missing = len(json.loads(command.persons)) < PERSONS_NEEDED
    if refused and answered["code"] == RefusalCode.TWO_PERSONS_REQUIRED and signatures_missing:
        status = SubmissionStatus.AWAITING_PERSONS
    else:
        status = SubmissionStatus.REFUSED if refused else SubmissionStatus.APPLIED
    if not refused and command.block_number is not None:  # the effect was in an earlier transaction
        transaction_id, block_number = command.transaction_id, command.block_number
    return {
        "row": command.number,
        "new_status": status,
        "new_code": answered.get("code", ""),
        "new_text": answered.get("text", ""),
        "new_result": None if refused else canonical(answered.get("result")).decode(),
        "new_transaction_id": transaction_id,
        "new_block_number": block_number,
    }


def _undecided(command: Waiting) -> dict[str, Any]:
    """What to write into the row of a command that the contract has not come to: it waits as it did."""
    return {
        "row": command.number,
        "new_status": SubmissionStatus.WAITING,
        "new_code": "",
        "new_text": "",
        "new_result": None,
        "new_transaction_id": command.transaction_id,
        "new_block_number": command.block_number,
    }
