"""Failed starts, kills at bad moments and the end of a network, tried on a real network of one organisation."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from click.testing import CliRunner
from kv_network import unwatched

from ledger_node.cli import main
from network import components, control, identities, processes, status
from network.errors import SetupError, UpError
from network.logs import log_path
from network.ports import held_base_port
from network.topology import Topology, demo_topology

pytestmark = pytest.mark.network


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One organisation, nothing started yet."""
    home = tmp_path_factory.mktemp("small")
    with held_base_port(random.randrange(30000, 31600, 40), 32000) as base_port:
        four = unwatched(demo_topology(home, base_port))
        topology = four.model_copy(update={"organisations": four.organisations[:1]})
        topology.save(home / "network.yaml")
        try:
            yield topology
        finally:
            control.down(topology)


def marked(topology: Topology) -> list[str]:
    """Processes of this network, by what they carry in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            found.append(process.environ().get(processes.MARK, ""))
        except psutil.Error:
            continue
    return [each for each in found if each.startswith(str(topology.data))]


def test_down_and_purge_leave_no_process_and_no_key(small: Topology) -> None:
    assert control.up(small, print).started == tuple(components.component_names(small))
    assert len(marked(small)) == 3
    assert control.down(small) == components.component_names(small)
    assert marked(small) == []
    description = str(small.data.parent / "network.yaml")
    purged = CliRunner().invoke(main, ["network", "down", "--purge", "--yes", "--network", description])
    assert purged.stdout == f"nothing was running, purged {small.data}\n"
    assert [path.name for path in small.data.iterdir()] == ["lock"]


def test_a_reboot_is_repaired_by_the_next_up(small: Topology) -> None:
    control.up(small, print)
    for name in components.component_names(small):
        process = processes.running(small.data, name)
        assert process is not None
        process.kill()
        psutil.wait_procs([process], timeout=60)
    assert {row.state for row in control.status(small)} == {"stopped"}
    report = control.up(small, print)
    assert report.started == tuple(components.component_names(small))
    assert not report.deployment.changed


def test_a_bad_component_is_named_and_good_ones_stay_up(small: Topology) -> None:
    control.up(small, print)
    control.down(small)
    key = small.folders("supplier").peer_tls.key
    content = key.read_bytes()
    key.write_bytes(b"damaged")
    with pytest.raises(UpError) as failed:
        control.up(small, print)
    assert [each.component for each in failed.value.failures] == ["supplier.peer", "contract"]
    assert str(log_path(small.data, "supplier.peer")) in failed.value.text
    assert "tls" in failed.value.text.lower()
    assert marked(small) == [processes.mark(small.data, "supplier.orderer")]
    key.write_bytes(content)
    assert control.up(small, print).started == ("supplier.peer", "supplier.chaincode")


def test_a_port_that_is_taken_later_keeps_one_component_down_and_no_other(small: Topology) -> None:
    control.up(small, print)
    control.down(small)
    port = small.organisation("supplier").ports.chaincode
    with socket.create_server(("127.0.0.1", port)), pytest.raises(UpError) as failed:
        control.up(small, print)
    assert failed.value.component == "supplier.chaincode"
    assert f"{port} (for supplier.chaincode) by" in failed.value.text
    assert "2 other components are up and stay up" in failed.value.text
    assert len(marked(small)) == 2
    assert control.up(small, print).started == ("supplier.chaincode",)


def test_ended_certificates_are_named_with_file_date_and_what_renews_them(
    small: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.up(small, print)
    control.down(small)
    folders = small.folders("supplier")
    with monkeypatch.context() as patched:
        patched.setattr(identities, "IDENTITY_DAYS", 1 / (24 * 3600))  # backdated by more than that: ended already
        identities.renew(folders)
    with pytest.raises(UpError) as failed:
        control.up(small, print)
    assert str(folders.orderer_tls.certificate) in failed.value.text
    assert "supplier.orderer.tls ended on 20" in failed.value.text
    assert "ledger-node network renew supplier" in failed.value.text
    assert marked(small) == []  # what nobody can connect to is not waited for
    findings = status.look(small).findings
    assert any(each.startswith("supplier.user.signing ended on") for each in findings)
    assert not any("supplier.orderer.signing" in each for each in findings)
    control.down(small)
    identities.renew(folders)
    assert control.up(small, print).deployment.sequence == 1
    assert status.look(small).findings == ()


def test_after_room_is_made_on_a_full_disk_one_up_repairs(small: Topology) -> None:
    """/dev/full is a disk without room, for the first file that is written at every start."""
    control.up(small, print)
    control.down(small)
    connection = small.folders("supplier").chaincode_connection
    connection.unlink()
    connection.symlink_to("/dev/full")
    full = CliRunner().invoke(main, ["network", "up", "--network", str(small.file)])
    assert full.exit_code == 1
    assert "no room is left to write" in full.stderr
    assert marked(small) == []
    connection.unlink()
    assert control.up(small, print).started == tuple(components.component_names(small))


def test_an_organisation_that_is_no_longer_named_is_shown_and_stopped(small: Topology) -> None:
    control.up(small, print)
    renamed = small.organisations[0].model_copy(update={"name": "bank"})
    description = small.data.parent / "network.yaml"
    small.model_copy(update={"organisations": (renamed,)}).save(description)
    (small.data / "run" / "supplier.peer.json").unlink()  # and one of them has lost its record
    told = CliRunner().invoke(main, ["network", "status", "--json", "--network", str(description)])
    assert told.exit_code == 1
    rows = json.loads(told.stdout)["result"]["components"]
    orphans = {row["component"] for row in rows if row["state"] == "orphan"}
    assert orphans == set(components.component_names(small))
    stopped = CliRunner().invoke(main, ["network", "down", "--json", "--network", str(description)])
    assert set(json.loads(stopped.stdout)["result"]["stopped"]) == set(components.component_names(small))
    assert marked(small) == []


def test_a_taken_port_is_named_and_nothing_is_started(small: Topology) -> None:
    port = small.organisation("supplier").ports.peer
    with socket.create_server(("127.0.0.1", port)), pytest.raises(SetupError) as refused:
        control.up(small, print)
    assert f"{port} (for supplier.peer) by" in refused.value.text
    assert str(os.getpid()) in refused.value.text
    assert marked(small) == []


@pytest.mark.parametrize("step", ["starting", "checking", "committing", "waiting"])
def test_a_command_killed_at_any_step_is_carried_on_by_the_next_up(small: Topology, step: str) -> None:
    description = str(small.data.parent / "network.yaml")
    program = "from ledger_node.cli import main; main()"
    arguments = [sys.executable, "-u", "-c", program, "network", "up", "--network", description]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as killed:
        assert killed.stderr is not None
        for line in killed.stderr:
            if line.startswith(step):
                break
        killed.kill()
    report = control.up(small, print)
    assert report.deployment.sequence == 1
    assert {row.state for row in control.status(small)} == {"healthy"}
    assert sorted(marked(small)) == sorted(
        processes.mark(small.data, name) for name in components.component_names(small)
    )
