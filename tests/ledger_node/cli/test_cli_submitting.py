"""A file that is submitted again is the same submission, and a refusal says how it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger_node.cli.rest import Writer
from ledger_node.cli.submitting import submit_file
from ledger_node.client import Client, Refused

SUBMISSION = "9b2f6c1d4e8a47f0a1c3d5e7f9081726"


class Node(Client):
    """Notes the idempotency keys that it is sent, and refuses what is of nobody."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def post_file(self, path: str, *arguments: Any, idempotency_key: str = "", **_: Any) -> dict[str, Any]:
        self.keys.append(idempotency_key)
        if not arguments[2]["buyer"]:
            raise Refused("PARTY_UNKNOWN", "no such party", "", remedy="Look at the parties.", submission_id=SUBMISSION)
        return {"path": path}


def test_the_same_file_with_the_same_options_is_the_same_submission_and_no_other_is(tmp_path: Path) -> None:
    node, file = Node(), tmp_path / "invoice.xml"
    for content, buyer in (("<a/>", "BuyerMSP"), ("<a/>", "BuyerMSP"), ("<b/>", "BuyerMSP"), ("<a/>", "OtherMSP")):
        file.write_text(content)
        submit_file(Writer(node, 0, ""), "/v1/invoice-submissions", file, {"buyer": buyer})
    submit_file(Writer(node, 0, "typed"), "/v1/invoice-submissions", file, {"buyer": "BuyerMSP"})
    first, again, *others = node.keys
    assert first == again
    assert len({first, *others}) == 4 and others[-1] == "typed"


def test_a_refusal_says_how_it_goes_on_since_typing_it_again_would_not(tmp_path: Path) -> None:
    file = tmp_path / "invoice.xml"
    file.write_text("<a/>")
    with pytest.raises(Refused) as refused:
        submit_file(Writer(Node(), 0, ""), "/v1/invoice-submissions", file, {"buyer": ""})
    goes_on = f"Once it is mended: ledger-node submission retry {SUBMISSION}"
    assert refused.value.remedy == f"Look at the parties. {goes_on}"
