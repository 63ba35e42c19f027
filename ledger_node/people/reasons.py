"""What people typed as reasons: the text and its salt stay here, the ledger gets a salted commitment only.

Whoever is shown text and salt can check them against the ledger; erasing a reason is deleting its row.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Executable, LargeBinary, insert
from sqlmodel import Field

from ledger_node.database import Database, StateTable, table_of
from ledger_node.hashing import SALT_BYTES, commitment


class ReasonRow(StateTable, table=True):
    """One reason."""

    __tablename__ = "reason"
    commitment: str = Field(primary_key=True)
    salt: bytes = Field(sa_type=LargeBinary)
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason that this organisation typed; `salt` is 32 bytes."""

    salt: bytes
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text in UTF-8, 64 hex characters: the same whenever the same is typed."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def commitment(self) -> str:
        """What the ledger holds of it, 64 hex characters."""
        return commitment(self.salt, bytes.fromhex(self.digest)).hex()


def new_reason(text: str) -> Reason:
    """A reason just typed, with a fresh salt; it is not kept yet."""
    return Reason(secrets.token_bytes(SALT_BYTES), text)


class Reasons:
    """Own reasons, in the state database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insertion(self, reason: Reason) -> Executable:
        """The statement that keeps a reason, to run in the very transaction that queues its command."""
        row = {"commitment": reason.commitment, "salt": reason.salt, "text": reason.text}
        return insert(table_of(ReasonRow)).values(row)

    def get(self, commitment: str) -> Reason | None:
        """The reason behind a commitment; None when this organisation did not type it."""
        with self._database.read() as session:
            row = session.get(ReasonRow, commitment)
        return None if row is None else Reason(row.salt, row.text)
