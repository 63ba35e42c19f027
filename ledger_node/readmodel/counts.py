"""How many invoices fit what lists are narrowed down to, kept as they change: counting them would grow with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, select

from ledger_node.database import ROWS_A_STATEMENT_MAX, inserting, table_of
from ledger_node.readmodel.tables import INVOICE_FILTERS, InvoiceCountRow, InvoiceRow


def count_invoices(connection: Connection, rows: Mapping[tuple[str, ...], dict[str, Any]]) -> None:
    """Bring the counts to what they are once these invoices are written; to be called before they are.

    Args:
        connection: of the write transaction.
        rows: of `InvoiceRow`, by invoice id.
    """
    changes = Counter(tuple(row[name] for name in INVOICE_FILTERS) for row in rows.values())
    invoices, ids = table_of(InvoiceRow), [identity for (identity,) in rows]
    for start in range(0, len(ids), ROWS_A_STATEMENT_MAX):
        before = select(*(invoices.c[name] for name in INVOICE_FILTERS)).where(
            invoices.c.invoice_id.in_(ids[start : start + ROWS_A_STATEMENT_MAX])
        )
        changes.subtract(tuple(row) for row in connection.execute(before))
    counts = table_of(InvoiceCountRow)
    changed = [{**dict(zip(INVOICE_FILTERS, of, strict=True)), "number": by} for of, by in changes.items() if by]
    if not changed:
        return
    statement = inserting(connection.dialect.name, counts)
    more = {"number": counts.c.number + statement.excluded.number}
    connection.execute(statement.on_conflict_do_update(index_elements=INVOICE_FILTERS, set_=more), changed)
    connection.execute(delete(counts).where(counts.c.number == 0))  # as if they had never been: folds compare equal


def invoices_counted(given: Mapping[str, str]) -> Any:
    """The statement that counts the invoices whose columns are as given, each of INVOICE_FILTERS."""
    counts = table_of(InvoiceCountRow)
    total = func.coalesce(func.sum(counts.c.number), 0)
    return select(total).where(*(counts.c[name] == wanted for name, wanted in given.items()))
