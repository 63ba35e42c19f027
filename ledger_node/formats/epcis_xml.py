"""EPCIS 2.0 in XML as the same document would stand in JSON, so that both are read and refused by one reader.

Elements of the standard have no namespace; those of others become `{namespace}name`. What stands twice and must stand
once is refused as a name that a JSON object holds twice. Source: GS1 EPCIS 2.0 (ISO/IEC 19987), its XML Schema.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from lxml import etree

from ledger_node.formats.facts import FormatCode, FormatError
from ledger_node.formats.strict_json import NESTING_LEVELS_MAX
from ledger_node.formats.xml import Element

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_DOCUMENTS = {
    "{urn:epcglobal:epcis:xsd:2}EPCISDocument": "EPCISDocument",
    "{urn:epcglobal:epcis-query:xsd:2}EPCISQueryDocument": "EPCISQueryDocument",
}
_QUERY = "{urn:epcglobal:epcis-query:xsd:2}QueryResults"
_TEXTS = {"epcList", "inputEPCList", "outputEPCList", "childEPCs", "correctiveEventIDs"}
_OBJECTS = {"quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList", "sensorElementList"}
_TYPED = {"bizTransactionList": "bizTransaction", "sourceList": "source", "destinationList": "destination"}
_PLACES = {"readPoint", "bizLocation"}
_REPEATED = {"set", "unset", "sensorReport", "certificationInfo"}
_TOO_DEEP = etree.XPath(f"boolean({'/*' * (NESTING_LEVELS_MAX + 1)})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,30}\.?[0-9]{0,20}|\.[0-9]{1,20})")


def is_epcis_xml(root: Element) -> bool:
    """Whether a root element is that of EPCIS 2.0, in any of its documents."""
    return root.tag in _DOCUMENTS


def as_json(root: Element) -> dict[str, Any]:
    """The document as it would stand in JSON.

    Args:
        root: of a tag that `is_epcis_xml`.

    Raises: FormatError for an element that stands there twice, a body without list of events, or too deep nesting.
    """
    if _TOO_DEEP(root):
        raise FormatError(
            FormatCode.NOT_WELL_FORMED, f"the XML is nested deeper than {NESTING_LEVELS_MAX} levels", "flatten it"
        )
    kind = _DOCUMENTS[str(root.tag)]
    body = root.find("EPCISBody")
    within = None if body is None else body.find(f"{_QUERY}/resultsBody" if kind == "EPCISQueryDocument" else ".")
    found = [] if within is None else within.findall("EventList")
    if len(found) != 1:
        raise FormatError(FormatCode.SCHEMA, "no EPCIS 2.0: its body has no one EventList", "export it again")
    events: dict[str, Any] = {"eventList": [_event(each) for each in found[0].iterchildren(etree.Element)]}
    if kind == "EPCISQueryDocument":
        events = {"queryResults": {"resultsBody": events}}
    stated = {name: text for name, text in root.items() if name in ("schemaVersion", "creationDate")}
    return {"@context": CONTEXT, "type": kind, **stated, "epcisBody": events}


def prefixes(root: Element) -> dict[str, str]:
    """The namespaces that a document declares by prefix, which values may use as well."""
    return {str(prefix): str(uri) for prefix, uri in root.nsmap.items() if prefix}


def _event(element: Element) -> dict[str, Any]:
    return {"type": _name(element), **_members(element)}


def _members(element: Element) -> dict[str, Any]:
    """The children of an element by name; those that may stand there several times as a list."""
    found: dict[str, Any] = {}
    for child in element.iterchildren(etree.Element):
        name = _name(child)
        value = _value(name, child)
        if name in _REPEATED or name.startswith("{"):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise FormatError(
                FormatCode.DUPLICATE_NAME, f"the element {name[:60]!r} stands there twice", "state it once"
            )
        else:
            found[name] = value
    return {name: _one(name, value) for name, value in found.items()}


def _one(name: str, value: Any) -> Any:
    """A single value where JSON writes no list for one."""
    alone = isinstance(value, list) and len(value) == 1 and (name.startswith("{") or name == "certificationInfo")
    return value[0] if alone else value


def _value(name: str, element: Element) -> Any:
    if name in _TEXTS:
        return [_text(each) for each in element.iterchildren(etree.Element)]
    if name in _OBJECTS:
        return [_entry(each) for each in element.iterchildren(etree.Element)]
    if name in _TYPED:
        return [
            {**{key: text for key, text in each.items()}, _TYPED[name]: _text(each)}
            for each in element.iterchildren(etree.Element)
        ]
    if name in _PLACES or name in ("persistentDisposition", "errorDeclaration", "ilmd"):
        return _members(element)
    return _extension(element) if name.startswith("{") else _text(element)


def _entry(element: Element) -> dict[str, Any]:
    """A quantity or a sensor's element: XML writes as attributes what JSON writes as names."""
    found: dict[str, Any] = {}
    for child in element.iterchildren(etree.Element):
        name = _name(child)
        inner = {**_attributes(child), **_members(child)} if name in ("sensorMetadata", "sensorReport") else None
        value = _value(name, child) if inner is None else inner
        if name in _REPEATED or name.startswith("{"):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise FormatError(
                FormatCode.DUPLICATE_NAME, f"the element {name[:60]!r} stands there twice", "state it once"
            )
        else:
            found[name] = _number(value) if name == "quantity" else value
    return {name: value if name == "sensorReport" else _one(name, value) for name, value in found.items()}


def _attributes(element: Element) -> dict[str, Any]:
    return {str(name): str(text) for name, text in element.items()}


def _extension(element: Element) -> Any:
    """An element of another vocabulary: its text, or what is in it, or both."""
    inside = {**_attributes(element), **_members(element)}
    text = _text(element)
    return {**({"#text": text} if text else {}), **inside} if inside else text


def _number(text: Any) -> Any:
    """A number where it is one; anything else is for the schema to refuse."""
    return Decimal(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else text


def _text(element: Element) -> str:
    return (element.text or "").strip()


def _name(element: Element) -> str:
    return str(element.tag)
