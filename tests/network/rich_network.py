"""A network whose peers keep their state where it can be queried: PouchDB behind the part of CouchDB's API they use."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kv_network import running_network
from shim_contract import deployed

from network import components, control, processes, tools
from network.topology import Organisation, Topology

SERVER = Path(__file__).parent / "couchdb.mjs"
PACKAGES = ("pouchdb-core@9.0.0", "pouchdb-adapter-memory@9.0.0", "pouchdb-find@9.0.0")
RECORDS_AT_ONCE = 20  # that a peer asks its database for; contracts must not notice


@contextmanager
def rich_network(home: Path) -> Iterator[Topology]:
    """Two organisations that run the contract of docs/reference/shim.md."""
    program = install(home / "couchdb")
    with ExitStack() as stack:
        topology = stack.enter_context(running_network(home, organisations=2, consensus="raft"))
        for organisation in topology.organisations:
            move_state(topology, organisation, stack.enter_context(served(program)))
        yield stack.enter_context(deployed(topology, home))


def install(folder: Path) -> Path:
    """PouchDB from npm, with the server beside it; the server's path."""
    folder.mkdir()
    subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", *PACKAGES], cwd=folder, check=True)
    return Path(shutil.copy(SERVER, folder))


@contextmanager
def served(program: Path) -> Iterator[int]:
    """One database server; its port."""
    process = subprocess.Popen(["node", str(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(60)


def move_state(topology: Topology, organisation: Organisation, port: int) -> None:
    """Restart the organisation's peer with its state in that database; the peer fills it from its blocks."""
    found = tools.find(topology.fabric_folder)
    assert found is not None, "the network runs, so its tools are there"
    plain = components.peer(topology, found, organisation, topology.folders(organisation.name))
    settings = {
        "CORE_LEDGER_STATE_STATEDATABASE": "CouchDB",
        "CORE_LEDGER_STATE_COUCHDBCONFIG_COUCHDBADDRESS": f"127.0.0.1:{port}",
        "CORE_LEDGER_STATE_COUCHDBCONFIG_INTERNALQUERYLIMIT": str(RECORDS_AT_ONCE),
    }
    moved = dataclasses.replace(plain, settings={**plain.settings, **settings})
    processes.stop(topology.data, [plain.name])
    processes.start(topology.data, moved)
    processes.await_healthy(topology.data, moved, control.HEALTHY_SECONDS_MAX)
