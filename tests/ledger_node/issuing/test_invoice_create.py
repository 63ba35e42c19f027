"""Invoices written from facts: read again they say what they were written from, and they break no public rule."""

from __future__ import annotations

import datetime as dt
import errno
import io
import json
import os
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pypdf
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.cli import main
from ledger_node.cli.files import write_file
from ledger_node.errors import BadRequest
from ledger_node.formats import GoodsFacts, InvoiceFacts, PartyFacts
from ledger_node.formats.facts import clean_text
from ledger_node.formats.pdf import invoice_inside
from ledger_node.formats.ubl_cii import read_invoice
from ledger_node.issuing.draft import InvoiceDraft, TraderIn, example
from ledger_node.issuing.page import write_pdf
from ledger_node.issuing.sums import sums
from ledger_node.issuing.writing import draft_of
from ledger_node.issuing.xml import Syntax, write_xml
from ledger_node.rules import Checker, Verdict, default_folder

WORDS = st.text("aZ09 .<&>'\"-ÄöłЖ中", min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
NUMBERS = WORDS.filter(lambda text: any(map(str.isalnum, text)))
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2029, 12, 31))
TAXES = [("S", "19"), ("S", "7.00"), ("S", "5.5"), ("Z", ""), ("E", ""), ("AE", ""), ("G", "0")]
CENT = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.01")}


@st.composite
def traders(draw: st.DrawFn) -> dict[str, str]:
    found = {"name": draw(WORDS), "vat_id": "DE271828180", "country": draw(st.sampled_from(["DE", "FR"]))}
    if draw(st.booleans()):
        found |= {"legal_id": "5299000NORDWIND00081", "legal_id_scheme": "0199", "gln": "4260000000011"}
    return found | ({"street": draw(WORDS), "city": draw(WORDS)} if draw(st.booleans()) else {})


@st.composite
def lines(draw: st.DrawFn) -> dict[str, str]:
    category, rate = draw(st.sampled_from(TAXES))
    found = {
        "name": draw(WORDS),
        "quantity": f"{draw(st.decimals('0.001', 5000, places=3)):f}",
        "unit": draw(st.sampled_from(["C62", "KGM"])),
        "price": f"{draw(st.decimals('0.01', 9000, places=draw(st.sampled_from([2, 4])))):f}",
        "vat_category": category,
        "vat_rate": rate,
    }
    ids = {"gtin": "04012345123456", "seller_item": draw(WORDS), "buyer_item": draw(WORDS), "order_line": "3"}
    return found | {name: ids[name] for name in draw(st.sets(st.sampled_from(sorted(ids))))}


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    issued = draw(DAYS)
    due = issued + dt.timedelta(days=draw(st.integers(0, 90)))
    optional = {
        "terms": draw(WORDS),
        "order_reference": draw(NUMBERS),
        "despatch_reference": draw(NUMBERS),
        "delivered_on": issued.isoformat(),
        "delivered_to": "8710000000017",
        "buyer_reference": draw(WORDS),
        "note": draw(WORDS),
        "preceding": [{"number": draw(NUMBERS), "issue_date": "2019-12-31"}],
    }
    chosen = draw(st.sets(st.sampled_from(sorted(optional))))
    return {name: optional[name] for name in sorted(chosen)} | {
        "number": draw(NUMBERS),
        "issue_date": issued.isoformat(),
        "due_date": due.isoformat(),
        "currency": draw(st.sampled_from(sorted(CENT))),
        "seller": draw(traders()),
        "buyer": draw(traders()),
        "account": draw(st.sampled_from(["DE89 3704 0044 0532 0130 00", "12-345 6"])),
        "exemption": "Article 132",
        "lines": draw(st.lists(lines(), min_size=1, max_size=4)),
    }


def due_of(said: dict[str, Any]) -> int:
    """The amount due in minor units, reckoned anew."""
    cent, nets = CENT[said["currency"]], dict[Decimal, Decimal]()
    for line in said["lines"]:
        net = (Decimal(line["quantity"]) * Decimal(line["price"])).quantize(cent, ROUND_HALF_UP)
        rate = Decimal(line["vat_rate"] or 0)
        nets[rate] = nets.get(rate, Decimal(0)) + net
    vat = [(net * rate / 100).quantize(cent, ROUND_HALF_UP) for rate, net in nets.items()]
    return int(
        (sum(nets.values(), Decimal(0)) + sum(vat, Decimal(0))).scaleb({"EUR": 2, "JPY": 0, "KWD": 3}[said["currency"]])
    )


def party(said: dict[str, str]) -> PartyFacts:
    gln = said.get("gln", "")
    name, legal_id = clean_text(said["name"], "a name"), said.get("legal_id", "")
    identifiers = (("0088", gln),) if gln else ()
    return PartyFacts(name, legal_id, said.get("legal_id_scheme", ""), said["vat_id"], (), identifiers)


def goods(place: int, line: dict[str, str], order: str) -> GoodsFacts:
    named = [
        ("gtin", line.get("gtin", "")),
        ("seller", line.get("seller_item", "")),
        ("buyer", line.get("buyer_item", "")),
    ]
    found = [(scheme, clean_text(text, "it")) for scheme, text in named if text]
    found += [("order", f"{order}/{line['order_line']}")] if order and "order_line" in line else []
    return GoodsFacts(str(place), tuple(sorted(found)), line["quantity"], line["unit"])


def read_from(said: dict[str, Any], syntax: Syntax) -> InvoiceFacts:
    """What an invoice written from these facts has to say."""
    order = clean_text(said.get("order_reference", ""), "an order")
    despatched, preceding = said.get("despatch_reference", ""), said.get("preceding", [])
    return InvoiceFacts(
        syntax=syntax,
        type_code="380",
        invoice_number=clean_text(said["number"], "a number"),
        issue_date=dt.date.fromisoformat(said["issue_date"]),
        due_date=dt.date.fromisoformat(said["due_date"]),
        has_terms="terms" in said,
        currency=said["currency"],
        amount_minor=due_of(said),
        supplier=party(said["seller"]),
        buyer=party(said["buyer"]),
        payee=None,
        payment_means=("30",),
        payee_accounts=(said["account"].replace(" ", ""),),
        order_reference=order,
        shipment_references=(clean_text(despatched, "it"),) if despatched else (),
        preceding_references=tuple(clean_text(each["number"], "it") for each in preceding),
        goods=tuple(goods(place, line, order) for place, line in enumerate(said["lines"], 1)),
        delivered_on=dt.date.fromisoformat(said["delivered_on"]) if "delivered_on" in said else None,
        delivered_to=said.get("delivered_to", ""),
    )


def written(said: dict[str, Any]) -> InvoiceDraft:
    return draft_of(said, "facts")


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    checker = Checker(default_folder())
    yield checker
    checker.close()


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
@given(said=facts().filter(lambda said: due_of(said) > 0))
@settings(max_examples=12, deadline=None)
def test_what_is_written_from_facts_says_these_facts_and_breaks_no_rule(
    checker: Checker, syntax: Syntax, said: dict[str, Any]
) -> None:
    content = write_xml(written(said), syntax)
    assert read_invoice(content) == read_from(said, syntax)
    checked = checker.check(content)
    assert (checked.verdict, checked.broken) == (Verdict.VALID, ())


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
@pytest.mark.parametrize("category", ["K", "O"])
def test_what_is_delivered_within_the_union_or_not_taxed_at_all_breaks_no_rule(
    checker: Checker, syntax: Syntax, category: str
) -> None:
    said = example() | {"delivered_on": "2026-11-20", "paid": "37.50"}
    said["lines"][0]["vat_category"] = category
    if category == "O":
        said["seller"] |= {"vat_id": "", "legal_id": "HRB 1"}
        said["buyer"]["vat_id"] = ""
    content = write_xml(written(said), syntax)
    assert (checker.check(content).broken, read_invoice(content).amount_minor) == ((), 120_000)


def test_a_page_shows_what_the_file_inside_says_and_keeps_for_long() -> None:
    """The marks of PDF/A-3 that a reader looks for first; the whole check is in `test_pdf_a.py`."""
    content = write_pdf(written(example()))
    assert read_invoice(invoice_inside(content)) == read_invoice(write_xml(written(example()), "cii"))
    reader = pypdf.PdfReader(io.BytesIO(content))
    root: Any = reader.trailer["/Root"]
    page: Any = reader.pages[0]
    text = page.extract_text()
    assert all(
        said in text
        for said in ("INV-2026-17", "Nordwind Lagertechnik GmbH", "Amount due", "1237.50 EUR", "Reverse charge")
    )
    assert [each.get_object()["/S"] for each in root["/OutputIntents"]] == ["/GTS_PDFA1"]
    assert [each.get_object()["/AFRelationship"] for each in root["/AF"]] == ["/Alternative"]
    told = root["/Metadata"].get_data().decode()
    assert 'rdf:RDF xmlns:rdf="' in told and told.count("<rdf:Description") == told.count('rdf:about=""')
    assert ">3</pdfaid:part>" in told and ">B</pdfaid:conformance>" in told and "EN 16931" in told
    assert "/ID" in reader.trailer and "/Encrypt" not in reader.trailer
    fonts = [each.get_object() for each in page["/Resources"]["/Font"].values()]
    assert any("/FontFile2" in font.get("/FontDescriptor", {}) for font in fonts)


def test_a_letter_that_the_page_could_not_show_is_refused_by_name() -> None:
    said = example()
    said["buyer"]["name"] = "Łódź 中"
    with pytest.raises(BadRequest, match="no ź 中") as refused:
        write_pdf(written(said))
    assert "--font" in refused.value.remedy


def test_a_hundred_lines_go_on_over_pages() -> None:
    said = example()
    said["lines"] = said["lines"] * 100
    assert len(pypdf.PdfReader(io.BytesIO(write_pdf(written(said)))).pages) > 1


def test_a_party_that_says_more_than_a_page_holds_goes_on_over_pages() -> None:
    said = example()
    said["seller"] |= dict.fromkeys(("name", "street", "city", "postcode", "vat_id", "legal_id"), "W" * 500)
    pages = pypdf.PdfReader(io.BytesIO(write_pdf(written(said)))).pages
    assert sum(page.extract_text().count("W") for page in pages) >= 6 * 500
    assert len(pages) > 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"number": ""}, "number: is empty"),
    ({"number": "---"}, "number: has to have a letter or a digit"),
    ({"number": "A\ufffe"}, "number: .*characters that XML does not take"),
    ({"number": "A\x00"}, "number: .*U\\+0000"),
    ({"issue_date": "2026-02-30"}, "issue_date: 2026-02-30 is no day"),
    ({"due_date": "2026-11-21"}, "due_date is 2026-11-21, before issue_date"),
    ({"due_date": ""}, "due_date is missing: state it, or payment terms"),
    ({"type_code": "381"}, "type_code: .*credit note"),
    ({"type_code": "384"}, "preceding is missing"),
    ({"currency": "EURO"}, "currency: has to be a currency's three capital letters"),
    ({"currency": "XXX"}, "currency XXX is none of ISO 4217"),
    ({"account": "DE89370400440532013001"}, "account: looks like an IBAN"),
    ({"paid": "1237.50"}, "nothing is due"),
    ({"paid": "0.005"}, "paid: 0.005 has more than 2 decimal places"),
    ({"lines": []}, "lines: is empty"),
    ({"amount": 12.5}, "amount: is not known here"),
]
WRONG_LINE: list[tuple[dict[str, Any], str]] = [
    ({"price": 137.5}, "lines.0.price: has to be text"),
    ({"price": "1.375,00"}, "lines.0.price: has to be a decimal number"),
    ({"quantity": "0"}, "lines.0.quantity: has to be more than 0"),
    ({"quantity": "-1"}, "lines.0.quantity: has to be a decimal number"),
    ({"vat_category": "S"}, "vat_rate is missing and vat_category S"),
    ({"vat_rate": "19"}, "vat_rate is 19 and vat_category AE"),
    ({"vat_category": "S", "vat_rate": "1900"}, "lines.0.vat_rate: has to be less than 100"),
    ({"vat_category": "E"}, "exemption is missing"),
    ({"vat_category": "K"}, "delivered_on is missing"),
    ({"vat_category": "O"}, "vat_id stands beside vat_category O"),
    ({"unit": "piece"}, "lines.0.unit: has to be"),
    ({"gtin": "12"}, "lines.0.gtin: has to be"),
    ({"quantity": "999999999999", "price": "999999999999"}, "the lines make more than"),
]


@pytest.mark.parametrize(("changes", "told"), [*WRONG, *(({"lines": [line]}, told) for line, told in WRONG_LINE)])
def test_a_wrong_fact_is_refused_by_its_field_and_what_it_has_to_be(changes: dict[str, Any], told: str) -> None:
    said = example()
    if changes.get("lines"):
        changes = {"lines": [said["lines"][0] | changes["lines"][0]]}
    with pytest.raises(BadRequest, match=told):
        sums(draft_of(said | changes, "facts"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["invoice", "create", *arguments], prog_name="ledger-node")


def test_the_prompt_writes_a_file_once_and_replaces_it_when_that_is_asked_for(tmp_path: Path) -> None:
    facts_file, out = tmp_path / "facts.json", tmp_path / "invoice.xml"
    facts_file.write_text(run("--example").stdout)
    first = run(str(facts_file), "--out", str(out))
    assert (first.exit_code, "valid by en16931" in first.stdout) == (0, True), first.output
    before = out.read_bytes()
    again = run(str(facts_file), "--out", str(out), "--number", "INV-2", "--json")
    assert (again.exit_code, out.read_bytes()) == (2, before)
    assert "--overwrite" in json.loads(again.stdout)["error"]["remedy"]
    line = json.dumps({"name": "B", "quantity": "2", "price": "5", "vat_rate": "19"})
    typed = ["--number", "INV-2", "--corrects", "INV-2026-17", "--line", line, "--overwrite"]
    assert run(str(facts_file), "--out", str(out), *typed).exit_code == 0
    said = read_invoice(out.read_bytes())
    assert (said.invoice_number, said.type_code, said.amount_minor) == ("INV-2", "384", 1190)
    assert said.preceding_references == ("INV-2026-17",)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["facts.json", "invoice.xml"]


@pytest.mark.parametrize(
    ("changes", "name", "code", "told"),
    [
        ({"seller": example()["seller"] | {"vat_id": "271828180"}}, "invoice.xml", 6, "BR-CO-09"),
        ({}, "invoice.doc", 2, "ends with neither"),
        ({"seller": 1}, "invoice.xml", 2, "seller: has to be an object"),
    ],
)
def test_what_is_wrong_writes_nothing(tmp_path: Path, changes: dict[str, Any], name: str, code: int, told: str) -> None:
    facts_file = tmp_path / "facts.json"
    facts_file.write_text(json.dumps(example() | changes))
    done = run(str(facts_file), "--out", str(tmp_path / name))
    assert (done.exit_code, told in done.output) == (code, True), done.output
    assert not (tmp_path / name).exists()


def test_a_corrected_invoice_of_an_empty_number_is_not_written_as_a_new_one(tmp_path: Path) -> None:
    facts_file, out = tmp_path / "facts.json", tmp_path / "invoice.xml"
    facts_file.write_text(json.dumps(example()))
    done = run(str(facts_file), "--out", str(out), "--corrects", "")
    assert (done.exit_code, "preceding.0.number: is empty" in done.output) == (2, True), done.output
    assert not out.exists()


def test_what_could_not_be_checked_is_written_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger_node.rules.default_folder", lambda: tmp_path / "none")
    facts_file, out = tmp_path / "facts.json", tmp_path / "invoice.xml"
    facts_file.write_text(json.dumps(example()))
    done = run(str(facts_file), "--out", str(out))
    assert (done.exit_code, out.exists()) == (0, True), done.output
    assert "not checked by rules: the rules of EN 16931 are not installed" in done.stdout


def test_where_no_links_are_made_a_file_is_written_all_the_same_and_replaces_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    write_file(tmp_path / "a.xml", b"first")
    with pytest.raises(BadRequest, match=r"a\.xml exists"):
        write_file(tmp_path / "a.xml", b"second")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.xml", b"first")]


@pytest.mark.parametrize("text", ["[", "[]", '{"a": 1' + "0" * 5000 + "}", '{"number": "A", "number": "B"}'])
def test_facts_that_are_no_json_object_are_refused(tmp_path: Path, text: str) -> None:
    facts_file = tmp_path / "facts.json"
    facts_file.write_text(text)
    done = run(str(facts_file), "--out", str(tmp_path / "a.xml"))
    assert (done.exit_code, str(facts_file) in done.output) == (2, True)


def test_an_identifier_without_its_scheme_is_taken_and_a_scheme_without_identifier_is_not() -> None:
    said = example()
    said["buyer"]["legal_id_scheme"] = "0199"
    with pytest.raises(BadRequest, match="legal_id_scheme is of no legal_id"):
        written(said)
    assert TraderIn.model_validate({"name": "A", "country": "DE", "legal_id": "HRB 1"}).legal_id == "HRB 1"
