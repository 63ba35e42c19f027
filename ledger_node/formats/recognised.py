"""Documents of the trade that are not read, by the names people know them under: a refusal that says which one it is.

Source: UBL 2.1 (names of root elements), GS1 EPCIS 1.2 and 2.0, ZUGFeRD 1.0.
"""

from __future__ import annotations

import re

from ledger_node.formats.xml import Element

_SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
_ROOTS = {
    ("urn:ferd:CrossIndustryDocument:invoice:1p0", "CrossIndustryDocument"): "a ZUGFeRD 1.0 invoice (too old)",
    (_SBDH, "StandardBusinessDocument"): "a Standard Business Document, an envelope",
    ("urn:epcglobal:epcis:xsd:1", "EPCISDocument"): "EPCIS 1.x in XML",
    ("urn:epcglobal:epcis-query:xsd:1", "EPCISQueryDocument"): "EPCIS 1.x in XML",
    ("urn:epcglobal:epcis:xsd:2", "EPCISDocument"): "EPCIS 2.0 in XML",
    ("urn:epcglobal:epcis-query:xsd:2", "EPCISQueryDocument"): "EPCIS 2.0 in XML",
}
_FAMILIES = (
    (re.compile(r"urn:oasis:names:specification:ubl:schema:xsd:(\w{1,40})-2", re.ASCII), "a UBL {}"),
    (re.compile(r"urn:iso:std:iso:20022:tech:xsd:([\w.]{1,40})", re.ASCII), "an ISO 20022 message, {}"),
    (re.compile(r"http://ivaservizi\.agenziaentrate\.gov\.it/.*/fatture/(v[\d.]{1,9})", re.ASCII), "FatturaPA {}"),
    (re.compile(r"http://www\.facturae\.(?:gob\.)?es/.*Facturae(v[\w.]{1,9})\.xml", re.ASCII), "Facturae {}"),
)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
NAME_CHARACTERS_MAX = 60


def what_xml_is(root: Element) -> str:
    """A document by its root element: the name people use, or the element's own."""
    namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
    known = _ROOTS.get((namespace, name)) or _of_family(namespace)
    return f"this is {known}" if known else f"the root element is {name[:NAME_CHARACTERS_MAX]!r}{_of(namespace)}"


def _of_family(namespace: str) -> str:
    for pattern, called in _FAMILIES:
        if match := pattern.fullmatch(namespace[: 2 * NAME_CHARACTERS_MAX]):
            return called.format(_WORDS.sub(" ", match[1]).lower())
    return ""


def _of(namespace: str) -> str:
    return f" of {namespace[: 2 * NAME_CHARACTERS_MAX]!r}" if namespace else ""
