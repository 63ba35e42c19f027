"""Failed starts, kills at bad moments and the end of a network, tried on a real network of one organisation."""

from __future__ import annotations

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
from network import components, control, processes
from network.errors import SetupError, StartError
from network.topology import Topology, demo_topology, free_base_port

pytestmark = pytest.mark.network


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One organisation, nothing started yet."""
    home = tmp_path_factory.mktemp("small")
    four = unwatched(demo_topology(home, free_base_port(random.randrange(30000, 31600, 40), 32000)))
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
        psutil.wait_procs([process], timeout=10)
    assert {row.state for row in control.status(small)} == {"stopped"}
    report = control.up(small, print)
    assert report.started == tuple(components.component_names(small))
    assert not report.deployment.changed


def test_a_failed_start_names_the_process_and_stops_what_it_started(small: Topology) -> None:
    control.up(small, print)
    control.down(small)
    key = small.folders("supplier").peer_tls.key
    content = key.read_bytes()
    key.write_bytes(b"damaged")
    with pytest.raises(StartError) as failed:
        control.up(small, print)
    assert failed.value.component == "supplier.peer"
    assert str(processes.log_path(small.data, "supplier.peer")) in failed.value.text
    assert "tls" in failed.value.text.lower()
    assert marked(small) == []
    key.write_bytes(content)
    assert control.up(small, print).started == tuple(components.component_names(small))


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
