"""Which network is meant, and what is said of a full disk and of TLS: no network runs here."""

from __future__ import annotations

import errno
import json
import ssl
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger_node.cli import main
from ledger_node.cli.common import of_system
from network import disk, tools
from network.identities import ensure_identities
from network.topology import Topology, demo_topology


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a network."""
    monkeypatch.chdir(tmp_path)
    return written(tmp_path)


def written(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    demo_topology(folder, 20000).save(folder / "network.yaml")
    return folder / "network.yaml"


def invoke(*arguments: str, names: Path | None = None) -> Result:
    environment = {"LEDGER_NODE_NETWORK": str(names)} if names else {}
    return CliRunner().invoke(main, ["network", *arguments], env=environment)


@pytest.mark.parametrize("command", ["up", "down", "restart", "status"])
def test_a_network_in_the_environment_beside_another_one_here_must_be_named(
    here: Path, tmp_path: Path, command: str
) -> None:
    elsewhere = written(tmp_path / "elsewhere")
    refused = invoke(command, names=elsewhere)
    assert refused.exit_code == 2
    for path in (elsewhere, here):
        assert str(path) in refused.stderr


def test_the_network_that_is_named_is_worked_on_and_told(here: Path, tmp_path: Path) -> None:
    elsewhere = written(tmp_path / "elsewhere")
    for named in (elsewhere, Path("network.yaml")):
        stopped = invoke("down", "--network", str(named), names=elsewhere)
        assert stopped.exit_code == 0, stopped.output
        assert f"network {named.resolve()} (supplier, buyer, financier, carrier)" in stopped.stderr
    assert json.loads(invoke("down", "--json", names=here).stdout)["result"]["network"] == str(here)
    here.unlink()
    assert json.loads(invoke("down", "--json", names=elsewhere).stdout)["result"]["network"] == str(elsewhere)


def test_a_full_disk_is_told_with_its_path_and_room(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full is a disk without room; the connection of the contract is the first thing that is written anew."""
    topology = Topology.load(here)
    ensure_identities(topology)
    topology.folders("supplier").chaincode_connection.symlink_to("/dev/full")
    programs = here.parent / "programs"
    programs.mkdir()
    for name in (*tools.NAMES, *tools.CONFIGURATION):
        (programs / name).touch(mode=0o755)
    monkeypatch.setenv("LEDGER_NODE_FABRIC_BIN", str(programs))
    full = invoke("up")
    assert full.exit_code == 1
    assert "no room is left to write" in full.stderr
    assert str(topology.data) in full.stderr
    assert "GiB are free" in full.stderr
    assert "ledger-node network up. It repairs what was cut off." in full.stderr


def test_errors_of_the_system_are_told_by_what_they_are_about(tmp_path: Path) -> None:
    assert "certificates" in of_system(ssl.SSLCertVerificationError("certificate has expired")).remedy
    assert "room" not in of_system(ssl.SSLError("wrong version")).remedy
    full = of_system(OSError(errno.ENOSPC, "No space left on device", str(tmp_path)))
    assert str(tmp_path) in full.text
    assert "GiB are free" in full.text
    assert "run" in of_system(ConnectionRefusedError("refused")).remedy
    assert "permissions" in of_system(PermissionError(errno.EACCES, "denied", "x")).remedy


def test_less_than_a_tenth_of_a_disk_is_little() -> None:
    assert disk.Room(Path("x"), 9, 100).is_low
    assert not disk.Room(Path("x"), 10, 100).is_low
    assert str(disk.room(Path("/no/such/folder"))).endswith("are free on the disk of /no/such/folder")
