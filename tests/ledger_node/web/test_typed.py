"""What people type and what lists show: amounts and cells, each read and written by what they are."""

from __future__ import annotations

import pytest

from ledger_node.web import texts


@pytest.mark.parametrize(
    ("language", "typed", "digits", "read"),
    [
        ("en", "1,234.50", 2, "1234.50"),
        ("en", "1 234.50", 2, "1234.50"),
        ("en", "1,500", 2, "1500"),
        ("en", "1.500", 3, "1.500"),
        ("en", "1.500", 2, None),
        ("en", "14.500", 2, None),
        ("en", "1.5", 0, None),
        ("en", "5 0", 2, None),
        ("en", "1,234 567", 2, None),
        ("en", "1.234,50", 2, None),
        ("en", "-5", 2, None),
        ("de", "1.234,50", 2, "1234.50"),
        ("de", "1\u00a0234,50", 2, "1234.50"),
        ("de", "1.500", 2, "1500"),
        ("de", "1,500", 3, "1.500"),
        ("de", "1,500", 2, None),
        ("de", "5 0", 2, None),
        ("de", "1.50", 2, None),
    ],
)
def test_an_amount_that_another_language_reads_otherwise_is_not_guessed_at(
    monkeypatch: pytest.MonkeyPatch, language: str, typed: str, digits: int, read: str | None
) -> None:
    monkeypatch.setattr(texts, "language", lambda: language)
    assert texts.read_amount(typed, digits) == read
