"""Totals of open receivables by buyer, supplier, and the groups of both: where the money is concentrated.

Each scope adds up to the same sum. A part that was written off is owed still, but counted in a column of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from chaincode.records import Facility, Invoice, Party
from chaincode.rules.facilities import terms_on
from chaincode.rules.settlement import in_time_until, payable_minor
from ledger_node.reports.past import Past
from ledger_node.reports.tables import Table, decimal

AMOUNTS = ("open", "early_paid", "overdue", "written_off")
COLUMNS = ("scope", "name", "currency", "invoices", *AMOUNTS)


def totals(past: Past, holder: str = "") -> Table:
    """What is open, by scope, name and currency.

    Args:
        holder: whose receivables; all when empty.
    """
    groups = {party.msp_id: party.group_id for party in past.of(Party)}
    facilities = {one.facility_id: terms_on(one, past.day) for one in past.of(Facility)}
    sums: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(("invoices", *AMOUNTS), 0))
    for invoice in past.of(Invoice):
        if not invoice.open_face_minor or holder not in ("", invoice.holder):
            continue
        paid_out_of = facilities[invoice.early_payment.facility_id] if invoice.early_payment else None
        open_minor = payable_minor(invoice)
        for scope, name in _scopes(invoice, groups):
            of = sums[scope, name, invoice.facts.currency]
            of["invoices"] += 1
            of["open"] += open_minor
            of["early_paid"] += open_minor if paid_out_of else 0
            of["overdue"] += open_minor if in_time_until(invoice, paid_out_of) < past.day else 0
            of["written_off"] += invoice.written_off_minor
    rows = tuple(
        {"scope": scope, "name": name, "currency": currency, "invoices": str(of["invoices"])}
        | {column: decimal(of[column], currency) for column in AMOUNTS}
        for (scope, name, currency), of in sorted(sums.items())
    )
    return Table("totals", past.block_number, past.day, COLUMNS, rows)


def _scopes(invoice: Invoice, groups: dict[str, str]) -> Iterator[tuple[str, str]]:
    for role, msp_id in (("buyer", invoice.buyer), ("supplier", invoice.supplier)):
        yield role, msp_id
        yield f"{role} group", groups[msp_id]
