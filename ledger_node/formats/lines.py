"""The goods of an invoice: what its lines bill and how much of it, when and where it was delivered.

No money hangs on these alone, so what cannot be read here is nothing said, and never a reason to refuse the invoice.
Source: EN 16931-1 (BT-71, BT-72, BG-25: BT-126, BT-129, BT-130, BT-132, BT-155 to BT-157).
"""

from __future__ import annotations

import contextlib
import datetime

from ledger_node.formats.facts import FormatError, GoodsFacts, clean_text
from ledger_node.formats.items import identifier, identifiers, quantity
from ledger_node.formats.terms import Terms
from ledger_node.formats.totals import billing_lines
from ledger_node.formats.xml import Element

_ITEMS = {"BT-155": "seller", "BT-156": "buyer", "BT-157": "standard"}
_GLN_DIGITS = 13


def billed(terms: Terms) -> tuple[GoodsFacts, ...]:
    """The lines of an invoice that bill anything, in its order: those whose money counts in its totals."""
    orders = terms.texts("BT-13")
    order = orders[0] if len(orders) == 1 else ""
    return tuple(_line(terms, line, order) for line in billing_lines(terms))


def delivered_on(terms: Terms) -> datetime.date | None:
    """The actual delivery date, where the invoice names one."""
    with contextlib.suppress(FormatError):
        found = terms.dates("BT-72")
        return found[-1] if found else None
    return None


def delivered_to(terms: Terms) -> str:
    """The GLN of the place delivered to, where the invoice names one."""
    found = {(each.text or "").strip() for each in terms.elements("BT-71")}
    places = [text for text in found if text.isdecimal() and len(text) == _GLN_DIGITS]
    return places[0] if len(places) == 1 else ""


def _line(terms: Terms, line: Element, order: str) -> GoodsFacts:
    items = [
        found
        for term, name in _ITEMS.items()
        for each in terms.elements(term, line)
        if (found := _item(name, each)) is not None
    ]
    counted, unit = _quantity(terms, line)
    return GoodsFacts(
        line=_text(terms, "BT-126", line),
        identifiers=identifiers(items, order, _text(terms, "BT-132", line)),
        quantity=counted,
        unit=unit,
    )


def _item(name: str, element: Element) -> tuple[str, str] | None:
    with contextlib.suppress(FormatError):
        return identifier(name, element.text or "", element.get("schemeID", ""))
    return None


def _quantity(terms: Terms, line: Element) -> tuple[str, str]:
    with contextlib.suppress(FormatError):
        return quantity(terms.elements("BT-129", line), "a line's quantity")
    return "", ""


def _text(terms: Terms, term: str, line: Element) -> str:
    """The one text of a term of a line, or "" where it says several or none that can be taken."""
    with contextlib.suppress(FormatError):
        found = {clean_text(each.text or "", term) for each in terms.elements(term, line)}
        return found.pop() if len(found) == 1 else ""
    return ""
