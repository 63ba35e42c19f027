"""A second network, for the gateway's tests: they need a contract that breaks, and stop peers."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from network import control
from network.gateway import Contract, Deadlines, Gateway, Identity, Network, software_signer
from network.lifecycle import read_contract
from network.ports import held_base_port
from network.topology import Consensus, Topology, Watch, demo_topology

KV = Path(__file__).parent / "kv_contract"
CHAINCODE = "kv"
UNWATCHED = Watch(enabled=False)  # what a test kills or stops stays so until the test says otherwise


@contextmanager
def running_network(
    home: Path, organisations: int = 4, consensus: Consensus = "bft", watch: Watch = UNWATCHED
) -> Iterator[Topology]:
    """Organisations that run the key-value contract; stopped afterwards."""
    with held_base_port(first=random.randrange(15000, 30000, 40)) as base_port:
        plain = demo_topology(home, base_port)
        chosen = plain.organisations[:organisations]
        changes = {"chaincode": CHAINCODE, "organisations": chosen, "consensus": consensus, "watch": watch}
        plain.model_copy(update=changes).save(home / "network.yaml")
        topology = Topology.load(home / "network.yaml")
        try:
            bring_up(topology)
            yield topology
        finally:
            control.down(topology)


def unwatched(topology: Topology) -> Topology:
    """The network without supervisors."""
    return topology.model_copy(update={"watch": UNWATCHED})


def bring_up(topology: Topology) -> None:
    """Start what does not run."""
    command = (sys.executable, str(KV / "kv.py"))
    control.up(topology, report, read_contract(topology, KV, command))


def report(line: str) -> None:
    """Progress goes to standard error: programs of tests/bench print JSON."""
    sys.stderr.write(line + "\n")


def identity_of(topology: Topology, organisation: str) -> Identity:
    folders = topology.folders(organisation)
    return Identity(topology.organisation(organisation).msp_id, folders.user.certificate.read_bytes())


def gateway_of(
    topology: Topology, organisation: str = "supplier", *, signs: bool = True, deadlines: Deadlines | None = None
) -> Gateway:
    """A gateway to an organisation's own peer, with its node's identity."""
    folders = topology.folders(organisation)
    return Gateway(
        topology.organisation(organisation).peer_endpoint,
        identity_of(topology, organisation),
        software_signer(folders.user.key.read_bytes()) if signs else None,
        tls_roots=folders.tls_ca.read_bytes(),
        deadlines=deadlines,
    )


@asynccontextmanager
async def channel_of(kv: Topology, organisation: str = "supplier", **options: Any) -> AsyncIterator[Network]:
    """The channel through an organisation's own peer."""
    async with gateway_of(kv, organisation, **options) as gateway:
        yield gateway.network(kv.channel)


def play(kv: Topology, story: Callable[[Network, Contract], Awaitable[None]], seconds_max: float | None = 120) -> None:
    """Run a story as the supplier; one without `seconds_max` knows itself when to give up."""

    async def run() -> None:
        async with channel_of(kv) as network:
            await story(network, network.contract(CHAINCODE))

    asyncio.run(asyncio.wait_for(run(), seconds_max))
