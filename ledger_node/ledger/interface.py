"""The one interface of the house: a ledger that orders transactions and keeps their writes.

It has two real implementations: `fabric` (a Hyperledger Fabric network) and `embedded` (the same contract over
SQLite). Everything here is plain data. The call order is `prepare` -> store the transaction id -> `submit`, so
that after a crash the fate of a transaction can be asked by its id (`status`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ledger_node.errors import NodeError

if TYPE_CHECKING:  # it loads gRPC
    from network.witnesses import SealedBlock, Trust, Witnessed

VALID = "VALID"


@dataclass(frozen=True, slots=True)
class Write:
    """One key change of a transaction; `value` is None when the key was deleted."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as a block shows it.

    `code` is Fabric's validation code by name ("VALID", "MVCC_READ_CONFLICT", ...); `writes` are those of the
    contract's own namespace and took effect only when `code` is "VALID"; `answer` is the contract's answer;
    `timestamp` is the proposal's time, RFC 3339 in UTC.
    """

    id: str
    code: str
    msp_id: str
    timestamp: str
    writes: tuple[Write, ...]
    answer: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its number (the first is 0), its transactions in order, and its hash (64 hex digits).

    By the hash it differs from the block of that number of any other ledger.
    """

    number: int
    transactions: tuple[Transaction, ...]
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction that has an id but has not been sent; `payload` belongs to the ledger that made it."""

    transaction_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The commit status of a transaction. `answer` is empty when asked by id alone."""

    transaction_id: str
    block_number: int
    code: str
    answer: bytes


class LedgerError(NodeError):
    """Base of what a ledger raises. Carries the transaction id, empty when there is none."""

    def __init__(self, text: str, transaction_id: str = "", remedy: str = "") -> None:
        super().__init__(text, remedy)
        self.transaction_id = transaction_id


class ContractRefused(LedgerError):
    """The contract said no at endorsement; `answer` is its JSON answer (`Response.message`). Never retried."""

    exit_code = 5

    def __init__(self, answer: str, transaction_id: str = "") -> None:
        super().__init__(answer, transaction_id)
        self.answer = answer


class BlockMissing(LedgerError):
    """The peer has later blocks, but not the one that was asked for."""


class EndorseError(LedgerError):
    """Not endorsed, and it is no refusal: nothing was ordered. Try a new transaction with the same command ids."""


def not_ok(answer: str, transaction_id: str = "") -> ContractRefused | EndorseError:
    """What the contract's answer means when it is not ok: a rule said no, or the contract itself broke.

    Args:
        answer: the contract's JSON answer.
        transaction_id: empty for an evaluation.
    """
    from chaincode.dispatch import FAILED  # whoever asks a node for errors of these families does not load the contract

    if json.loads(answer).get("code") == FAILED:
        return EndorseError("the contract failed, see its log", transaction_id, "Tell whoever maintains the contract.")
    return ContractRefused(answer, transaction_id)


class SubmitError(LedgerError):
    """Sent, fate unknown: ask `status` for the stored transaction id before anything else."""

    exit_code = 4


class TooLargeError(LedgerError):
    """The transaction is larger than the channel takes: split the group."""


class CommitError(LedgerError):
    """Ordered, but invalidated with `code`. Conflicts (MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT) may be tried anew."""

    def __init__(self, code: str, transaction_id: str, block_number: int) -> None:
        super().__init__(f"transaction {transaction_id} was invalidated: {code}", transaction_id)
        self.code = code
        self.block_number = block_number


class Witness(Protocol):
    """What members of the ledger's network have signed, gathered for others. Every call may be made from any thread.

    `chaincode` is the contract's name on its channel.
    """

    chaincode: str

    def trust(self) -> Trust:
        """Whom to believe, by the own peer's word. Raises: LedgerError."""
        ...

    def gather(self, transactions: Mapping[str, int]) -> tuple[list[Witnessed], list[SealedBlock]]:
        """Transactions, their blocks, and the peers' word on them.

        Args:
            transactions: the number of its block for each transaction's id.

        Raises: LedgerError when too few organisations answer, or the own peer does not have a block.
        """
        ...

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        """Sign as the own identity: its certificate (PEM), and the ECDSA signature (DER) over the message's SHA-256."""
        ...


class Ledger(Protocol):
    """What the node needs of a ledger. Every call may be made from any thread."""

    def prepare(self, argument: bytes) -> Prepared:
        """Make a transaction of one JSON argument for the contract; nothing is sent."""
        ...

    def submit(self, prepared: Prepared) -> Receipt:
        """Endorse, order and wait for the commit; the receipt's code is always "VALID".

        Raises: ContractRefused, EndorseError, SubmitError, TooLargeError, CommitError.
        """
        ...

    def status(self, transaction_id: str, timeout_seconds: float) -> Receipt | None:
        """The fate of a transaction by its id alone; None when nothing is known of it after the time given."""
        ...

    def evaluate(self, argument: bytes, block_number_min: int = 0) -> bytes:
        """Run the contract on the own peer's state (at least that new) and return its answer; nothing is written.

        Raises: ContractRefused, EndorseError.
        """
        ...

    def blocks(self, start: int, stop: threading.Event) -> Generator[Block, None, None]:
        """Committed blocks from number `start` on, in order, waiting for new ones until `stop` is set.

        Raises: BlockMissing; LedgerError when the connection is lost: call again from where you were.
        """
        ...

    def height(self) -> int:
        """How many blocks there are (the number of the next one)."""
        ...

    def group_bytes_max(self) -> int:
        """How many bytes of commands should go into one transaction at most, so that it fits into a block.

        Raises: LedgerError when the ledger does not answer.
        """
        ...

    def close(self) -> None:
        """Release connections; closing twice is fine."""
        ...
