"""What is read again though it is attested: goods that are counted later, and rules that were not there."""

from __future__ import annotations

import io
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ledger_node.hashing import commitment, digest
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.readmodel import ReadModel
from ledger_node.verification.due import DueDocuments
from ledger_node.verification.exchange import Given
from ledger_node.verification.fetcher import Fetched
from ledger_node.verification.goods import GoodsMatcher
from ledger_node.verification.revisits import PAUSE_SECONDS, Revisits
from ledger_node.verification.verdicts import Verdicts

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
        self.buyer = "Y"
        self.own_of_proof: dict[str, Any] | None = None
        self.groups = {"A": "a", "B": "b", "C": "c"}

    def block_number(self) -> int:
        return self.block

    def invoice_ids(self, statuses: Any) -> list[str]:
        return ["i"] if self.status in statuses else []

    def written(self, first: int, last: int, kinds: Any) -> list[str]:
        return self.changed

    def invoice(self, invoice_id: str) -> dict[str, Any] | None:
        ids = {"buyer": self.buyer, "document_ids": ["d"], "proof_ids": ["p"]}
        return ids | {"status": self.status} if invoice_id == "i" else None

    def document(self, document_id: str) -> dict[str, Any] | None:
        told = {"p": ("C", "transport_events"), "d": ("A", "invoice")}.get(document_id)
        if told is None:
            return None
        ids = {"document_id": document_id, "submitter": told[0], "kind": told[1]}
        return {**ids, "entitled": ["B"], "status": "current", "invoice_ids": ["i"]}

    def record(self, key: str) -> dict[str, Any] | None:
        return {"attestation/d/B": self.said, "attestation/p/B": self.own_of_proof}.get(key)

    def party(self, msp_id: str) -> dict[str, Any]:
        return {"msp_id": msp_id, "identity_fingerprint": f"identity of {msp_id}"}

    def parties(self) -> list[dict[str, Any]]:
        return [{"msp_id": msp_id, "group_id": group_id} for msp_id, group_id in self.groups.items()]

    def unattested(self, msp_id: str, submitter: str, after: Any) -> list[dict[str, Any]]:
        return []

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
    assert revisits.due_at() <= time.time()
    assert (ids(revisits, "A", "d"), ids(revisits, "C")) == ([], [])
    assert ids(revisits, "A") == ["d"]
    assert ids(revisits, "A") == []
    checked = Records()
    checked.said["rules"] = {"verdict": "valid"}
    assert ids(looking(checked, set(), has_rules=True), "A") == []


@pytest.mark.parametrize("group", ["b", "c"], ids=["the own group", "another group"])
def test_a_counting_proof_is_fetched_to_be_matched_even_where_a_party_of_the_own_group_submitted_it(group: str) -> None:
    records = Records()
    records.counted, records.groups["C"] = [{"match": COUNTS}], group
    attempts = SimpleNamespace(due=lambda *_: [], known=lambda _: set())
    due = DueDocuments("B", cast(ReadModel, records), lambda _: None, cast(Any, attempts), looking(records, set()))
    assert [document["document_id"] for document in due.now([], [])] == ["p"]


@pytest.mark.parametrize("content", [b"events", b"other bytes"])
def test_what_the_own_group_submitted_is_kept_if_it_is_right_and_never_attested(tmp_path: Path, content: bytes) -> None:
    """Nothing is said of it, so the outbox and the memory of tries that it gets are none."""
    nobody, kept, salt = cast(Any, None), list[str](), bytes(32)
    rest = nobody, nobody, nobody, nobody, nobody
    verdicts = Verdicts("B", *rest, 1, lambda one: kept.append(one.document_id), is_of_own_group=lambda by: by == "C")
    file = tmp_path / "p"
    file.write_bytes(content)
    record = {"document_id": "p", "submitter": "C", "commitment": commitment(salt, digest(b"events")).hex()}
    verdicts.compare(Fetched(record, file, len(content), Given(salt)), HashlibBackend().hash_batch([file])[0])
    verdicts.not_had(record, "no answer")
    assert kept == (["p"] if content == b"events" else [])


def test_a_proof_that_was_attested_and_is_not_kept_is_read_again_once_when_the_node_starts() -> None:
    records = Records()
    records.own_of_proof = {"verdict": "verified", "match": None}
    revisits = looking(records, set())
    assert (ids(revisits, "C"), ids(revisits, "C")) == (["p"], [])
    assert ids(looking(records, {"p"}), "C") == []
    records.status = "early-paid"
    assert ids(looking(records, set()), "C") == []
    records.status, records.own_of_proof = "registered", None
    assert ids(looking(records, set()), "C") == []


def test_a_clock_that_is_put_back_makes_nothing_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records()
    records.counted = [{"msp_id": "A", "verdict": "verified", "match": COUNTS}]
    revisits = looking(records, kept=set())
    revisits.begin_anew()
    assert [each["document_id"] for each in revisits.now("C", set())] == ["p"]
    an_hour_ago = time.time() - 3600
    monkeypatch.setattr(time, "time", lambda: an_hour_ago)
    assert revisits.due_at() - an_hour_ago <= PAUSE_SECONDS


def test_an_invoice_whose_amount_its_buyer_could_not_tell_is_read_until_it_can_and_by_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    records = Records()
    records.said |= {"rules": None, "facts": {"buyer": "identity of B"}, "fingerprints": {"number": "n"}}
    assert ids(looking(records, {"p"}), "A") == []  # the control: it is Y's
    records.buyer = "B"
    revisits = looking(records, {"p"})
    assert ids(revisits, "A") == ["d"]
    assert ids(revisits, "A") == []
    now[0] += PAUSE_SECONDS
    assert ids(revisits, "A") == ["d"]
    records.said |= {"fingerprints": {"number": "n", "amount": "a"}}
    now[0] += 2 * PAUSE_SECONDS
    assert ids(revisits, "A") == []
    records.said |= {"fingerprints": {}, "facts": None}  # it was no invoice that could be read
    assert ids(looking(records, {"p"}), "A") == []


@pytest.mark.parametrize("told", [{}, {"number": "n"}])
def test_an_invoice_that_names_another_buyer_than_it_is_registered_on_is_not_read_again_and_again(
    told: dict[str, str],
) -> None:
    records = Records()
    records.buyer = "B"
    records.said |= {"rules": None, "facts": {"buyer": "identity of B"}, "fingerprints": told}
    assert ids(looking(records, {"p"}), "A") == ["d"]  # the control
    records.said |= {"facts": {"buyer": "identity of Y"}}
    assert ids(looking(records, {"p"}), "A") == []
