"""What follows from an invoice's lines: net amounts, VAT by category and rate, and the amount due, as EN 16931 sums.

Decimals throughout, rounded half up to the currency's places and never to more than two, each amount once.
Source: EN 16931-1 (BR-CO-10, BR-CO-13 to 17, BR-DEC rules).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from chaincode.money import Money
from ledger_node.errors import BadRequest
from ledger_node.issuing.draft import CENTS, InvoiceDraft

AMOUNT_MAX = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Taxed:
    """What is taxed alike: category, rate in percent ("" of what is not subject to VAT), net amount and VAT."""

    category: str
    rate: str
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Sums:
    """Amounts in the invoice's currency, each with the places that it is written with."""

    lines: tuple[Decimal, ...]
    taxed: tuple[Taxed, ...]
    net: Decimal
    vat: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal


def sums(draft: InvoiceDraft) -> Sums:
    """All amounts of an invoice.

    Raises: BadRequest where nothing is due, or more than can be written.
    """
    places = min(Money(0, draft.currency).exponent, CENTS)
    cent = Decimal(1).scaleb(-places)

    def rounded(amount: Decimal) -> Decimal:
        return amount.quantize(cent, ROUND_HALF_UP)

    amounts = [Decimal(line.quantity) * Decimal(line.price) for line in draft.lines]
    if sum(amounts) >= AMOUNT_MAX:
        raise BadRequest(f"the lines make more than {AMOUNT_MAX:f}", "lines: split it into several invoices.")
    lines = tuple(map(rounded, amounts))
    nets: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line, net in zip(draft.lines, lines, strict=True):
        nets[line.vat_category, rate_of(line.vat_category, line.vat_rate)] += net
    taxed = tuple(
        Taxed(category, rate, net, rounded(net * Decimal(rate or 0) / 100)) for (category, rate), net in nets.items()
    )
    net, vat = sum(lines, Decimal(0)), sum((each.vat for each in taxed), Decimal(0))
    paid = Decimal(draft.paid or 0)
    if paid != rounded(paid):
        raise BadRequest(f"paid: {draft.paid} has more than {places} decimal places", "Write it as the money was paid.")
    due = net + vat - paid
    if due <= 0:
        text = f"nothing is due: the lines and their VAT make {net + vat}, and paid is {rounded(paid)}"
        raise BadRequest(text, "Look at lines.price, lines.quantity and paid; what is owed back is a credit note.")
    return Sums(lines, taxed, rounded(net), rounded(vat), rounded(net + vat), rounded(paid), rounded(due))


def rate_of(category: str, rate: str) -> str:
    """The rate as it is written: without zeros at its end, so that what is taxed alike is one."""
    if category == "O":
        return ""
    return f"{Decimal(rate or 0).normalize():f}"
