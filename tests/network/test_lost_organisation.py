"""An organisation that loses its whole machine: a backup of its keys, and the others' blocks, bring it back."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from pathlib import Path

import psutil
import pytest

from ledger_node.backup.inventory import of_network
from ledger_node.backup.locks import by_password, with_password
from ledger_node.backup.restoring import Wanted, restore_backup
from ledger_node.backup.writing import write_backup
from network import control, processes
from network.status import ComponentStatus, look
from network.topology import Topology

pytestmark = pytest.mark.network
PASSWORD = "correct horse battery staple"
POLL_SECONDS = 0.2


def test_an_organisation_comes_back_by_its_keys_alone_and_fetches_the_blocks(network: Topology, tmp_path: Path) -> None:
    now, lost = dt.datetime.now(dt.UTC), ("carrier.orderer", "carrier.peer", "carrier.chaincode")
    height = max(row.height or 0 for row in control.status(network))
    written = write_backup(of_network(network, ["carrier"]), tmp_path, [by_password(PASSWORD)], print, now)
    for name in lost:
        process = processes.running(network.data, name)
        assert process is not None
        process.kill()
        psutil.wait_procs([process], timeout=60)
    shutil.rmtree(network.folders("carrier").root)

    restore_backup(Path(written.path), with_password(PASSWORD), Wanted(), print, now)
    assert not network.folders("carrier").orderer_data.exists()  # no old log of votes comes back
    assert set(control.up(network, print).started) == set(lost)
    rows = {row.component: row for row in _well(network)}
    assert {rows[name].state for name in lost} == {"healthy"}
    assert rows["carrier.orderer"].relation == "consenter"
    assert (rows["carrier.peer"].height or 0) >= height


def _well(network: Topology) -> list[ComponentStatus]:
    """The components, once the whole network says that it is healthy."""
    found, deadline = look(network), time.monotonic() + 120
    while not found.healthy:
        assert time.monotonic() < deadline, found.findings
        time.sleep(POLL_SECONDS)
        found = look(network)
    return list(found.components)
