"""A command, or a field, that is added to the contract is found everywhere without being typed again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from remind_buyer import COMMAND, FIELD

ROOT = Path(__file__).resolve().parents[3]
COMMAND_FILES_MAX = 9
PROGRAM = """
from ledger_node import logs
logs.configure()
import json, runpy, sys, tempfile
from contextlib import closing
from pathlib import Path
from click.testing import CliRunner
from ledger_node.api.app import create_user_app
from ledger_node.cli import main
from ledger_node.cli.init import write_demo
from ledger_node.config import load_settings
from ledger_node.node import open_node

pages = runpy.run_path("docs/build_reference.py")
Path("ledger_node/cli/prompts.json").write_text(pages["derived_commands"]())  # as `make docs` does
with tempfile.TemporaryDirectory() as folder:
    name = next(iter(write_demo(Path(folder), None, "embedded")))
    with closing(open_node(load_settings(Path(folder) / "nodes" / name))) as node:
        http, token = create_user_app(node).test_client(), node.tokens.create("uploader", 1)[0]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}
        answer = http.post(f"/v1/invoices/{'0' * 32}/reminder", headers=headers)
        stored = answer.get_json()["type"] if answer.status_code == 202 else answer.status_code
print(json.dumps({
    "stored": stored,
    "description": json.loads(pages["api_description"]()),
    "page": pages["api_page"](),
    "prompt": pages["command_line"](),
}))
"""
PLAY = """
import json
from world import founded, play
from world_bodies import BUYER, SUPPLIER, hexid
world, reminder = founded(), {"invoice_id": hexid("invoice")}
play(world)
results = [world.run(sender, "RemindBuyer", **reminder) for sender in (BUYER, SUPPLIER)]
print(json.dumps([results, json.loads(world.state["invoice/" + hexid("invoice")])["reminded_on"]]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole code, with the command and its field added."""
    home = copied(tmp_path_factory.mktemp("added") / "code")
    for place, before, text in (*FIELD, *COMMAND):
        add(home / place, before, text)
    return home


@pytest.fixture(scope="module")
def derived(copy: Path) -> Any:
    return json.loads(run(copy, PROGRAM))


def test_a_command_touches_nine_files_at_most_and_a_field_one() -> None:
    assert len({place for place, _, _ in (*FIELD, *COMMAND)}) <= COMMAND_FILES_MAX
    assert len({place for place, _, _ in FIELD}) == 1


def test_the_contract_decides_the_added_command(copy: Path) -> None:
    (refused, applied), reminded_on = json.loads(run(copy, PLAY))
    assert refused["code"] == "ROLE_MISSING"
    assert (applied["status"], bool(reminded_on)) == ("applied", True)


def test_the_added_command_is_a_write_of_the_api(derived: Any) -> None:
    assert derived["stored"] == "RemindBuyer"


def test_the_added_command_is_described_and_so_is_its_field(derived: Any) -> None:
    operation = derived["description"]["paths"]["/v1/invoices/{invoice_id}/reminder"]["post"]
    assert (operation["operationId"], operation["tags"]) == ("remind_buyer", ["Invoices"])
    assert "reminded_on" in derived["description"]["components"]["schemas"]["InvoiceOut"]["properties"]


def test_the_added_command_is_at_the_prompt_and_on_the_pages(derived: Any) -> None:
    assert "## ledger-node invoice remind-buyer\n" in derived["prompt"]
    assert "| `POST /v1/invoices/<invoice_id>/reminder` | uploader | Remind the buyer of what is due" in derived["page"]


def copied(home: Path) -> Path:
    for folder in ("chaincode", "network", "ledger_node", "docs", "tests/house", "tests/chaincode"):
        shutil.copytree(ROOT / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__", "*.gz"))
    return home


def add(path: Path, before: str, text: str) -> None:
    """Put a text before the one place that begins like this."""
    source = path.read_text()
    assert source.count(before) == 1, f"{path.name}: {before!r} stands {source.count(before)} times"
    path.write_text(source.replace(before, text + before))


def run(home: Path, program: str) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(home), str(home / "tests" / "chaincode")])}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=home, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
