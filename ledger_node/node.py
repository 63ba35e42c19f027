"""The composition root: settings in, one node out. The only place that chooses a ledger and wires the rooms.

`open_node` opens databases and files, starts no thread and no connection, so it may be called before a server forks.
`Node.start_workers` starts what must run once per node (a lock file proves it); web processes never call it.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger_node.config import Settings
from ledger_node.database import Database, ReadModelSchema, ReadModelTable, StateSchema, StateTable
from ledger_node.documents import Documents
from ledger_node.errors import ConfigError
from ledger_node.heartbeats import Heartbeats
from ledger_node.ledger import Ledger
from ledger_node.outbox import Outbox
from ledger_node.readmodel import SCHEMA_VERSION as READMODEL_VERSION
from ledger_node.readmodel import ReadModel
from ledger_node.tokens import Tokens
from ledger_node.vault import Vault

STATE_VERSION = 1
FINGERPRINT_KEY_BYTES = 32


@dataclass
class Node:
    """One organisation's node: its rooms, by name."""

    settings: Settings
    ledger: Ledger
    state: Database
    vault: Vault
    documents: Documents
    tokens: Tokens
    outbox: Outbox
    readmodel_database: Database
    readmodel: ReadModel
    heartbeats: Heartbeats
    fingerprint_key: bytes = field(repr=False)

    @property
    def msp_id(self) -> str:
        """Who this node is on the ledger."""
        return self.settings.msp_id

    def start_workers(self, stop: threading.Event) -> None:
        """Start outbox, projector, verifier and day opener in threads that end soon after `stop` is set.

        Raises: ConfigError when another process runs the workers of this node.
        """
        raise NotImplementedError

    def health(self) -> dict[str, Any]:
        """How the node is, for health pages: `{ok, block_number, day, outbox: {status: n}, workers: [...]}`."""
        beats = self.heartbeats.list()
        return {
            "ok": bool(beats) and all(beat.well for beat in beats),
            "msp_id": self.msp_id,
            "ledger": self.settings.ledger,
            "block_number": self.readmodel.block_number(),
            "day": self.readmodel.day(),
            "outbox": self.outbox.counts(),
            "workers": [beat.as_json() for beat in beats],
        }

    def close(self) -> None:
        """Wait for the workers, which must have been told to stop, and release everything; closing twice is fine."""
        self.ledger.close()
        self.state.close()
        self.readmodel_database.close()


def open_node(settings: Settings) -> Node:
    """Open a node: its databases (made when missing), its vault, its keys. Starts no thread and no connection.

    Args:
        settings: as `load_settings` gives them.

    Raises: ConfigError naming what is missing or does not fit.
    """
    key = _fingerprint_key(settings.at(settings.fingerprint_key_file))
    state = Database(settings.database_url(settings.state_database))
    readmodel_database = Database(settings.database_url(settings.readmodel_database))
    state.migrate(StateTable.metadata, StateSchema, STATE_VERSION)
    readmodel_database.migrate(ReadModelTable.metadata, ReadModelSchema, READMODEL_VERSION)
    return Node(
        settings=settings,
        ledger=_ledger(settings),
        state=state,
        vault=Vault(settings.at(settings.vault_dir), settings.limits.document_size_bytes_max),
        documents=Documents(state),
        tokens=Tokens(state, utc_now),
        outbox=Outbox(state, utc_now, settings.limits.batch_bytes_max - 1000),
        readmodel_database=readmodel_database,
        readmodel=ReadModel(readmodel_database),
        heartbeats=Heartbeats(state, utc_now),
        fingerprint_key=key,
    )


def utc_now() -> dt.datetime:
    """The clock of the node."""
    return dt.datetime.now(dt.UTC)


def _ledger(settings: Settings) -> Ledger:
    raise NotImplementedError


def _fingerprint_key(path: Path) -> bytes:
    """The consortium's key: 64 hex characters in a file that only the owner may read."""
    remedy = "Get it from another organisation of the consortium, or: ledger-node init --demo"
    try:
        mode, text = path.stat().st_mode, path.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the fingerprint key {path} cannot be read: {error}", remedy) from error
    if len(key) != FINGERPRINT_KEY_BYTES:
        raise ConfigError(f"the fingerprint key {path} has {len(key)} bytes, not {FINGERPRINT_KEY_BYTES}", remedy)
    if mode & 0o077:
        raise ConfigError(f"the fingerprint key {path} can be read by others", f"Run: chmod 600 {path}")
    return key
