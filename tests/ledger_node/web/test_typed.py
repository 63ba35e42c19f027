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


LOOKS = ("2026-02-30", "1000.50", "007.10", "INVALID", "BuyerMSP", "0123456789abcdef" * 2)


@pytest.mark.parametrize("text", LOOKS)
@pytest.mark.parametrize("column", ["number", "reference", "order", "buyer_reference", "file", "invoice", "name"])
def test_a_number_that_looks_like_something_else_is_shown_as_it_is(column: str, text: str) -> None:
    assert texts.cell({"names": {column: text}}, column) == text


def test_a_column_says_how_its_cells_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "language", lambda: "de")
    monkeypatch.setattr(texts, "party_name", {"BuyerMSP": "Buyer & Co"}.get)
    monkeypatch.setattr(texts, "gettext", lambda text: f"<{text}>")
    record = {"amount": "1000.50", "due_date": "2026-11-30", "buyer": "BuyerMSP", "invoice_id": "0123" * 8}
    record |= {"status": "approved", "debit": "BuyerMSP"}
    shown = [texts.cell(record, column) for column in record]
    assert shown == ["1.000,50", "Mo. 30 Nov. 2026", "Buyer & Co", "01230123", "<approved>", "Buyer & Co"]
