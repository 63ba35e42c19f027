"""What the benches share: a Raft network with the twin contract, load on it, and counting by reading."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

import kv_network

from network import components, control, processes, tools
from network.blocks import read_block
from network.gateway import Deadlines, Gateway, GatewayError, Network
from network.lifecycle import Contract, read_contract
from network.topology import Consensus, Topology, demo_topology, free_base_port

CHAINCODE = "kv"
TWIN = Path(__file__).parent / "twin"
TWIN_COMMAND = (sys.executable, str(TWIN / "kv_twin.py"))
PATIENT = Deadlines(60.0, 60.0, 60.0, 60.0)  # what fails here is to fail by itself, not by our own clock
READY_SECONDS_MAX = 30.0


@contextmanager
def twin_network(home: Path, organisations: int = 2, consensus: Consensus = "raft") -> Iterator[Topology]:
    """A network that runs the twin contract; stopped afterwards."""
    plain = demo_topology(home, free_base_port(first=random.randrange(15000, 30000, 40)))
    changes = {"chaincode": CHAINCODE, "organisations": plain.organisations[:organisations], "consensus": consensus}
    plain.model_copy(update=changes).save(home / "network.yaml")
    topology = Topology.load(home / "network.yaml")
    try:
        control.up(topology, kv_network.report, twin_contract(topology))
        yield topology
    finally:
        control.down(topology)


def twin_contract(topology: Topology) -> Contract:
    """The twin contract as it is deployed."""
    return read_contract(topology, TWIN, TWIN_COMMAND)


def serve_with(topology: Topology, command: tuple[str, ...]) -> None:
    """Let another program serve the same package on every peer; for the peers the chaincode was restarted."""
    binaries = tools.find(topology.fabric_folder)
    assert binaries is not None, "the network runs, so its tools are there"
    contract = replace(twin_contract(topology), command=command)
    wanted = [each for each in components.components(topology, binaries, contract) if each.name.endswith("chaincode")]
    processes.stop(topology.data, [each.name for each in wanted])
    for each in wanted:
        processes.start(topology.data, each)
    for each in wanted:
        processes.await_healthy(topology.data, each, READY_SECONDS_MAX)


def gateway_of(topology: Topology) -> Gateway:
    """Our client, as the supplier's user on its own peer."""
    return kv_network.gateway_of(topology, deadlines=PATIENT)


async def drive(count: int, in_flight: int, work: Callable[[int], Awaitable[object]]) -> tuple[float, list[str]]:
    """Do work 0 to `count` - 1, so many at once; the seconds it took, and what failed."""
    numbers = iter(range(count))
    failures: list[str] = []

    async def one_after_the_other() -> None:
        for number in numbers:
            try:
                await work(number)
            except GatewayError as error:
                failures.append(str(error)[:300])

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return time.perf_counter() - began, failures


async def until_endorsed(network: Network) -> None:
    """Wait until every organisation's peer runs the contract again."""
    contract = network.contract(CHAINCODE)
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        try:
            await contract.propose("put", "ready", "v").endorse()
            return
        except GatewayError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


async def keys_written(network: Network, first_block: int, prefix: str) -> int:
    """How many distinct keys with the prefix valid transactions wrote, read from the blocks since `first_block`."""
    last = await network.height() - 1
    found: set[str] = set()
    if last < first_block:
        return 0
    async for message in network.blocks(first_block, last):
        for transaction in read_block(message).transactions:
            if transaction.code == "VALID":
                found.update(write.key for write in transaction.writes if write.key.startswith(prefix))
    return len(found)


def contract_cpu_seconds(topology: Topology) -> float:
    """CPU that the contract processes of all organisations have used so far."""
    used = 0.0
    for organisation in topology.organisations:
        process = processes.running(topology.data, f"{organisation.name}.chaincode")
        assert process is not None, f"the contract of {organisation.name} has ended"
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            used += times.user + times.system
    return used


def own_cpu_seconds() -> float:
    """CPU that this process has used so far."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


def load_average() -> float:
    """The machine's load over the last minute: these are shared machines."""
    return round(os.getloadavg()[0], 1)
