"""The contract's package: the same sources give the same bytes, changed sources another version."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from network import lifecycle
from network.errors import SetupError
from network.topology import Topology, demo_topology

BUILDER = Path(lifecycle.__file__).parent / "builder" / "bin"


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return demo_topology(tmp_path, 20000)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "contract"
    (folder / "rules").mkdir(parents=True)
    (folder / "main.py").write_text("print(1)\n")
    (folder / "rules" / "money.py").write_text("CENTS = 100\n")
    return folder


def test_the_same_sources_give_the_same_package_at_any_time(topology: Topology, sources: Path) -> None:
    first = lifecycle.read_contract(topology, sources)
    os.utime(sources / "main.py", (0, 0))
    (sources / "main.py").chmod(0o600)
    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "main.py").write_text("left over")
    assert lifecycle.read_contract(topology, sources) == first


def test_a_changed_source_is_a_new_version(topology: Topology, sources: Path) -> None:
    first = lifecycle.read_contract(topology, sources)
    (sources / "rules" / "money.py").write_text("CENTS = 1000\n")
    changed = lifecycle.read_contract(topology, sources)
    assert changed.version != first.version
    assert changed.package_id != first.package_id


def test_a_renamed_source_is_a_new_version(topology: Topology, sources: Path) -> None:
    first = lifecycle.read_contract(topology, sources)
    (sources / "rules" / "money.py").rename(sources / "rules" / "cash.py")
    assert lifecycle.read_contract(topology, sources).version != first.version


def test_the_package_holds_the_sources_and_no_key(topology: Topology, sources: Path) -> None:
    contract = lifecycle.read_contract(topology, sources)
    with tarfile.open(fileobj=io.BytesIO(contract.package)) as package:
        assert package.getnames() == ["code.tar.gz", "metadata.json"]
        metadata, code = package.extractfile("metadata.json"), package.extractfile("code.tar.gz")
        assert metadata is not None and code is not None
        assert json.load(metadata) == {"type": "ccaas", "label": f"scf-{contract.version}"}
        with tarfile.open(fileobj=code) as inner:
            assert inner.getnames() == ["main.py", "rules/money.py"]
            assert {entry.mtime for entry in inner.getmembers()} == {0}


def test_the_installed_contract_is_served_by_this_python(topology: Topology) -> None:
    assert lifecycle.read_contract(topology).command == (sys.executable, "-m", "chaincode.main")


def test_a_contract_that_is_not_there_is_refused(topology: Topology, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no Python sources"):
        lifecycle.read_contract(topology, tmp_path / "nowhere")
    with pytest.raises(SetupError, match="'no_such_contract' is not installed"):
        lifecycle.read_contract(topology.model_copy(update={"contract": "no_such_contract"}))


def test_the_builder_takes_our_packages_and_no_others(tmp_path: Path) -> None:
    metadata = tmp_path / "metadata.json"
    for content, expected in (('{"type":"ccaas","label":"x"}', 0), ('{"type": "golang"}', 1)):
        metadata.write_text(content)
        assert subprocess.run([BUILDER / "detect", tmp_path, tmp_path], check=False).returncode == expected


def build_and_release(folder: Path, sources: Path) -> subprocess.CompletedProcess[str]:
    own = folder / "own.json"
    own.write_text('{"address":"127.0.0.1:1"}')
    environment = {"LEDGER_NODE_CHAINCODE_CONNECTION": str(own), "PATH": os.environ["PATH"]}
    output = folder / "output"
    output.mkdir()
    built = subprocess.run(
        [BUILDER / "build", sources, folder, output], capture_output=True, text=True, check=False, env=environment
    )
    if built.returncode == 0:
        subprocess.run([BUILDER / "release", output, folder / "release"], check=True, env=environment)
    return built


@pytest.mark.parametrize(
    ("name", "content", "address"),
    [("contract.py", "", "127.0.0.1:1"), ("connection.json", '{"address":"127.0.0.1:2"}', "127.0.0.1:2")],
)
def test_the_builder_hands_the_packages_own_connection_to_the_peer_or_the_networks(
    tmp_path: Path, name: str, content: str, address: str
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / name).write_text(content)
    assert build_and_release(tmp_path, sources).returncode == 0
    handed = tmp_path / "release" / "chaincode" / "server" / "connection.json"
    assert json.loads(handed.read_text()) == {"address": address}
    assert handed.stat().st_mode & 0o077 == 0


def test_a_package_that_does_not_say_where_its_contract_listens_is_refused_when_installed(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "main.go").write_text("package main")
    refused = build_and_release(tmp_path, sources)
    assert refused.returncode == 1
    assert "no connection.json" in refused.stderr
