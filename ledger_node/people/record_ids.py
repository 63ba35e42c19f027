"""The secret of this node from which the ids of records are made, in the state database and so in its backups.

A request that is repeated makes the same id, whichever credential it comes with and on whichever machine the node is
restored; whoever does not have the secret cannot guess an id before it is on the ledger.
"""

from __future__ import annotations

import hmac
from functools import cached_property

from sqlmodel import Field

from ledger_node.database import Database, StateTable

RECORD_IDS = "record ids"


class SecretRow(StateTable, table=True):
    """A secret, by what it is for; the migrations make it."""

    __tablename__ = "secret"
    name: str = Field(primary_key=True)
    value: bytes


class RecordIds:
    """Ids of the records that this node makes.

    Args:
        database: the state database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def _key(self) -> bytes:
        with self._database.read() as session:
            row = session.get(SecretRow, RECORD_IDS)
        assert row is not None, "migrations make it"
        return row.value

    def derive(self, *what: str) -> str:
        """The id, 32 hex characters, that belongs to these texts, of which none holds a NUL."""
        return hmac.digest(self._key, "\x00".join(what).encode(), "sha256").hex()[:32]

    def page_key(self) -> bytes:
        """The 32 bytes that the cookies of this node's pages are signed with."""
        return hmac.digest(self._key, b"cookies of the pages", "sha256")
