"""Exposure: limit, used, left and overdue, per facility, per supplier in it, and per buyer of a financier.

`used` is the open face that was paid early and not paid back, a written-off part included, as the contract counts it.
`left` is below zero, and `used_percent` above 100, where a limit was lowered under what is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from chaincode.money import deposit_currency, divide_half_up
from chaincode.records import BuyerLimit, Facility, Invoice
from chaincode.rules.facilities import terms_on
from chaincode.rules.holds import limit_on
from chaincode.rules.settlement import in_time_until
from ledger_node.reports.past import Past
from ledger_node.reports.tables import Row, Table, decimal

COLUMNS = (
    "scope", "financier", "buyer", "supplier", "facility_id", "currency", "limit", "used", "used_percent", "left",
    "overdue",
)  # fmt: skip


def exposure(past: Past, financier: str = "") -> Table:
    """What financiers have at stake.

    Args:
        financier: one of them; all when empty.
    """
    facilities = [
        terms_on(facility, past.day) for facility in past.of(Facility) if financier in ("", facility.financier)
    ]
    overdue = _overdue(past, {facility.facility_id: facility for facility in facilities})
    limits = {
        (limit.financier, limit.buyer, limit.currency): limit_on(limit, past.day) for limit in past.of(BuyerLimit)
    }
    rows = [row for facility in facilities for row in _of_facility(facility, overdue)]
    rows += _of_buyers(facilities, limits, overdue)
    return Table("exposure", past.block_number, past.day, COLUMNS, tuple(rows))


def _overdue(past: Past, facilities: dict[str, Facility]) -> dict[tuple[str, str], int]:
    """The open face that is past its last day, by facility and supplier."""
    overdue: dict[tuple[str, str], int] = defaultdict(int)
    for invoice in past.of(Invoice):
        facility = facilities.get(invoice.early_payment.facility_id) if invoice.early_payment else None
        if facility and in_time_until(invoice, facility) < past.day:
            overdue[facility.facility_id, invoice.supplier] += invoice.open_face_minor
    return overdue


def _of_facility(facility: Facility, overdue: dict[tuple[str, str], int]) -> Iterator[Row]:
    late = {name: overdue.get((facility.facility_id, name), 0) for name in _suppliers(facility)}
    who = {"financier": facility.financier, "buyer": facility.buyer, "facility_id": facility.facility_id}
    currency = deposit_currency(facility.deposit)
    total = sum(late.values())
    yield _row("facility", currency, facility.limit_minor, facility.used_minor, total) | who | {"supplier": ""}
    for supplier in _suppliers(facility):
        used = facility.used_by_supplier.get(supplier, 0)
        limited = _row("supplier", currency, facility.supplier_limit_minor, used, late[supplier])
        yield limited | who | {"supplier": supplier}


def _suppliers(facility: Facility) -> list[str]:
    """Those who may use it, and those who do although they no longer may."""
    return sorted({*facility.suppliers, *facility.used_by_supplier})


def _of_buyers(
    facilities: list[Facility], limits: dict[tuple[str, str, str], BuyerLimit], overdue: dict[tuple[str, str], int]
) -> Iterator[Row]:
    groups: dict[tuple[str, str, str], list[Facility]] = defaultdict(list)
    for facility in facilities:
        groups[facility.financier, facility.buyer, deposit_currency(facility.deposit)].append(facility)
    for (financier, buyer, currency), members in sorted(groups.items()):
        limit = limits.get((financier, buyer, currency))
        counted = {facility.facility_id: facility.used_minor for facility in members}
        late = sum(minor for (facility_id, _), minor in overdue.items() if facility_id in counted)
        row = _row("buyer", currency, limit.limit_minor if limit else None, sum(counted.values()), late)
        yield row | {"financier": financier, "buyer": buyer, "supplier": "", "facility_id": ""}


def _row(scope: str, currency: str, limit: int | None, used: int, overdue: int) -> Row:
    return {
        "scope": scope,
        "currency": currency,
        "limit": "" if limit is None else decimal(limit, currency),
        "used": decimal(used, currency),
        "used_percent": _percent(used, limit) if limit else "",
        "left": "" if limit is None else decimal(limit - used, currency),
        "overdue": decimal(overdue, currency),
    }


def _percent(used: int, limit: int) -> str:
    """The share of a limit that is used, in percent with two decimals, rounded half up."""
    whole, hundredths = divmod(divide_half_up(used * 10_000, limit), 100)
    return f"{whole}.{hundredths:02}"
