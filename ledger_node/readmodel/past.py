"""The ledger as it stood at a past block, read from the history: every write that took effect, in order.

Values are the very bytes that were written, in whichever version of their kind. Entries are never written again, so the
entries up to a block are all that there were then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from chaincode.records import keys
from chaincode.records.fields import ACCOUNT_KINDS
from ledger_node.database import ROWS_A_STATEMENT_MAX, Database
from ledger_node.readmodel.tables import Checkpoint, EntryRow, HistoryRow

Record = dict[str, Any]


class PastRows(NamedTuple):
    """Some blocks' writes, what stood under their keys before, the number of the next block, and of which ledger."""

    before: list[HistoryRow]
    rows: list[HistoryRow]
    next_block: int
    genesis_hash: str


ENTRY_ORDER = (
    col(EntryRow.block_number),
    col(EntryRow.transaction_index),
    col(EntryRow.command_number),
    col(EntryRow.write_index),
)
"""Within a transaction by its commands: a ledger gives writes in the order of their keys, which are random."""
_PLACE = (col(HistoryRow.block_number), col(HistoryRow.transaction_index), col(HistoryRow.write_index))


def past_values(database: Database, prefix: str, block_number: int) -> list[tuple[str, str]]:
    """What stood at a block under every key that begins with `prefix`: key and JSON text, by key."""
    newest_first = [column.desc() for column in _PLACE]
    place = func.row_number().over(partition_by=col(HistoryRow.key), order_by=newest_first).label("place")
    written = select(HistoryRow.key, HistoryRow.value, place).where(*_within(prefix, block_number)).subquery()
    latest = select(written.c.key, written.c.value).where(written.c.place == 1, written.c.value.is_not(None))
    with database.read() as session:
        return [(str(key), str(value)) for key, value in session.execute(latest.order_by(written.c.key)).all()]


def past_write(database: Database, key: str, block_number: int) -> HistoryRow | None:
    """The last write of a key up to a block; None where there was none."""
    statement = select(HistoryRow).where(*_within(key, block_number))
    with database.read() as session:
        return session.exec(statement.order_by(*(column.desc() for column in _PLACE)).limit(1)).first()


def past_writes(database: Database, prefix: str, block_number: int, containing: str) -> list[tuple[str, str]]:
    """Every value with a text in it that was written up to a block under the keys that begin with `prefix`."""
    within = (*_within(prefix, block_number), col(HistoryRow.value).contains(containing, autoescape=True))
    statement = select(HistoryRow.key, HistoryRow.value).where(*within)
    with database.read() as session:
        return [(str(key), str(text)) for key, text in session.execute(statement.order_by(*_PLACE)).all()]


def past_keys(database: Database, first: int, last: int, kinds: Collection[str]) -> list[str]:
    """The keys that begin with one of some kinds and were written in blocks `first` to `last`, each once."""
    statement = select(HistoryRow.key).where(col(HistoryRow.block_number).between(first, last))
    with database.read() as session:
        return sorted({key for key in session.exec(statement).all() if key.split("/", 1)[0] in kinds})


def past_keys_by_block(database: Database, after: int, up_to: int) -> dict[int, list[str]]:
    """The keys that were written in each block after one and up to another, by block; each block has at least one."""
    block = col(HistoryRow.block_number)
    statement = select(HistoryRow.block_number, HistoryRow.key).where(block > after, block <= up_to).distinct()
    found: dict[int, list[str]] = defaultdict(list)
    with database.read() as session:
        for number, key in session.exec(statement.order_by(block, col(HistoryRow.key))).all():
            found[number].append(key)
    return found


def past_rows(database: Database, start: int, kinds: Collection[str], step: str, rows_max: int) -> PastRows:
    """The writes of some kinds in the blocks from `start` on, whole blocks, and what stood under their keys before.

    Args:
        kinds: of records.
        step: entries of this step come, too; empty for none.
        rows_max: of writes; a block that alone has more comes all the same.
    """
    with database.read() as session:
        checkpoint = session.get(Checkpoint, 0)
        if checkpoint is None or checkpoint.next_block <= start:
            return PastRows([], [], start, "" if checkpoint is None else checkpoint.genesis_hash)
        wanted = or_(*(_below(f"{kind}/") for kind in kinds), *([_of_step(step)] if step else []))
        block, statement = col(HistoryRow.block_number), select(HistoryRow).where(wanted).order_by(*_PLACE)
        rows = session.exec(statement.where(block >= start).limit(rows_max + 1)).all()
        end = checkpoint.next_block
        if len(rows) > rows_max:
            end = max(rows[-1].block_number, rows[0].block_number + 1)
            rows = session.exec(statement.where(block >= start, block < end)).all()
        before = _last_before(session, {row.key for row in rows}, start)
        return PastRows(before, list(rows), end, checkpoint.genesis_hash)


def _last_before(session: Session, wanted: Collection[str], start: int) -> list[HistoryRow]:
    """The last write of each key before a block, in the order of the ledger."""
    found: list[HistoryRow] = []
    names = sorted(wanted)
    newest_first = [column.desc() for column in _PLACE]
    place = func.row_number().over(partition_by=col(HistoryRow.key), order_by=newest_first).label("place")
    for first in range(0, len(names), ROWS_A_STATEMENT_MAX):
        some = col(HistoryRow.key).in_(names[first : first + ROWS_A_STATEMENT_MAX])
        numbered = select(HistoryRow, place).where(some, col(HistoryRow.block_number) < start).subquery()
        latest = select(aliased(HistoryRow, numbered)).where(numbered.c.place == 1)
        found += session.exec(latest).all()
    return sorted(found, key=lambda row: (row.block_number, row.transaction_index, row.write_index))


def _below(prefix: str) -> ColumnElement[bool]:
    first, end = keys.prefix_range(prefix)
    return and_(col(HistoryRow.key) >= first, col(HistoryRow.key) < end)


def _of_step(step: str) -> ColumnElement[bool]:
    return and_(_below("entry/"), col(HistoryRow.value).contains(f'"step":"{step}"', autoescape=True))


def past_days(database: Database) -> list[tuple[int, str]]:
    """Every day that the ledger has had, as JSON text, with the block that opened it; in their order."""
    statement = select(HistoryRow.block_number, HistoryRow.value).where(col(HistoryRow.key) == keys.DAY)
    with database.read() as session:
        return [(int(block), str(text)) for block, text in session.execute(statement.order_by(*_PLACE)).all()]


def past_entries(database: Database, block_number: int, party: str) -> list[Record]:
    """The movements up to a block, in order; of one party's accounts, or all when it is empty."""
    statement = select(EntryRow).where(col(EntryRow.block_number) <= block_number)
    if party:
        names = [f"{kind}:{party}" for kind in ACCOUNT_KINDS]  # equal names are found by the index, endings are not
        statement = statement.where(or_(col(EntryRow.debit).in_(names), col(EntryRow.credit).in_(names)))
    with database.read() as session:
        return [row.model_dump() for row in session.exec(statement.order_by(*ENTRY_ORDER)).all()]


def _within(prefix: str, block_number: int) -> list[Any]:
    """The keys that begin with `prefix`, which ends in a slash or is one whole key, up to a block."""
    key = col(HistoryRow.key)
    until = col(HistoryRow.block_number) <= block_number
    if not prefix.endswith("/"):
        return [key == prefix, until]
    start, end = keys.prefix_range(prefix)
    return [key >= start, key < end, until]
