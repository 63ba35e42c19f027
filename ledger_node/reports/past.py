"""The ledger's records as they stood at a block: what every report is computed from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from chaincode import records
from ledger_node.errors import BadRequest
from ledger_node.readmodel import ReadModel
from ledger_node.readmodel.fold import KINDS

T = TypeVar("T")
Entry = dict[str, Any]
DISCOUNTED = '"discount_minor":'
"""Stands in every written invoice that has been paid early, or by its buyer at all, and in no other."""


@dataclass(frozen=True, slots=True)
class Past:
    """The ledger at a block. Records are in the newest version of their kind, whichever version wrote them."""

    readmodel: ReadModel
    block_number: int
    day: str

    def of(self, record: type[T]) -> list[T]:
        """All records of a kind that stood on the ledger, by key."""
        return [found for _, found in self.keyed(record)]

    def keyed(self, record: type[T]) -> Iterator[tuple[str, T]]:
        """All records of a kind that stood on the ledger, with their keys, by key."""
        (kind,) = [name for name, known in KINDS.items() if known is record]
        for key, text in self.readmodel.past(f"{kind}/", self.block_number):
            yield key, records.decode(record, text.encode())

    def discounted_invoices(self) -> Iterator[records.Invoice]:
        """Every state of every invoice that was paid early at some time, in the order of the ledger."""
        for _, text in self.readmodel.past_writes("invoice/", self.block_number, DISCOUNTED):
            yield records.decode(records.Invoice, text.encode())

    def entries(self, *, party: str = "") -> list[Entry]:
        """All movements in the order of the ledger, or those of a party's accounts."""
        return self.readmodel.past_entries(self.block_number, party)


def at_block(readmodel: ReadModel, block_number: int | None = None, as_of: str = "") -> Past:
    """The ledger at a block, the last one that the read model knows when neither block nor day is named.

    Args:
        as_of: a day instead of a block, `YYYY-MM-DD`: the block before the one that opened a later day.

    Raises: BadRequest: the read model does not know that block, or the ledger had no day yet.
    """
    if as_of and block_number is not None:
        raise BadRequest("a block and a day are named", "Name one of them.")
    newest = readmodel.block_number()
    block = _last_block_of(readmodel, as_of) if as_of else newest if block_number is None else block_number
    if not 0 <= block <= newest:
        raise BadRequest(f"this node knows the blocks up to {newest}, not {block}", "Name a block that it knows.")
    days = readmodel.past("day", block)
    return Past(readmodel, block, records.decode(records.Day, days[0][1].encode()).date if days else "")


def is_over(past: Past, date: str) -> bool:
    """Whether nothing of that day is to come after the block: the next one opened a later day."""
    return any(block == past.block_number + 1 and day > date for block, day in _opened(past.readmodel))


def _opened(readmodel: ReadModel) -> list[tuple[int, str]]:
    """The ledger's days, each with the block that opened it."""
    return [(block, records.decode(records.Day, text.encode()).date) for block, text in readmodel.past_days()]


def _last_block_of(readmodel: ReadModel, date: str) -> int:
    """The block at which the ledger's day was that date, or the latest before it, for the last time."""
    opened = _opened(readmodel)
    later = [block for block, day in opened if day > date]
    last = later[0] - 1 if later else readmodel.block_number()
    if not opened or last < opened[0][0]:
        first = f"on {opened[0][1]}" if opened else "with no day so far"
        raise BadRequest(f"the ledger began {first}: there is nothing as of {date}", "Name a later day.")
    return last
