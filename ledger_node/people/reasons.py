"""What people typed as reasons: the text and its salt stay off the ledger, which gets a salted commitment only.

Those typed here are shown to the parties of the invoice that they are about, when their nodes ask; those that the other
parties typed are kept here once they were heard. Whoever has text and salt can check them against the ledger; erasing a
reason is deleting its row.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Executable, LargeBinary, insert
from sqlmodel import Field, col, func, select

from ledger_node.database import Database, StateTable, table_of, upsert
from ledger_node.hashing import SALT_BYTES, commitment

HEARD_MAX = 100
"""How many reasons of one party about one record are kept: more than any honest trade has."""


class ReasonRow(StateTable, table=True):
    """One reason typed here; `about` is the ledger's key of the record, `idempotency_key` that of its submission."""

    __tablename__ = "reason"
    commitment: str = Field(primary_key=True)
    salt: bytes = Field(sa_type=LargeBinary)
    text: str
    about: str = Field(default="", index=True, sa_column_kwargs={"server_default": ""})
    idempotency_key: str = Field(default="", sa_column_kwargs={"server_default": ""})


class HeardReasonRow(StateTable, table=True):
    """One reason that another party typed, as its node told it."""

    __tablename__ = "heard_reason"
    commitment: str = Field(primary_key=True)
    salt: bytes = Field(sa_type=LargeBinary)
    text: str
    about: str = Field(index=True)
    party: str = Field(primary_key=True)
    type: str
    transaction_id: str


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


@dataclass(frozen=True, slots=True)
class Said:
    """A reason with what it was typed for: who did, by which command, in which transaction."""

    commitment: str
    salt: bytes
    text: str
    about: str
    party: str
    type: str
    transaction_id: str


def new_reason(text: str) -> Reason:
    """A reason just typed, with a fresh salt; it is not kept yet."""
    return Reason(secrets.token_bytes(SALT_BYTES), text)


class Reasons:
    """Reasons, in the state database.

    Args:
        database: the state database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def insertion(self, reason: Reason, about: str = "", idempotency_key: str = "") -> Executable:
        """The statement that keeps a reason, to run in the very transaction that queues its command.

        Args:
            reason: as it was typed.
            about: the ledger's key of the invoice that it is about; empty for what is about none.
            idempotency_key: of the submission.
        """
        row = {"commitment": reason.commitment, "salt": reason.salt, "text": reason.text}
        return insert(table_of(ReasonRow)).values(row | {"about": about, "idempotency_key": idempotency_key})

    def get(self, commitment: str) -> Reason | None:
        """The reason behind a commitment; None when nobody typed it here, and no other party has told it."""
        with self._database.read() as session:
            heard = select(HeardReasonRow).where(HeardReasonRow.commitment == commitment)
            row = session.get(ReasonRow, commitment) or session.exec(heard).first()
        return None if row is None else Reason(row.salt, row.text)

    def typed_about(self, about: str) -> list[tuple[str, Reason]]:
        """What was typed here about a record: the idempotency key of each submission, and the reason."""
        with self._database.read() as session:
            rows = session.exec(select(ReasonRow).where(ReasonRow.about == about)).all()
        return [(row.idempotency_key, Reason(row.salt, row.text)) for row in rows]

    def hear(self, about: str, party: str, reasons: Sequence[Said]) -> int:
        """Keep what another party has told about a record, up to `HEARD_MAX` of its reasons in all.

        What is kept stays: a party that tells ever new reasons pushes out none that was heard before.

        Returns: how many were refused.
        """
        told = {said.commitment: said for said in reasons}
        of_party = (HeardReasonRow.about == about, HeardReasonRow.party == party)
        with self._database.write() as session:
            for known in session.exec(select(HeardReasonRow.commitment).where(*of_party)).all():
                told.pop(known, None)
            room = HEARD_MAX - session.exec(select(func.count()).select_from(HeardReasonRow).where(*of_party)).one()
            kept = list(told.values())[: max(0, room)]
            upsert(session.connection(), table_of(HeardReasonRow), [asdict(each) for each in kept], keep=True)
        return len(told) - len(kept)

    def heard_about(self, about: str) -> list[Said]:
        """What other parties have told about a record."""
        statement = select(HeardReasonRow).where(HeardReasonRow.about == about).order_by(col(HeardReasonRow.commitment))
        with self._database.read() as session:
            return [Said(**row.model_dump()) for row in session.exec(statement).all()]
