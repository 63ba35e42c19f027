"""The page of refusals and the code name the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from ledger_node.formats import FormatCode

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "document-refusals.md"


def test_the_page_lists_every_refusal_in_the_order_of_the_code_and_no_other() -> None:
    assert [code.value for code in FormatCode] == re.findall(
        r"^\| `([A-Z_]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
