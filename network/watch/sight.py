"""Looking: at the own orderer and peer, and at the others' orderers as far as they show themselves.

An operations endpoint listens on loopback, so of organisations on other machines only whether their orderer greets
is seen; that they have more blocks is told by the own peer, which gets blocks from whichever orderer has them.
A Raft orderer speaks of its height alone.
Source: Fabric's metrics `consensus_smartbft_*`, `participation_*`, `ledger_blockchain_height`.
"""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

from network import components
from network.topology import Organisation, Other, Topology
from network.watch.decision import Neighbour, Observation, Sight

CONNECT_SECONDS_MAX = 1.0
CONSENTER = 1  # participation_consensus_relation: 0 other, 1 consenter, 2 follower, 3 config tracker


def look(topology: Topology, organisation: Organisation, *, at_others: bool) -> Observation:
    """One look.

    Args:
        topology: the network.
        organisation: whose orderer is the own one.
        at_others: whether to ask the others too, which costs them a moment.
    """
    others = [each for each in topology.members if each != organisation] if at_others else []
    with ThreadPoolExecutor(1 + len(others)) as pool:
        own = pool.submit(orderer_sight, topology, organisation)
        neighbours = tuple(pool.map(lambda each: _neighbour(topology, organisation, each), others))
        peer_height = components.peer_height(topology, organisation) if at_others else None
        return Observation(time.monotonic(), own.result(), peer_height, neighbours)


def orderer_sight(topology: Topology, organisation: Organisation) -> Sight | None:
    """What the organisation's orderer says of itself; None when it does not answer, or has not joined the channel."""
    return parse(components.metrics(organisation.ports.orderer_operations), topology.channel)


def parse(text: str, channel: str) -> Sight | None:
    """What metrics in Prometheus' text format say of an orderer on that channel; None when they do not speak of it."""
    wanted = {
        f'{name}{{channel="{channel}"}}': name
        for name in (
            "ledger_blockchain_height",  # consensus_BFT_committed_block_number leaves out what a sync has fetched
            "consensus_smartbft_pool_count_of_elements",
            "consensus_smartbft_viewchange_real_view",
            "consensus_smartbft_viewchange_next_view",
            "participation_consensus_relation",
        )
    }
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#") and " " in line)
    values = {wanted[series]: int(float(value)) for series, value in pairs if series in wanted}
    if "participation_consensus_relation" not in values:
        return None
    return Sight(
        height=values.get("ledger_blockchain_height", 0),
        waiting=values.get("consensus_smartbft_pool_count_of_elements", 0),
        view=values.get("consensus_smartbft_viewchange_real_view", 0),
        view_next=values.get("consensus_smartbft_viewchange_next_view", 0),
        consenter=values["participation_consensus_relation"] == CONSENTER,
    )


def _neighbour(topology: Topology, organisation: Organisation, other: Organisation | Other) -> Neighbour:
    if isinstance(other, Other):
        return Neighbour(other.name, _greets(other.host, other.orderer), None)
    same_machine = other.host == organisation.host
    greets = _greets(other.host, other.ports.orderer)
    return Neighbour(other.name, greets, orderer_sight(topology, other) if same_machine else None)


def _greets(host: str, port: int) -> bool:
    """Whether the orderer completes a TLS handshake: of one that hangs the kernel still accepts connections."""
    try:
        with (
            socket.create_connection((host, port), CONNECT_SECONDS_MAX) as plain,
            components.stranger().wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:
        return False
