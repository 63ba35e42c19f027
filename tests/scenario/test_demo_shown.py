"""The demo as people read it: what happened to the invoice, what stands in the books, and how to get in."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ledger_node.demo.papers import from_files

pytestmark = pytest.mark.alone
ORGANISATIONS = ("supplier", "buyer", "financier", "carrier")


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger_node", "demo", *arguments]
    wide = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, env=wide)


def processes_in(directory: Path) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [each for each in found if f"{directory}/" in " ".join(each.info["cmdline"] or [])]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown") / "demo"


@pytest.fixture(scope="module")
def shown(directory: Path) -> Iterator[str]:
    """What a demo that is kept prints."""
    done = demo("--ledger", "embedded", "--keep", "--dir", str(directory))
    try:
        assert done.returncode == 0, done.stderr[-4000:]
        yield done.stdout
    finally:
        demo("--stop", "--dir", str(directory))


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


def test_a_demo_that_is_kept_says_how_to_enter_and_how_to_stop_and_is_stopped(shown: str, directory: Path) -> None:
    for organisation in ORGANISATIONS:
        assert f"{organisation} http://" in shown
    assert f"ledger-node demo --stop --dir {directory}" in shown
    assert processes_in(directory)
    stopped = demo("--stop", "--dir", str(directory))
    assert stopped.returncode == 0, stopped.stderr
    assert f"Stopped what ran in {directory}." in stopped.stdout
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
