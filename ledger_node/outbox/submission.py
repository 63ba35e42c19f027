"""What became of a command: the words in which the outbox answers, for whoever asks it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger_node.errors import BadRequest, NodeError
from ledger_node.operations.table import PERSONS_FIRST


class SubmissionStatus(StrEnum):
    """Where a command stands; the last four are final. AWAITING_PERSONS: the ledger asks for persons to sign it."""

    WAITING = "waiting"
    SENT = "sent"
    AWAITING_PERSONS = "awaiting_persons"
    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


PERSONS_NEEDED = 2
"""How many persons the contract asks for, where it asks for any."""
FINAL = frozenset(
    {SubmissionStatus.APPLIED, SubmissionStatus.REFUSED, SubmissionStatus.FAILED, SubmissionStatus.WITHDRAWN}
)


class IdempotencyConflict(BadRequest):
    """The idempotency key, or the command id, was used before for something else."""


class SignatureConflict(NodeError):
    """The command takes no further signature, or none of this person."""


class WithdrawalConflict(NodeError):
    """The command cannot be withdrawn: it does not await persons, so it may be on the ledger, or will be."""


class RetryConflict(NodeError):
    """The command cannot go again: it is done, or was taken back, or persons have to sign it."""


class OutboxFull(NodeError):
    """So many commands wait for the ledger that no more are taken now; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A command as its sender sees it. `block_number` is None until the ledger has it; `created_at` is RFC 3339.

    `body` is canonical JSON; `signed_by` are the commitments of the persons who have signed it.
    """

    id: str
    type: str
    status: SubmissionStatus
    code: str
    text: str
    result: dict[str, Any] | None
    transaction_id: str
    block_number: int | None
    created_at: str
    idempotency_key: str
    body: str
    signed_by: tuple[str, ...]

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in FINAL

    @property
    def rests(self) -> bool:
        """Whether nothing more will happen to it by itself: it is final, or persons have to sign it."""
        return self.final or self.status is SubmissionStatus.AWAITING_PERSONS

    @property
    def principal(self) -> str:
        """Who asked for it; empty for what the node does by itself."""
        return self.idempotency_key.partition("/")[0]

    @property
    def persons_needed(self) -> int:
        """How many persons must sign it before it is sent again, where the contract asks for any."""
        return persons_needed(self.type, len(self.signed_by))


def persons_needed(type: str, signed: int) -> int:
    """How many persons must sign a command before it is sent again, where the contract asks for any.

    Args:
        type: of the command.
        signed: how many have signed it; one that was sent with one signature and still awaits persons needs two.
    """
    return max(PERSONS_FIRST.get(type, PERSONS_NEEDED), min(signed + 1, PERSONS_NEEDED))
