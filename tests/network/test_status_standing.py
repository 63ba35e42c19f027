"""Status on a network that cannot order: it answers, and says that ordering stands, until it goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kv_network import play

from network import processes
from network.gateway import Contract, Network, SubmitError
from network.status import NetworkStatus, look
from network.topology import Topology

pytestmark = [pytest.mark.network, pytest.mark.disturbs]
HEALED_SECONDS_MAX = 120


@contextmanager
def stopped(kv: Topology, *names: str) -> Iterator[None]:
    """Processes that hang."""
    found = [processes.running(kv.data, name) for name in names]
    for process in found:
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in found:
            assert process is not None
            os.kill(process.pid, signal.SIGCONT)


def test_a_network_without_a_quorum_is_said_to_stand_and_to_be_healthy_once_it_goes_on(kv: Topology, key: str) -> None:
    seen: list[NetworkStatus] = []

    async def story(network: Network, contract: Contract) -> None:
        transaction = await contract.propose("put_blind", key, "1").endorse()
        with stopped(kv, "buyer.orderer", "carrier.orderer"):
            with pytest.raises(SubmitError):
                await transaction.submit(timeout_seconds=1.0)
            seen.append(look(kv))
        await network.commit_status(transaction.transaction_id, HEALED_SECONDS_MAX)

    play(kv, story)
    (standing,) = seen
    states = {row.component: row.state for row in standing.components}
    assert (states["buyer.orderer"], states["carrier.orderer"]) == ("unhealthy", "unhealthy")
    assert not standing.healthy
    assert any(finding.startswith("ordering stands: transactions wait") for finding in standing.findings)
    deadline = time.monotonic() + HEALED_SECONDS_MAX
    while not (found := look(kv)).healthy:
        assert time.monotonic() < deadline, found.findings
    assert found.leader in {each.name for each in kv.organisations}
