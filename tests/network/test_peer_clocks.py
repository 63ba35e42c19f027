"""Peers endorse nothing that is dated far from their own clock: no client's clock brings a day of years ahead."""

from __future__ import annotations

import asyncio
import time

import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, Header
from fabric_protos.gateway.gateway_pb2 import ProposedTransaction
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from kv_network import CHAINCODE, gateway_of

from network.gateway import EndorseError, Gateway, Proposal
from network.gateway.errors import OTHER_TIME
from network.topology import Topology

pytestmark = pytest.mark.network
MINUTE, TEN_YEARS = 60, 3650 * 86400


def dated(gateway: Gateway, proposal: Proposal, seconds_ahead: int) -> Proposal:
    """The same proposal as of a clock that is off; the id of a transaction does not depend on its time."""
    taken = ProposedTransaction.FromString(proposal.serialized)
    message = ProposalMessage.FromString(taken.proposal.proposal_bytes)
    header = Header.FromString(message.header)
    channel_header = ChannelHeader.FromString(header.channel_header)
    channel_header.timestamp.FromSeconds(int(time.time()) + seconds_ahead)
    header.channel_header = channel_header.SerializeToString()
    message.header = header.SerializeToString()
    taken.proposal.proposal_bytes = message.SerializeToString()
    return gateway.proposal(taken.SerializeToString())


@pytest.mark.parametrize("seconds_ahead", [TEN_YEARS, 20 * MINUTE, -20 * MINUTE])
def test_what_is_dated_more_than_fifteen_minutes_off_is_endorsed_by_no_peer(
    kv: Topology, key: str, seconds_ahead: int
) -> None:
    async def run() -> None:
        async with gateway_of(kv) as gateway:
            contract = gateway.network(kv.channel).contract(CHAINCODE)
            with pytest.raises(EndorseError, match=OTHER_TIME):
                await dated(gateway, contract.propose("put", key, "1"), seconds_ahead).endorse()
            control = 5 * MINUTE if seconds_ahead > 0 else -5 * MINUTE
            await dated(gateway, contract.propose("put", key, "1"), control).endorse()

    asyncio.run(asyncio.wait_for(run(), 300))
