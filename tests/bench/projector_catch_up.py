"""How fast a read model is folded anew into SQLite from block 0; prints one JSON document.

The blocks are real: made by the contract on the embedded ledger, groups of shipment events as a node sends them. The
projector reads them from the ledger's file and writes the read model with its checkpoint; every fold, read and SQL
transaction is inside the clock. Writes are counted from the history in the read model.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Folders of tests carry the packages' names: with the root before them the real packages win.
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node" / "outbox"))
sys.path.insert(0, str(Path(__file__).parents[2]))

import sender as senders
from sqlalchemy import func
from sqlmodel import select

from ledger_node.config import Limits
from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.ledger.interface import Ledger
from ledger_node.readmodel import SCHEMA_VERSION
from ledger_node.readmodel.projector import Projector
from ledger_node.readmodel.tables import HistoryRow

COMMANDS_A_BLOCK = 500


def fill(ledger: Ledger, blocks: int) -> None:
    """Blocks of registered documents, as the outbox would send them."""
    for _ in range(blocks):
        bodies = [senders.document(secrets.token_hex(16)) for _ in range(COMMANDS_A_BLOCK)]
        commands = [{"command_id": secrets.token_hex(16), "type": "RegisterDocument", "body": body} for body in bodies]
        ledger.submit(ledger.prepare(json.dumps({"version": 1, "commands": commands}).encode()))


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=120)
    blocks = parser.parse_args().blocks
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ledgers = [EmbeddedLedger(folder / "ledger.db", name, b"certificate", senders.now) for name in "ABC"]
        senders.found(*ledgers)
        fill(ledgers[0], blocks)
        database = Database(f"sqlite:///{folder / 'readmodel.db'}")
        database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        projector = Projector(database, ledgers[0], Limits().projection_writes_max)
        cpu, began = time.process_time(), time.perf_counter()
        height = projector.catch_up()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        with database.read() as session:
            writes = session.exec(select(func.count()).select_from(HistoryRow)).one()
        figures: dict[str, Any] = {
            "blocks": height,
            "writes": writes,
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu_seconds, 2),
            "writes_per_second": round(writes / seconds),
            "writes_per_cpu_second": round(writes / cpu_seconds),
            "measured": dt.datetime.now(dt.UTC).date().isoformat(),
        }
        database.close()
        for ledger in ledgers:
            ledger.close()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
