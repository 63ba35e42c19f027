"""Every command with every refusal: the control is applied, each row is refused, in the order of the reference."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from refusal_rows import Row, Table
from refusal_table import TABLES
from world import World
from world_bodies import story

ROWS = [
    pytest.param(type_, row, id=f"{type_}-{number}-{row.code}")
    for type_, table in TABLES.items()
    for number, row in enumerate(table.rows)
]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "commands.md"


def prepared(table: Table) -> World:
    world = table.world()
    for name in table.steps:
        msp_id, type_, body = story()[name]
        world.must(msp_id, type_, **body)
    return world


@pytest.mark.parametrize("type_", TABLES)
def test_the_control_is_applied(type_: str) -> None:
    table = TABLES[type_]
    prepared(table).must(table.sender, type_, **table.body)


@pytest.mark.parametrize(("type_", "row"), ROWS)
def test_a_spoilt_command_is_refused_without_a_trace(type_: str, row: Row) -> None:
    table = TABLES[type_]
    world = prepared(table)
    if row.before:
        row.before(world)
    assert world.refusal(row.sender or table.sender, type_, **table.body | row.body) == row.code


EXCLUSIVE = {("COMMITMENT_DIFFERS", "COMMITMENT_SAME")}
PAIRS = [
    pytest.param(type_, first, second, id=f"{type_}-{first.code}-{second.code}")
    for type_, table in TABLES.items()
    for first, second in itertools.combinations(table.rows, 2)
    if first.code != second.code
    and (first.code, second.code) not in EXCLUSIVE
    and not set(first.body) & set(second.body)
    and not (first.sender and second.sender)
    and not (first.before and second.before)
]


@pytest.mark.parametrize(("type_", "first", "second"), PAIRS)
def test_of_two_reasons_the_earlier_one_is_named(type_: str, first: Row, second: Row) -> None:
    table = TABLES[type_]
    world = prepared(table)
    for row in (first, second):
        if row.before:
            row.before(world)
    sender = first.sender or second.sender or table.sender
    assert world.refusal(sender, type_, **table.body | first.body | second.body) == first.code
