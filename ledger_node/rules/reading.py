"""One document, read and checked: what it is, what it says, which rules it breaks. Runs in the worker's process.

Saxon reads no file of a stranger: our own hardened parser does, and what is handed on is its tree written anew, without
DOCTYPE, comments, attachments. What this node refuses as a claim although no rule is broken (a credit note, a sum of
zero, a due date before the issue date) is said and changes no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lxml import etree

from ledger_node.formats import facts_json, sniff
from ledger_node.formats.facts import FormatCode, FormatError
from ledger_node.formats.pdf import invoice_inside
from ledger_node.formats.recognised import what_xml_is
from ledger_node.formats.syntaxes import CII_INVOICE, SYNTAXES, UBL_CREDIT_NOTE, UBL_INVOICE
from ledger_node.formats.ubl_cii import read_credit_note, read_invoice
from ledger_node.formats.xml import Element, parse_xml
from ledger_node.formats.xsd import check_schema
from ledger_node.rules.packs import CORE, Pack
from ledger_node.rules.svrl import findings as found_in
from ledger_node.rules.verdict import (
    CORE_ONLY,
    NOT_CHECKED,
    Checked,
    Finding,
    Severity,
    Verdict,
    unchecked,
)

FINDINGS_MAX = 500
NAMES = {
    UBL_INVOICE: ("ubl", "UBL Invoice"),
    UBL_CREDIT_NOTE: ("ubl", "UBL CreditNote"),
    CII_INVOICE: ("cii", "CII CrossIndustryInvoice"),
}
CANNOT_BE_OPENED = (FormatCode.ENCRYPTED, FormatCode.TOO_LARGE, FormatCode.NOT_SUPPORTED)
_CORE_PROFILE = "urn:cen.eu:en16931:2017"
Run = Callable[[Pack, str, str], str]
"""Applies the pack's stylesheet of a syntax to XML; the report (SVRL)."""


def check(content: bytes, packs: Sequence[Pack], run: Run) -> Checked:
    """What a file is and which rules it breaks.

    Args:
        content: the whole file, XML or a hybrid PDF.
        packs: all there are.
        run: Saxon.
    """
    try:
        xml, container = _opened(content)
        root = parse_xml(xml)
        if root.tag not in SYNTAXES:
            raise FormatError(FormatCode.NOT_AN_INVOICE, what_xml_is(root), "send a UBL or CII invoice")
    except FormatError as error:
        severity = Severity.UNCHECKED if error.code in CANNOT_BE_OPENED else Severity.FATAL
        verdict = Verdict.INDETERMINATE if severity is Severity.UNCHECKED else Verdict.INVALID
        return Checked(verdict, (_own(error, severity),))
    syntax, name = NAMES[str(root.tag)]
    profile = _profile(root)
    due = [pack for pack in packs if pack.is_for(syntax, profile)]
    own, facts = _read(root, xml)
    if not any(pack.name == CORE for pack in due):
        nothing = unchecked("the rules of EN 16931 are not installed: ledger-node rules fetch", beside=own)
        return Checked(nothing.verdict, nothing.findings, f"{container}{name}", profile, facts=facts)
    text = etree.tostring(root, encoding="unicode")
    all_found = [*own, *(each for pack in due for each in found_in(run(pack, syntax, text)))]
    all_found += _core_only(profile, due)
    fatal = any(each.severity is Severity.FATAL for each in all_found)
    return Checked(
        Verdict.INVALID if fatal else Verdict.VALID,
        tuple(_bounded(all_found)),
        f"{container}{name}",
        profile,
        due[0].model,
        tuple(pack.label for pack in due),
        facts,
    )


def _opened(content: bytes) -> tuple[bytes, str]:
    """The XML of a file, and what it lay in."""
    found = sniff.sniff(content[: sniff.HEAD_BYTES])
    if found == sniff.PDF:
        return invoice_inside(content), "PDF with "
    if found != sniff.XML:
        raise FormatError(FormatCode.MEDIA_TYPE, "this is neither XML nor PDF", "send a UBL or CII invoice")
    return content, ""


def _profile(root: Element) -> str:
    elements = SYNTAXES[str(root.tag)].terms.elements("BT-24", root)
    return (elements[0].text or "").strip()[:200] if elements else ""


def _read(root: Element, xml: bytes) -> tuple[list[Finding], dict[str, object]]:
    """The facts, and what this node has to say itself: that the official XSD is broken, or that it takes no claim."""
    refusals = []
    for read in (read_invoice, read_credit_note):
        try:
            return [], facts_json(read(xml))
        except FormatError as error:
            refusals.append(error)
        if refusals[-1].code is not FormatCode.CREDIT_NOTE:
            break
    own = []
    try:
        check_schema(root)
    except FormatError as error:
        own.append(_own(error, Severity.FATAL))
    if refusals[-1].code is not FormatCode.SCHEMA:
        own.append(_own(refusals[-1], Severity.REFUSED))
    return own, {}


def _own(error: FormatError, severity: Severity) -> Finding:
    return Finding(str(error.code), severity, f"{error.text}: {error.remedy}" if error.remedy else error.text)


def _core_only(profile: str, due: Sequence[Pack]) -> Iterator[Finding]:
    """That more rules than the core's hold for it, by its own word, and are not here."""
    if profile != _CORE_PROFILE and len(due) == 1:
        text = f"only the core of EN 16931 was checked: no pack is here for {profile or 'an invoice without BT-24'}"
        yield Finding(CORE_ONLY, Severity.INFORMATION, text)


def _bounded(found: list[Finding]) -> list[Finding]:
    """The worst first, and no more than can be read; how many there are besides is said."""
    ordered = sorted(found, key=lambda each: list(Severity).index(each.severity))
    if len(ordered) <= FINDINGS_MAX:
        return ordered
    more = Finding(NOT_CHECKED, Severity.INFORMATION, f"{len(ordered) - FINDINGS_MAX} more findings are not shown")
    return [*ordered[:FINDINGS_MAX], more]
