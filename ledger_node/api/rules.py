"""The public rules at this node's doors: validating a file, what an upload is told, what is not registered.

What counts for a payment is what the verifiers of buyer and financier attest; here a supplier hears of it in time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import request
from pydantic import Field

from ledger_node.api.answers import answers
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.formats import FormatCode, FormatError, sniff
from ledger_node.operations.fields import Out
from ledger_node.rules import Checked, Severity, Verdict

routes = APIBlueprint("rules", __name__, tag="Documents")
NAMED_MAX = 5
DOCUMENT = "document"


class RuleFindingOut(Out):
    """One rule that does not hold at one place."""

    rule: str = Field(description="Its id, or the code of this node's own refusal.", examples=["BR-CO-15"])
    severity: Literal["fatal", "warning", "information", "refused", "unchecked"] = Field(
        description="fatal alone makes an invoice invalid; refused: this node takes no claim from it; unchecked: why."
    )
    text: str = Field(description="As its makers publish it, with the business terms.")
    location: str = Field(description="The path of the element; empty for the whole document.")


class ValidatedOut(Out):
    """What is known of one file."""

    file: str
    format: str = Field(description="Empty when it could not be opened.", examples=["UBL Invoice"])
    profile: str = Field(description="The specification identifier (BT-24).")
    verdict: Literal["valid", "invalid", "indeterminate"]
    findings: list[RuleFindingOut]
    facts: dict[str, Any] = Field(description="What it says; under `rules` by what it was checked.")


class ValidationOut(Out):
    """`ok`: every file is valid."""

    ok: bool
    result: list[ValidatedOut]


@routes.post("/v1/invoice-validations")
@routes.auth_required(bearer)
@answers(routes, ValidationOut)
def validate_invoice() -> dict[str, Any]:
    """Check an invoice by EN 16931 and by the packs for what it claims to be: the body is the file, XML or PDF.

    Nothing is stored and nothing is sent.
    """
    if sniff.MEDIA_TYPES.get(request.mimetype) not in (sniff.XML, sniff.PDF):
        text = f"an invoice is XML or PDF, not {request.mimetype or 'without a media type'}"
        raise Problem(415, "MEDIA_TYPE", text, "Send the header Content-Type: application/xml or application/pdf.")
    checker = current_node().checker
    if checker is None:
        raise Problem(409, "RULES_OFF", "this node checks no rules", "Set rules in node.toml to block or warn.")
    checked = checker.check(request.get_data(cache=False))
    return {"ok": checked.verdict is Verdict.VALID, "result": [checked.shown(DOCUMENT)]}


def rule_notes(path: Path) -> list[str]:
    """What an upload is told of an invoice, for people: which rules it breaks, or why that could not be found out."""
    checked = _checked(path)
    if checked is None or checked.verdict is Verdict.VALID:
        return []
    if checked.verdict is Verdict.INDETERMINATE:
        return [f"not checkable by the rules of EN 16931: {_reason(checked)}"]
    blocked = ": it will not be registered" if current_node().settings.rules == "block" else ""
    return [f"it breaks rules of {', '.join(checked.packs)}{blocked}. {_named(checked)}"]


def require_rules(path: Path) -> None:
    """Refuse at registration an invoice that breaks a fatal rule, where this node's settings say so.

    Raises: FormatError RULES_BROKEN.
    """
    if current_node().settings.rules != "block":
        return
    checked = _checked(path)
    if checked is not None and checked.verdict is Verdict.INVALID:
        raise FormatError(
            FormatCode.RULES_BROKEN,
            f"the invoice breaks rules of {', '.join(checked.packs)}. {_named(checked)}",
            "mend it where it was made and upload it anew; all that is found: ledger-node invoice validate",
        )


def _checked(path: Path) -> Checked | None:
    checker = current_node().checker
    return None if checker is None else checker.check(path.read_bytes())


def _named(checked: Checked) -> str:
    texts = {each.rule: each.text for each in checked.findings if each.severity is Severity.FATAL}
    more = f" And {len(texts) - NAMED_MAX} more." if len(texts) > NAMED_MAX else ""
    return " ".join(list(texts.values())[:NAMED_MAX]) + more


def _reason(checked: Checked) -> str:
    return next(each.text for each in checked.findings if each.severity is Severity.UNCHECKED)
