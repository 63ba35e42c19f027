"""The three-way match: against an oracle that counts in another way, and case by case."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trade_papers import cii

from ledger_node.formats import EventFacts, EventKind, GoodsFacts, InvoiceFacts, TransportFacts
from ledger_node.formats.accounts import Told
from ledger_node.formats.match import Match, counts_goods, match_goods
from ledger_node.formats.ubl_cii import read_invoice

INVOICE = read_invoice(cii())
SUPPLIER, CARRIER, BUYER = "SupplierMSP", "CarrierMSP", "BuyerMSP"
GTINS = [f"{number:014d}" for number in (7611104117056, 7622204117051, 7311104114566)]
_NUMBERS = itertools.count()


def line(item: str, quantity: Any, unit: str = "EA", number: str = "", **other: str) -> GoodsFacts:
    """Goods by GTIN, or by what `other` names them."""
    named = {"gtin": item} if item else {}
    return GoodsFacts(number, tuple(sorted((named | other).items())), str(quantity), unit)


def event(
    kind: EventKind, *goods: GoodsFacts, step: str = "", on: str = "2026-10-30", place: str = "", own_day: str = ""
) -> EventFacts:
    """An event that is no other's twin."""
    number = f"event {next(_NUMBERS)}"
    return EventFacts(kind, "", number, on, "", step, "", place, (), (), (), (), goods=goods, own_day=own_day)


def left(*goods: GoodsFacts, by: str = SUPPLIER) -> Told:
    return Told(by, TransportFacts((event(EventKind.DEPARTURE, *goods),)))


def came(*goods: GoodsFacts, by: str = BUYER, **other: str) -> Told:
    return Told(by, TransportFacts((event(EventKind.DELIVERY, *goods, **other),)))


def billed(*goods: GoodsFacts, **other: Any) -> InvoiceFacts:
    numbered = [dataclasses.replace(each, line=each.line or str(place)) for place, each in enumerate(goods, 1)]
    return dataclasses.replace(INVOICE, goods=tuple(numbered), **other)


def matched(invoice: InvoiceFacts, *told: Told) -> Match:
    found = match_goods(invoice, told)
    assert found is not None
    return found


AMOUNT = st.integers(0, 40).map(lambda tenths: Fraction(tenths, 10))
BILLS = st.lists(st.tuples(st.sampled_from(GTINS), AMOUNT.filter(bool)), min_size=1, max_size=6)
GOODS = st.lists(st.tuples(st.sampled_from(GTINS), AMOUNT), max_size=6)


def _lines(goods: list[tuple[str, Fraction]]) -> list[GoodsFacts]:
    return [line(item, float(amount), "KGM") for item, amount in goods]


def _sums(goods: list[tuple[str, Fraction]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for item, amount in goods:
        total[item] += amount  # type: ignore[assignment]
    return total


@settings(max_examples=150, deadline=None)
@given(
    bills=BILLS,
    leaving=st.lists(GOODS, max_size=3),
    coming=st.lists(st.tuples(st.booleans(), GOODS), max_size=4),
)
def test_what_came_is_the_least_that_any_party_tells_of_an_item(
    bills: list[tuple[str, Fraction]],
    leaving: list[list[tuple[str, Fraction]]],
    coming: list[tuple[bool, list[tuple[str, Fraction]]]],
) -> None:
    """The oracle sums fractions by item and party, and knows of no lines, steps or units."""
    told = [left(*_lines(goods)) for goods in leaving]
    told += [came(*_lines(goods), by=BUYER if by_buyer else CARRIER) for by_buyer, goods in coming]
    parties = [[each for goods in leaving for each in goods]]
    parties += [[each for by, goods in coming if by is who for each in goods] for who in (True, False)]
    telling = [_sums(goods) for goods in parties if goods]
    found = match_goods(billed(*_lines(bills)), told)
    if not telling:
        assert found is None
        return
    assert found is not None
    short = {
        item: Fraction(wanted - min(sums[item] for sums in telling), 1) / wanted
        for item, wanted in _sums(bills).items()
        if wanted > 0 and min(sums[item] for sums in telling) < wanted
    }
    assert found.short_bps == max((-(-share * 10_000 // 1) for share in short.values()), default=0)
    assert (found.verdict == "part") is bool(short)
    lacking = {bills[int(number) - 1][0] for number in found.lines} if short else set()
    assert lacking == set(short)


@settings(max_examples=60, deadline=None)
@given(bills=BILLS, told=st.lists(st.tuples(st.booleans(), GOODS), min_size=1, max_size=4), more=GOODS)
def test_another_party_that_tells_never_makes_goods_more(
    bills: list[tuple[str, Fraction]],
    told: list[tuple[bool, list[tuple[str, Fraction]]]],
    more: list[tuple[str, Fraction]],
) -> None:
    documents = [came(*_lines(goods)) if is_came else left(*_lines(goods)) for is_came, goods in told]
    before = match_goods(billed(*_lines(bills)), documents)
    after = match_goods(billed(*_lines(bills)), [*documents, came(*_lines(more), by="another")])
    assert before is None or (after is not None and after.short_bps >= before.short_bps)


ONE, TWO, THREE = GTINS


@pytest.mark.parametrize(
    ("lines", "told", "verdict", "short_bps", "named"),
    [
        ([line(ONE, 10)], [left(line(ONE, 10)), came(line(ONE, 10))], "full", 0, ()),
        ([line(ONE, 10)], [left(line(ONE, 10)), came(line(ONE, 9))], "part", 1_000, ("1",)),
        ([line(ONE, 10)], [left(line(ONE, 9)), came(line(ONE, 10))], "part", 1_000, ("1",)),
        ([line(ONE, 3)], [came(line(ONE, 2))], "part", 3_334, ("1",)),
        ([line(ONE, 10)], [came(line(ONE, 12))], "full", 0, ()),
        ([line(ONE, 10), line(TWO, 5)], [came(line(ONE, 10))], "part", 10_000, ("2",)),
        ([line(ONE, 4), line(ONE, 6)], [came(line(ONE, 9))], "part", 1_000, ("1", "2")),
        ([line(ONE, 10)], [came(line(ONE, 4)), came(line(ONE, 6))], "full", 0, ()),
        ([line(ONE, 10)], [came(line(ONE, 10)), came(line(ONE, 6), by=CARRIER)], "part", 4_000, ("1",)),
        ([line(ONE, "1.5", "TNE")], [came(line(ONE, 1500, "KGM"))], "full", 0, ()),
        ([line(ONE, 2, "DZN")], [came(line(ONE, 24, ""))], "full", 0, ()),
        ([line(ONE, 10)], [came(line(ONE, 10, "BX"))], "unclear", 0, ("1",)),
        ([line(ONE, 10, "BX")], [came(line(ONE, 10, "BX"))], "full", 0, ()),
        ([line(ONE, "")], [came(line(ONE, 10))], "unclear", 0, ("1",)),
        ([line("", 10, seller="S-1")], [came(line("", 10, seller="s-1"))], "full", 0, ()),
        ([line("", 10, seller="S-1")], [came(line(ONE, 10))], "unclear", 0, ("1",)),
        ([line(ONE, 10, order="PO/1")], [came(line(TWO, 10, order="PO/1"))], "part", 10_000, ("1",)),
        ([line("", 10, order="PO/1")], [came(line(TWO, 10, order="PO/1"))], "full", 0, ()),
        ([line(ONE, 10), line("", 1)], [came(line(ONE, 10))], "unclear", 0, ("2",)),
        ([line(ONE, 10), line(ONE, -10)], [came(line(ONE, 10))], "unclear", 0, ("1", "2")),
        ([line(ONE, 10), line(ONE, -9)], [came(line(ONE, 1))], "unclear", 0, ("1", "2")),
        ([line(ONE, 0), line(TWO, 1)], [came(line(ONE, 1), line(TWO, 1))], "unclear", 0, ("1",)),
        ([line(ONE, 10), line(TWO, 5)], [came(line(ONE, ""), line(TWO, 5))], "unclear", 0, ("1",)),
        ([line(ONE, 10), line("", 1, seller="M")], [left(line(ONE, 10), line("", 1, seller="M")), came(line(ONE, 10))],
         "unclear", 0, ("2",)),
        ([line(ONE, 10), line("", 1, seller="M")], [came(line(ONE, 10), line("", 1, seller="M"))], "full", 0, ()),
        ([line(ONE, 1, seller="S"), line(TWO, 1, seller="S")],
         [came(line(ONE, 2), line(TWO, 1), line("", 1, seller="S"))],
         "unclear", 0, ("1", "2")),
        ([line(ONE, 1, seller="S"), line(TWO, 1, seller="S")],
         [came(line(ONE, 1, seller="S"), line(TWO, 1, seller="S"))],
         "full", 0, ()),
        ([], [came(line(ONE, 10))], "unclear", 0, ()),
    ],
)  # fmt: skip
def test_a_match_case_by_case(
    lines: list[GoodsFacts], told: list[Told], verdict: str, short_bps: int, named: tuple[str, ...]
) -> None:
    found = matched(billed(*lines), *told)
    assert (found.verdict, found.short_bps, found.lines) == (verdict, short_bps, named)


def test_goods_that_are_received_and_then_accepted_came_once() -> None:
    steps = [event(EventKind.DELIVERY, line(ONE, 6), step=step) for step in ("receiving", "accepting")]
    found = matched(billed(line(ONE, 10)), Told(BUYER, TransportFacts(tuple(steps))))
    assert (found.verdict, found.short_bps) == ("part", 4_000)


def test_an_event_that_is_told_in_two_files_and_a_thing_that_is_told_twice_are_counted_once() -> None:
    delivery = event(EventKind.DELIVERY, line(ONE, 5))
    things = [line(TWO, 1, "", serial=serial) for serial in ("a", "a", "b")]
    again = [Told(BUYER, TransportFacts((delivery,)))] * 2 + [came(*things), came(things[0])]
    found = matched(billed(line(ONE, 10), line(TWO, 3)), *again)
    assert [(row.delivered, row.state) for row in found.rows] == [(Decimal(5), "part"), (Decimal(2), "part")]


def test_what_was_taken_back_or_only_passed_by_tells_nothing() -> None:
    for kind in (EventKind.RETRACTED, EventKind.OTHER):
        facts = TransportFacts((event(kind, line(ONE, 1)),))
        assert match_goods(billed(line(ONE, 10)), [Told(BUYER, facts)]) is None
        assert not counts_goods(facts)
    assert counts_goods(came(line(ONE, 1)).facts)
    assert not counts_goods(came(line(ONE, "")).facts)


def test_a_delivery_on_another_day_or_to_another_place_is_said() -> None:
    invoice = billed(line(ONE, 10), delivered_on=datetime.date(2026, 10, 28), delivered_to="8710000000017")
    at = {"place": "urn:epc:id:sgln:8710000.00001.0"}
    assert matched(invoice, came(line(ONE, 10), **at)).off_days == 2
    assert matched(invoice, came(line(ONE, 10), **at, on="2026-10-27T23:30:00Z", own_day="2026-10-28")).off_days == 0
    assert matched(invoice, left(line(ONE, 10))).off_days == 0
    elsewhere = matched(invoice, came(line(ONE, 10), place="https://id.gs1.org/414/4260000000011"))
    assert (elsewhere.verdict, len(elsewhere.notes)) == ("unclear", 1)
    assert matched(invoice, came(line(ONE, 10), **at)).verdict == "full"
    assert matched(invoice, came(line(ONE, 10), place="NLRTM")).verdict == "full"


def test_many_lines_and_many_goods_are_matched_without_looking_at_each_pair() -> None:
    items = [f"{number:014d}" for number in range(5_000)]
    found = matched(billed(*(line(item, 2) for item in items)), came(*(line(item, 2) for item in items)))
    assert (found.verdict, len(found.rows)) == ("full", len(items))


def test_a_part_says_besides_whether_anything_else_is_unclear() -> None:
    lines, told = (line(ONE, 10_000), line("", 1, unit="BX", seller="M")), came(line(ONE, 9_999))
    found = matched(billed(*lines), told)
    assert (found.verdict, found.short_bps, found.lines, found.unclear) == ("part", 1, ("1",), True)
    assert not matched(billed(lines[0]), told).unclear
    elsewhere = came(line(ONE, 9_999), place="https://id.gs1.org/414/4260000000011")
    assert matched(billed(lines[0], delivered_to="8710000000017"), elsewhere).unclear
    not_named = matched(billed(line(ONE, 10_000)), told, left(line("", 10_000, seller="M")))
    assert (not_named.verdict, not_named.unclear) == ("part", True)


def test_who_names_two_items_as_one_makes_up_for_neither_and_hides_nothing_that_others_miss() -> None:
    invoice = billed(line(ONE, 1), line(TWO, 1_000))
    both = GoodsFacts("", (("gtin", ONE), ("gtin", TWO)), "1001", "EA")
    merged = matched(invoice, came(line(TWO, 1_001)), left(both))
    assert (merged.verdict, merged.short_bps, merged.lines, merged.unclear) == ("part", 10_000, ("1",), True)
    assert matched(invoice, came(line(ONE, 1), line(TWO, 1_000)), left(both)).verdict == "unclear"
    bridge = billed(line(ONE, 1, seller="S"), line(TWO, 10, seller="S"), line("", 1, seller="S"))
    assert matched(bridge, came(line(TWO, 12, seller="S"))).verdict == "part"


def one_event(kind: EventKind = EventKind.DELIVERY, **other: Any) -> EventFacts:
    return dataclasses.replace(event(kind, line(ONE, 5)), **other)


def told_by(*events: EventFacts, by: str = BUYER) -> list[Told]:
    """Each in a document of its own."""
    return [Told(by, TransportFacts((each,))) for each in events]


def test_what_is_taken_back_in_another_document_is_not_counted() -> None:
    wrong, right = one_event(event_hash="a"), one_event()
    back = dataclasses.replace(wrong, kind=EventKind.RETRACTED, event_hash="b")
    for told in ([wrong, back, right], [back, wrong, right]):
        found = matched(billed(line(ONE, 10)), *told_by(*told))
        assert (found.verdict, found.rows[0].delivered) == ("part", Decimal(5))
    of_another = [*told_by(wrong, right), *told_by(back, by=CARRIER)]
    assert matched(billed(line(ONE, 10)), *of_another).rows[0].delivered == Decimal(10)


def test_who_tells_only_of_goods_taken_back_or_harmed_leaves_a_match_unclear() -> None:
    sent = left(line(ONE, 5))
    delivered = one_event()
    back = dataclasses.replace(delivered, kind=EventKind.RETRACTED, event_hash="b")
    harmed = one_event(EventKind.OTHER, biz_step="receiving", disposition="damaged")
    for told in ([delivered, back], [harmed]):
        found = matched(billed(line(ONE, 5)), sent, *told_by(*told))
        assert (found.verdict, len(found.notes)) == ("unclear", 1)
    assert matched(billed(line(ONE, 5)), sent, *told_by(one_event(), harmed)).verdict == "full"


def test_an_event_under_one_id_or_a_despatch_advice_under_one_number_is_told_once() -> None:
    invoice = billed(line(ONE, 10))
    again = one_event(event_id="e", event_hash="a"), one_event(event_id="e", event_hash="b")
    number = {"event_id": "", "event_type": "DespatchAdvice", "shipment_references": ("DES-1",)}
    advice = [one_event(EventKind.DEPARTURE, time=day, **number) for day in ("2026-10-28", "2026-10-29")]
    for events in (again, advice):
        found = matched(invoice, *told_by(*events))
        assert (found.verdict, found.short_bps, found.unclear) == ("part", 5_000, False)
        other = dataclasses.replace(events[1], goods=(line(ONE, 10),))
        assert matched(invoice, *told_by(events[0], other)).verdict == "unclear"
    assert matched(invoice, *told_by(one_event(), one_event())).verdict == "full"


def test_steps_and_types_of_events_that_differ_leave_open_how_much_came() -> None:
    steps = [
        event(EventKind.DELIVERY, line(ONE, many), step=step) for many, step in ((10, "receiving"), (6, "accepting"))
    ]
    assert matched(billed(line(ONE, 10)), *told_by(*steps)).verdict == "unclear"
    assert matched(billed(line(ONE, 6)), *told_by(*steps)).verdict == "full"
    assert matched(billed(line(ONE, 11)), *told_by(*steps)).verdict == "part"
    types = [one_event(event_type=each) for each in ("ObjectEvent", "AggregationEvent")]
    assert matched(billed(line(ONE, 10)), *told_by(*types)).verdict == "unclear"
    assert matched(billed(line(ONE, 5)), *told_by(*types)).verdict == "full"
    assert matched(billed(line(ONE, 11)), *told_by(*types)).verdict == "part"


def test_more_than_one_of_a_serial_number_is_one() -> None:
    assert matched(billed(line(ONE, 100)), came(line(ONE, 100, "", serial="a"))).rows[0].delivered == Decimal(1)


def test_goods_of_another_order_are_left_to_a_person() -> None:
    invoice = billed(line(ONE, 5), order_reference="PO-2", shipment_references=("DES-2",))
    others: list[dict[str, Any]] = [{"order_references": ("PO-1",)}, {"shipment_references": ("DES-1",)}]
    for other in others:
        assert matched(invoice, *told_by(one_event(**other))).verdict == "unclear"
    shared: dict[str, Any] = {"order_references": ("po-2",), "shipment_references": ("BL-7",)}
    assert matched(invoice, *told_by(one_event(**shared))).verdict == "full"


def test_items_that_all_have_one_weak_name_are_matched_without_looking_at_each_pair() -> None:
    items = [f"{number:014d}" for number in range(4_000)]
    lines = [line(item, 2, seller="S") for item in items]
    assert matched(billed(*lines), left(*lines)).verdict == "full"
    weak = [line("", 2, seller="S", buyer=item) for item in items]
    assert matched(billed(*lines), left(*lines), came(*weak)).verdict == "unclear"
    ways = [line("", 1, **{f"standard {number}": "x"}) for number in range(1_000)]
    assert matched(billed(*ways), left(*ways)).verdict == "unclear"
