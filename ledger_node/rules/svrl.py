"""Reports of Schematron rules (SVRL) as findings: by what each rule is marked with, never by how many do not hold.

Source: ISO 19757-3 annex D (SVRL). `@flag` is where EN 16931 says fatal or warning; a rule without a mark is fatal, as
in Schematron an assertion that fails is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from ledger_node.rules.verdict import Finding, Severity

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
FOUND = (f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
TEXT_CHARACTERS_MAX = 1000
_MARKS = {"fatal": Severity.FATAL, "error": Severity.FATAL, "warning": Severity.WARNING, "warn": Severity.WARNING}
_MARKS |= {"information": Severity.INFORMATION, "info": Severity.INFORMATION}
_TEXT = etree.XPath("string()")
_ID = re.compile(r"[A-Za-z0-9._-]{1,60}", re.ASCII)
_TERM = re.compile(r"\b(?:BT|BG)-[0-9]+(?:-[0-9]+)?\b", re.ASCII)
# Stylesheets write each step as *:Name[namespace-uri()='...'][1] or Q{...}Name[1]; people know the names alone.
_STEP = re.compile(r"\*:([\w.-]+)\[namespace-uri\(\)='[^']*'\]|Q\{[^}]*\}([\w.-]+)")


def findings(report: str) -> Iterator[Finding]:
    """What a report says does not hold, in its order.

    Args:
        report: SVRL, as the stylesheets of a pack write it.
    """
    for found in etree.fromstring(report.encode()).iter(*FOUND):
        text = " ".join(str(_TEXT(found)).split())[:TEXT_CHARACTERS_MAX]
        yield Finding(
            rule=_named(found.get("id", "")),
            severity=_severity(found.get("flag") or found.get("role") or ""),
            text=text,
            location=_STEP.sub(lambda step: step[1] or step[2], found.get("location", ""))[:TEXT_CHARACTERS_MAX],
            terms=tuple(dict.fromkeys(_TERM.findall(text))),
        )


def _named(rule: str) -> str:
    """The id of a rule, in the form that every publisher keeps to and the ledger takes."""
    return rule if _ID.fullmatch(rule) else "UNNAMED"


def _severity(mark: str) -> Severity:
    return _MARKS.get(mark.strip().lower(), Severity.FATAL)
