"""A consortium of four hosts that know nothing of each other, founded by nothing but the lines of a page.

The page's consoles are played in order, each at the hosts that the line before it names. Each host sees its own folder
and what travels; what travels is looked through for what must not.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hosts import Hosts, running_hosts

from ledger_node.serve import serving_pid

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "found-a-consortium.md"
NAMES = ("supplier", "buyer", "financier", "carrier")
KINDS = ("orderer", "peer", "chaincode")
BODY = re.compile(rb"-----BEGIN [A-Z ]+-----(.*?)-----END", re.DOTALL)
PEM = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n?", re.DOTALL)
CONSOLE = re.compile(r"^At (.+?):\n```console\n(.*?)```", re.DOTALL | re.MULTILINE)
KEPT = "variables.sh"
EXAMPLE = "ORG=supplier MSP=SupplierMSP HOST=supplier.example POST=/srv/post"

pytestmark = [pytest.mark.network, pytest.mark.long]


@dataclass(frozen=True)
class Step:
    """A console of the page: the hosts that it is for, whether at once, and what is typed there."""

    where: str
    script: str

    @property
    def hosts(self) -> tuple[str, ...]:
        if self.where.startswith("each other"):
            return NAMES[1:]
        if self.where.startswith("each"):
            return NAMES
        return tuple(name for name in NAMES if self.where.startswith(f"the {name}"))

    @property
    def at_once(self) -> bool:
        return "one after the other" not in self.where


def steps(page: str) -> list[Step]:
    """All consoles of the page, without their prompts."""
    return [Step(where, re.sub(r"^\$ ", "", console, flags=re.MULTILINE)) for where, console in CONSOLE.findall(page)]


def typed(hosts: Hosts, name: str, script: str) -> str:
    """A console as somebody types it into a shell that goes on: variables and functions stay from one to the next."""
    own = f"ORG={name} MSP={name.capitalize()}MSP HOST={name}.example POST={hosts.post}"
    before = f"{own}\nif [ -e {KEPT} ]; then . ./{KEPT}; fi"
    after = f"{{ declare -p INVOICE LEDGER_NODE_NODE 2>/dev/null || true; declare -f; }} > {KEPT}"
    return f"{before}\n{script.replace(EXAMPLE, '')}\n{after}\n"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with running_hosts(tmp_path_factory.mktemp("hosts"), NAMES) as running:
        try:
            yield running
        finally:
            for name in NAMES:
                if pid := serving_pid(running.folder(name) / "nodes" / name):
                    os.kill(pid, signal.SIGTERM)
            begun = [name for name in NAMES if (running.folder(name) / "network.yaml").exists()]
            running.run_at_once(dict.fromkeys(begun, "ledger-node network down"))


@pytest.fixture(scope="module")
def played(hosts: Hosts) -> dict[str, float]:
    """The whole page; how many seconds each step took."""
    took = {}
    for step in steps(PAGE.read_text()):
        assert step.hosts, step.where
        began = time.monotonic()
        scripts = {name: typed(hosts, name, step.script) for name in step.hosts}
        if step.at_once:
            hosts.run_at_once(scripts)
        else:
            for name, script in scripts.items():
                hosts.run(name, script)
        title = f"{step.where}: {step.script.splitlines()[0]}"
        took[title] = time.monotonic() - began
    return took


def test_the_supplier_is_paid_early_by_nothing_but_the_lines_of_the_page(
    played: dict[str, float], hosts: Hosts
) -> None:
    assert len(played) > 15
    script = typed(hosts, "carrier", "as auditor invoice list --json")
    (invoice,) = json.loads(hosts.run("carrier", script))["result"]["items"]
    assert invoice["status"] == "early-paid"


@pytest.mark.usefixtures("played")
def test_every_host_has_the_same_genesis_block(hosts: Hosts) -> None:
    blocks = {(hosts.folder(name) / "network-data" / "channel" / "scf.block").read_bytes() for name in NAMES}
    assert len(blocks) == 1


@pytest.mark.usefixtures("played")
def test_each_host_knows_how_its_own_part_of_the_channel_is(hosts: Hosts) -> None:
    said = hosts.run_at_once(dict.fromkeys(NAMES, "ledger-node network status --json"))
    for name, text in said.items():
        status = json.loads(text)["result"]
        assert [row["component"] for row in status["components"]] == [f"{name}.{kind}" for kind in KINDS]
        assert status["leader"] in NAMES
    assert len({json.loads(text)["result"]["leader"] for text in said.values()}) == 1


@pytest.mark.usefixtures("played")
def test_no_private_key_is_where_it_does_not_belong(hosts: Hosts) -> None:
    keys = {name: secrets_of(hosts.folder(name)) for name in NAMES}
    assert all(len(found) >= 12 for found in keys.values())
    for name in NAMES:
        assert len(found_in(hosts.folder(name), dict.fromkeys(keys[name], name))) >= 12  # the search finds them
        others = {secret: owner for owner, found in keys.items() if owner != name for secret in found}
        assert found_in(hosts.folder(name), others) == []


@pytest.mark.usefixtures("played")
def test_what_travelled_is_public(hosts: Hosts) -> None:
    expected = {"founding.json", "fingerprint.sealed", *(f"{name}.card" for name in NAMES)}
    assert {path.name for path in hosts.post.iterdir()} == expected
    shared = (hosts.folder("supplier") / "nodes" / "supplier" / "fingerprint.key").read_text().strip()
    secrets = {secret: name for name in NAMES for secret in secrets_of(hosts.folder(name))}
    assert found_in(hosts.post, secrets | {shared.encode(): "all", bytes.fromhex(shared): "all"}) == []
    assert b"PRIVATE" not in b"".join(path.read_bytes() for path in hosts.post.iterdir())


def secrets_of(folder: Path) -> set[bytes]:
    """The private keys of a host, each as the number that it is."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size < 10_000 and b"PRIVATE KEY" in (content := path.read_bytes()):
            for pem in PEM.findall(content.replace(b"\\n", b"\n")):  # within JSON, too
                key = load_pem_private_key(pem, None)
                if isinstance(key, ec.EllipticCurvePrivateKey):
                    found.add(key.private_numbers().private_value.to_bytes(32, "big"))
    return found


def found_in(folder: Path, secrets: dict[bytes, str]) -> list[str]:
    """Which of these stand in which file, as they are, within a key in PEM, or in hex."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            bodies = re.findall(rb"[A-Za-z0-9+/]{60,}={0,2}", plain(content))
            decoded = [base64.b64decode(each[: len(each) // 4 * 4]) for each in bodies]
            for secret, owner in secrets.items():
                spelled = (secret in content, secret.hex().encode() in content, any(secret in each for each in decoded))
                if any(spelled):
                    found.append(f"{path}: a secret of {owner}")
    return found


def plain(content: bytes) -> bytes:
    """PEM's lines put together again, so that what they hold can be looked for."""
    return b"".join(b"\n" + body.replace(b"\n", b"").replace(b"\\n", b"") + b"\n" for body in BODY.findall(content))
