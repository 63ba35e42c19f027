"""Queries of the contract by their type."""

from __future__ import annotations

import json

import pytest
from world import founded
from world_bodies import SUPPLIER

from chaincode.errors import RefusalCode


@pytest.mark.parametrize(
    ("type_", "said"), [("Quotes", "'Quotes'"), ("", "''"), (7, "'7'"), ("x" * 999, f"'{'x' * 40}'")]
)
def test_a_query_of_an_unknown_type_is_refused_by_its_name_with_those_that_there_are(type_: object, said: str) -> None:
    asked = {"type": type_, "invoice_id": "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"}
    answer = founded().dispatch(SUPPLIER, json.dumps({"version": 1, "query": asked}).encode())
    assert not answer.ok
    refusal = {
        "code": RefusalCode.MALFORMED,
        "text": f"there is no query type {said}, but Quote, Record and ReleaseCheck",
    }
    assert json.loads(answer.payload).items() >= refusal.items()
