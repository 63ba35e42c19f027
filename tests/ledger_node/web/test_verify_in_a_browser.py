"""`/verify` says what `ledger-node verify` says, of files that never leave the browser, to whoever is nobody here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser import MISSING, chromium, opened_browser
from forge import Consortium, canonical
from pages_served import serving
from playwright.sync_api import Page, expect
from story import FILE, tell, written

from ledger_node.documents.seals import seal_folder
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.node import Node
from ledger_node.verify.checking import verify
from ledger_node.web.app import UserPort

pytest_plugins = ("sign_in_world",)
PATIENCE_MS = 120_000.0
pytestmark = [pytest.mark.usefixtures("node"), pytest.mark.skipif(not chromium(), reason=MISSING)]
FALSE = (("leaf_index", 0, 3), ("tree_size", 9, 3), ("root", "1" * 64, 3), ("salt", "2" * 64, 1))
SEALED = ("a.txt", "b.txt", "c.txt")


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A folder of files with their proofs."""
    folder = tmp_path / "sealed"
    folder.mkdir()
    for name in SEALED:
        (folder / name).write_text(f"the words of {name}")
    seal_folder(folder, folder, HashlibBackend().hash_batch, lambda root, size, key: submission(root))
    return folder


def submission(root: str) -> dict[str, Any]:
    """What a node answers whoever seals."""
    return {"status": "applied", "record_id": "5" * 32, "transaction_id": "7" * 64, "block_number": 7, "root": root}


def told(page: Page, evidence: Path, documents: list[Path], trust: Path | None = None, root: str = "") -> list[str]:
    """The verdicts of the steps, and the reasons on the page."""
    page.reload()
    page.set_input_files("#evidence", evidence)
    page.set_input_files("#documents", documents)
    if trust is not None:
        page.set_input_files("#trust", trust)
    page.fill("#root", root)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#report")).to_be_visible()
    return [row.get_attribute("class") or "" for row in page.locator("#report ol li").all()]


def test_the_page_says_of_evidence_what_the_command_says_and_sends_nothing(
    node: Node, port: UserPort, tmp_path: Path, sealed: Path
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    true = tell(Consortium())
    cases = {"true": (true.bundle(), FILE), "another file": (true.bundle(), FILE + b" ")}
    forged = true.copy()
    forged.payload["issuer"] = "MalloryMSP"
    cases["another issuer"] = (forged.bundle(), FILE)
    with serving(port) as address, opened_browser() as browser:
        page = browser.new_context(locale="en-GB").new_page()
        page.set_default_timeout(PATIENCE_MS)
        faults: list[str] = []
        sent: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: sent.append(asked.method + (asked.post_data or "")))
        page.goto(f"{address}/verify")
        for name, (bundle, paper) in cases.items():
            folder = tmp_path / name
            folder.mkdir()
            written(folder, bundle, canonical(true.trust), paper)
            paths = (folder / "invoice.xml", folder / "bundle.json", folder / "trust.json")
            by_command = [step.verdict for step in verify(paths[:1], *paths[1:]).steps]
            by_page = told(page, paths[1], [paths[0]], paths[2])
            differ = {place for place, each in enumerate(by_page) if each != by_command[place]}
            assert len(by_page) == 12 and all(by_page[place] == "SKIPPED" for place in differ), (name, by_page)
            assert differ <= {2}, "a browser that cannot compute ML-DSA says so"
            last = page.locator("[data-part=last]")
            expect(last).to_contain_text("does not hold" if name != "true" else "")
        assert told(page, tmp_path / "true" / "bundle.json", [])[0] == "ERROR"
        expect(page.locator("#report ol")).to_contain_text("no trust file was given")

        proof, file = sealed / "b.txt.proof.json", sealed / "b.txt"
        root = json.loads(proof.read_text())["root"]
        assert set(told(page, proof, [file], root=root)) == {"VALID"}
        expect(page.locator("[data-part=last]")).to_have_text("All of it holds.")
        assert told(page, proof, [file]) == ["VALID"] * 4 + ["SKIPPED"]
        assert told(page, proof, [sealed / "a.txt"], root=root)[1] == "INVALID"
        assert told(page, proof, [file], root="0" * 64)[4] == "INVALID"
        false = tmp_path / "false.json"
        for field, change, step in FALSE:
            false.write_text(json.dumps(json.loads(proof.read_text()) | {field: change}))
            assert told(page, false, [file])[step] == "INVALID", field
        page.evaluate("() => { File.prototype.arrayBuffer = () => Promise.reject(new Error('it was moved')); }")
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator("#report ol")).to_contain_text("it was moved")
        expect(page.locator("[data-part=last]")).to_contain_text("Nothing was found false")
        assert {each for each in sent} == {"GET"} and faults == []
