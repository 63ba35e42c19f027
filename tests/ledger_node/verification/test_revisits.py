"""What is read again though it is attested: goods that are counted later, and rules that were not there."""

from __future__ import annotations

import io
from typing import Any, cast

from ledger_node.readmodel import ReadModel
from ledger_node.verification.goods import GoodsMatcher
from ledger_node.verification.revisits import Revisits

COUNTS = {"verdict": "counts", "proof_ids": []}
UNCHECKED = {"verdict": "indeterminate"}


class Records:
    """The records of one invoice of A's with one proof of C's, as the read model of B's node gives them."""

    def __init__(self) -> None:
        self.block = 1
        self.changed: list[str] = []
        self.said: dict[str, Any] = {"verdict": "verified", "match": None, "rules": UNCHECKED}
        self.counted: list[dict[str, Any]] = []
        self.status = "registered"

    def block_number(self) -> int:
        return self.block

    def invoice_ids(self, statuses: Any) -> list[str]:
        return ["i"] if self.status in statuses else []

    def written(self, first: int, last: int, kinds: Any) -> list[str]:
        return self.changed

    def invoice(self, invoice_id: str) -> dict[str, Any] | None:
        return {"status": self.status, "document_ids": ["d"], "proof_ids": ["p"]} if invoice_id == "i" else None

    def document(self, document_id: str) -> dict[str, Any] | None:
        told = {"p": ("C", "transport_events"), "d": ("A", "invoice")}.get(document_id)
        if told is None:
            return None
        ids = {"document_id": document_id, "submitter": told[0], "kind": told[1]}
        return {**ids, "entitled": ["B"], "status": "current", "invoice_ids": ["i"]}

    def record(self, key: str) -> dict[str, Any] | None:
        return self.said if key == "attestation/d/B" else None

    def attestations(self, document_id: str) -> list[dict[str, Any]]:
        return self.counted if document_id == "p" else []


def looking(records: Records, kept: set[str], has_rules: bool = False) -> Revisits:
    def opened(document: dict[str, Any]) -> Any:
        return io.BytesIO() if document["document_id"] in kept else None

    readmodel = cast(ReadModel, records)
    matcher = GoodsMatcher("B", readmodel, opened)
    revisits = Revisits("B", readmodel, matcher, lambda: has_rules)
    revisits.begin_anew()
    return revisits


def ids(revisits: Revisits, submitter: str, *in_hand: str) -> list[str]:
    return [document["document_id"] for document in revisits.now(submitter, set(in_hand))]


def test_goods_that_are_counted_after_the_invoice_was_attested_have_it_read_again_after_the_proof() -> None:
    records, kept = Records(), set[str]()
    revisits = looking(records, kept)
    assert ids(revisits, "A") == ids(revisits, "C") == []
    records.block, records.changed, records.counted = 2, ["attestation/p/D"], [{"match": COUNTS}]
    assert (ids(revisits, "A"), ids(revisits, "C", "p"), ids(revisits, "C")) == ([], [], ["p"])
    assert ids(revisits, "C") == []  # it is on its way, and tried again later
    kept.add("p")
    records.block, records.changed = 3, ["attestation/p/B"]
    assert ids(revisits, "A") == ["d"]
    records.said["match"] = {"verdict": "full", "proof_ids": ["p"]}
    records.block, records.changed = 4, ["attestation/d/B"]
    assert ids(revisits, "A") == []
    assert revisits.due_at() == float("inf")


def test_an_invoice_that_is_not_open_any_more_or_not_known_is_left_alone() -> None:
    records = Records()
    records.counted = [{"match": COUNTS}]
    records.status = "early-paid"
    revisits = looking(records, {"p"})
    assert ids(revisits, "A") == []
    records.block, records.changed = 2, ["invoice/i", "invoice/unknown", "attestation/unknown/B"]
    assert ids(revisits, "A") == []


def test_what_could_not_be_checked_by_rules_is_read_again_once_when_the_node_starts_with_them() -> None:
    assert ids(looking(Records(), set()), "A") == []
    revisits = looking(Records(), set(), has_rules=True)
    assert revisits.due_at() == 0
    assert (ids(revisits, "A", "d"), ids(revisits, "C")) == ([], [])
    assert ids(revisits, "A") == ["d"]
    assert ids(revisits, "A") == []
    checked = Records()
    checked.said["rules"] = {"verdict": "valid"}
    assert ids(looking(checked, set(), has_rules=True), "A") == []
