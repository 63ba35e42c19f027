"""What lines of invoices and despatch advices name their items by, and how they count them.

Source: EN 16931-1 (BT-129, BT-130, BT-132, BT-155 to BT-157), UBL 2.1 (Item), GS1 General Specifications (GTIN).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from ledger_node.formats.facts import FormatCode, FormatError, clean_text
from ledger_node.formats.syntaxes import UBL_NAMESPACES
from ledger_node.formats.xml import Element, Paths

GTIN_SCHEME = "0160"
"""Of ISO 6523: what identifies an item by GS1's number."""
_QUANTITY = re.compile(r"-?(?:[0-9]{1,15}\.?[0-9]{0,10}|\.[0-9]{1,10})", re.ASCII)
_UNIT_CHARACTERS_MAX = 20
_GTIN_LENGTHS = (8, 12, 13, 14)
_UBL_ITEM = Paths(
    UBL_NAMESPACES,
    {
        "standard": "cac:StandardItemIdentification/cbc:ID",
        "seller": "cac:SellersItemIdentification/cbc:ID",
        "buyer": "cac:BuyersItemIdentification/cbc:ID",
        "lot": "cac:ItemInstance/cac:LotIdentification/cbc:LotNumberID",
    },
)


def item_identifiers(item: Element | None, order: str, order_line: str) -> tuple[tuple[str, str], ...]:
    """By what a line of UBL names its item, (scheme, identifier) in order.

    Args:
        item: the line's Item, if it has one.
        order: the number of the order that the line is of, or "".
        order_line: the number of that order's line, or "".
    """
    found = []
    if item is not None:
        for name in ("standard", "seller", "buyer", "lot"):
            elements = _UBL_ITEM.elements(name, item)
            found += [identifier(name, each.text or "", each.get("schemeID", "")) for each in elements]
    return identifiers(found, order, order_line)


def identifiers(found: Iterable[tuple[str, str]], order: str, order_line: str) -> tuple[tuple[str, str], ...]:
    """Identifiers that say something, each once and in order, with the line of an order that is meant."""
    line = [("order", f"{order}/{order_line}")] if order and order_line and order_line.upper() != "NA" else []
    return tuple(sorted({each for each in [*found, *line] if each[1]}))


def identifier(name: str, text: str, scheme: str = "") -> tuple[str, str]:
    """An item's identifier under the name that it is compared by: a GTIN, of 14 digits, wherever it is one.

    Args:
        name: "standard" (BT-157), "seller" (BT-155), "buyer" (BT-156) or "lot".
        text: as the document has it.
        scheme: of a standard identifier, by ISO 6523.
    """
    text = clean_text(text, "an item's identifier")
    if name != "standard":
        return name, text
    if scheme in (GTIN_SCHEME, "GTIN", "") and text.isdecimal() and len(text) in _GTIN_LENGTHS:
        return "gtin", text.zfill(14)
    return (f"standard {scheme}".strip(), text)


def quantity(elements: list[Element], what: str) -> tuple[str, str]:
    """A quantity and its unit, ("", "") where there is none.

    Raises: FormatError QUANTITY for what is no number or no unit, AMBIGUOUS for two.
    """
    stated = {((each.text or "").strip(), (each.get("unitCode") or "").strip()) for each in elements}
    if len(stated) > 1:
        raise FormatError(FormatCode.AMBIGUOUS, f"{what} stands there more than once", "state it once")
    if not stated:
        return "", ""
    text, unit = stated.pop()
    if not _QUANTITY.fullmatch(text) or len(unit) > _UNIT_CHARACTERS_MAX:
        raise FormatError(
            FormatCode.QUANTITY,
            f"{what} is {text[:40]!r} of unit {unit[:10]!r}",
            "write a decimal number and a code of UN/ECE Recommendation 20, such as 12.5 KGM",
        )
    return f"{Decimal(text):f}", clean_text(unit, "a unit").upper()
