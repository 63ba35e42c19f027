"""A first page of invoices among a thousand and among a million: CPU of the question; JSON.

The rows of the read model are made directly, as the fold writes them, on SQLite. Each question is asked several times;
the median counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from ledger_node.database import Database, ReadModelSchema, ReadModelTable, table_of
from ledger_node.readmodel import ReadModel
from ledger_node.readmodel.counts import count_invoices
from ledger_node.readmodel.tables import SCHEMA_VERSION, InvoiceRow, RecordRow

ROWS_AT_ONCE = 10_000
STATUSES = ("registered", "approved", "settled", "settled", "settled", "settled")


def rows(first: int, count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Invoices of four suppliers over the days of some years, and their records."""
    invoices, kept = [], []
    for number in range(first, first + count):
        identity = f"{number * 2654435761 % 2**128:032x}"
        row = {
            "invoice_id": identity,
            "supplier": f"Supplier{number % 4}MSP",
            "buyer": f"Buyer{number % 7}MSP",
            "holder": f"Supplier{number % 4}MSP",
            "financier": "",
            "status": STATUSES[number % len(STATUSES)],
            "currency": "EUR",
            "amount_minor": number,
            "face_minor": number,
            "open_face_minor": number,
            "net_minor": 0,
            "discount_minor": 0,
            "issue_date": "2026-01-01",
            "due_date": "2026-12-31",
            "day": f"20{20 + number // 365_000 % 60:02}-{1 + number // 30_000 % 12:02}-{1 + number // 1000 % 28:02}",
            "duplicate_of": "",
        }
        invoices.append(row)
        value = json.dumps(row | {"facts": {"currency": "EUR"}, "more": "x" * 1200})
        place = {"block_number": number // 100, "transaction_id": "0" * 64}
        kept.append({"key": f"invoice/{identity}", "kind": "invoice", "value": value, **place})
    return invoices, kept


def median_cpu_milliseconds(ask: Callable[[], object], times: int) -> float:
    """Of one question; SQLite answers within the thread that asks."""
    taken = []
    for _ in range(times):
        began = time.thread_time()
        ask()
        taken.append(time.thread_time() - began)
    return round(1000 * statistics.median(taken), 2)


def measure(folder: Path, count: int, times: int) -> dict[str, float]:
    """Milliseconds of CPU of first pages among so many invoices."""
    with closing(Database(f"sqlite:///{folder / f'{count}.db'}")) as database:
        database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        for first in range(0, count, ROWS_AT_ONCE):
            invoices, kept = rows(first, min(ROWS_AT_ONCE, count - first))
            with database.write() as session:
                count_invoices(session.connection(), {(row["invoice_id"],): row for row in invoices})
                session.connection().execute(insert(table_of(InvoiceRow)), invoices)
                session.connection().execute(insert(table_of(RecordRow)), kept)
        model = ReadModel(database)
        return {
            "all, the latest first": median_cpu_milliseconds(lambda: model.invoices(), times),
            "of a supplier": median_cpu_milliseconds(lambda: model.invoices(supplier="Supplier1MSP"), times),
            "approved": median_cpu_milliseconds(lambda: model.invoices(status="approved"), times),
        }


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--times", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        figures = {count: measure(Path(temporary), count, options.times) for count in options.invoices}
    sys.stdout.write(json.dumps({"cpu_milliseconds": figures, "load": round(os.getloadavg()[0], 1)}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
