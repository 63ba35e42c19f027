"""What became of a command: the words in which the outbox answers, for whoever asks it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger_node.errors import BadRequest, NodeError


class SubmissionStatus(StrEnum):
    """Where a command stands; the last three are final."""

    WAITING = "waiting"
    SENT = "sent"
    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"


FINAL = frozenset({SubmissionStatus.APPLIED, SubmissionStatus.REFUSED, SubmissionStatus.FAILED})


class IdempotencyConflict(BadRequest):
    """The idempotency key, or the command id, was used before for something else."""


class OutboxFull(NodeError):
    """So many commands wait for the ledger that no more are taken now; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A command as its sender sees it. `block_number` is None until the ledger has it; `created_at` is RFC 3339."""

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

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in FINAL
