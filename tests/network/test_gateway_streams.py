"""What the Gateway client keeps open: streams of blocks, connections over a peer's restart, the background loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from kv_network import CHAINCODE, bring_up, gateway_of, play

from network import control
from network.blocks import check_block, read_block
from network.gateway import Background, BlockingGateway, BlocksError, Contract, EndorseError, EvaluateError, Network
from network.topology import Topology

pytestmark = [pytest.mark.network, pytest.mark.disturbs]


def test_blocks_are_replayed_from_the_first_and_followed(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await contract.submit("put_blind", key, "old")
        height = await network.height()
        previous = None
        async with contextlib.aclosing(network.blocks(0)) as blocks:
            async for message in blocks:
                block = read_block(message)
                check_block(block, previous)
                previous = block
                if block.number == height - 1:
                    await contract.submit("put_blind", key, "new")
                if any(write.value == b"new" for each in block.transactions for write in each.writes):
                    break
        assert previous is not None
        assert previous.number >= height

    play(kv, story)


def test_a_bounded_replay_ends_by_itself(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        assert [block.header.number async for block in network.blocks(1, 3)] == [1, 2, 3]

    play(kv, story)


def test_a_start_beyond_the_next_block_and_a_foreign_channel_are_errors(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        with pytest.raises(BlocksError) as caught:
            await anext(network.blocks(1_000_000))
        assert caught.value.code == "NOT_FOUND"
        async with gateway_of(kv) as gateway:
            elsewhere = gateway.network("elsewhere")
            with pytest.raises(BlocksError):
                await anext(elsewhere.blocks())
            with pytest.raises(EvaluateError):
                await elsewhere.height()

    play(kv, story)


def test_waiting_for_a_block_ends_when_it_is_there(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        await network.wait_for_block(height - 1, 5)
        with pytest.raises(BlocksError) as caught:
            await network.wait_for_block(height + 1, 0.3)
        assert caught.value.code == "DEADLINE_EXCEEDED"
        waiting = asyncio.create_task(network.wait_for_block(height + 1, 20))
        await contract.submit("put_blind", key, "1")
        await contract.submit("put_blind", key, "2")
        await waiting
        assert await network.height() >= height + 2

    play(kv, story)


def test_a_peer_that_restarts_is_found_again_and_its_stream_can_be_resumed(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await contract.submit("put", key, "1")
        blocks = network.blocks(await network.height() - 1)
        seen = (await anext(blocks)).header.number
        [peer] = [each for each in control.status(kv) if each.component == "supplier.peer"]
        assert peer.pid is not None
        os.kill(peer.pid, signal.SIGKILL)
        with pytest.raises(BlocksError):
            await anext(blocks)
        with pytest.raises(EndorseError) as caught:
            await contract.submit("put", key, "2")
        assert caught.value.code == "UNAVAILABLE"
        await asyncio.to_thread(bring_up, kv)
        await submit_patiently(contract, "put", key, "3")
        resumed = network.blocks(seen + 1)
        assert (await anext(resumed)).header.number == seen + 1
        await resumed.aclose()
        assert await contract.evaluate("get", key) == b"3"

    play(kv, story)


async def submit_patiently(contract: Contract, *arguments: str) -> bytes:
    """After a start peers find each other within seconds; until then nothing is endorsed, and nothing is ordered."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return await contract.submit(*arguments)
        except EndorseError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


def test_closing_twice_is_fine_and_a_closed_gateway_says_so(kv: Topology) -> None:
    async def run() -> None:
        gateway = gateway_of(kv)
        contract = gateway.network(kv.channel).contract(CHAINCODE)
        await contract.evaluate("get", "a")
        await gateway.close()
        await gateway.close()
        with pytest.raises(RuntimeError, match="closed"):
            await contract.evaluate("get", "a")

    asyncio.run(run())


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_leaks_over_many_gateways(kv: Topology) -> None:
    async def open_and_close() -> None:
        async with gateway_of(kv) as gateway:
            network = gateway.network(kv.channel)
            await asyncio.gather(*(network.contract(CHAINCODE).evaluate("get", "a") for _ in range(20)))
            await network.blocks().aclose()
            async with contextlib.aclosing(network.blocks(0)) as blocks:
                await anext(blocks)

    async def run() -> None:
        await open_and_close()
        descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
        for _ in range(10):
            await open_and_close()
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) <= tasks
        assert open_descriptors() <= descriptors + 2

    asyncio.run(asyncio.wait_for(run(), 200))


def test_synchronous_code_runs_the_same_calls_in_the_background(kv: Topology, key: str) -> None:
    background = Background()
    gateway = gateway_of(kv)
    network = gateway.network(kv.channel)
    contract = network.contract(CHAINCODE)
    assert not background.is_open
    assert background.run(contract.submit("put", key, "1")) == b""
    with pytest.raises(EvaluateError):
        background.run(contract.evaluate("refuse"))

    stop = threading.Event()
    height = background.run(network.height())
    numbers = []
    for block in background.iterate(network.blocks(0), stop):
        numbers.append(block.header.number)
        if block.header.number == height - 1:
            threading.Timer(0.2, stop.set).start()
            began = time.monotonic()
    assert numbers[:height] == list(range(height))
    assert time.monotonic() - began < 50, "the iteration outlived its stop"

    assert [block.header.number for block in background.iterate(network.blocks(0, 2), threading.Event())] == [0, 1, 2]
    with pytest.raises(BlocksError):
        next(background.iterate(network.blocks(1_000_000), threading.Event()))
    background.run(gateway.close())
    background.close()
    background.close()
    with pytest.raises(RuntimeError, match="closed"):
        background.run(network.wait_for_block(0, 1))


def test_a_synchronous_program_listens_submits_and_hears_it(kv: Topology, key: str) -> None:
    with BlockingGateway(gateway_of(kv)) as gateway:
        network = gateway.network(kv.channel)
        contract = network.contract(CHAINCODE)
        events, blocks = network.chaincode_events(CHAINCODE), network.blocks()
        contract.submit("announce", key, "New", "2")
        event = next(events)
        assert (event.name, event.payload) == ("New", b"2")
        assert next(blocks).header.number == event.block_number
        assert contract.evaluate("get", key) == b"2"
        answer, commit = contract.submit_async("put", key, "3")
        assert (answer, network.commit_status(commit.transaction_id).successful) == (b"2", True)
        with pytest.raises(EvaluateError):
            contract.evaluate("refuse")
        assert network.height() > event.block_number
    with pytest.raises(RuntimeError, match="closed"):
        network.height()
