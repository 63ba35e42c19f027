"""Every how-to, typed line by line: on the embedded ledger, or on a network of its own where the page speaks of one.

What a page leaves out it says, with the reason, in its source; they are counted here, so that none is added unseen.
"""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bank_files import camt_054, detail, entry
from pages_played import ROOT, Statement, play, statements

from ledger_node.demo.samples import SUPPLIER_IBAN

DOCS = ROOT / "docs"
HOW_TOS = sorted((DOCS / "how-to").glob("*.md"))
PAGES = [*HOW_TOS, *sorted((DOCS / "tutorial").glob("*.md"))]
ON_A_NETWORK = {"back-up-and-restore", "monitor", "run-a-network", "use-official-tools"}
LEFT_OUT = 28
"""How many lines of all pages are not played. What is left out is not tested: look for another way first."""


def embedded_or_network(page: Path) -> object:
    return pytest.param(page, id=page.stem, marks=[pytest.mark.network] if page.stem in ON_A_NETWORK else [])


def ended(folder: Path) -> None:
    """What a page has left running in its folder is stopped."""
    ledger_node = [sys.executable, "-m", "ledger_node"]
    if (folder / "scf" / "demo.json").exists():
        subprocess.run([*ledger_node, "demo", "--stop", "--dir", "scf"], cwd=folder, check=True)
    elif (folder / "scf" / "network.yaml").exists():
        subprocess.run([*ledger_node, "network", "down", "--network", "scf/network.yaml"], cwd=folder, check=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a reader works, with the files that the pages speak of."""
    today = f"<Dt>{dt.datetime.now(dt.UTC).date()}</Dt>"
    booked = camt_054(entry(details=[detail(account=SUPPLIER_IBAN)], booked=today))
    (tmp_path / "camt054.xml").write_bytes(booked)
    bank = (DOCS / "how-to" / "work-with-your-bank.md").read_text()
    accounts = re.search(r"```csv\n(.*?)```", bank, re.DOTALL)
    assert accounts
    (tmp_path / "accounts.csv").write_text(accounts[1])
    yield tmp_path
    ended(tmp_path)


def test_what_is_not_played_has_a_reason_and_none_is_left_out_unseen() -> None:
    left_out = [each for page in PAGES for each in statements(page) if each.left_out]
    assert [each for each in left_out if len(each.left_out.split()) < 3] == []
    assert len(left_out) == LEFT_OUT


def test_every_how_to_has_lines_that_are_played() -> None:
    played = {page.stem: sum(not each.left_out for each in statements(page)) for page in HOW_TOS}
    assert [page for page, number in played.items() if not number] == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('<!-- not played: "other": why it is -->\n```console\n$ one\n```\n', "comments that fit no line"),
        ("```console\nls\n```\n", "a console without a prompt"),
        ("```\n$ ls\n```\n", "a console that is not called so"),
        ("<!-- stays: serve -->\n```console\n$ serve\n```\n", "of which line"),
    ],
)
def test_a_page_that_cannot_be_played_is_named(tmp_path: Path, source: str, fault: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(source)
    with pytest.raises(AssertionError, match=fault):
        statements(page)


def test_a_line_that_ends_otherwise_than_the_page_says_is_the_last_one_played(tmp_path: Path) -> None:
    said = play([Statement("echo one"), Statement("false", exit_code=1), Statement("echo two")], tmp_path)
    assert said.splitlines() == ["$ echo one", "one", "$ false", "$ echo two", "two"]
    with pytest.raises(AssertionError, match=r"\$ false$"):
        play([Statement("false"), Statement("echo two")], tmp_path)


def test_what_stays_is_awaited_and_ended_by_its_pid(tmp_path: Path) -> None:
    serve = "(trap 'echo ended; exit' TERM; sleep 1; touch ready; while :; do sleep 0.1; done)"
    stays = Statement(serve, stays_until="test -e ready")
    assert play([stays, Statement("test -e ready && echo awaited")], tmp_path).endswith("awaited\nended\n")


@pytest.mark.long
@pytest.mark.parametrize("page", [embedded_or_network(page) for page in HOW_TOS])
def test_a_how_to_is_typed_line_by_line(page: Path, folder: Path) -> None:
    play(statements(page), folder, {"LEDGER_NODE_DEMO_LEDGER": "embedded", "XDG_CONFIG_HOME": str(folder)})
