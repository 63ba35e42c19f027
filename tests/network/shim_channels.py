"""A network with two channels, and one process that serves the contract of docs/reference/shim.md to all its peers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kv_network import report, running_network
from shim_contract import CHAINCODE, connection_to, served, write_sources

from network import channel, components, lifecycle, readiness, tools
from network.topology import Topology

SECOND = "trade"
MEMBERS = 2  # how many of the organisations are on the second channel


@contextmanager
def two_channels(home: Path) -> Iterator[tuple[Topology, Topology]]:
    """Three organisations on one channel, two of them on a second one; the contract is on both, under two names.

    Each channel is a topology of its own: the same files and processes.
    """
    with running_network(home, organisations=3, consensus="raft") as network:
        first = network.model_copy(update={"chaincode": CHAINCODE})
        there = {"channel": SECOND, "chaincode": f"{CHAINCODE}-there", "organisations": network.organisations[:MEMBERS]}
        second = network.model_copy(update=there)
        open_channel(second)
        with one_process(first, second, home):
            yield first, second


def open_channel(topology: Topology) -> None:
    """Make the channel, and let the orderers and peers of its organisations join."""
    binaries = tools.find(topology.fabric_folder)
    assert binaries is not None, "the network runs, so its tools are there"
    channel.write_genesis(topology, binaries)
    for organisation in topology.organisations:
        channel.join_orderer(topology, organisation)
        channel.join_peer(topology, binaries, organisation)
    readiness.await_ordering(topology)


@contextmanager
def one_process(first: Topology, second: Topology, folder: Path) -> Iterator[None]:
    """Serve the contract from one process to every peer, and commit it on both channels: one package, two names."""
    binaries = tools.find(first.fabric_folder)
    assert binaries is not None
    sources = write_sources(folder)
    command = (sys.executable, str(sources / "page.py"))
    contract = lifecycle.read_contract(first, sources, command)
    parts = list(first.all_folders())
    own, own_folders = parts[0]
    roots = folder / "peers-of-all.pem"
    roots.write_text("".join(folders.chaincode_client_tls.ca.read_text() for _, folders in parts))
    settings = components.chaincode(contract, own, own_folders).settings
    changes = {"CHAINCODE_ADDRESS": "127.0.0.1:0", "CHAINCODE_TLS_CLIENT_CA": str(roots)}
    with ExitStack() as stack:
        port = stack.enter_context(served(command, {**settings, **changes}))
        for _, folders in parts:
            stack.enter_context(connection_to(folders, port, own_folders.chaincode_tls.ca))
        for topology in (first, second):
            lifecycle.deploy(topology, binaries, contract, report)
            assert readiness.unreached(topology, topology.organisations) == []
        yield
