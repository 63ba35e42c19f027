"""The duplicate defence, measured: recall per mutation, zeros included, and precision, as the page publishes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import Measured, measure
from world import founded

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "duplicates.md").read_text()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[Measured]:
    return measure(founded(), tmp_path_factory.mktemp("corpus"))


def row(one: Measured) -> str:
    return f"| {one.mutation.name} | {one.mutation.what} | {one.found} of {one.cases} |"


def test_the_page_publishes_the_recall_of_every_mutation_zeros_included(measured: list[Measured]) -> None:
    mutated = [row(one) for one in measured if one.mutation.same]
    section = PAGE.partition("## Recall")[2].partition("##")[0]
    assert [line for line in section.splitlines() if " of " in line and line.startswith("|")] == mutated


def test_the_page_publishes_how_often_honest_invoices_are_held_up(measured: list[Measured]) -> None:
    honest = [row(one) for one in measured if not one.mutation.same]
    section = PAGE.partition("## Honest look-alikes")[2].partition("##")[0]
    assert [line for line in section.splitlines() if " of " in line and line.startswith("|")] == honest


def test_the_page_publishes_recall_and_precision_of_the_whole(measured: list[Measured]) -> None:
    mutated = [one for one in measured if one.mutation.same]
    true = sum(one.found for one in mutated)
    called = sum(one.found for one in measured)
    cases = sum(one.cases for one in mutated)
    assert f"Recall over the whole corpus: {true} of {cases}." in PAGE
    assert f"Precision over the whole corpus: {true} of {called}." in PAGE


def test_the_named_look_alikes_are_no_duplicates(measured: list[Measured]) -> None:
    found = {one.mutation.name: one.found for one in measured}
    for name in ("monthly rent", "numbers cut differently", "invoiced again after cancellation"):
        assert found[name] == 0
