"""Each command of the contract is declared once, and all that follows from its row follows for every row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

from chaincode.contract import COMMANDS
from chaincode.errors import RefusalCode
from ledger_node.cli import main
from ledger_node.operations.bodies import request_body
from ledger_node.operations.fields import NAME_FIELDS
from ledger_node.operations.operation import Operation, snake
from ledger_node.operations.readings import READINGS, Reading
from ledger_node.operations.refusals import HTTP_STATUS, http_status
from ledger_node.operations.remedies import REMEDIES, remedy
from ledger_node.operations.reports import REPORTS
from ledger_node.operations.table import NOT_FOR_PEOPLE, OPERATIONS
from ledger_node.people.roles import Role
from ledger_node.reports import __all__ as report_names

DESCRIPTION = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "openapi.json").read_text())
LISTED = [row for row in READINGS if row.prompt]

NOUNS = {
    "deposit": ("deposit",),
    "document": ("document",),
    "facility": ("facility",),
    "invoice": ("invoice",),
    "party": ("party", "consortium", "founding", "membership"),
    "person": ("person",),
    "shipment": ("shipment",),
}


def test_every_command_of_the_contract_is_declared_or_said_not_to_be_for_people() -> None:
    declared = {row.command for row in OPERATIONS}
    assert declared | NOT_FOR_PEOPLE.keys() == COMMANDS.keys()
    assert not declared & NOT_FOR_PEOPLE.keys()


def test_every_refusal_has_one_http_status() -> None:
    assert HTTP_STATUS.keys() == {code.value for code in RefusalCode}
    assert set(HTTP_STATUS.values()) == {404, 409, 422}


def test_a_refusal_of_a_newer_contract_is_a_conflict() -> None:
    assert http_status("NOT_KNOWN_YET") == 409


def test_every_refusal_has_one_remedy_and_a_newer_contracts_has_none() -> None:
    assert REMEDIES.keys() == {code.value for code in RefusalCode}
    assert remedy("NOT_KNOWN_YET") == ""


@pytest.mark.parametrize("code", REMEDIES)
def test_a_remedy_is_a_short_sentence_and_what_it_says_to_type_is_a_command(code: str) -> None:
    assert re.fullmatch(r"[A-Z].{10,240}\.", remedy(code))
    for typed in re.findall(r"`ledger-node ([^`]+)`", remedy(code)):
        found = command(typed.removesuffix(" ID"))
        assert not found.hidden
        assert not isinstance(found, click.Group)
        assert not typed.endswith(" ID") or any(isinstance(part, click.Argument) for part in found.params)


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_a_row_says_what_its_request_needs(row: Operation) -> None:
    body = request_body(row)
    body.model_json_schema()
    assert set(row.roles) <= {role.value for role in Role} - {"auditor"}
    assert set(row.positional) | set(row.flags) | set(row.defaults) <= set(body.model_fields)
    if row.example:
        body.model_validate(row.example)
    assert re.fullmatch(r"[A-Z].*\.", row.text)


def test_no_two_rows_have_one_address_one_name_or_one_prompt() -> None:
    for names in ([row.address for row in OPERATIONS], [row.name for row in OPERATIONS]):
        assert len(names) == len(set(names))
    prompts = [name for row in OPERATIONS for name in (row.prompt, *row.former_prompts) if name]
    prompts += [row.prompt for row in LISTED]
    assert len(prompts) == len(set(prompts))


@pytest.mark.parametrize("row", [row for row in OPERATIONS if row.prompt], ids=lambda row: row.prompt)
def test_the_command_is_called_at_the_prompt_as_in_the_contract(row: Operation) -> None:
    group, _, word = row.prompt.partition(" ")
    words = [part for part in snake(row.command).split("_") if part not in NOUNS[group]]
    assert word == "-".join(words)


@pytest.mark.parametrize("row", [row for row in OPERATIONS if row.prompt], ids=lambda row: row.prompt)
def test_each_row_is_a_command_with_an_example_and_each_former_name_is_hidden(row: Operation) -> None:
    names = [row.prompt, *row.former_prompts]
    commands = [command(name) for name in names]
    assert [found.hidden for found in commands] == [False] + [True] * len(row.former_prompts)
    assert f"ledger-node {row.prompt}" in (commands[0].help or "")


@pytest.mark.parametrize("row", READINGS, ids=lambda row: row.kind)
def test_a_list_is_a_view_and_a_command_whose_columns_are_fields_of_its_records(row: Reading) -> None:
    (content,) = DESCRIPTION["paths"][row.address]["get"]["responses"]["200"]["content"].values()
    items = referenced(content["schema"])["properties"]["items"]["items"]
    shown = referenced(items)["properties"]
    assert set(row.columns) <= set(shown) | (set(NAME_FIELDS) if row.is_named else set())
    assert row.is_named == ("names" in shown)
    assert f"ledger-node {row.prompt}" in (command(row.prompt).help or "")


def test_every_report_has_a_row_and_every_row_a_report_a_view_and_a_command() -> None:
    functions = {row.function for row in REPORTS}
    others = {"Past", "Table", "archive", "as_csv", "at_block", "days_of", "is_over", "read_figures"}
    assert functions == set(report_names) - others
    for row in REPORTS:
        asked = {part["name"] for part in DESCRIPTION["paths"][row.address]["get"]["parameters"]}
        assert {part.name for part in row.asked} | {"block", "as_of", "format"} == asked - {"Ledger-Block-Min"}
        options = {name for part in command(f"report {row.name}").params for name in part.opts}
        assert {part.flag or f"--{part.name}" for part in row.asked} | {
            "--block",
            "--as-of",
            "--format",
            "--json",
        } <= options


def referenced(schema: dict[str, str]) -> Any:
    return DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def command(typed: str) -> click.Command:
    found: click.Command | None = main
    for word in typed.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word)
    assert found is not None, typed
    return found
