"""Findings and seals as the API and the command line show them, on real nodes: damage, repair, sealing, proofs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import Caller, People, invoice_file
from click.testing import CliRunner, Result
from consortium import BUYER, Consortium, eventually, organisations
from prompt import Prompt

from ledger_node.cli import main
from ledger_node.documents.findings import Evidence, FindingKind

ROOT = "ab" * 32


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home, scrub=False)
    world.start("supplier", "buyer", "financier", "carrier")
    people = People(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def supplier(people: People) -> Caller:
    return people.supplier


@pytest.fixture(scope="module")
def prompt(supplier: Caller) -> Iterator[Prompt]:
    prompt = Prompt(supplier)
    yield prompt
    prompt.close()


def scrub(caller: Caller, *arguments: str) -> Result:
    directory = str(caller.node.settings.directory)
    return CliRunner().invoke(main, ["hash", "scrub", "--node", directory, *arguments], prog_name="ledger-node")


def metric(caller: Caller, kind: str) -> float:
    text = caller.http.get("/metrics").get_data(as_text=True)
    found = re.search(rf'^ledger_node_findings_open{{kind="{kind}"}} (\S+)$', text, re.MULTILINE)
    assert found
    return float(found[1])


# Seals


def test_a_seal_is_recorded_once_and_seen_by_every_node(people: People) -> None:
    body = {"root": ROOT, "size": 1000}
    first = people.supplier.post("uploader", "/v1/seals", body, key="seal")
    assert (first.status, first.body["type"]) == (201, "SealDocuments")
    assert people.supplier.post("uploader", "/v1/seals", body, key="seal").body["record_id"] == first.body["record_id"]
    seal_id, block = first.body["record_id"], str(first.body["block_number"])
    shown = people.buyer.get(f"/v1/seals/{seal_id}", Ledger_Block_Min=block)
    record = {name: shown.body[name] for name in ("seal_id", "submitter", "algorithm", "root", "size")}
    expected = {"seal_id": seal_id, "submitter": "SupplierMSP", "algorithm": "SHA-256", "root": ROOT, "size": 1000}
    assert record == expected
    assert shown.body["written"]["transaction_id"] == first.body["transaction_id"]
    assert [each["seal_id"] for each in people.buyer.get("/v1/seals").body["items"]] == [seal_id]
    assert people.buyer.get(f"/v1/seals/{'0' * 32}").code == "SEAL_UNKNOWN"


@pytest.mark.parametrize("body", [{"root": ROOT}, {"root": "AB" * 32, "size": 1}, {"root": ROOT, "size": 0}])
def test_a_seal_without_root_or_documents_is_not_taken(supplier: Caller, body: dict[str, Any]) -> None:
    assert supplier.post("uploader", "/v1/seals", body).code == "INVALID_INPUT"


def test_only_who_may_upload_may_seal(supplier: Caller) -> None:
    assert supplier.post("auditor", "/v1/seals", {"root": ROOT, "size": 1}).code == "TOKEN_ROLE"


def test_a_folder_is_sealed_at_a_prompt_and_each_file_verified_with_its_proof(prompt: Prompt, tmp_path: Path) -> None:
    for name in ("one.xml", "two.xml", "three.xml"):
        (tmp_path / name).write_text(name)
    (seal,) = prompt.json("uploader", "document", "seal", str(tmp_path))["seals"]
    assert "3 files had a proof before" in prompt.text("uploader", "document", "seal", str(tmp_path))
    shown = prompt.json("auditor", "document", "seal-status", seal["seal_id"])
    assert (shown["root"], shown["size"], shown["written"]["block_number"]) == (seal["root"], 3, seal["block_number"])
    assert seal["root"] in prompt.text("auditor", "document", "seal-status", seal["seal_id"])
    file, proof = str(tmp_path / "two.xml"), str(tmp_path / "two.xml.proof.json")
    off_line = prompt.text("auditor", "hash", "verify", file, "--proof", proof)
    assert "not checked: that the ledger holds" in off_line
    assert seal["seal_id"] in off_line
    with_root = prompt.text("auditor", "hash", "verify", file, "--proof", proof, "--root", shown["root"])
    assert "not checked" not in with_root
    assert prompt.run("auditor", "hash", "verify", file, "--proof", proof, "--root", ROOT).exit_code == 6
    (tmp_path / "two.xml").write_text("tampered")
    false = prompt.run("auditor", "hash", "verify", file, "--proof", proof, "--json")
    assert false.exit_code == 6
    assert "is not the one that was sealed" in json.loads(false.stdout)["error"]["text"]


def test_a_digest_and_a_proof_are_two_ways_to_verify_not_one(prompt: Prompt, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    both = ("hash", "verify", str(tmp_path / "file"), "ab" * 32, "--proof", str(tmp_path / "file"))
    assert prompt.run("auditor", *both).exit_code == 2
    assert prompt.run("auditor", "hash", "verify", str(tmp_path / "file"), "--root", ROOT).exit_code == 2


# Findings


def test_damage_is_seen_in_exit_code_api_metrics_and_prompt_until_it_is_mended(
    supplier: Caller, prompt: Prompt
) -> None:
    content = invoice_file("INV-SCRUB")
    uploaded = supplier.upload("invoice", "application/xml", content, [BUYER])
    assert uploaded.status == 201, uploaded
    document_id = uploaded.body["record_id"]
    eventually(lambda: supplier.node.readmodel.document(document_id), "the read model shows it")
    assert scrub(supplier).exit_code == 0
    own = supplier.node.documents.get(document_id)
    assert own is not None
    path = supplier.node.vault.path(own.digest)
    path.write_bytes(content.replace(b"10000.00", b"90000.00"))
    found = scrub(supplier, "--json")
    assert found.exit_code == 6, found.output
    assert [each["document_id"] for each in json.loads(found.stdout)["result"]["damage"]] == [document_id]
    assert f"damaged: document {document_id}" in scrub(supplier).stdout
    (finding,) = supplier.get("/v1/findings?state=open").body["items"]
    assert (finding["kind"], finding["document_id"], finding["expected"]) == ("damaged", document_id, own.commitment)
    assert metric(supplier, "damaged") == 1.0
    assert document_id in prompt.text("auditor", "hash", "findings", "--state", "open")
    path.write_bytes(content)
    mended = scrub(supplier)
    assert (mended.exit_code, "1 findings closed" in mended.stdout) == (0, True)
    assert metric(supplier, "damaged") == 0.0
    closed = supplier.get("/v1/findings?state=closed").body
    assert (closed["total"], closed["items"][0]["id"]) == (1, finding["id"])


def test_a_person_closes_a_finding_that_nothing_mends(supplier: Caller) -> None:
    supplier.node.findings.open(Evidence(FindingKind.MISMATCH, document_id="e" * 32))
    (finding,) = supplier.get("/v1/findings?state=open").body["items"]
    arguments = ["hash", "close-finding", str(finding["id"]), "--node", str(supplier.node.settings.directory)]
    assert [CliRunner().invoke(main, arguments).exit_code for _ in range(2)] == [0, 3]
    assert supplier.get("/v1/findings?state=open").body["items"] == []


def test_findings_are_not_for_strangers_and_states_are_known(supplier: Caller) -> None:
    assert supplier.http.get("/v1/findings").status_code == 401
    assert supplier.get("/v1/findings?state=mended").code == "INVALID_INPUT"
