"""What each party tells of goods that left or were delivered, as the three-way match hears it: in ranges.

A party that contradicts itself (steps of one delivery that differ, two tellings under one number, an item that is
named and not counted) leaves open how much it means; what is left open is never taken for there, nor for missing. An
event that is told twice, and a thing with a serial number, are counted once; what was taken back, in whatever document,
never.
Source: EPCIS 2.0 (eventID, error declarations), CBV 2.0 section 8.9 (event hash), UBL 2.1 (despatch advice).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ledger_node.formats import cbv
from ledger_node.formats.facts import EventFacts, EventKind, GoodsFacts, TransportFacts
from ledger_node.formats.units import comparable

TELLING = (EventKind.DEPARTURE, EventKind.DELIVERY)
STRENGTH = ("gtin", "seller", "buyer", "order")
"""What items are compared by: the first of these that both name decides, whatever the others say."""
QUANTITY_CHARACTERS_MAX = 40
"""Of what counts anything; a number that is longer is left open."""
WAYS_MAX = 32
"""In so many ways (sets of schemes) the lines of an invoice may name their items; what is beyond is left open."""

Ids = frozenset[tuple[str, str]]
"""What an item is named by, (scheme, identifier), of all that items are compared by."""


@dataclass(frozen=True, slots=True)
class Told:
    """One document of transport events, and the party that submitted it."""

    submitter: str
    facts: TransportFacts


def ids_of(goods: GoodsFacts) -> Ids:
    """What an item is named by, of all that items are compared by."""
    named = (each for each in goods.identifiers if each[0] in STRENGTH or each[0].startswith("standard"))
    return frozenset((scheme, text.casefold()) for scheme, text in named)


class Items:
    """The lines of an invoice by the item that they bill: those that the strongest of their own identifiers joins.

    What others name alike joins none: else whoever names two items as one could make up for the one by the other.

    Attributes:
        lines: by item, in the invoice's order.
        beyond: items that are named in more ways than are looked at.
    """

    def __init__(self, lines: Sequence[GoodsFacts]) -> None:
        self.lines: dict[int, list[GoodsFacts]] = defaultdict(list)
        self.beyond: set[int] = set()
        self._ways: set[tuple[str, ...]] = set()
        self._buckets: dict[tuple[tuple[str, ...], str, str], dict[int, None]] = defaultdict(dict)
        items: dict[object, int] = {}
        for place, line in enumerate(lines):
            ids = ids_of(line)
            way = _by_strength({scheme for scheme, _ in ids})
            key = frozenset(each for each in ids if each[0] == way[0]) if way else place
            item = items.setdefault(key, place)
            self.lines[item].append(line)
            if way in self._ways or len(self._ways) < WAYS_MAX:
                self._ways.add(way)
                for scheme, text in ids:
                    self._buckets[way, scheme, text][item] = None
            else:
                self.beyond.add(item)

    def fitting(self, ids: Ids) -> list[Mapping[int, None]]:
        """Groups of items that goods named so may be of."""
        named: dict[str, list[str]] = defaultdict(list)
        for scheme, text in ids:
            named[scheme].append(text)
        found: list[Mapping[int, None]] = []
        for way in self._ways:
            scheme = next((each for each in way if each in named), "")
            keys = [(way, scheme, text) for text in named.get(scheme, ())]
            found += [self._buckets[key] for key in keys if key in self._buckets]
        return found


@dataclass
class _Tally:
    """What is told of goods named in one way: by step, type of event and kind of unit; or that it is left open."""

    amounts: dict[tuple[str, str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    is_open: bool = False


@dataclass
class Account:
    """What one party tells of goods that left, or of goods that were delivered."""

    submitter: str
    kind: EventKind
    schemes: set[str] = field(default_factory=set)
    counts_any: bool = False
    _tallies: dict[Ids, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    _by_item: dict[int, list[_Tally]] = field(default_factory=lambda: defaultdict(list))
    _open: set[int] = field(default_factory=set)

    def add(self, event: EventFacts, goods: GoodsFacts) -> None:
        """Take an entry in."""
        ids, quantity, unit = ids_of(goods), goods.quantity, goods.unit
        is_thing = any(scheme == "serial" for scheme, _ in goods.identifiers)
        self.schemes |= {scheme for scheme, _ in ids}
        if not quantity or len(quantity) > QUANTITY_CHARACTERS_MAX or Decimal(quantity) < 0:
            self._tallies[ids].is_open = True
            return
        self.counts_any = True
        kind, amount = comparable("1", "") if is_thing and Decimal(quantity) > 1 else comparable(quantity, unit)
        self._tallies[ids].amounts[event.biz_step, "" if is_thing else event.event_type, kind] += amount

    def leave_open(self, goods: Iterable[GoodsFacts]) -> None:
        """Take in that it is not known how much is meant."""
        for each in goods:
            self.schemes |= {scheme for scheme, _ in ids_of(each)}
            self._tallies[ids_of(each)].is_open = True

    def sum_up(self, items: Items) -> None:
        """Find the item that each entry is of; of what may be of several nothing is counted, and all are left open."""
        self._open |= items.beyond
        left_open: set[int] = set()  # by object: a group may be met as often as there are entries
        for ids, tally in self._tallies.items():
            groups = items.fitting(ids)
            first = {next(iter(group)) for group in groups}
            if len(first) == 1 and all(len(group) == 1 for group in groups):
                self._by_item[first.pop()].append(tally)
                continue
            for group in groups:
                if id(group) not in left_open:
                    left_open.add(id(group))
                    self._open.update(group)

    @property
    def names_any(self) -> bool:
        """Whether it tells of any item of the invoice."""
        return bool(self._by_item or self._open)

    def count(self, item: int, kind: str) -> tuple[Decimal, Decimal] | None:
        """How much it tells of an item at least and at most, in a kind of unit; None where that is left open.

        Steps that differ are the same goods told otherwise. Several types of event in one step may be the same goods,
        or may be others.
        """
        tallies = self._by_item.get(item, [])
        if item in self._open or any(tally.is_open for tally in tallies):
            return None
        steps: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for tally in tallies:
            for (step, event_type, of), amount in tally.amounts.items():
                if of != kind:
                    return None
                steps[step][event_type] += amount
        if not steps:
            return Decimal(0), Decimal(0)
        least = min(max(types.values()) for types in steps.values())
        return least, max(sum(types.values(), Decimal(0)) for types in steps.values())


def accounts_of(told: Sequence[Told]) -> tuple[list[Account], list[str]]:
    """What each party tells, and in words what a party has told only to take it back, or of harm."""
    taken_back = {
        (document.submitter, name)
        for document in told
        for event in document.facts.events
        if event.kind is EventKind.RETRACTED
        for name in _names(event)
    }
    found: dict[tuple[str, EventKind], Account] = {}
    things: set[object] = set()
    unmet: set[tuple[str, bool]] = set()
    for submitter, event, before in _events(told):
        is_taken_back = any((submitter, name) in taken_back for name in _names(event))
        if event.kind not in TELLING or is_taken_back:
            is_delivery = event.biz_step in cbv.DELIVERY_STEPS or event.kind is EventKind.DELIVERY
            is_adverse = is_delivery and event.disposition in cbv.ADVERSE_DISPOSITIONS
            if (is_taken_back or is_adverse) and any(goods.quantity for goods in event.goods):
                unmet.add((submitter, is_delivery))
            continue
        told_of = [goods for goods in event.goods if goods.quantity or ids_of(goods)]
        if not told_of:
            continue
        account = found.setdefault((submitter, event.kind), Account(submitter, event.kind))
        if before is not None:
            account.leave_open((*before.goods, *told_of))
            continue
        for goods in told_of:
            thing = (submitter, event.kind, event.biz_step, goods.identifiers)
            if thing not in things or not any(scheme == "serial" for scheme, _ in goods.identifiers):
                things.add(thing)
                account.add(event, goods)
    lacking = {
        submitter
        for submitter, is_delivery in unmet
        if not any(by == submitter and (kind is EventKind.DELIVERY or not is_delivery) for by, kind in found)
    }
    notes = [f"{each} tells only of goods that it took back, or that came to harm" for each in sorted(lacking)]
    return list(found.values()), notes


def _events(told: Sequence[Told]) -> Iterator[tuple[str, EventFacts, EventFacts | None]]:
    """Each event once with its submitter, and the one told before under its name that says something else of goods."""
    seen: dict[tuple[str, bool, object], EventFacts] = {}
    for document in told:
        for event in document.facts.events:
            names = [(document.submitter, event.kind in TELLING, name) for name in _names(event)]
            before = next((seen[name] for name in names if name in seen), None)
            for name in names:
                seen.setdefault(name, event)
            if before is None:
                yield document.submitter, event, None
            elif (before.kind, before.biz_step, before.goods) != (event.kind, event.biz_step, event.goods):
                yield document.submitter, event, before


def _names(event: EventFacts) -> list[object]:
    """What an event is known by: two that share any of it are one."""
    named = [("hash", event.event_hash), ("id", event.event_id)]
    if event.event_type == "DespatchAdvice":
        named += [("despatch advice", number) for number in event.shipment_references]
    return [name for name in named if name[1]] or [event]


def _by_strength(schemes: set[str]) -> tuple[str, ...]:
    return tuple([*(each for each in STRENGTH if each in schemes), *sorted(schemes - set(STRENGTH))])
