"""Waiting until the network orders and serves: each gateway knows every organisation's peer, and its contract answers.

Gossip needs some seconds after a start or a first commit; until then a gateway answers that no peers can be found.
Nothing is written: the contract is only evaluated. A refusal by the contract is as good an answer as any.
Source: peer `internal/pkg/gateway` (Evaluate with target organisations).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from network import components
from network.errors import Failure, NetworkError
from network.folders import OrganisationFolders
from network.gateway import EvaluateError, Gateway, Identity, Network, software_signer
from network.topology import Organisation, Topology
from network.waiting import Patience

LEADER_SECONDS_MAX = 30.0
SERVING_SECONDS_MAX = 45.0
PROBE_SECONDS_MAX = 5.0
POLL_SECONDS = 0.1
PROBE = b"{}"  # an empty command: every contract answers it, most of them with a refusal


def await_ordering(topology: Topology) -> None:
    """Wait until the orderers have elected a leader: without one, Raft refuses transactions; BFT keeps them instead.

    Where others run elsewhere the leader may be theirs, and need not be there yet: nothing is waited for.

    Raises: NetworkError when there is none in time.
    """
    patience = Patience(LEADER_SECONDS_MAX)
    is_awaited = topology.consensus == "raft" and topology.founding == "alone"
    while is_awaited and not any(components.leads(topology, each) for each in topology.organisations):
        if patience.is_over(_log_bytes(topology)):
            running = "A majority of orderers must run: see ledger-node network status."
            raise NetworkError(f"the orderers elected no leader: {patience.words}", running)
        time.sleep(POLL_SECONDS)


def unreached(topology: Topology, organisations: Sequence[Organisation]) -> list[Failure]:
    """Wait until the gateways of these organisations reach the contract at each other's peers.

    Returns: what is not reached, when it is given up; a peer that reaches nobody is blamed itself, and nobody else.
    """
    found = asyncio.run(_Reaching(topology, organisations).missing())
    failures = []
    alone = {
        each.name for each in organisations if sum(asking == each.name for asking, _ in found) == len(organisations)
    }
    if len(organisations) > 1:
        for name in sorted(alone):
            text = f"the peer of {name} reaches the contract nowhere: {found[name, name]}"
            failures.append(Failure(f"{name}.peer", text, f"See: ledger-node network logs {name}.peer"))
    else:
        alone = set()
    for asked in organisations:
        askers = [asking for asking, name in found if name == asked.name and asking not in alone]
        if askers:
            who = f"the peer of {askers[0]}" if len(askers) == 1 else f"the peers of {', '.join(askers)}"
            text = f"{who} cannot reach the contract at the peer of {asked.name}: {found[askers[0], asked.name]}"
            remedy = f"See: ledger-node network logs {asked.name}.chaincode"
            failures.append(Failure(f"{asked.name}.chaincode", text, remedy))
    return failures


class _Reaching:
    """Every gateway asks every peer, all at once, for as long as something moves: an answer comes, a log grows."""

    def __init__(self, topology: Topology, organisations: Sequence[Organisation]) -> None:
        self._topology = topology
        self._organisations = organisations
        self._last: dict[tuple[str, str], str] = {
            (asking.name, asked.name): "not asked yet" for asking in organisations for asked in organisations
        }
        self._patience = Patience(SERVING_SECONDS_MAX)

    async def missing(self) -> dict[tuple[str, str], str]:
        """Who (first) does not reach the contract of whom (second), with the last answer."""
        folders = (self._topology.folders(each.name) for each in self._organisations)
        await asyncio.gather(*map(self._ask_from, self._organisations, folders))
        return self._last

    async def _ask_from(self, organisation: Organisation, folders: OrganisationFolders) -> None:
        identity = Identity(organisation.msp_id, folders.user.certificate.read_bytes())
        sign = software_signer(folders.user.key.read_bytes())
        roots = folders.tls_ca.read_bytes()
        async with Gateway(organisation.peer_endpoint, identity, sign, tls_roots=roots) as gateway:
            channel = gateway.network(self._topology.channel)
            await asyncio.gather(*(self._ask(channel, organisation, each) for each in self._organisations))

    async def _ask(self, channel: Network, asking: Organisation, asked: Organisation) -> None:
        contract, pair = channel.contract(self._topology.chaincode), (asking.name, asked.name)
        while True:
            try:
                await contract.evaluate(PROBE, organisations=(asked.msp_id,), timeout_seconds=PROBE_SECONDS_MAX)
                break
            except EvaluateError as error:
                if error.chaincode_response is not None:
                    break
                self._last[pair] = str(error)
                if self._patience.is_over((len(self._last), _log_bytes(self._topology))):
                    self._last[pair] = f"{error} ({self._patience.words})"
                    return
            await asyncio.sleep(POLL_SECONDS)
        del self._last[pair]


def _log_bytes(topology: Topology) -> int:
    """How much the processes of the network have written into their logs: whether they do anything."""
    return sum(path.stat().st_size for path in (topology.data / "logs").glob("*.log"))
