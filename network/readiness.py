"""Waiting until the network orders and serves: each gateway knows every organisation's peer, and its contract answers.

Gossip needs some seconds after a start or a first commit; until then a gateway answers that no peers can be found.
Nothing is written: the contract is only evaluated. A refusal by the contract is as good an answer as any.
Source: peer `internal/pkg/gateway` (Evaluate with target organisations).
"""

from __future__ import annotations

import asyncio
import time

from network import components
from network.errors import NetworkError
from network.folders import OrganisationFolders
from network.gateway import EvaluateError, Gateway, Identity, Network, software_signer
from network.topology import Organisation, Topology

LEADER_SECONDS_MAX = 30.0
SERVING_SECONDS_MAX = 45.0
PROBE_SECONDS_MAX = 5.0
POLL_SECONDS = 0.1
PROBE = b"{}"  # an empty command: every contract answers it, most of them with a refusal


def await_ordering(topology: Topology) -> None:
    """Wait until the orderers have elected a leader: without one, Raft refuses transactions; BFT keeps them instead.

    Raises: NetworkError when there is none in time.
    """
    deadline = time.monotonic() + LEADER_SECONDS_MAX
    while topology.consensus == "raft" and not any(components.leads(topology, each) for each in topology.organisations):
        if time.monotonic() > deadline:
            running = "A majority of orderers must run: see ledger-node network status."
            raise NetworkError(f"the orderers elected no leader within {LEADER_SECONDS_MAX:.0f} s", running)
        time.sleep(POLL_SECONDS)


def await_serving(topology: Topology) -> None:
    """Wait until every organisation's gateway reaches the contract at every organisation's peer.

    Raises: NetworkError naming who could not reach whom.
    """
    asyncio.run(_await_serving(topology))


async def _await_serving(topology: Topology) -> None:
    await asyncio.gather(*(_await_gateway(topology, each, folders) for each, folders in topology.all_folders()))


async def _await_gateway(topology: Topology, organisation: Organisation, folders: OrganisationFolders) -> None:
    identity = Identity(organisation.msp_id, folders.user.certificate.read_bytes())
    sign = software_signer(folders.user.key.read_bytes())
    roots = folders.tls_ca.read_bytes()
    async with Gateway(organisation.peer_endpoint, identity, sign, tls_roots=roots) as gateway:
        channel = gateway.network(topology.channel)
        deadline = time.monotonic() + SERVING_SECONDS_MAX
        targets = (_await_target(topology, channel, organisation, each, deadline) for each in topology.organisations)
        await asyncio.gather(*targets)


async def _await_target(
    topology: Topology, channel: Network, asking: Organisation, asked: Organisation, deadline: float
) -> None:
    contract = channel.contract(topology.chaincode)
    while True:
        try:
            await contract.evaluate(PROBE, organisations=(asked.msp_id,), timeout_seconds=PROBE_SECONDS_MAX)
        except EvaluateError as error:
            if error.chaincode_response is not None:
                return
            if time.monotonic() > deadline:
                text = f"the peer of {asking.name} cannot reach the contract at the peer of {asked.name}: {error}"
                raise NetworkError(text, f"See: ledger-node network logs {asked.name}.chaincode") from error
            await asyncio.sleep(POLL_SECONDS)
        else:
            return
