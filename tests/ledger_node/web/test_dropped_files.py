"""Files that are dropped on the page of a new invoice are taken for what they say they are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage

from ledger_node.demo import papers
from ledger_node.formats import FormatError
from ledger_node.web.uploads import _kind_of

KINDS = {"invoice": "invoice", "despatch": "transport_events", "events": "transport_events"}


def test_the_papers_of_the_demo_are_told_apart_by_their_content(tmp_path: Path) -> None:
    made = papers.counted(dt.date(2026, 11, 30))
    found = {}
    for name in made.names:
        (tmp_path / name).write_bytes(getattr(made, name))
        with (tmp_path / name).open("rb") as stream:
            found[name] = _kind_of(FileStorage(stream))[0]
    assert found == KINDS | {"proof": "proof_of_delivery"}


def test_xml_that_is_neither_is_refused_as_no_invoice(tmp_path: Path) -> None:
    (tmp_path / "letter").write_bytes(b"<letter/>")
    with (tmp_path / "letter").open("rb") as stream, pytest.raises(FormatError) as refused:
        _kind_of(FileStorage(stream))
    assert refused.value.code == "NOT_AN_INVOICE"
