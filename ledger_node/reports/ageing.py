"""Ageing of open receivables: who is owed what, by how long it is past its last day to be paid on the ledger's day.

That is the due date, or the business day after it, by the calendar of the facility that it was paid out of.

A part that was written off is owed still, but stands in a column of its own and in no bucket.
"""

from __future__ import annotations

from collections import defaultdict

from chaincode.money import days_between
from chaincode.records import Facility, Invoice
from chaincode.rules.facilities import terms_on
from chaincode.rules.settlement import in_time_until
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
    facilities = {one.facility_id: terms_on(one, past.day) for one in past.of(Facility)}
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(("invoices", *AMOUNTS), 0))
    for invoice in past.of(Invoice):
        if invoice.open_face_minor and holder in ("", invoice.holder):
            of = sums[invoice.holder, invoice.facts.currency]
            open_minor = invoice.open_face_minor - invoice.written_off_minor
            of["invoices"] += 1
            paid_out_of = facilities[invoice.early_payment.facility_id] if invoice.early_payment else None
            of[_bucket(in_time_until(invoice, paid_out_of), past.day)] += open_minor
            of["total"] += open_minor
            of["written_off"] += invoice.written_off_minor
    rows = [_row(name, currency, of) for (name, currency), of in sorted(sums.items())]
    return Table("ageing", past.block_number, past.day, COLUMNS, tuple(rows))


def _bucket(last_day: str, day: str) -> str:
    late = days_between(last_day, day)
    return next((name for name, days_max in BUCKETS if late <= days_max), OLDEST)


def _row(holder: str, currency: str, of: dict[str, int]) -> Row:
    amounts = {name: decimal(of[name], currency) for name in AMOUNTS}
    return {"holder": holder, "currency": currency, "invoices": str(of["invoices"]), **amounts}
