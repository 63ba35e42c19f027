"""Documents of the trade that are not read, by the names people know them under: a refusal that says which one it is.

Source: UBL 2.1 (names of root elements), GS1 EPCIS 1.2 and 2.0, ZUGFeRD 1.0, DCSA Track & Trace 2.2 (eventType).
"""

from __future__ import annotations

from typing import Any

from ledger_node.formats.xml import Element

_ROOTS = {
    ("urn:ferd:CrossIndustryDocument:invoice:1p0", "CrossIndustryDocument"): "a ZUGFeRD 1.0 invoice, which is too old",
    ("urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2", "DespatchAdvice"): "a UBL despatch advice",
    ("urn:epcglobal:epcis:xsd:1", "EPCISDocument"): "EPCIS 1.x in XML",
    ("urn:epcglobal:epcis-query:xsd:1", "EPCISQueryDocument"): "EPCIS 1.x in XML",
    ("urn:epcglobal:epcis:xsd:2", "EPCISDocument"): "EPCIS 2.0 in XML",
    ("urn:epcglobal:epcis-query:xsd:2", "EPCISQueryDocument"): "EPCIS 2.0 in XML",
}
_DCSA_TYPES = frozenset({"SHIPMENT", "TRANSPORT", "EQUIPMENT"})
NAME_CHARACTERS_MAX = 60


def what_xml_is(root: Element) -> str:
    """A document by its root element: the name people use, or the element's own."""
    namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
    known = _ROOTS.get((namespace, name))
    return f"this is {known}" if known else f"the root element {name[:NAME_CHARACTERS_MAX]!r} is" + _of(namespace)


def _of(namespace: str) -> str:
    return f" of {namespace[: 2 * NAME_CHARACTERS_MAX]!r}" if namespace else ""


def is_dcsa(document: Any) -> bool:
    """Whether JSON looks like an event, or a list of events, of DCSA Track & Trace."""
    first = document[0] if isinstance(document, list) and document else document
    return isinstance(first, dict) and first.get("eventType") in _DCSA_TYPES
