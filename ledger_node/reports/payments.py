"""Early payments of a period, by a financier's money or the buyer's own, those that were taken back later included.

The yield of several payments is weighted by money and time: the discounts as a yearly rate on what was paid out, over
the days it was out: sum(discount x basis) x 10 000 / sum(net x days), rounded once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chaincode.money import BASIS, days_between, divide_half_up
from chaincode.records import DiscountOffer, Facility, Invoice
from ledger_node.reports.past import Past
from ledger_node.reports.tables import Row, Table, decimal

COLUMNS = (
    "paid_by",
    "source",
    "currency",
    "count",
    "face",
    "discount",
    "fees",
    "net",
    "yield_bps",
    "yield_with_fees_bps",
)


@dataclass(frozen=True, slots=True)
class EarlyPaid:
    """One early payment; amounts in minor units, `basis` the days of its year."""

    invoice_id: str
    supplier: str
    payer: str
    source: str
    currency: str
    day: str
    days: int
    basis: int
    face_minor: int
    discount_minor: int
    fee_minor: int
    net_minor: int
    transaction_id: str


def early_payments(past: Past, from_day: str = "", to_day: str = "") -> Table:
    """What was paid early, summed by payer and currency.

    Args:
        from_day, to_day: the first and the last day of the period; open ends when empty.
    """
    groups: dict[tuple[str, str, str], list[EarlyPaid]] = defaultdict(list)
    for paid in all_early_paid(past):
        if (not from_day or from_day <= paid.day) and (not to_day or paid.day <= to_day):
            groups[paid.payer, paid.source, paid.currency].append(paid)
    rows = [_row(*group, payments) for group, payments in sorted(groups.items())]
    return Table("early-payments", past.block_number, past.day, COLUMNS, tuple(rows))


def all_early_paid(past: Past) -> list[EarlyPaid]:
    """Every early payment there has been, in the order of the ledger."""
    day_counts = {facility.facility_id: facility.day_count for facility in past.of(Facility)}
    offers = {offer.invoice_id: offer.day_count for offer in past.of(DiscountOffer) if offer.day_count}
    early_paid: dict[tuple[str, str], EarlyPaid] = {}
    for invoice in past.discounted_invoices():
        for paid in _of_invoice(invoice, day_counts, offers):
            early_paid.setdefault((paid.invoice_id, paid.transaction_id), paid)
    return list(early_paid.values())


def _of_invoice(invoice: Invoice, day_counts: Mapping[str, str], offers: Mapping[str, str]) -> Iterator[EarlyPaid]:
    if funded := invoice.early_payment or invoice.taken_back:
        yield EarlyPaid(
            invoice_id=invoice.invoice_id,
            supplier=invoice.supplier,
            payer=funded.financier,
            source="financier",
            currency=invoice.facts.currency,
            day=funded.day,
            days=funded.days,
            basis=BASIS[day_counts[funded.facility_id]],
            face_minor=funded.net_minor + funded.discount_minor + funded.fee_minor,
            discount_minor=funded.discount_minor,
            fee_minor=funded.fee_minor,
            net_minor=funded.net_minor,
            transaction_id=funded.transaction_id,
        )
    settled = invoice.settlement
    if settled and settled.discount_minor:
        yield EarlyPaid(
            invoice_id=invoice.invoice_id,
            supplier=invoice.supplier,
            payer=invoice.buyer,
            source="buyer",
            currency=invoice.facts.currency,
            day=settled.day,
            days=days_between(settled.day, invoice.due_date),
            basis=BASIS[offers[invoice.invoice_id]],
            face_minor=settled.amount_minor + settled.discount_minor,
            discount_minor=settled.discount_minor,
            fee_minor=0,
            net_minor=settled.amount_minor,
            transaction_id=settled.transaction_id,
        )


def _row(payer: str, source: str, currency: str, payments: list[EarlyPaid]) -> Row:
    earned = sum(paid.discount_minor * paid.basis for paid in payments)
    with_fees = sum((paid.discount_minor + paid.fee_minor) * paid.basis for paid in payments)
    lent = sum(paid.net_minor * paid.days for paid in payments)
    return {
        "paid_by": payer,
        "source": source,
        "currency": currency,
        "count": str(len(payments)),
        "face": decimal(sum(paid.face_minor for paid in payments), currency),
        "discount": decimal(sum(paid.discount_minor for paid in payments), currency),
        "fees": decimal(sum(paid.fee_minor for paid in payments), currency),
        "net": decimal(sum(paid.net_minor for paid in payments), currency),
        "yield_bps": str(divide_half_up(earned * 10_000, lent)),
        "yield_with_fees_bps": str(divide_half_up(with_fees * 10_000, lent)),
    }
