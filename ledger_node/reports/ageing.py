"""Ageing of open receivables: who is owed what, by how long it is past due on the ledger's day.

A part that was written off is owed still, but stands in a column of its own and in no bucket.
"""

from __future__ import annotations

from collections import defaultdict

from chaincode.money import days_between
from chaincode.records import Invoice
from ledger_node.reports.past import Past
from ledger_node.reports.tables import Row, Table, decimal

BUCKETS = (("not_due", 0), ("days_1_30", 30), ("days_31_60", 60), ("days_61_90", 90))
OLDEST = "days_over_90"
AMOUNTS = (*(name for name, _ in BUCKETS), OLDEST, "total", "written_off")
COLUMNS = ("holder", "currency", "invoices", *AMOUNTS)


def ageing(past: Past, holder: str = "") -> Table:
    """Open receivables by holder and currency.

    Args:
        holder: one of them; all when empty.
    """
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(("invoices", *AMOUNTS), 0))
    for invoice in past.of(Invoice):
        if invoice.open_face_minor and holder in ("", invoice.holder):
            of = sums[invoice.holder, invoice.facts.currency]
            open_minor = invoice.open_face_minor - invoice.written_off_minor
            of["invoices"] += 1
            of[_bucket(invoice.due_date, past.day)] += open_minor
            of["total"] += open_minor
            of["written_off"] += invoice.written_off_minor
    rows = [_row(name, currency, of) for (name, currency), of in sorted(sums.items())]
    return Table("ageing", past.block_number, past.day, COLUMNS, tuple(rows))


def _bucket(due_date: str, day: str) -> str:
    late = days_between(due_date, day)
    return next((name for name, days_max in BUCKETS if late <= days_max), OLDEST)


def _row(holder: str, currency: str, of: dict[str, int]) -> Row:
    amounts = {name: decimal(of[name], currency) for name in AMOUNTS}
    return {"holder": holder, "currency": currency, "invoices": str(of["invoices"]), **amounts}
