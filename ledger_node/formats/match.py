"""The three-way match: what an invoice bills against what is told to have left and to have been delivered.

Each party that tells of goods is heard for itself, and the least that any of them tells is what came: a match finds
what is missing, and never makes up for it. A party that tells of one delivery in several steps (received, accepted) has
delivered it once, and a thing with a serial number is one however often it is told. What cannot be compared (other
identifiers, other units, nothing counted) is unclear, which is not the same as missing. Pure.
Source: GSCFF's three-way match (invoice, despatch, receipt); UN/ECE Recommendation 20.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context, Decimal, localcontext

from ledger_node.formats.event_identity import digital_link
from ledger_node.formats.facts import EventFacts, EventKind, GoodsFacts, InvoiceFacts, TransportFacts
from ledger_node.formats.units import comparable

FULL, PART, UNCLEAR = "full", "part", "unclear"
BASIS_POINTS = 10_000
_STRENGTH = ("gtin", "seller", "buyer", "order")
"""What items are compared by: the first of these that both name decides, whatever the others say."""
_TELLING = (EventKind.DEPARTURE, EventKind.DELIVERY)
_GLN = "https://id.gs1.org/414/"
# More digits than any sum of quantities has, each of at most 26: nothing is rounded.
_EXACT = Context(prec=80)

Ids = dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Told:
    """One document of transport events, and the party that submitted it."""

    submitter: str
    facts: TransportFacts


@dataclass(frozen=True, slots=True)
class Row:
    """One item of an invoice: the lines that bill it, how much, and how much left and came by what is told.

    Quantities are in the first unit of their kind, None where nobody tells; `state` is "full", "part" or "unclear".
    """

    lines: tuple[str, ...]
    item: str
    unit: str
    billed: Decimal | None
    despatched: Decimal | None
    delivered: Decimal | None
    state: str
    short_bps: int = 0


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
        return bool(self.notes) or any(row.state == UNCLEAR for row in self.rows)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that the verdict is about: those that lack something, or those that cannot be compared."""
        return tuple(line for row in self.rows if row.state == self.verdict != FULL for line in row.lines)


def counts_goods(facts: TransportFacts) -> bool:
    """Whether a document counts goods that left or were delivered, so that an invoice can be matched with it."""
    return any(goods.quantity for event in facts.events if event.kind in _TELLING for goods in event.goods)


def match_goods(invoice: InvoiceFacts, told: Sequence[Told]) -> Match | None:
    """Match an invoice with what is told of its goods.

    Args:
        invoice: what it says.
        told: the documents of transport events for it.

    Returns: None when none of them counts goods.
    """
    with localcontext(_EXACT):
        accounts = _accounts(told)
        if not accounts:
            return None
        items = _Items(invoice.goods, accounts)
        for account in accounts:
            account.sum_up(items)
        rows = tuple(_row(item, lines, accounts) for item, lines in items.lines.items())
    strangers = [account.submitter for account in accounts if not account.totals]
    notes = [f"{each} tells of goods of which no line of the invoice names any" for each in sorted(set(strangers))]
    notes += [] if invoice.goods else ["the invoice has no lines"]
    deliveries = [event for each in told for event in each.facts.events if event.kind is EventKind.DELIVERY]
    notes += _places(invoice, deliveries)
    states = {row.state for row in rows}
    verdict = PART if PART in states else UNCLEAR if UNCLEAR in states or notes else FULL
    return Match(
        verdict, max((row.short_bps for row in rows), default=0), _off(invoice, deliveries), rows, tuple(notes)
    )


@dataclass
class _Account:
    """What one party tells of one kind of event, step by step: what each entry's item is named by, and the entry."""

    submitter: str
    kind: EventKind
    entries: list[tuple[str, Ids, GoodsFacts]] = field(default_factory=list)
    schemes: set[str] = field(default_factory=set)
    totals: dict[int, dict[str, dict[str, Decimal]]] = field(default_factory=dict)

    def add(self, step: str, goods: GoodsFacts) -> None:
        """Take an entry in."""
        ids = _ids(goods)
        self.entries.append((step, ids, goods))
        self.schemes |= set(ids)

    def sum_up(self, items: _Items) -> None:
        """Sum up what is told of each item, by step and kind of unit."""
        for step, ids, goods in self.entries:
            if (item := items.named_by(ids)) is not None:
                kind, quantity = comparable(goods.quantity, goods.unit)
                kinds = self.totals.setdefault(item, {}).setdefault(step, {})
                kinds[kind] = kinds.get(kind, Decimal(0)) + quantity

    def count(self, item: int, kind: str) -> Decimal | None:
        """How much it tells of an item: of the step that tells most; None in units that cannot be compared."""
        steps = self.totals.get(item, {}).values()
        if any(set(kinds) - {kind} for kinds in steps):
            return None
        return max((kinds[kind] for kinds in steps), default=Decimal(0))


class _Index:
    """Lines by what they name, so that goods find theirs without looking at all."""

    def __init__(self, lines: Sequence[Ids]) -> None:
        self._lines = lines
        self._by_id: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, ids in enumerate(lines):
            for scheme, values in ids.items():
                for value in values:
                    self._by_id[scheme, value].append(place)

    def named_by(self, ids: Ids) -> list[int]:
        """The lines that name the same item."""
        found = {place for scheme, values in ids.items() for value in values for place in self._by_id[scheme, value]}
        return sorted(place for place in found if _same(self._lines[place], ids))


def _accounts(told: Sequence[Told]) -> list[_Account]:
    """What each party tells that counts goods; an event that is told twice, and a thing, are counted once."""
    found: dict[tuple[str, EventKind], _Account] = {}
    seen: set[object] = set()
    for document in told:
        for event in document.facts.events:
            if event.kind not in _TELLING or (document.submitter, _name(event)) in seen:
                continue
            seen.add((document.submitter, _name(event)))
            for goods in event.goods:
                thing = (document.submitter, event.kind, event.biz_step, goods.identifiers)
                has_serial = any(scheme == "serial" for scheme, _ in goods.identifiers)
                if not goods.quantity or (has_serial and thing in seen):
                    continue
                seen.add(thing)
                account = found.setdefault((document.submitter, event.kind), _Account(document.submitter, event.kind))
                account.add(event.biz_step, goods)
    return list(found.values())


def _name(event: EventFacts) -> object:
    return event.event_hash or event.event_id or event


def _ids(goods: GoodsFacts) -> Ids:
    """What an item is named by, of all that items are compared by."""
    found: dict[str, set[str]] = defaultdict(set)
    for scheme, text in goods.identifiers:
        if scheme in _STRENGTH or scheme.startswith("standard"):
            found[scheme].add(text.casefold())
    return {scheme: frozenset(values) for scheme, values in found.items()}


def _same(one: Ids, other: Ids) -> bool:
    """Whether two name the same item: by the strongest scheme that both have."""
    for scheme in (*_STRENGTH, *sorted(one)):
        if scheme in one and scheme in other:
            return not one[scheme].isdisjoint(other[scheme])
    return False


class _Items:
    """The lines of an invoice by the item that they bill: those that name the same, or that some goods name alike."""

    def __init__(self, lines: Sequence[GoodsFacts], accounts: Sequence[_Account]) -> None:
        named = [_ids(line) for line in lines]
        self._index, self._parent = _Index(named), list(range(len(lines)))
        for ids in (*named, *(ids for account in accounts for _, ids, _ in account.entries)):
            first, *others = self._index.named_by(ids) or [-1]
            for other in others:
                self._parent[self._root(other)] = self._root(first)
        self.lines: dict[int, list[GoodsFacts]] = defaultdict(list)
        for place, line in enumerate(lines):
            self.lines[self._root(place)].append(line)

    def named_by(self, ids: Ids) -> int | None:
        """The item that goods are of, if the invoice bills it."""
        found = self._index.named_by(ids)
        return self._root(found[0]) if found else None

    def _root(self, place: int) -> int:
        while self._parent[place] != place:
            self._parent[place] = self._parent[self._parent[place]]
            place = self._parent[place]
        return place


def _row(item: int, lines: list[GoodsFacts], accounts: Sequence[_Account]) -> Row:
    called = next((f"{scheme} {text}" for line in lines for scheme, text in line.identifiers), "")
    ids = tuple(line.line for line in lines)
    kinds = {comparable("0", line.unit)[0] for line in lines}
    if len(kinds) > 1 or not all(line.quantity for line in lines):
        return Row(ids, called, "", None, None, None, UNCLEAR)
    (kind,) = kinds
    billed = sum((comparable(line.quantity, line.unit)[1] for line in lines), Decimal(0))
    schemes = {scheme for line in lines for scheme in _ids(line)}
    # Who names items by no scheme that these lines have says nothing of them; who does has left out what is missing.
    telling = [account for account in accounts if not account.schemes.isdisjoint(schemes)]
    counts = [(account.kind, account.count(item, kind)) for account in telling]
    left, came = (_least(counts, each) for each in _TELLING)
    row = (ids, called, kind, billed, left, came)
    least = min((each for each in (left, came) if each is not None), default=None)
    if billed <= 0:
        return Row(*row, FULL)
    if least is not None and least < billed:
        missing = (billed - least) / billed * BASIS_POINTS
        return Row(*row, PART, int(missing.to_integral_value(ROUND_CEILING)))
    can_tell = least is not None and all(counted is not None for _, counted in counts)
    return Row(*row, FULL if can_tell else UNCLEAR)


def _least(counts: Iterable[tuple[EventKind, Decimal | None]], kind: EventKind) -> Decimal | None:
    """The least that any party tells in events of a kind."""
    return min((counted for of, counted in counts if of is kind and counted is not None), default=None)


def _off(invoice: InvoiceFacts, deliveries: Sequence[EventFacts]) -> int:
    """Days between the last delivery and the day that the invoice names, 0 where either is not told."""
    if invoice.delivered_on is None or not deliveries:
        return 0
    last = max(datetime.date.fromisoformat(event.time[:10]) for event in deliveries)
    return abs((last - invoice.delivered_on).days)


def _places(invoice: InvoiceFacts, deliveries: Sequence[EventFacts]) -> list[str]:
    """What is told of another place than the invoice names, where both are told by their GLN."""
    links = [digital_link(event.location) for event in deliveries]
    found = {link.removeprefix(_GLN).split("/")[0] for link in links if link.startswith(_GLN)}
    if not invoice.delivered_to or not found or invoice.delivered_to in found:
        return []
    return [f"delivered to {', '.join(sorted(found))}, billed as delivered to {invoice.delivered_to}"]
