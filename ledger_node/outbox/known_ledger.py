"""Which ledger the commands of an outbox are for: the hash of its block 0, remembered with them in the state database.

A node that is pointed at another channel, or whose ledger was made anew, must not send what waits there: it was meant
for other balances. The contract's command ids do not help, since that ledger has never seen them.
"""

from __future__ import annotations

import threading
from contextlib import closing

from sqlmodel import Field

from ledger_node.database import Database, StateTable, insert_new, table_of
from ledger_node.errors import ProjectionError
from ledger_node.ledger.interface import BlockMissing, Ledger


class KnownLedgerRow(StateTable, table=True):
    """One row: the hash of block 0 of the ledger that this node writes to, 64 hex digits."""

    __tablename__ = "known_ledger"
    id: int = Field(primary_key=True)
    genesis_hash: str


def require_known_ledger(database: Database, ledger: Ledger) -> bool:
    """Compare a ledger with the one that the outbox is for, or remember it at the first time.

    A peer that joined by a snapshot has no block 0 to show; then the projector's own check of the last block has to do.

    Args:
        database: the state database.
        ledger: which is about to be written to.

    Returns: whether it is known now; a ledger without blocks is not.

    Raises: ProjectionError when it is another one; LedgerError when it does not answer.
    """
    with database.read() as session:
        known = session.get(KnownLedgerRow, 0)
    if not ledger.height():
        if known is not None:
            raise _another("the ledger has no blocks")
        return False
    try:
        with closing(ledger.blocks(0, threading.Event())) as blocks:
            genesis_hash = next(blocks).hash
    except BlockMissing:
        return True
    if known is None:
        with database.write() as session:
            insert_new(session.connection(), table_of(KnownLedgerRow), {"id": 0, "genesis_hash": genesis_hash})
        return True
    if known.genesis_hash != genesis_hash:
        raise _another(f"block 0 of the ledger is {genesis_hash}, not {known.genesis_hash}")
    return True


def _another(text: str) -> ProjectionError:
    return ProjectionError(
        f"{text}: it is another ledger than the one that this node's commands are for",
        "Look at channel and peer_endpoint in node.toml. For another ledger make another node folder: ledger-node init",
    )
