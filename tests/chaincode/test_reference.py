"""The reference of commands and the code say the same, in the same order."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from refusal_table import TABLES

from chaincode.contract import COMMANDS
from chaincode.errors import RETIRED, RefusalCode
from chaincode.records import Facts, bodies
from chaincode.rules.verdicts import Reason, ReleaseClass

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "commands.md").read_text()
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))


def fields_listed(section: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", SECTIONS[section], re.MULTILINE)


def names(record: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(record)]


def test_the_reference_lists_all_commands_in_the_order_of_the_code() -> None:
    assert [name for name in SECTIONS if name in COMMANDS] == list(COMMANDS)
    assert list(TABLES) == list(COMMANDS)


@pytest.mark.parametrize("type_", COMMANDS)
def test_the_reference_lists_fields_sender_and_refusals_as_they_are(type_: str) -> None:
    assert fields_listed(type_) == names(COMMANDS[type_].body)
    sender = re.search(r"^- Sender: .*?in role (\w+)$", SECTIONS[type_], re.MULTILINE)
    assert (sender[1] if sender else "") == COMMANDS[type_].role
    line = re.search(r"^- Refusals, in order: (.*)$", SECTIONS[type_], re.MULTILINE)
    assert line
    table = TABLES[type_]
    in_table = [*table.common, *(row.code for row in table.rows)]
    assert re.findall(r"`(\w+)`", line[1]) == list(dict.fromkeys(in_table))


def test_the_reference_lists_the_fields_of_facts_and_parties() -> None:
    assert fields_listed("Facts") == names(Facts)
    assert fields_listed("Parties of a founding") == names(bodies.FoundingParty)


def test_every_refusal_code_is_met_by_a_row_and_explained_once() -> None:
    met = {code for table in TABLES.values() for code in (*table.common, *(row.code for row in table.rows))}
    assert met | {"TRANSACTION_FULL"} == {code.value for code in RefusalCode}, "that one befalls any command"
    explained = re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)
    assert explained == [code.value for code in RefusalCode]


def test_every_reason_of_a_release_class_is_in_the_reference() -> None:
    rows = re.findall(r"^\| (every|[A-Z]+) \| `([A-Z_]+)` \| (VALID|INVALID|INDETERMINATE) \|", PAGE, re.MULTILINE)
    assert {reason for _, reason, _ in rows} == {reason.value for reason in Reason}
    assert list(dict.fromkeys(name for name, _, _ in rows)) == ["every", *(name.value for name in ReleaseClass)]


def test_every_test_that_the_page_of_invariants_names_exists() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "invariants.md").read_text()
    sources = "\n".join(path.read_text() for path in Path(__file__).resolve().parent.glob("*.py"))
    named = re.findall(r"`((?:test|check)_\w+)`", page)
    assert len(named) >= 14
    assert [name for name in named if f"def {name}(" not in sources] == []


def test_a_retired_code_is_named_and_never_used_again() -> None:
    assert not RETIRED & {code.value for code in RefusalCode}
    line = re.search(r"^Retired, and never used again: (.*)$", PAGE, re.MULTILINE)
    assert line
    assert set(re.findall(r"`(\w+)`", line[1])) == RETIRED
