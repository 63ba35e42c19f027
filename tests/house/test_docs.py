"""Docs belong to the change: a command, setting or refusal that is missing from them fails here."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from chaincode.errors import RefusalCode
from ledger_node.cli import GROUPS
from ledger_node.readmodel.fold import KINDS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WRITTEN = runpy.run_path(str(DOCS / "build_reference.py"))["PAGES"]
DESCRIPTION = json.loads((DOCS / "reference" / "openapi.json").read_text())
DESCRIBED = {
    f"{method} {path}": operation
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
}
API = sorted((ROOT / "ledger_node" / "api").glob("*.py"))
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


@pytest.mark.parametrize("place", WRITTEN)
def test_a_page_that_follows_from_the_code_is_as_the_code_says(place: str) -> None:
    assert WRITTEN[place]() == (DOCS / place).read_text(), "run `make docs`"


@pytest.mark.parametrize("operation", DESCRIBED.values(), ids=DESCRIBED)
def test_every_operation_of_the_api_has_an_id_a_summary_a_description_and_a_chapter(operation: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
    assert operation["summary"].endswith(".")
    assert operation["description"].endswith(".")
    assert set(operation["tags"]) <= {tag["name"] for tag in DESCRIPTION["tags"]}


def test_no_two_operations_or_chapters_of_the_api_have_one_name() -> None:
    ids = [operation["operationId"] for operation in DESCRIBED.values()]
    chapters = [tag["name"] for tag in DESCRIPTION["tags"]]
    assert (len(ids), len(chapters)) == (len(set(ids)), len(set(chapters)))


def test_names_of_shapes_have_no_dots_and_every_shape_is_used() -> None:
    names = set(DESCRIPTION["components"]["schemas"])
    assert [name for name in sorted(names) if not name.isalnum()] == []
    assert set(re.findall(r"#/components/schemas/([^\"]+)", json.dumps(DESCRIPTION))) == names


def test_every_command_group_is_on_the_page() -> None:
    text = (DOCS / "reference" / "cli.md").read_text()
    assert [name for name in GROUPS if f"## ledger-node {name}\n" not in text] == []


def test_every_refusal_is_in_the_reference() -> None:
    text = (DOCS / "reference" / "commands.md").read_text()
    assert [code.value for code in RefusalCode if f"`{code.value}`" not in text] == []


def test_every_problem_of_the_api_stands_in_the_one_row_of_its_status() -> None:
    page = (DOCS / "reference" / "api.md").read_text().partition("\n## Problems\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a status has two rows"
    raised = set(re.findall(r"Problem\(\s*(\d{3}),\s*\"([A-Z_]+)\"", "".join(map(Path.read_text, API))))
    assert len(raised) > 30
    missing = [(status, code) for status, code in sorted(raised) if f"`{code}`" not in dict(rows).get(status, "")]
    assert missing == []


def test_every_setting_of_a_node_is_in_the_reference() -> None:
    from ledger_node.config import Settings

    text = (DOCS / "reference" / "settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []


def test_every_setting_of_a_network_is_in_the_reference() -> None:
    from network.topology import Organisation, Ports, Topology

    text = (DOCS / "reference" / "settings.md").read_text()
    named = [name for shape in (Topology, Organisation, Ports) for name in shape.model_fields]
    assert [name for name in named if f"`{name}`" not in text] == []


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


def test_the_page_of_who_sees_what_names_every_kind_of_record_and_no_other() -> None:
    page = (DOCS / "reference" / "who-sees-what.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(KINDS)
