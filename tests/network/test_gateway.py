"""The Gateway client on a real network, against a contract that reads, writes, refuses and breaks on demand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kv_network import CHAINCODE, bring_up, gateway_of, running_network

from network import control
from network.blocks import check_block, read_block
from network.gateway import (
    Background,
    BlocksError,
    CommitError,
    CommitStatusError,
    Contract,
    Deadlines,
    EndorseError,
    EvaluateError,
    Network,
    SubmitError,
    software_signer,
)
from network.topology import Topology

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def kv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with running_network(tmp_path_factory.mktemp("kv")) as topology:
        yield topology


@pytest.fixture
def key() -> str:
    return secrets.token_hex(4)


@contextlib.asynccontextmanager
async def channel_of(kv: Topology, organisation: str = "supplier", **options: Any) -> AsyncIterator[Network]:
    async with gateway_of(kv, organisation, **options) as gateway:
        yield gateway.network(kv.channel)


def play(kv: Topology, story: Callable[[Network, Contract], Awaitable[None]]) -> None:
    async def run() -> None:
        async with channel_of(kv) as network:
            await story(network, network.contract(CHAINCODE))

    asyncio.run(asyncio.wait_for(run(), 120))


def test_submit_writes_and_evaluate_reads_what_was_committed(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        assert await contract.submit("put", key, b"1") == b""
        assert await contract.submit(b"put", key, "2") == b"1"
        assert await contract.evaluate("get", key) == b"2"
        assert await contract.evaluate("put", key, "3") == b"2"
        assert await contract.evaluate("get", key) == b"2"
        await contract.submit("delete", key)
        assert await contract.evaluate("get", key) == b""

    play(kv, story)


def test_the_contract_learns_the_proposals_creator_channel_and_time(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        msp_id, channel, seconds = json.loads(await contract.evaluate("who"))
        assert (msp_id, channel) == ("SupplierMSP", kv.channel)
        assert abs(seconds - time.time()) < 60

    play(kv, story)


def test_batches_ranges_and_many_keys_work_on_a_real_peer(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        assert await contract.submit("put_many", key, "2500") == b"2500"
        assert await contract.evaluate("count", key, key + ":") == b"2500"
        keys = json.dumps([key + "00000", key, key + "02499"])
        assert json.loads(await contract.evaluate("get_many", keys)) == ["v", None, "v"]

    play(kv, story)


def test_steps_signed_elsewhere_go_on_in_another_gateway(kv: Topology, key: str) -> None:
    sign = software_signer(kv.folders("supplier").user.key.read_bytes())

    async def run() -> None:
        unsigned = gateway_of(kv, signs=False)
        proposal = unsigned.network(kv.channel).contract(CHAINCODE).propose("put", key, "1")
        with pytest.raises(ValueError, match="not signed"):
            await proposal.endorse()
        stored, signature = proposal.serialized, sign(proposal.digest)
        signed_proposal = unsigned.proposal(proposal.signed(signature).serialized)
        assert await signed_proposal.evaluate() == b""
        transaction = await unsigned.proposal(stored, signature).endorse()
        await unsigned.close()

        async with gateway_of(kv, signs=False) as gateway:
            again = gateway.transaction(transaction.serialized)
            assert again.transaction_id == proposal.transaction_id
            commit = await again.signed(sign(again.digest)).submit()
            asked = gateway.commit(commit.serialized, sign(commit.digest))
            status = await asked.status()
            assert (status.transaction_id, status.code) == (proposal.transaction_id, "VALID")
            signed = asked.signed(sign(asked.digest))
            assert (await gateway.commit(signed.serialized).status()).block_number == status.block_number

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_refusal_by_the_contract_is_told_apart_with_its_text(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        for call, kind in ((contract.submit, EndorseError), (contract.evaluate, EvaluateError)):
            with pytest.raises(kind) as caught:
                await call("refuse")
            response = caught.value.chaincode_response
            assert response is not None
            assert (response.status, response.message) == (409, '{"code":"NOT_APPROVED"}')
            assert [detail.msp_id for detail in caught.value.details] == ["SupplierMSP"]
            assert len(caught.value.transaction_id) == 64

    play(kv, story)


def test_a_contract_that_raises_answers_500_and_goes_on_serving(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        for _ in range(3):
            with pytest.raises(EndorseError) as caught:
                await contract.submit("break_down")
            response = caught.value.chaincode_response
            assert response is not None
            assert (response.status, response.message) == (500, "RuntimeError: on purpose")
        assert await contract.evaluate("get", "nothing") == b""

    play(kv, story)


def test_peers_that_disagree_endorse_nothing_and_it_is_no_refusal(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        with pytest.raises(EndorseError, match="do not match") as caught:
            await contract.submit("disagree", key)
        assert caught.value.code == "ABORTED"
        assert caught.value.chaincode_response is None
        assert all(detail.address and detail.msp_id for detail in caught.value.details)
        assert await contract.evaluate("get", key) == b""

    play(kv, story)


def test_two_writers_of_one_key_get_a_commit_error_with_its_code(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        first = await contract.propose("put", key, "1").endorse()
        second = await contract.propose("put", key, "2").endorse()
        (await (await first.submit()).status()).check()
        status = await (await second.submit()).status()
        with pytest.raises(CommitError) as caught:
            status.check()
        assert caught.value.validation_code == "MVCC_READ_CONFLICT"
        assert caught.value.transaction_id == second.transaction_id
        assert caught.value.block_number == status.block_number
        assert await contract.evaluate("get", key) == b"1"

    play(kv, story)


def test_a_transaction_sent_twice_is_ordered_once(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        transaction = await contract.propose("put", key, "1").endorse()
        (await (await transaction.submit()).status()).check()
        again = await transaction.submit()
        assert (await again.status()).code == "VALID"

    play(kv, story)


def test_too_large_is_known_from_other_failures(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        with pytest.raises(SubmitError) as caught:
            await contract.submit("put_blind", key, "v" * 6_000_000)
        assert caught.value.too_large
        with pytest.raises(EndorseError) as not_even_sent:
            await contract.submit("put_blind", key, "v" * 110_000_000)
        assert not_even_sent.value.too_large
        with pytest.raises(EndorseError) as refused:
            await contract.submit("refuse")
        assert not refused.value.too_large

    play(kv, story)


def test_the_fate_of_a_transaction_is_known_by_its_id_from_another_organisation(kv: Topology, key: str) -> None:
    async def run() -> None:
        async with channel_of(kv) as network:
            transaction = await network.contract(CHAINCODE).propose("put", key, "1").endorse()
            status = await (await transaction.submit()).status()
        async with channel_of(kv, "buyer") as network:
            assert await network.commit_status(transaction.transaction_id) == status
            with pytest.raises(CommitStatusError) as caught:
                await network.commit_status("0" * 64, timeout_seconds=0.5)
            assert caught.value.code == "DEADLINE_EXCEEDED"
            assert caught.value.transaction_id == "0" * 64

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_transaction_that_is_committed_is_not_endorsed_again_and_the_error_says_so(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        proposal = contract.propose("put", key, "1")
        transaction = await proposal.endorse()
        (await (await transaction.submit()).status()).check()
        with pytest.raises(EndorseError) as caught:
            await proposal.endorse()
        assert caught.value.already_committed
        with pytest.raises(EndorseError) as refused:
            await contract.submit("refuse")
        assert not refused.value.already_committed

    play(kv, story)


def test_every_step_has_its_deadline(kv: Topology, key: str) -> None:
    async def run() -> None:
        short = Deadlines(evaluate_seconds=0.3, endorse_seconds=0.3, submit_seconds=0.001, commit_status_seconds=0.3)
        async with channel_of(kv, deadlines=short) as network:
            contract = network.contract(CHAINCODE)
            slow = contract.propose("get_slowly", key)
            for step, kind in (
                (slow.evaluate, EvaluateError),
                (slow.endorse, EndorseError),
                (network.commit("0" * 64).status, CommitStatusError),
                ((await contract.propose("put", key, "1").endorse(timeout_seconds=10)).submit, SubmitError),
            ):
                with pytest.raises(kind) as caught:
                    await step()
                # The peer's own clock may be the first to notice.
                assert caught.value.code in ("DEADLINE_EXCEEDED", "ABORTED")
            assert await contract.propose("get_slowly", key).evaluate(timeout_seconds=10) in (b"", b"1")

    asyncio.run(asyncio.wait_for(run(), 60))


def test_blocks_are_replayed_from_the_first_and_followed(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await contract.submit("put_blind", key, "old")
        height = await network.height()
        previous = None
        async with contextlib.aclosing(network.blocks()) as blocks:
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


def test_many_at_once_all_commit(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await asyncio.gather(*(contract.submit("put", f"{key}{number:03}", "v") for number in range(200)))
        assert await contract.evaluate("count", key, key + ":") == b"200"

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
    deadline = time.monotonic() + 30
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
            async with contextlib.aclosing(network.blocks()) as blocks:
                await anext(blocks)

    async def run() -> None:
        await open_and_close()
        descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
        for _ in range(10):
            await open_and_close()
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) <= tasks
        assert open_descriptors() <= descriptors + 2

    asyncio.run(asyncio.wait_for(run(), 60))


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
    for block in background.iterate(network.blocks(), stop):
        numbers.append(block.header.number)
        if block.header.number == height - 1:
            threading.Timer(0.2, stop.set).start()
            began = time.monotonic()
    assert numbers[:height] == list(range(height))
    assert time.monotonic() - began < 2, "the iteration outlived its stop"

    assert [block.header.number for block in background.iterate(network.blocks(0, 2), threading.Event())] == [0, 1, 2]
    with pytest.raises(BlocksError):
        next(background.iterate(network.blocks(1_000_000), threading.Event()))
    background.run(gateway.close())
    background.close()
    background.close()
    with pytest.raises(RuntimeError, match="closed"):
        background.run(network.wait_for_block(0, 1))
