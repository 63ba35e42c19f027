"""Making bundles and trust files, and the commands that fetch them: what is made verifies, and shows what was asked."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from forge import CHAINCODE, CHANNEL, NAMES, Consortium, canonical, unb64, unurl
from story import COMMITMENT, DIGEST, DOCUMENT, FILE, SALT, Story, replaced, tell, written

from ledger_node.cli import main
from ledger_node.cli.certificate import disclosed
from ledger_node.documents.index import OwnDocument
from ledger_node.errors import BadRequest
from ledger_node.evidence.bundle import BlockChoice, Certified, Issuer, make_bundle
from ledger_node.evidence.checking import UnfitEvidenceError, checked
from ledger_node.evidence.trust import trust_file, with_keys
from ledger_node.verify.checking import verify
from ledger_node.verify.format import Subject
from network.proofs.answers import Answer
from network.proofs.configuration import Configuration, Consenter, Member, Rule
from network.proofs.ordering import BlockSignature, SignedHeader
from network.witnesses import SealedBlock, Trust, Witnessed

NOW = dt.datetime(2026, 11, 30, 12, 30, tzinfo=dt.UTC)


class ToldWitness:
    """What the members of the story's consortium have signed, as a node's own peer would give it."""

    chaincode = CHAINCODE

    def __init__(self, story: Story) -> None:
        self.story = story

    def trust(self) -> Trust:
        of = self.story.consortium.of.items()
        units = {"client": "client", "orderer": "orderer", "peer": "peer"}
        consenters = [Consenter(number, name, each.orderer.pem) for number, (name, each) in enumerate(of, 1)]
        members = [Member(name, (each.authority.pem.encode(),), units=units) for name, each in of]
        endorsement = Rule(out_of=3, rules=tuple(Rule(name, "peer") for name in NAMES))
        configuration = Configuration(0, 3, tuple(consenters), tuple(members), endorsement)
        return Trust(CHANNEL, bytes.fromhex(self.story.consortium.genesis), (configuration,))

    def gather(self, transactions: Mapping[str, int]) -> tuple[list[Witnessed], list[SealedBlock]]:
        told = [each for each in self.story.payload["transactions"] if each["id"] in transactions]
        witnessed = [
            Witnessed(
                each["id"],
                each["block"],
                each["index"],
                unb64(each["envelope"]),
                unb64(each["question"]),
                tuple(
                    Answer(*(unb64(one[name]) for name in ("payload", "endorser", "signature")))
                    for one in each["answers"]
                ),
            )
            for each in told
        ]
        return witnessed, [self._sealed(each) for each in self.story.payload["blocks"]]

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        person = self.story.consortium.of["SupplierMSP"].client
        return person.pem, person.sign(message)

    def _sealed(self, block: Any) -> SealedBlock:
        signatures = tuple(
            BlockSignature(unb64(each["header"]), unb64(each["signature"])) for each in block["signatures"]
        )
        hashes_of = bytes.fromhex(block["previous_hash"]), bytes.fromhex(block["data_hash"])
        header = SignedHeader(block["number"], *hashes_of, unb64(block["value"]), signatures)
        return SealedBlock(header, tuple(unb64(each) for each in block["data"]))


@pytest.fixture(scope="module")
def story() -> Story:
    return tell(Consortium())


def certified(story: Story) -> Certified:
    blocks = {each["id"]: each["block"] for each in story.payload["transactions"]}
    writes = [
        {
            "key": each["key"],
            "value": each["value"],
            "transaction_id": each["transaction"],
            "block_number": blocks[each["transaction"]],
        }
        for each in story.payload["records"]
    ]
    document = OwnDocument(
        DOCUMENT, bytes.fromhex(DIGEST), SALT, len(FILE), "application/xml", "invoice", "invoice.xml"
    )
    assert document.commitment == COMMITMENT
    return Certified(Subject(kind="document", id=DOCUMENT), writes, [document])


def bundle_of(story: Story, blocks: BlockChoice = "all") -> bytes:
    issuer = Issuer("SupplierMSP", CHANNEL, CHAINCODE, story.consortium.genesis, story.consortium.post_quantum)
    return make_bundle(certified(story), issuer, ToldWitness(story), blocks, NOW)


def trust_of(story: Story, msp_id: str = "BuyerMSP") -> bytes:
    key = story.consortium.post_quantum.public_key().public_bytes_raw()
    return trust_file(ToldWitness(story), msp_id, {msp_id: key} if msp_id == "SupplierMSP" else {}, NOW)


def test_what_is_made_verifies_when_the_issuers_key_is_added_to_anothers_trust_file(
    story: Story, tmp_path: Path
) -> None:
    trust = with_keys(trust_of(story), [trust_of(story, "SupplierMSP")])
    file, bundle, trust_path = written(tmp_path, bundle_of(story), trust)
    report = verify([file], bundle, trust_path)
    assert report.exit_code == 0, report.as_text()


@pytest.mark.parametrize(("blocks", "verdict"), [("all", "VALID"), ("own", "SKIPPED"), ("none", "SKIPPED")])
def test_blocks_with_others_transactions_are_shown_only_when_all_are(
    story: Story, tmp_path: Path, blocks: BlockChoice, verdict: str
) -> None:
    bundle = bundle_of(story, blocks)
    paths = written(tmp_path, bundle, trust_of(story, "SupplierMSP"))
    report = verify(paths[:1], *paths[1:])
    assert {step.name: step.verdict for step in report.steps}["included"] == verdict
    neighbours = [each["data"][0] for each in story.payload["blocks"]]
    shown = unurl(json.loads(bundle)["payload"]).decode()
    assert [each in shown for each in neighbours] == [blocks == "all"] * 3


def test_a_node_checks_what_it_hands_out(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    trust = trust_of(story, "SupplierMSP")
    assert checked(bundle_of(story, "own"), trust)
    lying = story.copy()
    lying.payload["transactions"][0]["answers"] = []
    with pytest.raises(UnfitEvidenceError, match="committed as valid"):
        checked(bundle_of(lying), trust)
    monkeypatch.setattr("ledger_node.evidence.checking.BUNDLE_BYTES_MAX", 1000)
    with pytest.raises(UnfitEvidenceError, match="1000 at most"):
        checked(bundle_of(story), trust)


def test_records_that_a_bundle_is_not_about_are_counted(story: Story) -> None:
    assert disclosed(bundle_of(story))["other_records"] == 0
    batch = story.copy()
    key, value = (batch.payload["records"][0][name] for name in ("key", "value"))
    of = batch.consortium.of
    envelope = batch.consortium.transaction({key: value, "invoice/other": "{}"}, of["SupplierMSP"].client, [])
    replaced(batch, 0, envelope)
    assert disclosed(bundle_of(batch, "none"))["other_records"] == 1


def test_a_key_is_taken_from_its_owners_trust_file_alone(story: Story) -> None:
    other = json.loads(trust_of(story, "SupplierMSP"))
    other["keys"][0]["msp_id"] = "CarrierMSP"
    assert json.loads(with_keys(trust_of(story), [canonical(other)]))["keys"] == []


@pytest.mark.parametrize("content", [b"{}", b"none"])
def test_a_file_that_is_no_trust_file_gives_no_keys(story: Story, content: bytes) -> None:
    with pytest.raises(BadRequest, match="trust file"):
        with_keys(trust_of(story), [content])


def test_a_trust_file_of_another_channel_gives_no_keys(story: Story) -> None:
    other = canonical({**json.loads(trust_of(story, "SupplierMSP")), "genesis": "0" * 64})
    with pytest.raises(BadRequest, match="another channel"):
        with_keys(trust_of(story), [other])


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def run(story: Story) -> Iterator[Callable[..., Result]]:
    """Types a command whose node answers with the story's files."""
    answers = {
        f"/v1/documents/{DOCUMENT}/certificate": bundle_of(story),
        f"/v1/invoices/{DOCUMENT}/certificate": bundle_of(story, "own"),
        "/v1/channel/trust": trust_of(story, "SupplierMSP"),
    }

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "application/jose+json")])
        return [answers[environ["PATH_INFO"]]]

    server = make_server("127.0.0.1", 0, application, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    environment = {"LEDGER_NODE_URL": f"http://127.0.0.1:{server.server_address[1]}", "LEDGER_NODE_TOKEN": "token"}
    yield lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)), env=environment)
    server.shutdown()
    server.server_close()


def test_the_commands_write_what_verify_accepts(run: Callable[..., Result], tmp_path: Path) -> None:
    bundle, trust, file = tmp_path / "bundle.json", tmp_path / "trust.json", tmp_path / "file"
    file.write_bytes(FILE)
    made = run("document", "certificate", DOCUMENT, "--out", bundle, "--blocks", "all")
    assert made.exit_code == 0, made.output
    assert "it shows 3 transactions of others" in made.stdout
    told = run("channel", "trust", "--out", trust)
    assert told.exit_code == 0, told.output
    assert "SHA-256" in told.stdout
    checked = run("verify", file, "--bundle", bundle, "--trust", trust)
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.count(" VALID ") == 12


def test_what_is_left_out_is_told(run: Callable[..., Result], tmp_path: Path) -> None:
    made = run("invoice", "certificate", DOCUMENT, "--out", tmp_path / "bundle.json")
    assert "the content of 3 of 3 blocks is left out" in made.stdout
    again = run("invoice", "certificate", DOCUMENT, "--out", tmp_path / "bundle.json")
    assert (again.exit_code, "exists" in again.stderr) == (2, True)


def test_partners_get_a_jws_with_the_signature_that_they_know(
    run: Callable[..., Result], story: Story, tmp_path: Path
) -> None:
    out, partners = tmp_path / "bundle.json", tmp_path / "bundle.jws"
    assert run("document", "certificate", DOCUMENT, "--out", out, "--es256", partners).exit_code == 0
    jws = json.loads(partners.read_bytes())
    assert set(jws) == {"payload", "protected", "signature"}
    header = json.loads(unurl(jws["protected"]))
    assert (header["alg"], len(base64.b64decode(header["x5c"][0])) > 100) == ("ES256", True)
    signature = unurl(jws["signature"])
    der = utils.encode_dss_signature(*(int.from_bytes(part, "big") for part in (signature[:32], signature[32:])))
    key = story.consortium.of["SupplierMSP"].client.key.public_key()
    key.verify(der, f"{jws['protected']}.{jws['payload']}".encode(), ec.ECDSA(hashes.SHA256()))


def test_keys_of_others_are_added_at_the_prompt(run: Callable[..., Result], story: Story, tmp_path: Path) -> None:
    others, out = tmp_path / "others.json", tmp_path / "trust.json"
    others.write_bytes(trust_of(story, "SupplierMSP"))
    assert run("channel", "trust", "--out", out, "--keys", others).exit_code == 0
    assert [each["msp_id"] for each in json.loads(out.read_bytes())["keys"]] == ["SupplierMSP"]
