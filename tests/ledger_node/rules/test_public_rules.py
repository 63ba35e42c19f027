"""Invoices against the rules of EN 16931: what is found is said by name and place, and what cannot be checked, too."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result
from consortium import eventually
from trade_papers import cii, credit_note_ubl, swap, ubl
from trade_variants import NOT_PAID, VARIANTS

from ledger_node.cli import main
from ledger_node.demo import samples
from ledger_node.rules import Bounds, Checker, PackError, Severity, Slow, Verdict, default_folder, find_packs
from ledger_node.rules.checker import TOO_LARGE, TOO_MUCH_MEMORY, TOO_SLOW, WORKER_ENDED
from ledger_node.rules.fetching import SOURCES, fetch, missing
from ledger_node.rules.packs import CORE
from ledger_node.rules.svrl import findings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "documents.md"
FOLDER = default_folder()
XRECHNUNG = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
BUYERS_NAME = f"<cbc:RegistrationName>{samples.BUYER.name}</cbc:RegistrationName>"
LINE = re.compile(rb"<cac:InvoiceLine>.*?</cac:InvoiceLine>", re.DOTALL)


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    checker = Checker(FOLDER)
    assert checker.reason() == "", "make installs the rules: ledger-node rules fetch"
    yield checker
    checker.close()


def _lines(count: int) -> bytes:
    """An invoice whose one line stands there so many times."""
    content = ubl()
    found = LINE.search(content)
    assert found is not None
    return content.replace(found[0], found[0] * count)


def _severities(checker: Checker, content: bytes) -> dict[str, str]:
    return {each.rule: each.severity.value for each in checker.check(content).findings}


@pytest.mark.parametrize("content", [ubl(), cii(), credit_note_ubl()], ids=["UBL", "CII", "credit note"])
def test_an_invoice_in_order_is_valid_and_says_by_which_rules(checker: Checker, content: bytes) -> None:
    checked = checker.check(content)
    assert (checked.verdict, checked.findings, checked.broken) == (Verdict.VALID, (), ())
    assert (checked.model, checked.packs) == ("EN 16931-1:2017", ("en16931 1.3.16",))
    assert checked.facts["currency"] == "EUR"


def test_a_broken_rule_is_named_with_its_text_its_business_terms_and_its_place(checker: Checker) -> None:
    checked = checker.check(swap(ubl(), BUYERS_NAME, ""))
    (found,) = [each for each in checked.findings if each.severity is Severity.FATAL]
    assert (checked.verdict, checked.broken) == (Verdict.INVALID, ("BR-07",))
    assert (found.rule, found.terms) == ("BR-07", ("BT-44",))
    assert found.location == "/Invoice[1]"
    assert "Buyer name" in found.text


def test_a_warning_makes_nothing_invalid(checker: Checker) -> None:
    copied = swap(ubl(), "<cbc:IssueDate>", "<cbc:CopyIndicator>false</cbc:CopyIndicator><cbc:IssueDate>")
    checked = checker.check(copied)
    assert [(each.rule, each.severity) for each in checked.findings] == [("UBL-CR-004", Severity.WARNING)]
    assert checked.verdict is Verdict.VALID


def test_which_variants_of_the_trade_break_rules_stands_on_the_page(checker: Checker) -> None:
    made = {name: make for name, (make, result) in VARIANTS.items() if not result.startswith("refused at upload")}
    made |= {name: make for name, (make, _) in NOT_PAID.items()}
    checked = {name: checker.check(make("N-1", 100_000)) for name, make in made.items()}
    page = PAGE.read_text().partition("## Which of them break public rules")[2]
    told = dict(re.findall(r"^\| ([^|]+) \| ([A-Z][^|]+) \|$", page, re.MULTILINE))
    assert told == {name: ", ".join(each.broken) for name, each in checked.items() if each.broken}


def test_a_report_is_read_by_what_each_rule_is_marked_with() -> None:
    report = """<svrl:schematron-output xmlns:svrl="http://purl.oclc.org/dsdl/svrl">
      <svrl:failed-assert id="A" flag="warning" location="/"><svrl:text>may (BT-1)</svrl:text></svrl:failed-assert>
      <svrl:successful-report id="B" role="information" location="/*:X[namespace-uri()='urn:y'][2]"/>
      <svrl:failed-assert id="C" flag="fatal"/><svrl:failed-assert id="D"/></svrl:schematron-output>"""
    found = [(each.rule, each.severity, each.location, each.terms) for each in findings(report)]
    assert found == [
        ("A", Severity.WARNING, "/", ("BT-1",)),
        ("B", Severity.INFORMATION, "/X[2]", ()),
        ("C", Severity.FATAL, "", ()),
        ("D", Severity.FATAL, "", ()),
    ]


def test_what_this_node_takes_no_claim_from_is_said_and_breaks_no_rule(checker: Checker) -> None:
    early = swap(ubl(), "<cbc:DueDate>2027", "<cbc:DueDate>2017")
    checked = checker.check(early)
    assert (checked.verdict, checked.facts) == (Verdict.VALID, {})
    assert [(each.rule, each.severity) for each in checked.findings] == [("DUE_BEFORE_ISSUE", Severity.REFUSED)]


@pytest.mark.parametrize(
    ("content", "verdict", "rule"),
    [
        (b"<Invoice>", Verdict.INVALID, "NOT_WELL_FORMED"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", Verdict.INVALID, "DOCTYPE"),
        (b"<order/>", Verdict.INVALID, "NOT_AN_INVOICE"),
        (b"an invoice", Verdict.INVALID, "MEDIA_TYPE"),
        (b"", Verdict.INVALID, "MEDIA_TYPE"),
        (swap(ubl(), "<cbc:ID>INV-1</cbc:ID>", "<cbc:No>INV-1</cbc:No>"), Verdict.INVALID, "SCHEMA"),
    ],
)
def test_what_is_no_invoice_is_invalid_by_name(checker: Checker, content: bytes, verdict: Verdict, rule: str) -> None:
    checked = checker.check(content)
    assert (checked.verdict, rule in checked.broken) == (verdict, True)


def test_an_invoice_of_another_country_is_checked_by_its_pack_and_without_it_by_the_core_only(
    checker: Checker, tmp_path: Path
) -> None:
    german = swap(ubl(), ">urn:cen.eu:en16931:2017<", f">{XRECHNUNG}<")
    whole = checker.check(german)
    assert (whole.verdict, whole.packs) == (Verdict.INVALID, ("en16931 1.3.16", "xrechnung 2.6.0"))
    assert "BR-DE-15" in whole.broken
    shutil.copytree(next(FOLDER.glob(f"{CORE}-*")), tmp_path / CORE)
    alone = Checker(tmp_path)
    core = alone.check(german)
    alone.close()
    assert (core.verdict, core.packs) == (Verdict.VALID, ("en16931 1.3.16",))
    assert [(each.rule, each.severity) for each in core.findings] == [("CORE_ONLY", Severity.INFORMATION)]
    assert XRECHNUNG in core.findings[0].text


def test_without_the_extra_or_without_packs_nothing_is_checkable_and_the_facts_are_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = Checker(tmp_path)
    checked = none.check(ubl())
    none.close()
    assert (checked.verdict, checked.findings[-1].severity) == (Verdict.INDETERMINATE, Severity.UNCHECKED)
    assert checked.facts["invoice_number"] == "INV-1"
    (tmp_path / "saxonche.py").write_text("raise ImportError('not installed')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    without = Checker(FOLDER)
    assert "extra `rules` is not installed" in without.reason()
    checked = without.check(ubl())
    without.close()
    assert (checked.verdict, checked.findings[0].rule) == (Verdict.INDETERMINATE, "NOT_CHECKED")


def test_a_document_that_takes_too_long_ends_by_name_and_the_next_one_is_checked() -> None:
    bounded = Checker(FOLDER, Bounds(cpu_seconds_max=1.5, memory_bytes_max=8_000_000_000))
    hostile = bounded.check(_lines(20_000))
    assert (hostile.verdict, [each.rule for each in hostile.findings]) == (Verdict.INDETERMINATE, [TOO_SLOW])
    again = bounded.check(ubl())
    bounded.close()
    assert again.verdict is Verdict.VALID


def test_a_document_that_takes_too_much_memory_ends_by_name_and_the_next_one_is_checked(checker: Checker) -> None:
    (found,) = checker.check(_lines(30_000)).findings
    assert (found.rule, found.severity) == (TOO_MUCH_MEMORY, Severity.UNCHECKED)
    assert checker.check(ubl()).verdict is Verdict.VALID


def test_a_document_over_the_bound_of_bytes_is_never_handed_over(tmp_path: Path) -> None:
    checked = Checker(tmp_path, Bounds(document_bytes_max=1000)).check(ubl())
    assert [each.rule for each in checked.findings] == [TOO_LARGE]


def test_a_worker_that_is_killed_is_replaced_and_ends_with_its_checker() -> None:
    others = _workers()
    checker = Checker(FOLDER)
    checker.check(ubl())
    (worker,) = _workers() - others
    psutil.Process(worker).kill()
    assert checker.check(_lines(1000)).verdict is Verdict.INVALID, "that one line stands there a thousand times"
    assert len(_workers() - others - {worker}) == 1
    checker.close()
    assert _workers() == others


def _workers() -> set[int]:
    """The ids of the processes that check rules for this one."""
    children = [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]
    return {each.pid for each in children if "ledger_node.rules.worker" in each.cmdline()}


def test_threads_that_check_at_once_get_each_its_own_answer(checker: Checker) -> None:
    def number(place: int) -> str:
        return str(checker.check(ubl(f"INV-{place}")).facts["invoice_number"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(number, range(24))) == [f"INV-{place}" for place in range(24)]


ENDLESS = """<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template name="on"><xsl:call-template name="on"/></xsl:template>
<xsl:template match="/"><xsl:call-template name="on"/></xsl:template></xsl:stylesheet>"""


@pytest.fixture
def with_endless(tmp_path: Path) -> Path:
    """A folder of packs in which what claims to be endless is checked without end."""
    shutil.copytree(next(FOLDER.glob(f"{CORE}-*")), tmp_path / CORE)
    pack = tmp_path / "endless"
    pack.mkdir()
    (pack / "endless.xslt").write_text(ENDLESS)
    digest = hashlib.sha256(ENDLESS.encode()).hexdigest()
    said = 'name = "endless"\nversion = "1"\nmodel = "none"\napplies = ["endless"]\n'
    (pack / "pack.toml").write_text(f'{said}[stylesheets]\nubl = "endless.xslt"\n[sha256]\nubl = "{digest}"\n')
    return tmp_path


def test_a_document_without_end_holds_up_none_that_is_quick(with_endless: Path) -> None:
    others, endless = _workers(), swap(ubl(), ">urn:cen.eu:en16931:2017<", ">endless<")
    checker = Checker(with_endless, Bounds(cpu_seconds_max=1e9, clock_seconds_max=1e9))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(checker.check, endless)
        try:
            eventually(lambda: checker._slow.locked(), "it is in the slow lane")
            assert checker.check(ubl()).verdict is Verdict.VALID
            with pytest.raises(Slow):
                checker.check(endless, patient=False)
            assert not slow.done()
        finally:
            for pid in _workers() - others:
                psutil.Process(pid).kill()
    assert slow.result().findings[0].rule == WORKER_ENDED
    checker.close()
    assert _workers() == others


def test_a_document_that_is_only_slow_is_answered_all_the_same() -> None:
    checker = Checker(FOLDER, Bounds(quick_cpu_seconds=0.0))
    assert checker.check(ubl()).verdict is Verdict.VALID
    checker.close()


def test_a_pack_that_is_not_what_it_says_is_not_run(tmp_path: Path) -> None:
    core = tmp_path / CORE
    shutil.copytree(next(FOLDER.glob(f"{CORE}-*")), core)
    assert [pack.label for pack in find_packs(tmp_path)] == ["en16931 1.3.16"]
    stylesheet = next(core.glob("*UBL*"))
    stylesheet.write_bytes(stylesheet.read_bytes() + b"\n")
    with pytest.raises(PackError, match=r"is not what pack\.toml says"):
        find_packs(tmp_path)
    checker = Checker(tmp_path)
    checked = checker.check(ubl())
    checker.close()
    assert (checked.verdict, "pack.toml" in checked.findings[0].text) == (Verdict.INDETERMINATE, True)


def test_two_versions_of_one_pack_and_a_pack_without_description_are_errors(tmp_path: Path) -> None:
    source = next(FOLDER.glob(f"{CORE}-*"))
    for name in ("one", "two"):
        shutil.copytree(source, tmp_path / name)
    with pytest.raises(PackError, match="2 times"):
        find_packs(tmp_path)
    (tmp_path / "two" / "pack.toml").write_text('name = "B"\n')
    with pytest.raises(PackError, match="version: is missing"):
        find_packs(tmp_path)


def test_fetching_is_done_once_and_mends_what_is_broken(tmp_path: Path) -> None:
    for source in SOURCES:
        shutil.copytree(FOLDER / source.folder, tmp_path / source.folder)
    assert (missing(tmp_path), fetch(tmp_path)) == ([], [])
    (tmp_path / SOURCES[0].folder / "pack.toml").unlink()
    assert missing(tmp_path) == [SOURCES[0]]


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), prog_name="ledger-node")


def test_the_prompt_validates_files_and_its_exit_code_is_the_worst_verdict(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(ubl())
    bad.write_bytes(swap(ubl(), BUYERS_NAME, ""))
    run = _run("invoice", "validate", str(good), str(bad), "--json")
    content = json.loads(run.stdout)
    assert (run.exit_code, content["ok"]) == (6, False)
    assert [each["verdict"] for each in content["result"]] == ["valid", "invalid"]
    first, second = content["result"]
    assert set(first) == {"file", "format", "profile", "verdict", "findings", "facts"}
    assert (first["file"], first["format"], first["profile"]) == (str(good), "UBL Invoice", "urn:cen.eu:en16931:2017")
    assert first["facts"]["rules"] == {"model": "EN 16931-1:2017", "packs": ["en16931 1.3.16"]}
    assert set(second["findings"][0]) == {"rule", "severity", "text", "location"}
    none = tmp_path / "none"
    none.mkdir()
    text = _run("invoice", "validate", str(bad), "--rules", str(none))
    assert (text.exit_code, "unchecked   NOT_CHECKED: the rules of EN 16931 are not installed" in text.stdout) == (
        4,
        True,
    )
    one = _run("invoice", "validate", str(good))
    assert (one.exit_code, one.stdout.splitlines()[0]) == (0, f"{good}: valid by en16931 1.3.16 (EN 16931-1:2017)")


def test_the_prompt_lists_the_packs_and_says_whether_invoices_can_be_checked(tmp_path: Path) -> None:
    listed = json.loads(_run("rules", "list", "--json").stdout)["result"]
    assert {pack["name"] for pack in listed["packs"]} == {"en16931", "xrechnung", "ctc-fr"}
    assert (listed["checkable"], listed["reason"]) == (True, "")
    assert "not checkable" in _run("rules", "list", "--folder", str(tmp_path)).stdout
    assert "all packs are in" in _run("rules", "fetch").stdout
