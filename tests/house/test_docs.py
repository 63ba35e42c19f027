"""Docs belong to the change: a command, setting or refusal that is missing from them fails here."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from chaincode.errors import RefusalCode
from ledger_node.cli import GROUPS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def test_the_command_line_page_is_what_the_commands_say_of_themselves() -> None:
    page = runpy.run_path(str(DOCS / "build_cli_reference.py"))["page"]
    assert page() == (DOCS / "reference" / "cli.md").read_text(), "run `make docs`"


def test_every_command_group_is_on_the_page() -> None:
    text = (DOCS / "reference" / "cli.md").read_text()
    assert [name for name in GROUPS if f"## ledger-node {name}\n" not in text] == []


def test_every_refusal_is_in_the_reference() -> None:
    text = (DOCS / "reference" / "commands.md").read_text()
    assert [code.value for code in RefusalCode if f"`{code.value}`" not in text] == []


def test_every_setting_of_a_node_is_in_the_reference() -> None:
    from ledger_node.config import Settings

    text = (DOCS / "reference" / "settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []


def test_every_route_is_in_the_reference() -> None:
    text = (DOCS / "reference" / "api.md").read_text()
    sources = "\n".join(path.read_text() for path in (ROOT / "ledger_node" / "api").rglob("*.py"))
    routes = set(re.findall(r'\.(?:get|post|put|delete)\("(/[^"]*)"', sources))
    plain = {re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", route) for route in routes}
    assert plain, "no route was found: has the way routes are written changed?"
    assert sorted(route for route in plain if route not in text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_decision_record_says_what_it_costs() -> None:
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert records
    for record in records:
        text = record.read_text()
        for heading in ("## Context", "## Decision", "## Consequences"):
            assert heading in text, f"{record.name} has no {heading!r}"


def test_the_two_commands_stand_at_the_top_of_the_readme() -> None:
    top = (ROOT / "README.md").read_text()[:1500]
    assert "make demo" in top
    assert "make test" in top


def test_every_room_is_on_the_floor_plan() -> None:
    plan = (DOCS / "explanation" / "architecture.md").read_text()
    rooms = [room for package in ("chaincode", "network", "ledger_node") for room in (ROOT / package).iterdir()]
    names = {room.name + "/" if room.is_dir() else room.stem for room in rooms if not room.name.startswith("__")}
    assert sorted(name for name in names if f"`{name}`" not in plan) == []
