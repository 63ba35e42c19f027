"""The maturity ladder: who is to be paid what, by how many days it is still until then on the ledger's day.

An invoice that was paid early is expected at its maturity, by its facility's grace and holidays; any other one on its
due date, or the business day after it. A part that was written off is not expected.
"""

from __future__ import annotations

from collections import defaultdict

from chaincode.money import days_between, maturity
from chaincode.records import Facility, Invoice
from chaincode.rules.facilities import terms_on
from chaincode.rules.settlement import in_time_until, payable_minor
from ledger_node.reports.past import Past
from ledger_node.reports.tables import Table, decimal

STEPS = (("days_0_7", 7), ("days_8_30", 30), ("days_31_60", 60), ("days_61_90", 90))
LAST = "days_over_90"
AMOUNTS = ("overdue", *(name for name, _ in STEPS), LAST, "total")
COLUMNS = ("holder", "currency", "invoices", *AMOUNTS)


def maturities(past: Past, holder: str = "") -> Table:
    """Open receivables by holder and currency.

    Args:
        holder: one of them; all when empty.
    """
    facilities = {one.facility_id: terms_on(one, past.day) for one in past.of(Facility)}
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(("invoices", *AMOUNTS), 0))
    for invoice in past.of(Invoice):
        if payable_minor(invoice) and holder in ("", invoice.holder):
            paid_out_of = facilities[invoice.early_payment.facility_id] if invoice.early_payment else None
            of = sums[invoice.holder, invoice.facts.currency]
            of["invoices"] += 1
            of[_step(invoice, paid_out_of, past.day)] += payable_minor(invoice)
            of["total"] += payable_minor(invoice)
    rows = tuple(
        {"holder": name, "currency": currency, "invoices": str(of["invoices"])}
        | {column: decimal(of[column], currency) for column in AMOUNTS}
        for (name, currency), of in sorted(sums.items())
    )
    return Table("maturities", past.block_number, past.day, COLUMNS, rows)


def _step(invoice: Invoice, facility: Facility | None, day: str) -> str:
    last = in_time_until(invoice, facility)
    if last < day:
        return "overdue"
    expected = maturity(invoice.due_date, facility.grace_days, facility.holidays) if facility else last
    days = days_between(day, expected)
    return next((name for name, days_max in STEPS if days <= days_max), LAST)
