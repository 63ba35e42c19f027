"""What of a network goes into a backup: who its organisations are, and no orderer's ledger without all the others."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from backup_world import answer, run, silent, tree
from sealing import NOW, the_officer

from ledger_node.backup import writing
from ledger_node.backup.inventory import of_network
from ledger_node.backup.restoring import Wanted, restore_backup
from ledger_node.backup.writing import Written, write_backup
from ledger_node.errors import ConfigError
from network import processes
from network.errors import SetupError
from network.identities import ensure_identities
from network.topology import Topology, demo_topology

ALL = ("supplier", "buyer", "financier", "carrier")


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    """Four organisations with keys, a first block and something in each ledger; nothing runs."""
    home = tmp_path / "here"
    demo_topology(home, 20000).save(home / "network.yaml")
    made = Topology.load(home / "network.yaml")
    ensure_identities(made)
    made.genesis_block.parent.mkdir()
    made.genesis_block.write_bytes(b"the first block")
    for _, folders in made.all_folders():
        for data in (folders.peer_data, folders.orderer_data):
            (data / "chains").mkdir(parents=True)
            (data / "chains" / "blocks").write_bytes(b"blocks in %s" % data.name.encode())
    (made.data / "logs").mkdir()
    (made.data / "logs" / "supplier.peer.log").write_bytes(b"a line")
    return made


@pytest.fixture
def running(topology: Topology) -> Iterator[str]:
    """A process that counts as the supplier's peer."""
    environment = os.environ | {processes.MARK: processes.mark(topology.data, "supplier.peer")}
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment)
    processes._write_record(topology.data, "supplier.peer", psutil.Process(child.pid), "")
    yield "supplier.peer"
    child.kill()
    child.communicate()


def back_up(topology: Topology, target: Path, *names: str, ledgers: bool = False) -> Written:
    return write_backup(of_network(topology, names, ledgers=ledgers), target, [the_officer().locking], silent, NOW)


def restore(backup: Written, base: Path | None = None, *, replace: bool = False) -> None:
    restore_backup(Path(backup.path), the_officer().opening, Wanted(base, replace), silent, NOW)


def test_an_organisation_comes_back_with_its_keys_and_others_with_what_is_public(
    topology: Topology, tmp_path: Path
) -> None:
    written = back_up(topology, tmp_path, "supplier")
    assert Path(written.path).name == "supplier-network-20261130T120000Z.backup"
    restore(written, tmp_path / "new")
    before, after = tree(tmp_path / "here"), tree(tmp_path / "new")
    assert {name: before[name] for name in after} == after
    own = "network-data/organisations/supplier/"
    data = f"{own}data/"
    assert {name for name in before if name.startswith(own) and not name.startswith(data)} <= set(after)
    assert {name.split("/")[3] for name in after if name.startswith("network-data/organisations/buyer/")} == {"msp"}
    assert "network.yaml" in after
    assert "network-data/channel/scf.block" in after
    keys = [name for name in after if name.endswith(("key.pem", ".key"))]
    assert keys
    assert all(name.startswith(own) for name in keys)


def test_the_ledger_of_an_orderer_is_never_taken_alone(topology: Topology, tmp_path: Path) -> None:
    for names in ((), ("supplier",), ALL[:3], ALL):
        taken = of_network(topology, names).ledgers
        assert taken == ()
    assert {each.name for each in of_network(topology, ("supplier",), ledgers=True).ledgers} == {"peer"}
    assert {each.name for each in of_network(topology, ALL[:3], ledgers=True).ledgers} == {"peer"}
    assert {each.name for each in of_network(topology, ledgers=True).ledgers} == {"peer", "orderer"}
    assert len(of_network(topology, ledgers=True).ledgers) == 8


def test_the_ledger_of_what_runs_is_not_taken(topology: Topology, tmp_path: Path, running: str) -> None:
    with pytest.raises(ConfigError, match=running):
        back_up(topology, tmp_path, ledgers=True)
    with pytest.raises(ConfigError, match=running):
        back_up(topology, tmp_path, "supplier", ledgers=True)
    back_up(topology, tmp_path / "buyer.backup", "buyer", ledgers=True)
    back_up(topology, tmp_path / "keys.backup")


def test_a_network_that_was_stopped_comes_back_with_its_ledgers(topology: Topology, tmp_path: Path) -> None:
    written = back_up(topology, tmp_path, ledgers=True)
    before = {name: digest for name, digest in tree(tmp_path / "here").items() if "/logs/" not in name}
    restore(written, tmp_path / "new")
    assert tree(tmp_path / "new") == before
    restore(written, tmp_path / "new")
    assert tree(tmp_path / "new") == before


def test_a_ledger_that_went_on_is_in_the_way_and_is_moved_aside_as_a_whole(topology: Topology, tmp_path: Path) -> None:
    written = back_up(topology, tmp_path, ledgers=True)
    folders = topology.folders("buyer")
    (folders.orderer_data / "wal").mkdir()
    (folders.orderer_data / "wal" / "1").write_bytes(b"votes since")
    before = tree(tmp_path / "here")
    with pytest.raises(ConfigError, match="buyer/data/orderer"):
        restore(written)
    assert tree(tmp_path / "here") == before
    restore(written, replace=True)
    assert not (folders.orderer_data / "wal").exists()
    assert [path.read_bytes() for path in (tmp_path / "here").rglob("wal/1")] == [b"votes since"]


def test_a_network_that_runs_is_not_replaced(topology: Topology, tmp_path: Path, running: str) -> None:
    written = back_up(topology, tmp_path)
    restore(written, replace=True)  # nothing differs: nothing to do
    topology.folders("buyer").user.key.write_bytes(b"another")
    with pytest.raises(ConfigError, match=f"the network runs: {running}"):
        restore(written, replace=True)
    assert topology.folders("buyer").user.key.read_bytes() == b"another"


def test_organisations_whose_keys_are_elsewhere_are_named(topology: Topology, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="nobody"):
        of_network(topology, ("nobody",))
    topology.folders("carrier").orderer.key.unlink()
    with pytest.raises(ConfigError, match="carrier"):
        of_network(topology)
    of_network(topology, ("supplier",))


def test_at_the_prompt_a_network_is_backed_up_and_restored(topology: Topology, tmp_path: Path) -> None:
    (tmp_path / "officer.pem").write_bytes(the_officer().certificate)
    (tmp_path / "officer.key").write_bytes(the_officer().key)
    at = ("--network", topology.file, "--recipient", tmp_path / "officer.pem")
    written = answer(run("backup", "network", tmp_path, "supplier", *at, "--json"))
    opens = ("--key", tmp_path / "officer.key", "--sha256", written["sha256"])
    done = run("restore", written["path"], "--to", tmp_path / "new", *opens)
    assert done.exit_code == 0, done.output
    assert f"Next: ledger-node network up --network {tmp_path / 'new' / 'network.yaml'}" in done.stdout
    assert run("backup", "network", tmp_path, "nobody", *at).exit_code == 2


@pytest.mark.parametrize("ledgers", [True, False])
def test_nothing_of_a_network_starts_while_its_ledgers_are_copied(
    topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledgers: bool
) -> None:
    (tmp_path / "officer.pem").write_bytes(the_officer().certificate)
    held: list[bool] = []

    def watched(*asked: Any) -> Any:
        with (topology.data / "lock").open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.append(False)
            except BlockingIOError:
                held.append(True)
        return write_backup(*asked)

    monkeypatch.setattr(writing, "write_backup", watched)
    at = ("--network", topology.file, "--recipient", tmp_path / "officer.pem")
    done = run("backup", "network", tmp_path, *at, *(["--ledgers"] if ledgers else []))
    assert done.exit_code == 0, done.output
    assert held == [ledgers]
