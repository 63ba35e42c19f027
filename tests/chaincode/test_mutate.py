"""The mutants' machinery: on a small project what is killed, by what, and what survives; and on a few of the rules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MUTATE = ROOT / "tests" / "chaincode" / "mutate.py"

STOCK = '''
"""Things in a store."""

PLACES = int("3")


def has_room(stored: int) -> bool:
    """Whether one more fits."""
    return stored < PLACES


def emptied(stored: int) -> int:
    """What is left when all is taken out, piece by piece."""
    while stored > 0:
        stored -= 1
    return -stored
'''
TESTS = """
from stock import emptied, has_room

def test_three_fit():
    assert [has_room(stored) for stored in range(4)] == [True, True, True, False]

def test_all_can_be_taken_out():
    assert emptied(3) == 0

def test_the_code_as_it_is_does_not_pass_this_one():
    assert not "green"
"""
EQUIVALENT = "emptied: -stored -> stored"
KILLERS = {
    "int('3') -> int('3x')": "the import fails",
    "has_room: stored < PLACES -> stored <= PLACES": "test_stock.py::test_three_fit",
    "has_room: return stored < PLACES -> return None": "test_stock.py::test_three_fit",
    "emptied: stored > 0 -> stored >= 0": "test_stock.py::test_all_can_be_taken_out",
    "emptied: stored > 0 -> stored > 1": "test_stock.py::test_all_can_be_taken_out",
    "emptied: stored -= 1 -> stored += 1": "the time bound",
    "emptied: stored -= 1 -> stored -= 2": "test_stock.py::test_all_can_be_taken_out",
    "emptied: return -stored -> return None": "test_stock.py::test_all_can_be_taken_out",
    EQUIVALENT: "",
}


def mutate(folder: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """The figures, and what is said on the way."""
    command = [sys.executable, str(MUTATE), "--workers", "1", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return json.loads(done.stdout), done.stderr


def test_every_mutant_is_run_once_and_what_no_test_notices_survives(tmp_path: Path) -> None:
    (tmp_path / "stock.py").write_text(STOCK)
    (tmp_path / "test_stock.py").write_text(TESTS)
    arguments = ("stock.py", "--tests", "test_stock.py", "--folder", "kept")

    figures, said = mutate(tmp_path, *arguments)
    lines = (tmp_path / "kept" / "results.jsonl").read_text().splitlines()
    results = [json.loads(line) for line in lines]
    assert {one["mutant"].split(" ", 3)[3]: one["killer"] for one in results} == KILLERS
    assert (figures["mutants"], figures["run"], figures["killed"]) == (9, 9, 8)
    assert figures["files"]["stock.py"]["survivors"] == [EQUIVALENT]
    assert f"not explained in docs/reference/mutations.md: {EQUIVALENT}" in said

    (tmp_path / "docs" / "reference").mkdir(parents=True)
    (tmp_path / "docs" / "reference" / "mutations.md").write_text(f"`{EQUIVALENT}`")
    again, said = mutate(tmp_path, *arguments)
    assert again == figures
    assert (tmp_path / "kept" / "results.jsonl").read_text().splitlines() == lines
    assert "not explained" not in said


def test_the_tests_of_money_kill_what_can_be_killed_of_a_sample(tmp_path: Path) -> None:
    tests = "tests/chaincode/test_money.py"
    figures, said = mutate(ROOT, "chaincode/money.py", "--sample", "12", "--tests", tests, "--folder", str(tmp_path))
    assert figures["run"] == 12
    assert "not explained" not in said
