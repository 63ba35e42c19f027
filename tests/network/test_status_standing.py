"""Status on a network that cannot order: it answers, and says that ordering stands, until it goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from frozen import frozen
from kv_network import play

from network import processes
from network.gateway import CommitStatusError, Contract, Network, SubmitError
from network.status import NetworkStatus, look
from network.topology import Topology
from network.waiting import Patience
from network.watch import sight

pytestmark = [pytest.mark.network, pytest.mark.disturbs]
ASK_SECONDS_MAX = 10.0
QUIET_SECONDS_MAX = 120.0
"""How long nothing at all may move before healing is given up; a busy machine only makes it slow."""


@contextmanager
def stopped(kv: Topology, *names: str) -> Iterator[None]:
    """Processes that hang."""
    found = [processes.running(kv.data, name) for name in names]
    with frozen(*(process.pid for process in found if process is not None)):
        assert None not in found
        yield


async def committed(kv: Topology, network: Network, transaction_id: str) -> None:
    """Wait for a commit for as long as the orderers are seen to move: views change, one fetches blocks."""
    patience = Patience(QUIET_SECONDS_MAX)
    while True:
        with contextlib.suppress(CommitStatusError):
            await network.commit_status(transaction_id, ASK_SECONDS_MAX)
            return
        seen = [sight.orderer_sight(kv, each) for each in kv.organisations]
        assert not patience.is_over(seen), f"{patience.words}: {seen}"


def test_a_network_without_a_quorum_is_said_to_stand_and_to_be_healthy_once_it_goes_on(kv: Topology, key: str) -> None:
    seen: list[NetworkStatus] = []

    async def story(network: Network, contract: Contract) -> None:
        transaction = await contract.propose("put_blind", key, "1").endorse()
        with stopped(kv, "buyer.orderer", "carrier.orderer"):
            with pytest.raises(SubmitError):
                await transaction.submit(timeout_seconds=1.0)
            seen.append(look(kv))
        await committed(kv, network, transaction.transaction_id)

    play(kv, story, seconds_max=None)
    (standing,) = seen
    states = {row.component: row.state for row in standing.components}
    assert (states["buyer.orderer"], states["carrier.orderer"]) == ("unhealthy", "unhealthy")
    assert not standing.healthy
    assert any(finding.startswith("ordering stands: transactions wait") for finding in standing.findings)
    patience = Patience(QUIET_SECONDS_MAX)
    while not (found := look(kv)).healthy:
        assert not patience.is_over((found.findings, found.components)), (patience.words, found.findings)
    assert found.leader in {each.name for each in kv.organisations}
