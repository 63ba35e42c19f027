"""The outbox: commands of this organisation that wait for the ledger, and what became of them.

A command is stored before anything is sent, in the state database, under the id that the contract knows it by; so it
survives any crash and has one effect. This room stores and finds; sending is `outbox_worker`'s. It never decides
whether a command is allowed: the contract does.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Executable, Index, func
from sqlalchemy import select as sql_select
from sqlmodel import Field, Session, col, select

from chaincode.contract import COMMANDS
from chaincode.records import canonical
from chaincode.records.command_ids import command_digest, id_of_content
from ledger_node.database import Database, Serial, StateTable, insert_new, table_of
from ledger_node.errors import BadRequest, NotFound
from ledger_node.outbox.submission import (
    IdempotencyConflict,
    OutboxFull,
    SignatureConflict,
    Submission,
    SubmissionStatus,
    WithdrawalConflict,
    persons_needed,
)

POLL_SECONDS = 0.02
COUNT_SECONDS_MIN = 0.05
COUNT_PAUSES = 20  # counting takes a twentieth of one thread's time, however much waits
OPEN = (SubmissionStatus.WAITING, SubmissionStatus.SENT)

__all__ = ["IdempotencyConflict", "Outbox", "OutboxFull", "OutboxLimits", "OutboxRow", "Submission", "SubmissionStatus"]


class OutboxRow(StateTable, table=True):
    """One command. `sent_transaction_id` is the latest attempt, `transaction_id` the one that had the effect.

    `idempotency_key` is `principal/key`; `key_of_a_token` is the key alone where it dates from before there were
    principals and belonged to a token.

    `persons` is what its envelope names: a JSON list of `{person, signature}`, `[]` for nobody.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_status_number", "status", "number"),)
    number: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    command_id: str = Field(unique=True)
    type: str
    body: str
    request_digest: str
    idempotency_key: str | None = Field(default=None, unique=True)
    key_of_a_token: str | None = Field(default=None, index=True)
    block_number_min: int = Field(default=0, sa_type=BigInteger)
    status: str = SubmissionStatus.WAITING
    code: str = ""
    text: str = ""
    result: str | None = None
    sent_transaction_id: str = ""
    transaction_id: str = ""
    block_number: int | None = Field(default=None, sa_type=BigInteger)
    tries: int = 0
    not_before: float = 0.0
    created_at: str = ""
    persons: str = Field(default="[]", sa_column_kwargs={"server_default": "[]"})


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How many commands, of how many bytes together, may be without a final answer."""

    commands_max: int
    bytes_max: int


UNLIMITED = OutboxLimits(2**63, 2**63)


class _Level:
    """How much waits: counted at times, and what was put since then added."""

    def __init__(self, database: Database, limits: OutboxLimits) -> None:
        self._database = database
        self._limits = limits
        self._lock = threading.Lock()
        self._count_at = 0.0
        self.commands = self.size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """A command was put by this process."""
        with self._lock:
            self.commands, self.size_bytes = self.commands + 1, self.size_bytes + size_bytes

    def is_full(self) -> bool:
        """Whether no more should be taken."""
        with self._lock:
            if time.monotonic() >= self._count_at:
                self._count()
            return self.commands >= self._limits.commands_max or self.size_bytes >= self._limits.bytes_max

    def _count(self) -> None:
        begun = time.monotonic()
        table = table_of(OutboxRow)
        sums = sql_select(func.count(), func.coalesce(func.sum(func.length(table.c.body)), 0))
        with self._database.read() as session:
            row = session.connection().execute(sums.where(table.c.status.in_(OPEN))).one()
        self.commands, self.size_bytes = int(row[0]), int(row[1])
        ended = time.monotonic()
        self._count_at = ended + max(COUNT_SECONDS_MIN, COUNT_PAUSES * (ended - begun))


class Outbox:
    """Commands in the state database; may be used from any thread and process.

    Args:
        database: the state database.
        now: the clock; UTC.
        body_bytes_max: a larger command is refused, since no transaction would take it.
        limits: of what may wait; see `require_room`.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], dt.datetime],
        body_bytes_max: int,
        limits: OutboxLimits = UNLIMITED,
    ) -> None:
        self._database = database
        self._now = now
        self._body_bytes_max = body_bytes_max
        self._level = _Level(database, limits)
        self.news = threading.Event()  # wakes the worker when it lives in this process

    def put(
        self,
        type: str,
        body: dict[str, Any],
        *,
        command_id: str | None = None,
        idempotency_key: str = "",
        request: object = None,
        block_number_min: int = 0,
        beside: Executable | Sequence[Executable] = (),
    ) -> Submission:
        """Store a command, to be sent to the ledger.

        Args:
            type: of the command.
            body: of the command, JSON.
            command_id: 32 hex characters; None makes one, out of the idempotency key and the request where there is a
                key: then the contract knows the repetition of a request that this database has forgotten, since it was
                restored from a backup. It is made of the command itself where the contract then needs no record of it.
            idempotency_key: `principal/key` of the caller; the same with the same request gives the first submission
                again.
            request: what the caller asked, JSON, when the body holds random ids or salts that a repetition would not
                repeat; None compares type and body.
            block_number_min: the command is sent when the own peer has that block.
            beside: statements on the state database to run in the same transaction, only if the command is new.

        Returns: the submission; an earlier one when this request was made before.

        Raises: IdempotencyConflict, BadRequest for a body that is too large.
        """
        text, asked = _canonical(body), _canonical([type, body if request is None else request])
        if len(text) > self._body_bytes_max:
            raise BadRequest(f"the command has {len(text)} bytes, more than {self._body_bytes_max}", "Make it smaller.")
        request_digest = hashlib.sha256(asked).hexdigest()
        row = {
            "command_id": command_id or _command_id(type, body, idempotency_key, request_digest),
            "type": type,
            "body": text.decode(),
            "request_digest": request_digest,
            "idempotency_key": idempotency_key or None,
            "block_number_min": block_number_min,
            "status": SubmissionStatus.WAITING,
            "code": "",
            "text": "",
            "sent_transaction_id": "",
            "transaction_id": "",
            "tries": 0,
            "not_before": 0.0,
            "created_at": self._time(),
        }
        with self._database.write() as session:
            if earlier := _of_a_token(session, idempotency_key, type):
                same_request = [each for each in earlier if each.request_digest == row["request_digest"]]
                return submission_of(_same_request(same_request[:1] or earlier, row))
            new = insert_new(session.connection(), table_of(OutboxRow), row)
            for statement in ([beside] if isinstance(beside, Executable) else beside) if new else ():
                session.connection().execute(statement)
            same = col(OutboxRow.command_id) == row["command_id"]
            if idempotency_key:
                same = same | (col(OutboxRow.idempotency_key) == idempotency_key)
            kept = session.exec(select(OutboxRow).where(same)).all()
        found = _same_request(kept, row)
        if new:
            self._level.add(len(text))
        self.news.set()
        return submission_of(found)

    def sign(self, command_id: str, person: str, signature: str) -> Submission:
        """Add a person's signature to a command that awaits it; with the last one needed it waits for the ledger again.

        Args:
            command_id: 32 hex characters.
            person: the commitment of the person whose signature it was found to be.
            signature: base64.

        Returns: the submission; unchanged when this very signature has been added before.

        Raises: NotFound, SignatureConflict.
        """
        with self._database.write() as session:
            row = locked(session, command_id)
            signed: list[dict[str, str]] = json.loads(row.persons)
            fresh = {"person": person, "signature": signature}
            if fresh not in signed:
                _require_awaited(row, person, signed)
                row.persons = canonical([*signed, fresh]).decode()
                if len(signed) + 1 >= persons_needed(row.type, len(signed)):
                    row.status, row.code, row.text = SubmissionStatus.WAITING, "", ""
        self.news.set()
        return submission_of(row)

    def withdraw(self, command_id: str, by: str) -> Submission:
        """Take back a command that awaits persons: it is never sent, and takes no signature any more.

        Args:
            command_id: 32 hex characters.
            by: who asks for it, for the record.

        Returns: the submission; unchanged when it has been withdrawn before.

        Raises: NotFound, WithdrawalConflict.
        """
        with self._database.write() as session:
            row = locked(session, command_id)
            if row.status != SubmissionStatus.WITHDRAWN:
                if row.status != SubmissionStatus.AWAITING_PERSONS:
                    text = f"the command is {row.status}: only one that awaits persons can be withdrawn"
                    raise WithdrawalConflict(text, "Look at the submission, and at what the contract takes back.")
                row.status, row.code = SubmissionStatus.WITHDRAWN, ""
                row.text = f"withdrawn at {self._time()} by {by}"
        return submission_of(row)

    def require_room(self, idempotency_key: str) -> None:
        """Refuse a request of somebody outside while too much waits, before anything of it is stored.

        A repetition of a request that was taken is not refused. The node's own commands (attestations, days) do not
        ask: they answer what is on the ledger already. What waits is counted now and then, not at every request, so
        that the limits are overrun by what arrives in between.

        Args:
            idempotency_key: of the request.

        Raises: OutboxFull.
        """
        if self._level.is_full() and self.by_idempotency_key(idempotency_key) is None:
            raise OutboxFull(
                f"{self._level.commands} commands of {self._level.size_bytes} bytes wait for the ledger already",
                "Send it again later. If it stays so, look whether the ledger answers: ledger-node doctor",
            )

    def get(self, command_id: str) -> Submission | None:
        """The submission of that command id; None when there is none."""
        with self._database.read() as session:
            row = session.exec(select(OutboxRow).where(OutboxRow.command_id == command_id)).first()
        return None if row is None else submission_of(row)

    def by_idempotency_key(self, idempotency_key: str) -> Submission | None:
        """The submission made under that key; None when there is none."""
        with self._database.read() as session:
            row = session.exec(select(OutboxRow).where(OutboxRow.idempotency_key == idempotency_key)).first()
        return None if row is None else submission_of(row)

    def wait(self, command_id: str, timeout_seconds: float) -> Submission:
        """The submission, as soon as it is final, persons have to sign it, or the time is over.

        Raises: NotFound.
        """
        deadline, idle = time.monotonic() + timeout_seconds, threading.Event()
        while True:
            submission = self.get(command_id)
            if submission is None:
                raise NotFound(f"there is no submission {command_id}")
            if submission.rests or time.monotonic() >= deadline:
                return submission
            idle.wait(POLL_SECONDS)

    def counts(self) -> dict[str, int]:
        """How many commands there are in each status."""
        statement = select(OutboxRow.status, func.count()).group_by(OutboxRow.status)
        with self._database.read() as session:
            counted = dict(session.exec(statement).all())
        return {status.value: counted.get(status.value, 0) for status in SubmissionStatus}

    def oldest_seconds(self) -> float:
        """How long ago the oldest command without a final answer came, those that await persons left out; 0 without."""
        open_statuses = (SubmissionStatus.WAITING.value, SubmissionStatus.SENT.value)
        statement = select(func.min(OutboxRow.created_at)).where(col(OutboxRow.status).in_(open_statuses))
        with self._database.read() as session:
            oldest = session.exec(statement).one()
        if not oldest:
            return 0.0
        return max(0.0, (self._now() - dt.datetime.fromisoformat(oldest)).total_seconds())

    def _time(self) -> str:
        """RFC 3339, so that texts are in the order of time."""
        return self._now().astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _of_a_token(session: Session, idempotency_key: str, type: str) -> Sequence[OutboxRow]:
    """Commands of a type whose key belonged to a token, of which nobody knows any more whose it was."""
    _, _, key = idempotency_key.partition("/")
    if not key:
        return ()
    others = col(OutboxRow.idempotency_key) != idempotency_key
    same = (OutboxRow.key_of_a_token == key, OutboxRow.type == type, others)
    return session.exec(select(OutboxRow).where(*same)).all()


def _same_request(kept: Sequence[OutboxRow], row: dict[str, Any]) -> OutboxRow:
    """The one row that a request is, or repeats. Raises: IdempotencyConflict when it is another request."""
    others = [each for each in kept if each.request_digest != row["request_digest"]]
    if others or len(kept) != 1:
        used = (others or kept)[0].command_id
        raise IdempotencyConflict(
            f"this idempotency key or command id was used before for another request: the submission {used}",
            "Look at that submission; use a fresh key for a fresh request.",
        )
    return kept[0]


def locked(session: Session, command_id: str) -> OutboxRow:
    """The row of a command, which nobody else changes until this transaction ends. Raises: NotFound."""
    statement = select(OutboxRow).where(OutboxRow.command_id == command_id).with_for_update()
    row = session.exec(statement).first()
    if row is None:
        raise NotFound(f"there is no submission {command_id}")
    return row


def _command_id(type: str, body: dict[str, Any], idempotency_key: str, request_digest: str) -> str:
    if type in COMMANDS and COMMANDS[type].first_result:
        return id_of_content(command_digest(type, body))
    if not idempotency_key:
        return secrets.token_hex(16)
    return hashlib.sha256(f"{idempotency_key}\n{request_digest}".encode()).hexdigest()[:32]


def _canonical(value: object) -> bytes:
    try:
        return canonical(value)
    except ValueError as error:
        raise BadRequest(
            f"the command is no JSON for the ledger: {error}", "Send text, whole numbers, lists."
        ) from error


def _require_awaited(row: OutboxRow, person: str, signed: list[dict[str, str]]) -> None:
    if row.status != SubmissionStatus.AWAITING_PERSONS:
        raise SignatureConflict(f"the command is {row.status} and awaits no signature", "Look at the submission.")
    if any(signature["person"] == person for signature in signed):
        raise SignatureConflict(f"the person {person} has signed the command already", "Let another person sign it.")


def submission_of(row: OutboxRow) -> Submission:
    """A row of the table, as its sender sees it."""
    return Submission(
        id=row.command_id,
        type=row.type,
        status=SubmissionStatus(row.status),
        code=row.code,
        text=row.text,
        result=None if row.result is None else json.loads(row.result),
        transaction_id=row.transaction_id,
        block_number=row.block_number,
        created_at=row.created_at,
        idempotency_key=row.idempotency_key or "",
        body=row.body,
        signed_by=tuple(signature["person"] for signature in json.loads(row.persons)),
    )
