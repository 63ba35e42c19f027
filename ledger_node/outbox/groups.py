"""Which waiting commands go into the next transaction: the oldest first, as many as fit, none before what it rests on.

Several transactions may be in flight at once. A command then must not overtake an earlier one that it depends on: it
would be refused on a state that is too old. Commands of evidence depend on the records that they name and on nothing
else that the own node sends, so they go beside transactions that name none of those ids. Everything else (money,
limits, membership, the day) goes when nothing is in flight, and nothing goes beside it. Inside one transaction
commands run in their order, so there anything may follow anything. This room reads the outbox and writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from sqlalchemy import select
from sqlmodel import col

from ledger_node.database import Database, table_of
from ledger_node.operations.table import BESIDE_OTHERS
from ledger_node.outbox.store import OutboxRow
from ledger_node.outbox.submission import SubmissionStatus

ENVELOPE_BYTES = 100  # around one command: its id, the names of its fields
ROWS_A_FETCH = 20  # a row may have two megabytes
BACKOFF_SECONDS_MAX = 30.0
RESTING_COMMANDS_MAX = 10_000  # whose time or block has not come: so many are looked past
FOLLOWING_COMMANDS_MAX = 1_000  # that wait for what is in flight: it will have an answer soon
_record_ids = re.compile(r'"([0-9a-f]{32})"', re.ASCII).findall


@dataclass(frozen=True, slots=True)
class Waiting:
    """A command as the sender needs it; the fields are those of `OutboxRow`."""

    number: int
    command_id: str
    type: str
    body: str
    block_number_min: int
    tries: int
    not_before: float
    transaction_id: str
    block_number: int | None
    created_at: str
    persons: str

    @property
    def size_bytes(self) -> int:
        """What it takes of a transaction's argument."""
        return len(self.body.encode()) + len(self.persons) + len(self.type) + ENVELOPE_BYTES

    @property
    def record_ids(self) -> frozenset[str]:
        """The ids of records that it names."""
        return frozenset(_record_ids(self.body))


COLUMNS = [table_of(OutboxRow).c[field.name] for field in fields(Waiting)]


@dataclass(frozen=True)
class Group:
    """Commands for one transaction, in their order; `full` when no more would have gone into it.

    `left` says of an empty one that something waits and could not go now.
    """

    commands: tuple[Waiting, ...]
    full: bool = False
    left: bool = False

    @cached_property
    def record_ids(self) -> frozenset[str]:
        """The ids of all records that it names."""
        return frozenset().union(*(command.record_ids for command in self.commands))

    @property
    def goes_beside_others(self) -> bool:
        """Whether other transactions may be in flight with it."""
        return all(command.type in BESIDE_OTHERS for command in self.commands)

    @property
    def size_bytes(self) -> int:
        """Bytes of the transaction's argument."""
        return sum(command.size_bytes for command in self.commands)

    def argument(self) -> bytes:
        """The one argument of the transaction; bodies and persons are canonical JSON already."""
        return f'{{"commands":[{",".join(map(_envelope, self.commands))}],"version":1}}'.encode()

    def halves(self) -> list[Group]:
        """The same commands as two groups, in their order."""
        middle = len(self.commands) // 2
        return [Group(self.commands[:middle]), Group(self.commands[middle:])]


def _envelope(command: Waiting) -> str:
    persons = "" if command.persons == "[]" else f'"persons":{command.persons},'
    identity = f'"command_id":{json.dumps(command.command_id)},{persons}"type":{json.dumps(command.type)}'
    return f'{{"body":{command.body},{identity}}}'


@dataclass(frozen=True, slots=True)
class Room:
    """How much goes into one transaction."""

    commands_max: int
    bytes_max: int


def next_group(
    database: Database, in_flight: Sequence[Group], room: Room, now: float, is_there: Callable[[int], bool]
) -> Group:
    """The oldest commands that can go now; an empty group when none can.

    Args:
        database: the state database.
        in_flight: what has been sent and has no answer yet.
        room: of one transaction.
        now: seconds since 1970; a command whose time has not come waits, but never for longer than the longest pause.
        is_there: whether the own peer has a block, by its number.

    Raises: LedgerError from `is_there`.
    """
    if not all(group.goes_beside_others for group in in_flight):
        return Group(())
    sent = {command.number for group in in_flight for command in group.commands}
    named: set[str] = set().union(*(group.record_ids for group in in_flight))
    chosen: list[Waiting] = []
    size_bytes = resting = following = 0
    for command in _waiting(database):
        if command.number in sent:
            continue
        if in_flight and command.type not in BESIDE_OTHERS:
            break  # whatever comes later may rest on this one
        rests = _waits_for_its_time(command.not_before, now) or (
            command.block_number_min > 0 and not is_there(command.block_number_min)
        )
        follows = not named.isdisjoint(command.record_ids)
        if rests or follows:
            named |= command.record_ids
            resting, following = resting + rests, following + follows
            if resting >= RESTING_COMMANDS_MAX or following >= FOLLOWING_COMMANDS_MAX:
                break
            continue
        size_bytes += command.size_bytes
        if chosen and (size_bytes > room.bytes_max or command.tries > 0):
            return Group(tuple(chosen), full=True)
        chosen.append(command)
        if command.tries > 0 or len(chosen) == room.commands_max:  # one that has failed alone stays alone
            return Group(tuple(chosen), full=True)
    return Group(tuple(chosen), left=resting + following > 0)


def _waits_for_its_time(not_before: float, now: float) -> bool:
    """A time that is further away than any pause was written by a clock that was wrong: it is not waited for."""
    return now < not_before <= now + BACKOFF_SECONDS_MAX


def _waiting(database: Database) -> Iterator[Waiting]:
    """All that wait, the oldest first, read a few at a time."""
    statement = (
        select(*COLUMNS)
        .where(col(OutboxRow.status) == SubmissionStatus.WAITING)
        .order_by(col(OutboxRow.number))
        .execution_options(yield_per=ROWS_A_FETCH)
    )
    with database.read() as session:
        for row in session.connection().execute(statement):
            yield Waiting(*row)
