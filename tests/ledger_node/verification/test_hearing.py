"""Reasons of other parties: what does not fit its own commitment, or would deceive, is not heard."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger_node.people.reasons import new_reason
from ledger_node.verification.hearing import REASONS_MAX, heard


def item(text: str = "two pallets were broken", **changes: Any) -> dict[str, Any]:
    reason = new_reason(text)
    said = {"commitment": reason.commitment, "salt": reason.salt.hex(), "text": text}
    return said | {"type": "DisputeInvoice", "transaction_id": "ab12"} | changes


def texts(*items: Any) -> list[str]:
    return [said.text for said in heard(json.dumps({"items": items}).encode(), "invoice/x", "BuyerMSP")]


def test_what_fits_its_commitment_is_heard() -> None:
    assert texts(item(), item("another")) == ["two pallets were broken", "another"]


@pytest.mark.parametrize(
    "broken",
    [
        item(commitment="a" * 64),
        item(salt="00" * 32),
        item(salt="no hex"),
        item(salt=None),
        item("x" * 201),
        item("\x1b[2Jnothing was said"),
        item("\u202edias saw gnihton"),
        item(type="a b"),
        item(transaction_id="\n"),
        {},
        None,
        "text",
    ],
)
def test_what_does_not_fit_or_would_deceive_is_left_out_and_the_rest_is_heard(broken: Any) -> None:
    assert texts(broken, item()) == ["two pallets were broken"]


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"items": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_list_of_reasons_is_an_error(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        heard(answer, "invoice/x", "BuyerMSP")


def test_no_more_than_a_bound_is_heard() -> None:
    assert len(texts(*[item(str(number)) for number in range(REASONS_MAX + 1)])) == REASONS_MAX
