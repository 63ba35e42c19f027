"""docs/how-to/run-your-own-contract.md, step by step with Fabric's own tools: a second contract beside the first."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from kv_network import KV

from ledger_node.cli import main
from network.topology import Organisation, Topology

pytestmark = [pytest.mark.network, pytest.mark.disturbs]
NAME = "mine"


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as target:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            target.addfile(entry, io.BytesIO(content))
    return path


def package(folder: Path, port: int) -> Path:
    """As the page makes it."""
    connection = {"address": f"127.0.0.1:{port}", "dial_timeout": "5s", "tls_required": False}
    code = archive(folder / f"code-{port}.tar.gz", {"connection.json": json.dumps(connection).encode()})
    metadata = json.dumps({"type": "ccaas", "label": f"{NAME}-1"}).encode()
    return archive(folder / f"{NAME}-{port}.tar.gz", {"metadata.json": metadata, "code.tar.gz": code.read_bytes()})


def peer(network: Topology, organisation: Organisation, *arguments: str) -> str:
    """`eval "$(ledger-node network env ORGANISATION)"; peer ...`."""
    asked = CliRunner().invoke(main, ["network", "env", organisation.name, "--network", str(network.file)])
    assert asked.exit_code == 0, asked.output
    line = f'{asked.stdout}\npeer "$@"'
    done = subprocess.run(
        ["sh", "-c", line, "sh", *arguments], capture_output=True, text=True, check=False, env={"PATH": os.defpath}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def serving(package_id: str, port: int) -> Iterator[None]:
    """The contract's process."""
    own = {"CHAINCODE_ID": package_id, "CHAINCODE_ADDRESS": f"127.0.0.1:{port}", "CHAINCODE_TLS": "off"}
    process = subprocess.Popen([sys.executable, str(KV / "kv.py")], env=os.environ | own)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def test_a_second_contract_with_its_own_connection_answers_beside_the_first(network: Topology, tmp_path: Path) -> None:
    own = network.organisations[0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = package(tmp_path, port)
    package_id = peer(network, own, "lifecycle", "chaincode", "calculatepackageid", str(made))
    definition = ["-C", network.channel, "-n", NAME, "-v", "1", "--sequence", "1"]
    members = network.organisations[:3]
    to_orderer = ["-o", own.orderer_endpoint, "--tls", "--cafile", str(network.folders(own.name).tls_ca)]
    with serving(package_id, port):
        for each in members:
            peer(network, each, "lifecycle", "chaincode", "install", str(made))
            approve = ["lifecycle", "chaincode", "approveformyorg", *definition, "--package-id", package_id]
            peer(network, each, *approve, *to_orderer)
        named = [
            word
            for each in members
            for word in (
                "--peerAddresses",
                each.peer_endpoint,
                "--tlsRootCertFiles",
                str(network.folders(each.name).tls_ca),
            )
        ]
        peer(network, own, "lifecycle", "chaincode", "commit", *definition, *to_orderer, *named)
        call = ["-C", network.channel, "-n", NAME, "-c"]
        invoke = ["chaincode", "invoke", *call, json.dumps({"Args": ["put", "a", "1"]}), "--waitForEvent"]
        peer(network, own, *invoke, *to_orderer, *named)
        assert peer(network, own, "chaincode", "query", *call, json.dumps({"Args": ["get", "a"]})) == "1"
    up = CliRunner().invoke(main, ["network", "up", "--network", str(network.file)])
    assert up.stdout.startswith("everything was running"), up.output
