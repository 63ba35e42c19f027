"""Every invoice that other projects publish gets the verdict, and breaks the rules, that a validator found before."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_node.formats.amounts import currency_exponent
from ledger_node.rules import Checked, Checker, Severity, default_folder

REALDATA = Path(__file__).resolve().parents[3].parent / "shared" / "realdata"
pytestmark = pytest.mark.skipif(
    not REALDATA.is_dir(), reason="REAL DOCUMENTS NOT TESTED: the folder ../shared/realdata is absent"
)
KINDS = ("CII", "UBL-Invoice", "UBL-CreditNote")
OWN = {"SCHEMA"}
"""What is found by the official XSD, beside the rules; the manifest is of rules alone."""


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    checker = Checker(default_folder())
    assert checker.reason() == ""
    yield checker
    checker.close()


def _rules(checked: Checked, severity: Severity) -> str:
    return " ".join(sorted({each.rule for each in checked.findings if each.severity is severity} - OWN))


def test_verdict_and_rule_ids_of_every_invoice_are_those_of_the_manifest(checker: Checker) -> None:
    with (REALDATA / "manifest_xml.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in KINDS]
    assert len(rows) >= 50
    for row in rows:
        checked = checker.check((REALDATA / row["file"]).read_bytes())
        found = (checked.verdict, _rules(checked, Severity.FATAL), _rules(checked, Severity.WARNING))
        assert found == (row["schematron_verdict"], row["fatal_rules"], row["warning_rules"]), row["file"]
        assert checked.profile == row["customization_or_guideline"]
        assert "en16931 1.3.16" in checked.packs


def test_every_hybrid_pdf_is_checked_by_the_invoice_inside_and_says_its_amount(checker: Checker) -> None:
    with (REALDATA / "manifest_pdf.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["embedded_xml"]]
    assert rows
    for row in rows:
        checked = checker.check((REALDATA / row["file"]).read_bytes())
        assert checked.format == "PDF with CII CrossIndustryInvoice", row["file"]
        assert checked.verdict in ("valid", "invalid")
        amount = Decimal(checked.facts["amount_minor"]).scaleb(-currency_exponent(checked.facts["currency"]))
        assert amount > 0
