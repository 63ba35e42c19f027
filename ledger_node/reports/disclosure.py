"""Supplier finance disclosure of a buyer, as far as the ledger knows it, with the buyer's own figures beside it.

IAS 7.44H asks for the terms of the arrangements (a), the carrying amount of the liabilities that are part of them
(b i), the part whose suppliers have been paid by a finance provider (b ii), the range of due dates of those liabilities
and of comparable ones (b iii), and the non-cash changes (c). A liability is taken as part of an arrangement when its
supplier is named by a facility on this buyer, or a financier has paid it. The ledger knows the liabilities that the
buyer has approved on it and nothing else: what else the buyer owes is for its own figures. Source: IAS 7 paragraphs 44F
to 44H (2023).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from chaincode.money import Money, days_between
from chaincode.records import Facility, Invoice
from chaincode.rules.facilities import terms_on
from ledger_node.errors import BadRequest
from ledger_node.reports.past import Entry, Past
from ledger_node.reports.payments import all_early_paid
from ledger_node.reports.tables import Row, Table, decimal

COLUMNS = (
    "paragraph", "item", "currency", "amount", "liabilities", "days_min", "days_max", "due_from", "due_to", "text",
    "source",
)  # fmt: skip
FIGURES = ("paragraph", "item", "currency", "amount", "days_min", "days_max", "text")
FIGURES_MAX = 1_000


def disclosure(past: Past, buyer: str, from_day: str) -> Table:
    """What the ledger knows for a buyer's disclosure at the ledger's day.

    Args:
        buyer: MSP id.
        from_day: the first day of the period whose changes are shown.
    """
    facilities = [terms_on(facility, past.day) for facility in past.of(Facility) if facility.buyer == buyer]
    invoices = [invoice for invoice in past.of(Invoice) if invoice.buyer == buyer]
    suppliers = {supplier for facility in facilities for supplier in facility.suppliers}
    part = [invoice for invoice in invoices if invoice.supplier in suppliers or invoice.funded_on]
    other = [invoice for invoice in invoices if invoice not in part]
    rows = [_terms(facility) for facility in facilities]
    for currency in sorted({invoice.facts.currency for invoice in invoices}):
        of_part = _owed(part, currency)
        rows.append(_liabilities("44H(b)(i)", "part of supplier finance arrangements", of_part, currency))
        paid = [invoice for invoice in of_part if invoice.early_payment]
        rows.append(_liabilities("44H(b)(ii)", "of these, suppliers already paid", paid, currency))
        rows.append(_liabilities("44H(b)(iii)", "not part of arrangements", _owed(other, currency), currency))
        rows += _changes(past, part, currency, from_day)
    return Table("disclosure", past.block_number, past.day, COLUMNS, tuple(rows))


def _owed(invoices: Sequence[Invoice], currency: str) -> list[Invoice]:
    return [invoice for invoice in invoices if invoice.open_face_minor and invoice.facts.currency == currency]


def _terms(facility: Facility) -> Row:
    text = (
        f"facility {facility.facility_id} of {facility.financier}: {facility.status}, {facility.deposit}, "
        f"tenor {facility.tenor_days_min} to {facility.tenor_days_max} days, recourse {facility.recourse}"
    )
    return _row("44H(a)", "terms and conditions", "", text=text)


def _liabilities(paragraph: str, item: str, invoices: Sequence[Invoice], currency: str) -> Row:
    """A carrying amount, and its due dates: as days after the invoice date, and as dates."""
    amount = decimal(sum(invoice.open_face_minor for invoice in invoices), currency)
    if not invoices:
        return _row(paragraph, item, currency, amount=amount, liabilities="0")
    days = [days_between(invoice.facts.issue_date, invoice.due_date) for invoice in invoices]
    dates = [invoice.due_date for invoice in invoices]
    return _row(
        paragraph,
        item,
        currency,
        amount=amount,
        liabilities=str(len(invoices)),
        days_min=str(min(days)),
        days_max=str(max(days)),
        due_from=min(dates),
        due_to=max(dates),
    )


def _changes(past: Past, part: Sequence[Invoice], currency: str, from_day: str) -> Iterator[Row]:
    """How the carrying amount came from the opening to the closing one; what moved no cash is said to be so."""
    wanted = {invoice.invoice_id for invoice in part if invoice.facts.currency == currency}
    moves = [entry for entry in past.entries() if entry["book"] == "obligation" and entry["invoice_id"] in wanted]
    in_period = [entry for entry in moves if entry["day"] >= from_day]
    taken = sum(
        paid.discount_minor
        for paid in all_early_paid(past)
        if paid.source == "buyer" and paid.invoice_id in wanted and paid.day >= from_day
    )
    approved, voided, outside = (_sum(in_period, step) for step in ("approve", "void_approval", "paid_outside"))
    discharged = _sum([entry for entry in in_period if entry["debit"].startswith("pay:")], "discharge")
    opening = -sum(_owing(entry) for entry in moves if entry["day"] < from_day)
    for paragraph, item, amount in (
        ("", "opening carrying amount", opening),
        ("44H(c)", "non-cash: approved", approved),
        ("44H(c)", "non-cash: approvals void (disputes, credit notes, withdrawals)", -voided),
        ("44H(c)", "non-cash: discounts taken for early payment", -taken),
        ("", "paid in deposits", taken - discharged),
        ("", "paid outside the ledger", -outside),
        ("", "closing carrying amount", opening + approved - voided - discharged - outside),
    ):
        yield _row(paragraph, item, currency, amount=decimal(amount, currency))


def _sum(entries: Sequence[Entry], step: str) -> int:
    return sum(int(entry["amount_minor"]) for entry in entries if entry["step"] == step)


def _owing(entry: Entry) -> int:
    """What a movement adds to `pay:`, debit minus credit."""
    amount = int(entry["amount_minor"])
    sides = int(entry["debit"].startswith("pay:")) - int(entry["credit"].startswith("pay:"))
    return amount * sides


def _row(paragraph: str, item: str, currency: str, **more: str) -> Row:
    named = {"paragraph": paragraph, "item": item, "currency": currency, "source": "ledger"}
    return dict.fromkeys(COLUMNS, "") | named | more


def read_figures(text: str) -> list[Row]:
    """Read a buyer's own figures: JSON (a list of objects) or CSV with a line of names.

    Args:
        text: with the fields of FIGURES; `item` in every line, `currency` wherever there is an `amount`.

    Returns: rows as the disclosure has them, of source "buyer".
    Raises: BadRequest naming the line and what is wrong with it.
    """
    lines = _json_lines(text) if text.lstrip().startswith(("[", "{")) else _csv_lines(text)
    if len(lines) > FIGURES_MAX:
        raise BadRequest(f"{len(lines)} figures are more than {FIGURES_MAX}", "Sum them up.")
    return [_figure(number, line) for number, line in enumerate(lines, start=1)]


def _json_lines(text: str) -> list[dict[str, Any]]:
    try:
        figures = json.loads(text)
    except ValueError as error:
        raise BadRequest(f"the figures are not JSON: {error}", "Write a list of objects, or CSV.") from error
    if not isinstance(figures, list) or not all(isinstance(figure, dict) for figure in figures):
        raise BadRequest("the figures are no list of objects", 'Write them as [{"item": "…", …}].')
    return figures


def _csv_lines(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def _figure(number: int, line: dict[str, Any]) -> Row:
    remedy = f"The fields are: {', '.join(FIGURES)}; amounts are decimal strings such as 1234.50."
    wrong = [str(name) for name, value in line.items() if name not in FIGURES or not isinstance(value, str)]
    if wrong or not line.get("item"):
        fault = f"has no text under {wrong[0]}, or no such field" if wrong else "has no item"
        raise BadRequest(f"figure {number} {fault}", remedy)
    try:
        if line.get("amount"):
            Money.parse(line["amount"], line.get("currency", ""))
        for name in ("days_min", "days_max"):
            if line.get(name):
                int(line[name])
    except ValueError as error:
        raise BadRequest(f"figure {number}: {error}", remedy) from error
    return _row("", "", "") | line | {"source": "buyer"}
