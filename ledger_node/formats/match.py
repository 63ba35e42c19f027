"""The three-way match: what an invoice bills against what is told to have left and to have been delivered.

Each party that tells of goods is heard for itself, and the least that any of them tells is what came: a match finds
what is missing, and never makes up for it. An item came in full only if every party that counts goods says so of it.
What cannot be compared (other identifiers, other units, nothing counted, told in two ways) is unclear, which is not the
same as missing. Pure.
Source: GSCFF's three-way match (invoice, despatch, receipt); UN/ECE Recommendation 20.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, localcontext

from ledger_node.formats.accounts import TELLING, Account, Items, Told, accounts_of, ids_of
from ledger_node.formats.event_identity import digital_link
from ledger_node.formats.facts import EventFacts, EventKind, GoodsFacts, InvoiceFacts, TransportFacts
from ledger_node.formats.units import comparable

FULL, PART, UNCLEAR = "full", "part", "unclear"
BASIS_POINTS = 10_000
_GLN = "https://id.gs1.org/414/"
# More digits than any sum of quantities has, each of at most 26: nothing is rounded.
_EXACT = Context(prec=80)


@dataclass(frozen=True, slots=True)
class Row:
    """One item of an invoice: the lines that bill it, how much, and how much left and came by what is told.

    Quantities are in the first unit of their kind, None where nobody tells, at most what is told where that is left
    open; `state` is "full", "part" or "unclear", and `is_sure` that nothing of it is left open.
    """

    lines: tuple[str, ...]
    item: str
    unit: str
    billed: Decimal | None
    despatched: Decimal | None
    delivered: Decimal | None
    state: str
    short_bps: int = 0
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Match:
    """What was found: "part" if anything that is billed is missing, else "unclear" if anything cannot be compared.

    `short_bps` is what is missing of the item that lacks most, in basis points of what is billed; `off_days` how far
    the last delivery is from the day that the invoice names; `notes` say what else does not fit.
    """

    verdict: str
    short_bps: int
    off_days: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def unclear(self) -> bool:
        """Whether anything cannot be told, whatever the verdict."""
        return bool(self.notes) or any(row.state == UNCLEAR or not row.is_sure for row in self.rows)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that the verdict is about: those that lack something, or those that cannot be compared."""
        return tuple(line for row in self.rows if row.state == self.verdict != FULL for line in row.lines)


def counts_goods(facts: TransportFacts) -> bool:
    """Whether a document counts goods that left or were delivered, so that an invoice can be matched with it."""
    return any(goods.quantity for event in facts.events if event.kind in TELLING for goods in event.goods)


def match_goods(invoice: InvoiceFacts, told: Sequence[Told]) -> Match | None:
    """Match an invoice with what is told of its goods.

    Args:
        invoice: what it says.
        told: the documents of transport events for it.

    Returns: None when none of them counts goods.
    """
    with localcontext(_EXACT):
        accounts, notes = accounts_of(told)
        if not any(account.counts_any for account in accounts):
            return None
        items = Items(invoice.goods)
        for account in accounts:
            account.sum_up(items)
        rows = tuple(_row(item, lines, accounts) for item, lines in items.lines.items())
    strangers = {account.submitter for account in accounts if not account.names_any}
    notes += [f"{each} tells of goods of which no line of the invoice names any" for each in sorted(strangers)]
    notes += [] if invoice.goods else ["the invoice has no lines"]
    events = [event for each in told for event in each.facts.events if event.kind in TELLING]
    deliveries = [event for event in events if event.kind is EventKind.DELIVERY]
    notes += _places(invoice, deliveries) + _others(invoice, events)
    states = {row.state for row in rows}
    verdict = PART if PART in states else UNCLEAR if UNCLEAR in states or notes else FULL
    return Match(
        verdict, max((row.short_bps for row in rows), default=0), _off(invoice, deliveries), rows, tuple(notes)
    )


def _row(item: int, lines: list[GoodsFacts], accounts: Sequence[Account]) -> Row:
    called = next((f"{scheme} {text}" for line in lines for scheme, text in line.identifiers), "")
    ids = tuple(line.line for line in lines)
    kinds = {comparable("0", line.unit)[0] for line in lines}
    if len(kinds) > 1 or not all(line.quantity and Decimal(line.quantity) > 0 for line in lines):
        return Row(ids, called, "", None, None, None, UNCLEAR, is_sure=False)
    (kind,) = kinds
    billed = sum((comparable(line.quantity, line.unit)[1] for line in lines), Decimal(0))
    schemes = {scheme for line in lines for scheme, _ in ids_of(line)}
    # Who names items by no scheme that these lines have says nothing of them; who does has left out what is missing.
    telling = [account for account in accounts if not account.schemes.isdisjoint(schemes)]
    counts = [(account.kind, counted) for account in telling if (counted := account.count(item, kind)) is not None]
    left, came = (_most(counts, each) for each in TELLING)
    row = (ids, called, kind, billed, left, came)
    can_tell = len(counts) == len(accounts) and all(least == most for _, (least, most) in counts)
    told = min((each for each in (left, came) if each is not None), default=billed)
    if told < billed:
        missing = (billed - told) / billed * BASIS_POINTS
        return Row(*row, PART, int(missing.to_integral_value(ROUND_CEILING)), is_sure=can_tell)
    is_full = len(counts) == len(accounts) and all(least >= billed for _, (least, _) in counts)
    return Row(*row, FULL if is_full else UNCLEAR, is_sure=is_full)


def _most(counts: Iterable[tuple[EventKind, tuple[Decimal, Decimal]]], kind: EventKind) -> Decimal | None:
    """The least that any party tells in events of a kind, where each means as much as it can."""
    return min((most for of, (_, most) in counts if of is kind), default=None)


def _off(invoice: InvoiceFacts, deliveries: Sequence[EventFacts]) -> int:
    """Days between the last delivery and the day that the invoice names, 0 where either is not told."""
    if invoice.delivered_on is None or not deliveries:
        return 0
    last = max(datetime.date.fromisoformat(event.day) for event in deliveries)
    return abs((last - invoice.delivered_on).days)


def _places(invoice: InvoiceFacts, deliveries: Sequence[EventFacts]) -> list[str]:
    """What is told of another place than the invoice names, where both are told by their GLN."""
    links = [digital_link(event.location) for event in deliveries]
    found = {link.removeprefix(_GLN).split("/")[0] for link in links if link.startswith(_GLN)}
    if not invoice.delivered_to or not found or invoice.delivered_to in found:
        return []
    return [f"delivered to {', '.join(sorted(found))}, billed as delivered to {invoice.delivered_to}"]


def _others(invoice: InvoiceFacts, events: Sequence[EventFacts]) -> list[str]:
    """Whether goods are told of other orders, or other despatches, than the invoice names."""
    own = [_folded([invoice.order_reference]), _folded(invoice.shipment_references)]
    for event in events:
        told = [_folded(event.order_references), _folded(event.shipment_references)]
        compared = [mine.isdisjoint(theirs) for mine, theirs in zip(own, told, strict=True) if mine and theirs]
        if compared and all(compared) and any(goods.quantity for goods in event.goods):
            return ["goods are told of other orders or despatches than those that the invoice names"]
    return []


def _folded(references: Iterable[str]) -> set[str]:
    return {each.casefold() for each in references if each}
