"""The tutorial, pasted into a shell line by line, and the demo that it begins with, as people read it."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pages_played import ROOT, Statement, play, statements

from ledger_node.demo.papers import from_files

pytestmark = pytest.mark.alone
ORGANISATIONS = ("supplier", "buyer", "financier", "carrier")
TUTORIAL = statements(ROOT / "docs" / "tutorial" / "first-payment.md")
STOP = "ledger-node demo --stop"


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger_node", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def processes_in(directory: Path) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [each for each in found if f"{directory}/" in " ".join(each.info["cmdline"] or [])]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a checkout of the project that is installed."""
    installed = subprocess.run(["make", "--question", ".venv/installed"], cwd=ROOT, check=False)
    assert installed.returncode == 0, "type `make install` first: the tutorial's make would install from its own folder"
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Makefile", "setup.cfg", "setup.py", "pyproject.toml", "ledger_node", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def shown(checkout: Path) -> Iterator[str]:
    """What the tutorial prints, as far as its last line, which stops what it started."""
    played, (last,) = TUTORIAL[:-1], TUTORIAL[-1:]
    assert last == Statement(STOP)
    try:
        yield play(played, checkout, {"LEDGER": "embedded", "COLUMNS": "200", "XDG_CONFIG_HOME": str(checkout)})
    finally:
        demo("--stop", "--dir", str(checkout / "demo"))


def test_all_of_the_tutorial_is_played() -> None:
    assert [each for each in TUTORIAL if each.left_out] == []
    assert len(TUTORIAL) > 30


def test_the_tutorial_can_be_pasted_line_by_line_and_pays_an_invoice(shown: str) -> None:
    paid, _, settled = shown.partition("\n$ buyer invoice acknowledge-assignment")
    assert "\nearly-paid\n" in paid
    assert re.search(r"status\s+settled", settled), settled[-3000:]


def test_the_timeline_names_each_legal_act_once(shown: str) -> None:
    timeline = shown.partition("Timeline of the invoice")[2].partition("Seven classes")[0]
    told = [line.strip("│ ").rpartition("│ ")[2] for line in timeline.splitlines()]
    acts = ["invoice registered", "invoice approved; paid early", "assignment acknowledged", "settled"]
    assert [what for what in told if what in acts] == acts


def test_classes_balances_and_attacks_are_tables(shown: str) -> None:
    for name in ("PARTIES", "INTEGRITY", "AMOUNT", "DELIVERY", "UNIQUE", "FACILITY", "FUNDS"):
        assert name in shown
    assert "Balances" in shown
    assert "No network, no endorsement, no consensus: for trying, never for money." in shown
    assert "by the hashing service" in shown


def test_rules_and_the_match_of_goods_are_tables_with_what_the_verifiers_attested(shown: str) -> None:
    rules = shown.partition("Public rules, as attested")[2].partition("Three-way match")[0]
    assert [party in rules for party in ("BuyerMSP", "FinancierMSP")] == [True, True]
    assert "en16931" in rules and "invalid" not in rules
    match = shown.partition("Three-way match: full")[2].partition("Balances")[0]
    cells = [cell.strip() for cell in match.partition("gtin")[2].splitlines()[0].split("│")]
    assert cells[1:6] == ["pieces", "9", "9", "9", "full"], match
    assert "BuyerMSP full" in match and "FinancierMSP full" in match


def test_a_demo_that_is_kept_says_how_to_enter_and_how_to_stop_and_is_stopped(shown: str, checkout: Path) -> None:
    directory = checkout / "demo"
    for organisation in ORGANISATIONS:
        assert f"{organisation} http://" in shown
    assert f"ledger-node demo --stop --dir {directory}" in shown
    assert processes_in(directory)
    assert f"Stopped what ran in {directory}." in play(TUTORIAL[-1:], checkout)
    assert processes_in(directory) == []


def test_where_no_demo_was_there_is_none_to_stop(tmp_path: Path) -> None:
    stopped = demo("--stop", "--dir", str(tmp_path))
    assert stopped.returncode == 3
    assert f"there is no demo in {tmp_path}" in stopped.stderr


def test_the_papers_of_the_trade_can_be_had_as_files_that_the_demo_takes(tmp_path: Path) -> None:
    written = demo("--papers", str(tmp_path / "papers"))
    assert written.returncode == 0, written.stderr
    paths = [Path(line) for line in written.stdout.split()]
    assert [path.name for path in paths] == ["invoice.pdf", "despatch.xml", "events.json", "proof.pdf"]
    invoice, despatch, events, proof = paths
    read = from_files(invoice, despatch, events, proof, dt.datetime.now(dt.UTC).date())
    assert [read.invoice, read.despatch, read.events, read.proof] == [path.read_bytes() for path in paths]
