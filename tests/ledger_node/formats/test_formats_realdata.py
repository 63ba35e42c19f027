"""Documents that other projects publish: each is read or refused by name, and read as another reader would."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from goods_papers import epcis_xml
from lxml import etree

from ledger_node.formats import FormatError, InvoiceFacts, PdfFacts, TransportFacts, facts_json, read_facts
from ledger_node.formats.amounts import currency_exponent
from ledger_node.formats.transport import read_events, read_events_xml
from ledger_node.hashing import digest_json

REALDATA = Path(__file__).resolve().parents[3].parent / "shared" / "realdata"
pytestmark = pytest.mark.skipif(
    not REALDATA.is_dir(), reason="REAL DOCUMENTS NOT TESTED: the folder ../shared/realdata is absent"
)

INVOICE_KINDS = ("CII", "UBL-Invoice", "UBL-CreditNote")
# These the named rule refuses; every other invoice of the folder is read.
REFUSED = {
    "CII_business_example_02.xml": "DUE_BEFORE_ISSUE",
    "credit-note1.xml": "CREDIT_NOTE",
    "custom-namespace-prefixes.xml": "CREDIT_NOTE",
    "credit-note-summary.xml": "CREDIT_NOTE",
    "simplified-credit-note.xml": "CREDIT_NOTE",
    "standard-credit-note.xml": "CREDIT_NOTE",
    "SB-base-creditnote-correction.xml": "CREDIT_NOTE",
    "SB-base-negative-inv-correction.xml": "CREDIT_NOTE",
    "CII-BR-CO-10-RoundingIssue.xml": "NO_CLAIM",
    # One names no supplier; the others are sales to people, who are not named.
    "xml_en16931_5.xml": "MISSING",
    "simplified-zero-rated-with-notes.xml": "MISSING",
    "simplified-zero-rated.xml": "MISSING",
    "xml_issue_268.xml": "SCHEMA",
    "xml_extended_1.xml": "SCHEMA",
}
# Valid to the GS1 schema, which cannot see that an object holds one name twice.
EVENTS_REFUSED = {"AssociationEvent-h.jsonld": "DUPLICATE_NAME"}


def _manifest(name: str) -> list[dict[str, str]]:
    with (REALDATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _files(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in REALDATA.rglob(pattern))


def _read(kind: str, media_type: str, path: Path) -> object:
    """The facts, or the code of the refusal."""
    try:
        facts = read_facts(kind, media_type, path)
    except FormatError as refusal:
        return str(refusal.code)
    digest_json(facts_json(facts))
    return facts


def _amount_due(path: Path) -> tuple[Decimal, str]:
    """Amount and currency by a reading of the XML that shares nothing with the one under test."""
    tree = etree.parse(str(path))
    for amount, currency in (
        ("{*}LegalMonetaryTotal/{*}PayableAmount", "{*}DocumentCurrencyCode"),
        (".//{*}SpecifiedTradeSettlementHeaderMonetarySummation/{*}DuePayableAmount", ".//{*}InvoiceCurrencyCode"),
    ):
        if (text := tree.findtext(amount)) is not None:
            return Decimal(text), str(tree.findtext(currency))
    raise AssertionError(f"{path} has no amount due")


def test_every_invoice_is_read_as_another_reader_reads_it_or_refused_by_the_named_rule() -> None:
    rows = [row for row in _manifest("manifest_xml.csv") if row["kind"] in INVOICE_KINDS]
    assert len(rows) >= 50
    for row in rows:
        path = REALDATA / row["file"]
        answer = _read("invoice", "application/xml", path)
        if path.name in REFUSED:
            assert (path.name, REFUSED[path.name]) == (path.name, answer)
            continue
        assert isinstance(answer, InvoiceFacts), (path.name, answer)
        amount, currency = _amount_due(path)
        assert (currency, amount) == (
            answer.currency,
            Decimal(answer.amount_minor).scaleb(-currency_exponent(currency)),
        )
        assert answer.invoice_number
        assert answer.supplier.name or answer.supplier.vat_id or answer.supplier.legal_id


def test_every_other_xml_is_refused_as_no_invoice() -> None:
    others = {
        row["file"]
        for row in _manifest("manifest_xml.csv")
        if row["kind"] not in ("CII", "UBL-Invoice", "UBL-CreditNote")
    }
    assert len(others) >= 40
    answers = {name: _read("invoice", "text/xml", REALDATA / name) for name in others}
    assert set(answers.values()) <= {"NOT_AN_INVOICE", "NOT_WELL_FORMED", "MEDIA_TYPE"}, answers


def test_every_epcis_file_has_the_verdict_of_the_gs1_schema_or_breaks_a_rule_beyond_it() -> None:
    rows = _manifest("manifest_epcis.csv")
    assert len(rows) >= 60
    for row in rows:
        path = REALDATA / row["file"]
        answer = _read("transport_events", "application/ld+json", path)
        expected = EVENTS_REFUSED.get(path.name, row["gs1_json_schema"])
        assert (path.name, expected) == (path.name, "ok" if isinstance(answer, TransportFacts) else answer)
        if isinstance(answer, TransportFacts) and row["events"] != "0":
            assert (path.name, int(row["events"])) == (path.name, len(answer.events))


def _epcis(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _events_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    body = document["epcisBody"]
    found: list[dict[str, Any]] = body.get("eventList") or body["queryResults"]["resultsBody"]["eventList"]
    return found


def test_every_epcis_file_has_one_verdict_and_the_same_facts_in_xml() -> None:
    """Hashes of events are among the facts."""
    checked = 0
    for row in _manifest("manifest_epcis.csv"):
        path = REALDATA / row["file"]
        in_json = _read("transport_events", "application/ld+json", path)
        if not isinstance(in_json, TransportFacts):
            continue
        document = _epcis(path)
        assert (path.name, read_events_xml(epcis_xml(document, _events_of(document)))) == (path.name, in_json)
        checked += 1
    assert checked >= 60


def test_every_expected_event_hash_is_reproduced_from_json_and_from_xml() -> None:
    """Of some hashes the folder has no document; those of `IgnoreFields` are made without what the file asks to."""
    checked = 0
    for expected in _files("*.hashes"):
        path = expected.with_suffix(".jsonld")
        if not path.exists():
            continue
        document = _epcis(path)
        for event in _events_of(document):
            for name in document.get("repository-x:ignoreFields", []):
                event.pop(name, None)
        hashes = expected.read_text().split()
        in_json = read_events(json.dumps(document).encode())
        in_xml = read_events_xml(epcis_xml(document, _events_of(document)))
        for facts in (in_json, in_xml):
            assert (path.name, [event.event_hash for event in facts.events]) == (path.name, list(dict.fromkeys(hashes)))
        checked += len(hashes)
    assert checked >= 30


def test_every_despatch_advice_tells_of_the_goods_that_its_lines_count() -> None:
    paths = [path for path in _files("*.xml") if path.name.startswith("DespatchAdvice")]
    assert len(paths) >= 6
    for path in paths:
        facts = _read("transport_events", "text/xml", path)
        assert isinstance(facts, TransportFacts), (path.name, facts)
        counted = [
            Decimal(text.text or "") for text in etree.parse(str(path)).iterfind("{*}DespatchLine/{*}DeliveredQuantity")
        ]
        assert (path.name, [Decimal(line.quantity) for line in facts.events[0].goods]) == (path.name, counted)


def test_every_hybrid_pdf_is_an_invoice_and_a_readable_pdf() -> None:
    paths = _files("*.pdf")
    assert len(paths) >= 3
    for path in paths:
        assert isinstance(_read("invoice", "application/pdf", path), InvoiceFacts), path
        assert isinstance(_read("proof_of_delivery", "application/pdf", path), PdfFacts), path


@pytest.mark.parametrize("kind", ["invoice", "proof_of_delivery", "transport_events"])
@pytest.mark.parametrize("media_type", ["application/xml", "application/json", "application/pdf"])
def test_no_file_of_the_folder_gets_anything_but_facts_or_a_refusal(kind: str, media_type: str) -> None:
    for path in _files("*.xml", "*.json*", "*.pdf", "*.csv", "*.md"):
        _read(kind, media_type, path)
