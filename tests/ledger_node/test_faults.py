"""What is wrong with input is said in words of people, whatever the fault and whichever the field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ledger_node.config import Settings
from ledger_node.faults import FORMS, faults, not_json
from ledger_node.operations.bodies import request_body
from ledger_node.operations.operation import Operation
from ledger_node.operations.table import OPERATIONS
from ledger_node.rules.packs import Described
from network.faults import described

DESCRIPTION = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "openapi.json").read_text())
JARGON = re.compile(
    r"[Ii]nput should|[Vv]alue error|pattern|dictionary|instance of|[Ff]ield required|literal|pydantic|\[key"
)
JUNK: list[Any] = [
    None,
    True,
    1,
    -1,
    10**30,
    "",
    "\n",
    "x" * 300,
    "2030-02-30",
    [],
    ["", 1, {}],
    [""] * 60,
    {},
    {"": 1},
]


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for part in schema.values():
            yield from patterns(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from patterns(part)


def test_every_form_of_a_field_is_said_in_words() -> None:
    wanted = {*patterns(DESCRIPTION), *patterns(Settings.model_json_schema()), *patterns(Described.model_json_schema())}
    assert len(wanted) > 10
    assert wanted - FORMS.keys() == set()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_no_fault_of_any_request_is_told_in_words_of_a_library(operation: Operation) -> None:
    model = request_body(operation)
    bodies: list[Any] = [*JUNK, {"no such field": 1}]
    bodies += [{**operation.example, name: junk} for name in model.model_fields for junk in JUNK]
    told = 0
    for body in bodies:
        try:
            model.model_validate(body)
        except ValidationError as error:
            found = faults(error)
            told += len(found)
            assert found
            assert not JARGON.search(described(found)), described(found)
            assert "is not what it should be" not in described(found), error
            assert {field.partition(".")[0] for field, _ in found} <= {*model.model_fields, "body", "no such field", ""}
    assert told


def test_a_field_that_may_be_empty_has_one_fault_and_not_one_for_each_form() -> None:
    (register,) = [row for row in OPERATIONS if row.command == "RegisterInvoice"]
    with pytest.raises(ValidationError) as caught:
        request_body(register).model_validate({**register.example, "stated_due_date": "soon"})
    assert faults(caught.value) == [("stated_due_date", "has to be a date such as 2027-03-31")]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a": }', "at line 1, column 7"),
        (b"\xff", "it is not text in UTF-8"),
        (b"1" * 5_000, "a number in it has too many digits"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
    ids=["syntax", "bytes", "digits", "depth"],
)
def test_what_is_no_json_is_told_by_its_place_or_its_kind(raw: bytes, words: str) -> None:
    with pytest.raises((ValueError, RecursionError)) as caught:
        json.loads(raw.decode())
    assert isinstance(caught.value, ValueError | RecursionError)
    assert not_json(caught.value) == words
