"""A month, and in `make long` a year, in fast motion: all invariants at the end, and one read model however folded."""

from __future__ import annotations

from pathlib import Path

import pytest
from year import play

pytestmark = pytest.mark.no_cover  # what only a generated life reaches has no test


def test_a_month_keeps_all_invariants_and_folds_anew_to_the_same_read_model(tmp_path: Path) -> None:
    figures = play(tmp_path, invoices=200, days=15)
    assert figures["commands"] > 200 * 13


@pytest.mark.long
def test_a_year_keeps_all_invariants_and_folds_anew_to_the_same_read_model(tmp_path: Path) -> None:
    figures = play(tmp_path, invoices=200_000, days=250)
    assert figures["commands"] > 200_000 * 13
    print(figures)  # noqa: T201 - what a run of an hour has measured is worth seeing
