"""Contracts that call across channels, and one process that serves several channels and peers, on a real network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from gateway_stories import anew
from kv_network import CHAINCODE as KV
from kv_network import channel_of
from shim_channels import two_channels
from shim_contract import Caller

from network.gateway import EvaluateError
from network.topology import Topology

pytestmark = pytest.mark.network
CALLS_AT_ONCE = 40


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Topology, Topology]]:
    with two_channels(tmp_path_factory.mktemp("channels")) as both:
        yield both


@pytest.fixture(scope="module")
def here(channels: tuple[Topology, Topology]) -> Topology:
    return channels[0]


@pytest.fixture(scope="module")
def there(channels: tuple[Topology, Topology]) -> Topology:
    """The second channel; its contract is not on the first."""
    return channels[1]


def test_a_contract_on_another_channel_is_read_and_its_writes_are_dropped(
    here: Topology, there: Topology, key: str
) -> None:
    caller, owner = Caller(here, "supplier"), Caller(there, "supplier")
    other = (there.chaincode, there.channel)
    owner.send("put", key, "theirs")
    assert caller.send("fetch", key, *other) == '["theirs"]'
    assert caller.ask("get", key) == ['["theirs"]'], "the caller's own write was dropped as well"
    assert caller.send("ask", *other, "put", key, "changed")[:2] == [200, ""]
    assert caller.send("ask", *other, "delete", key)[:2] == [200, ""]
    assert owner.ask("get", key) == ["theirs"]
    # The control: on one channel the same call does write.
    assert Caller(here, "supplier").send("ask", KV, "", "put", key, "changed")[:2] == [200, ""]
    assert caller.send("fetch", key, KV, "") == "changed"


def test_a_refusal_on_another_channel_has_its_status_and_message_and_the_transaction_commits(
    here: Topology, there: Topology
) -> None:
    caller, other = Caller(here, "supplier"), (there.chaincode, there.channel)
    assert caller.send("ask", *other, "nonsense") == [404, "there is no function 'nonsense'", 0]
    broken = "ValueError: attribute 'role' was not found"
    assert caller.send("ask", *other, "only_for", "role", "treasurer") == [500, broken, 0]


def test_what_was_read_on_another_channel_is_not_checked_again_at_the_commit(
    here: Topology, there: Topology, key: str
) -> None:
    async def fate(fetched_from: Topology, channel: str) -> str:
        """Fetch a value, change it where it came from, and only then submit."""
        async with channel_of(here) as network, channel_of(fetched_from) as origin:
            contract, source = network.contract(here.chaincode), origin.contract(fetched_from.chaincode)
            await anew(lambda: source.submit("put", key, "old"))
            transaction = await anew(lambda: contract.propose("fetch", key, fetched_from.chaincode, channel).endorse())
            await anew(lambda: source.submit("put", key, "new"))
            return (await (await transaction.submit()).status()).code

    beside = here.model_copy(update={"chaincode": KV})
    assert asyncio.run(asyncio.wait_for(fate(there, there.channel), 200)) == "VALID"
    assert asyncio.run(asyncio.wait_for(fate(beside, ""), 200)) == "MVCC_READ_CONFLICT"


def test_the_event_of_a_contract_that_is_called_is_dropped(here: Topology, there: Topology, key: str) -> None:
    caller = Caller(here, "supplier")
    called = ["announce", key, "Called", "1"]
    for arguments in (["ask", there.chaincode, there.channel, *called[:3]], ["ask", KV, "", *called]):
        block = caller.send_noting_block(*arguments)
        assert event_names(here, block) == []
    block = caller.send_noting_block("announce", key, "1")
    assert event_names(here, block) == [key]


def test_peers_and_clients_that_are_not_on_the_other_channel_cannot_call_there(here: Topology, there: Topology) -> None:
    member, stranger = Caller(here, "supplier"), Caller(here, "financier")
    call = ("ask", there.chaincode, there.channel, "get", "a")
    assert member.ask(*call)[0] == 200
    with pytest.raises(EvaluateError, match=r"PeerError: INVOKE_CHAINCODE failed: .* policy manager for channel"):
        member.ask(*call, on=stranger.msp_id)
    with pytest.raises(EvaluateError, match=r"PeerError: INVOKE_CHAINCODE failed: .* 'Writers' sub-policies"):
        stranger.ask(*call, on=member.msp_id)


def test_one_process_serves_many_transactions_of_several_channels_and_peers_at_once(
    here: Topology, there: Topology
) -> None:
    async def calls(topology: Topology, organisation: str) -> None:
        async with channel_of(topology, organisation) as network:
            contract = network.contract(topology.chaincode)
            own = (topology.organisation(organisation).msp_id,)
            proposals = [contract.propose("envelope", organisations=own) for _ in range(CALLS_AT_ONCE)]
            answers = await asyncio.gather(*(proposal.evaluate() for proposal in proposals))
            seen = [(answer["tx_id"], answer["channel"]) for answer in map(json.loads, answers)]
            assert seen == [(proposal.transaction_id, topology.channel) for proposal in proposals]

    async def all_at_once() -> None:
        places = [(topology, each.name) for topology in (here, there) for each in topology.organisations]
        assert len(places) == 5
        await asyncio.gather(*(calls(topology, organisation) for topology, organisation in places))

    asyncio.run(asyncio.wait_for(all_at_once(), 200))


def event_names(topology: Topology, number: int) -> list[str]:
    """The names of the events in a block."""

    async def run() -> list[str]:
        async with channel_of(topology) as network:
            [block] = [block async for block in network.filtered_blocks(number, number)]
            actions = [each.transaction_actions.chaincode_actions for each in block.filtered_transactions]
            return [action.chaincode_event.event_name for each in actions for action in each]

    return asyncio.run(asyncio.wait_for(run(), 200))
