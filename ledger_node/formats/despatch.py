"""A despatch advice in UBL 2.1 or later (Peppol BIS Despatch Advice 3 among them): which goods left, and to whom.

It is read as one event, that the goods departed, with its lines as goods. No schema of it comes with a library, so what
is read is checked here: what must stand there once, dates, quantities and units.
Source: UBL 2.1 (ISO/IEC 19845) DespatchAdvice, Peppol BIS Despatch Advice 3.1 (transaction T16).
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

from ledger_node.formats.facts import (
    EventFacts,
    EventKind,
    FormatCode,
    FormatError,
    GoodsFacts,
    TransportFacts,
    clean_text,
)
from ledger_node.formats.items import item_identifiers, quantity
from ledger_node.formats.syntaxes import UBL_NAMESPACES
from ledger_node.formats.units import delivered
from ledger_node.formats.xml import Element, Paths

DESPATCH_ADVICE = "{urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2}DespatchAdvice"
LINES_MAX = 20_000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _party(role: str) -> str:
    """Where a party's identifiers stand."""
    return " | ".join(f"{role}/cac:Party/cac:{each}" for each in _PARTY_IDS)


_PARTY_IDS = ("PartyIdentification/cbc:ID", "PartyLegalEntity/cbc:CompanyID")
_PATHS = Paths(
    UBL_NAMESPACES,
    {
        "the number": "cbc:ID",
        "the issue date": "cbc:IssueDate",
        "orders": "cac:OrderReference/cbc:ID | cac:DespatchLine/cac:OrderLineReference/cac:OrderReference/cbc:ID",
        "the despatch date": "cac:Shipment/cac:Delivery/cac:Despatch/cbc:ActualDespatchDate",
        "the place delivered to": "cac:Shipment/cac:Delivery/cac:DeliveryLocation/cbc:ID"
        " | cac:Shipment/cac:Delivery/cac:DeliveryAddress/cbc:ID",
        "the despatching party": _party("cac:DespatchSupplierParty"),
        "its name": "cac:DespatchSupplierParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName"
        " | cac:DespatchSupplierParty/cac:Party/cac:PartyName/cbc:Name",
        "the receiving party": _party("cac:DeliveryCustomerParty"),
        "the lines": "cac:DespatchLine",
        "a line's id": "cbc:ID",
        "a line's quantity": "cbc:DeliveredQuantity",
        "a line's item": "cac:Item",
        "a line's order line": "cac:OrderLineReference/cbc:LineID",
        "a line's order": "cac:OrderLineReference/cac:OrderReference/cbc:ID",
        "the order": "cac:OrderReference/cbc:ID",
    },
)


def read_despatch(root: Element) -> TransportFacts:
    """What a despatch advice says, as one event.

    Args:
        root: its root element, a DespatchAdvice.

    Raises: FormatError.
    """
    number, issued = _required(root, "the number"), _date(root, "the issue date")
    if not issued:
        raise _missing("the issue date")
    despatched = _date(root, "the despatch date")
    by = _texts(root, "the despatching party")
    return TransportFacts(
        events=(
            EventFacts(
                kind=EventKind.DEPARTURE,
                event_type="DespatchAdvice",
                event_id="",
                time=despatched or issued,
                action="",
                biz_step="",
                disposition="",
                location=_one(root, "the place delivered to"),
                parties_from=by,
                parties_to=_texts(root, "the receiving party"),
                shipment_references=(number,),
                order_references=tuple(sorted(set(_texts(root, "orders")) - {"NA"})),
                goods=_goods(root),
                said_by=next(iter(by), "") or _one(root, "its name"),
                recorded_at=issued,
            ),
        )
    )


def _goods(root: Element) -> tuple[GoodsFacts, ...]:
    lines = _PATHS.elements("the lines", root)
    if not lines:
        raise _missing("every line (DespatchLine)")
    if len(lines) > LINES_MAX:
        raise FormatError(FormatCode.TOO_LARGE, f"{len(lines)} lines, {LINES_MAX} is the most", "split the document")
    order = _one(root, "the order")
    return tuple(_line(each, order) for each in lines)


def _line(line: Element, order_of_all: str) -> GoodsFacts:
    items = _PATHS.elements("a line's item", line)
    order = _one(line, "a line's order") or order_of_all
    order_line = _one(line, "a line's order line")
    counted, unit = quantity(_PATHS.elements("a line's quantity", line), "a line's quantity")
    return GoodsFacts(
        line=_required(line, "a line's id"),
        identifiers=item_identifiers(items[0] if items else None, order, order_line),
        quantity=delivered(Decimal(counted), "a line's quantity") if counted else "",
        unit=unit,
    )


def _texts(node: Element, name: str) -> tuple[str, ...]:
    found = (clean_text(each.text or "", name) for each in _PATHS.elements(name, node))
    return tuple(dict.fromkeys(text for text in found if text))


def _one(node: Element, name: str) -> str:
    found = _texts(node, name)
    if len(found) > 1:
        raise FormatError(FormatCode.AMBIGUOUS, f"{name} stands there more than once", "state it once")
    return found[0] if found else ""


def _required(node: Element, name: str) -> str:
    found = _one(node, name)
    if not found:
        raise _missing(name)
    return found


def _missing(name: str) -> FormatError:
    return FormatError(FormatCode.MISSING, f"of the despatch advice {name} is missing", "add it")


def _date(node: Element, name: str) -> str:
    text = _one(node, name)
    try:
        if text and not _DATE.fullmatch(text):
            raise ValueError("not plain")
        return datetime.date.fromisoformat(text).isoformat() if text else ""
    except ValueError as error:
        raise FormatError(
            FormatCode.DATE, f"{name} is {text[:40]!r}, which is no plain date", "write it as 2026-01-31"
        ) from error
