"""Which goods an EPCIS event speaks of, and how many: things one by one, things by class, and what they are packed in.

What an event makes of other things (a transformation's output) it speaks of; what it used up it does not.
Source: GS1 EPCIS 2.0 section 7.4 (what each event type is about), GS1 Digital Link 1.2, UN/ECE Recommendation 20.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from ledger_node.formats.event_identity import digital_link
from ledger_node.formats.facts import GoodsFacts, clean_text
from ledger_node.formats.units import delivered

_THINGS = ("epcList", "childEPCs", "outputEPCList")
_CLASSES = ("quantityList", "childQuantityList", "outputQuantityList")
_CANONICAL = "https://id.gs1.org/"


def goods_of(event: dict[str, Any]) -> tuple[GoodsFacts, ...]:
    """The goods of an event, each thing once.

    Args:
        event: in the shape of EPCIS in JSON, valid against the schema.

    Raises: FormatError for characters that no register takes, and for quantities that no goods have.
    """
    things = [uri for name in _THINGS for uri in event.get(name, [])]
    if "parentID" in event:
        things.append(event["parentID"])
    found = {_thing(uri): None for uri in things}
    counted = [_class(entry) for name in _CLASSES for entry in event.get(name, [])]
    return (*found, *counted)


def _thing(uri: str) -> GoodsFacts:
    """One thing: a piece of its GTIN, or a logistic unit, or whatever its sender calls it."""
    identifiers = _identifiers(uri)
    counts = any(scheme == "gtin" for scheme, _ in identifiers)
    return GoodsFacts(identifiers=identifiers, quantity="1" if counts else "")


def _class(entry: dict[str, Any]) -> GoodsFacts:
    """Goods of a class: without a quantity, of an unknown one."""
    quantity = delivered(entry["quantity"], "a quantity of goods") if "quantity" in entry else ""
    return GoodsFacts(identifiers=_identifiers(entry["epcClass"]), quantity=quantity, unit=entry.get("uom", ""))


def _identifiers(uri: str) -> tuple[tuple[str, str], ...]:
    link = digital_link(clean_text(uri, "a thing's identifier"))
    if not link.startswith(_CANONICAL):
        return (("uri", link),)
    match link.removeprefix(_CANONICAL).split("/"):
        case ["01", value]:
            return (("gtin", value),)
        case ["01", value, qualifier, text, *_]:
            return (("gtin", value), ("serial" if qualifier == "21" else "lot", unquote(text)))
        case ["00", value]:
            return (("sscc", value),)
    return (("uri", link),)
