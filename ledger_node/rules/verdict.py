"""What was found of an invoice, as plain data that crosses a pipe: verdict, findings, facts, and by which rules.

VALID: no fatal rule is broken. INVALID: one is, or it is no invoice. INDETERMINATE: it could not be checked.
Source: ISO 19757-3 (Schematron), EN 16931-1 (fatal and warning).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """Could not be checked is never shown as checked and false."""

    VALID = "valid"
    INVALID = "invalid"
    INDETERMINATE = "indeterminate"


class Severity(StrEnum):
    """`fatal` alone makes a document invalid. `refused`: the document may be in order, but this node takes no claim
    from it. `unchecked`: why something could not be checked. Others are what the rule itself is marked with."""

    FATAL = "fatal"
    WARNING = "warning"
    INFORMATION = "information"
    REFUSED = "refused"
    UNCHECKED = "unchecked"


CORE_ONLY = "CORE_ONLY"
NOT_CHECKED = "NOT_CHECKED"
"""Rules of this house's own: national rules are not there; nothing could be checked."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One rule that does not hold at one place.

    `rule` is its id ("BR-CO-15"), or the code of this node's own refusal ("SCHEMA"); `terms` are the business terms
    that its text names ("BT-115"); `location` is the path of the element, empty for the whole document.
    """

    rule: str
    severity: Severity
    text: str
    location: str = ""
    terms: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """What is known of one document.

    `format` and `profile` (BT-24) are empty where it could not be opened; `packs` are the rules that were run, as
    "en16931 1.3.16", `model` is the model that they are for; `facts` are as `formats.facts_json`, empty where none can
    be read.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    format: str = ""
    profile: str = ""
    model: str = ""
    packs: tuple[str, ...] = ()
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def broken(self) -> tuple[str, ...]:
        """The ids of all fatal rules that do not hold, in order, each once."""
        return tuple(sorted({each.rule for each in self.findings if each.severity is Severity.FATAL}))

    def as_json(self) -> dict[str, Any]:
        """As it crosses a pipe."""
        return dataclasses.asdict(self)

    def shown(self, file: str) -> dict[str, Any]:
        """As people and programs see it: `{file, format, profile, verdict, findings, facts}`.

        Args:
            file: what the document is called.
        """
        findings = [
            {"rule": each.rule, "severity": each.severity, "text": each.text, "location": each.location}
            for each in self.findings
        ]
        facts = self.facts | {"rules": {"model": self.model, "packs": list(self.packs)}}
        return {
            "file": file,
            "format": self.format,
            "profile": self.profile,
            "verdict": self.verdict.value,
            "findings": findings,
            "facts": facts,
        }


def from_json(content: dict[str, Any]) -> Checked:
    """What `as_json` gave."""
    findings = tuple(
        Finding(**each | {"severity": Severity(each["severity"]), "terms": tuple(each["terms"])})
        for each in content["findings"]
    )
    return Checked(
        **content | {"verdict": Verdict(content["verdict"]), "findings": findings, "packs": tuple(content["packs"])}
    )


def unchecked(text: str, *, rule: str = NOT_CHECKED, beside: Sequence[Finding] = ()) -> Checked:
    """Nothing could be checked, for this reason."""
    return Checked(Verdict.INDETERMINATE, (*beside, Finding(rule, Severity.UNCHECKED, text)))
