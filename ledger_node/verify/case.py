"""What is checked: the bundle as it was read, whom to believe, the files that were given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from ledger_node.verify.believed import Believed
from ledger_node.verify.format import Bundle, Jws, Record, TransactionEvidence
from network.proofs.messages import SpellingError, UnreadableError
from network.proofs.transactions import SignedTransaction, read_transaction


@dataclass(frozen=True)
class Given:
    """A file that was given: its SHA-256 in hexadecimal, or why it could not be read."""

    name: str
    digest: str = ""
    fault: str = ""


class OtherSpelling(str):
    """Why a transaction is not read here that peers may have read: it accuses nobody."""

    __slots__ = ()


@dataclass(frozen=True)
class Case:
    """All that the steps look at."""

    jws: Jws
    bundle: Bundle
    believed: Believed
    files: Sequence[Given]

    @cached_property
    def transactions(self) -> Mapping[str, SignedTransaction | str]:
        """By the id that the bundle gives; text instead of one that cannot be read."""
        return {each.id: _read(each) for each in self.bundle.transactions}

    @cached_property
    def placed(self) -> Sequence[TransactionEvidence]:
        """The transactions in the order of the ledger."""
        return sorted(self.bundle.transactions, key=lambda each: (each.block, each.index))

    @property
    def is_readable(self) -> bool:
        """Whether every transaction is."""
        return all(isinstance(each, SignedTransaction) for each in self.transactions.values())

    def latest(self) -> dict[str, Record]:
        """Of every key of the records the one that was written last."""
        return {each.key: each for each in self.ordered_records()}

    def first(self) -> dict[str, Record]:
        """Of every key of the records the one that was written first."""
        return {each.key: each for each in reversed(self.ordered_records())}

    def ordered_records(self) -> list[Record]:
        """The records in the order in which the ledger got them."""
        place = {each.id: number for number, each in enumerate(self.placed)}
        return sorted(self.bundle.records, key=lambda each: place.get(each.transaction, -1))


def plain(record: Record | None) -> dict[str, Any]:
    """What a record says; empty when it is no object, or there is none."""
    if record is None:
        return {}
    try:
        value = json.loads(record.value, parse_constant=_refused, parse_int=float)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _read(transaction: TransactionEvidence) -> SignedTransaction | str:
    try:
        return read_transaction(transaction.envelope)
    except SpellingError as error:
        return OtherSpelling(error)
    except UnreadableError as error:
        return str(error)
