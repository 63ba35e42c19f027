"""Events on a real network: from a start, from a checkpoint, over the death of the reader and of the peer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from gateway_stories import anew, kill_peer, submitted
from kv_network import CHAINCODE, bring_up, channel_of, gateway_of, identity_of, play

from network.gateway import (
    BlockForm,
    BlocksError,
    ChaincodeEvent,
    Contract,
    EventsError,
    EventStream,
    FileCheckpointer,
    Gateway,
    MemoryCheckpointer,
    Network,
    RpcCode,
    software_signer,
)
from network.topology import Topology

pytestmark = [pytest.mark.network, pytest.mark.disturbs]
READER = Path(__file__).parents[1] / "event_reader.py"


async def announce(contract: Contract, key: str, count: int) -> None:
    """Set events 0, 1, ... at once, so that several stand in one block."""
    await asyncio.gather(*(submitted(contract, "announce", f"{key}{n}", key, str(n)) for n in range(count)))


async def take(
    events: EventStream[ChaincodeEvent] | AsyncGenerator[ChaincodeEvent, None], count: int
) -> list[ChaincodeEvent]:
    """The next events; the stream is closed afterwards."""
    async with contextlib.aclosing(events):
        return [await anext(events) for _ in range(count)]


def test_who_listens_and_then_submits_hears_it(kv: Topology, key: str) -> None:
    """Listen, submit, receive, in each of the ways in which one begins; what was committed before is not heard of."""

    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        await submitted(contract, "announce", key, "Old", "1")
        async with network.chaincode_events(CHAINCODE) as events, network.filtered_blocks() as blocks:
            awaited = await network.chaincode_events(CHAINCODE)
            await submitted(contract, "announce", key, "New", "2")
            for begun in (events, awaited):
                new = await anext(begun)
                assert (new.chaincode, new.name, new.payload) == (CHAINCODE, "New", b"2")
            await awaited.aclose()
            assert (await anext(blocks)).number == new.block_number
        assert [event async for event in events] == []  # it has been left
        [old] = await take(network.chaincode_events(CHAINCODE, height), 1)
        assert (old.name, old.payload) == ("Old", b"1")
        block = await anext(network.filtered_blocks(old.block_number))
        assert old.transaction_id in [each.txid for each in block.filtered_transactions]

    play(kv, story)


def test_a_listener_whose_peer_does_not_say_where_it_begins_is_told_so(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        nowhere = Gateway("127.0.0.1:1", identity_of(kv, "supplier"), lambda _: b"s").network(kv.channel)
        with pytest.raises(EventsError, match="where the stream begins is not known") as caught:
            await nowhere.chaincode_events(CHAINCODE)
        assert caught.value.code == RpcCode.UNAVAILABLE
        with pytest.raises(BlocksError):
            await nowhere.blocks()

    play(kv, story)


def test_only_valid_transactions_are_heard_of_and_only_the_chaincodes_own(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        alone = ("SupplierMSP",)
        _, commit = await contract.submit_async("announce", key, "Forged", "1", organisations=alone)
        assert (await commit.status()).code == "ENDORSEMENT_POLICY_FAILURE"
        await submitted(contract, "announce", key, "First", "1")
        [event] = await take(network.chaincode_events(CHAINCODE, height), 1)
        assert event.name == "First"
        with pytest.raises(EventsError) as caught:
            await take(network.chaincode_events_request("another", height).events(timeout_seconds=0.3), 1)
        assert caught.value.code == "DEADLINE_EXCEEDED"

    play(kv, story)


def test_a_stream_cut_anywhere_is_resumed_after_its_checkpoint_with_nothing_lost_or_twice(
    kv: Topology, key: str, tmp_path: Path
) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        await announce(contract, key, 12)
        heard: list[ChaincodeEvent] = []
        for _ in range(12):  # a new process each time, as far as the checkpoint can tell
            checkpointer = FileCheckpointer(tmp_path / "checkpoint")
            [event] = await take(network.chaincode_events(CHAINCODE, height, checkpoint=checkpointer), 1)
            heard.append(event)
            checkpointer.checkpoint_chaincode_event(event)
        assert heard == await take(network.chaincode_events(CHAINCODE, height), 12)
        assert sorted(int(event.payload) for event in heard) == list(range(12))
        assert len({event.block_number for event in heard}) < 12, "no block held two events: nothing was cut in two"

        whole = MemoryCheckpointer()
        whole.checkpoint_block(heard[0].block_number)
        await submitted(contract, "announce", key, "Later", "12")  # one block may have held all of them
        [*_, later] = await take(network.chaincode_events(CHAINCODE, height), 13)
        [after] = await take(network.chaincode_events(CHAINCODE, height, checkpoint=whole), 1)
        assert after == next(event for event in (*heard, later) if event.block_number > heard[0].block_number)

    play(kv, story)


def test_a_checkpoint_at_a_transaction_without_event_is_an_error_and_no_silence(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        _, commit = await anew(lambda: contract.submit_async("announce", key, "Heard", "1"))
        status = await commit.status()
        status.check()
        checkpointer = MemoryCheckpointer()
        checkpointer.checkpoint_transaction(status.block_number, "0" * 64)
        with pytest.raises(EventsError, match="start from the block"):
            await take(network.chaincode_events(CHAINCODE, checkpoint=checkpointer), 1)

    play(kv, story)


def test_a_reader_killed_between_effect_and_checkpoint_meets_that_event_again_and_loses_none(
    kv: Topology, key: str, tmp_path: Path
) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        await announce(contract, key, 6)
        expected = [event.transaction_id for event in await take(network.chaincode_events(CHAINCODE, height), 6)]

        home = str(kv.data.parent / "network.yaml")
        for killed_after in ("2", "3", ""):
            command = [sys.executable, str(READER), home, str(tmp_path), str(height), "6", killed_after]
            ended = await asyncio.to_thread(subprocess.run, command, check=False)
            assert ended.returncode == (-signal.SIGKILL if killed_after else 0)
        effects = (tmp_path / "effects").read_text().split()
        # The second effect of the first process and the third of the next had no checkpoint yet.
        first, second, third = effects[:2], effects[2:5], effects[5:]
        assert first == expected[:2]
        assert second == expected[1:4]
        assert third == expected[3:]

    play(kv, story)


def test_requests_for_events_are_signed_elsewhere_and_opened_in_another_gateway(kv: Topology, key: str) -> None:
    sign = software_signer(kv.folders("supplier").user.key.read_bytes())

    async def run() -> None:
        async with channel_of(kv) as network:
            height = await network.height()
            await announce(network.contract(CHAINCODE), key, 2)
            expected = await take(network.chaincode_events(CHAINCODE, height), 2)
            checkpointer = MemoryCheckpointer()
            checkpointer.checkpoint_chaincode_event(expected[0])
        unsigned = gateway_of(kv, signs=False)
        channel = unsigned.network(kv.channel)
        request = channel.chaincode_events_request(CHAINCODE, height, checkpoint=checkpointer)
        blocks = {form: channel.block_events_request(form, 1, 2) for form in BlockForm}
        with pytest.raises(ValueError, match="not signed"):
            await anext(request.events())
        await unsigned.close()

        async with gateway_of(kv, signs=False) as gateway:
            again = gateway.chaincode_events_request(request.serialized, sign(request.digest), checkpoint=checkpointer)
            assert await take(again.events(), 1) == expected[1:]
            for form, asked in blocks.items():
                signed = gateway.block_events_request(asked.signed(sign(asked.digest)).serialized, form=form)
                assert [form.number(block) async for block in signed.events()] == [1, 2]
            forged = gateway.block_events_request(blocks[BlockForm.FULL].serialized, sign(request.digest))
            with pytest.raises(BlocksError) as caught:
                await anext(forged.events())
            assert caught.value.code == "FORBIDDEN"

    asyncio.run(asyncio.wait_for(run(), 200))


def test_blocks_are_resumed_from_a_checkpoint(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        checkpointer = MemoryCheckpointer()
        async with contextlib.aclosing(network.blocks(0, checkpoint=checkpointer)) as blocks:
            checkpointer.checkpoint_block((await anext(blocks)).header.number)
        async with contextlib.aclosing(network.blocks(0, 3, checkpoint=checkpointer)) as blocks:
            assert [block.header.number async for block in blocks] == [1, 2, 3]

    play(kv, story)


def test_filtered_blocks_tell_ids_codes_and_names_of_events_and_no_payload(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await submitted(contract, "put", key, "1")
        reading = [await contract.propose("announce", key, "Told", "secret").endorse() for _ in range(2)]
        statuses = [await (await transaction.submit()).status() for transaction in reading]
        first, last = statuses[0].block_number, statuses[1].block_number
        found = {}
        async for block in network.filtered_blocks(first, last):
            for transaction in block.filtered_transactions:
                [action] = transaction.transaction_actions.chaincode_actions
                event = action.chaincode_event
                found[transaction.txid] = (transaction.tx_validation_code, event.event_name, event.payload)
        assert [found[each.transaction_id] for each in reading] == [(0, "Told", b""), (0, "Told", b"")]

    play(kv, story)


def test_a_reader_may_be_cancelled_and_a_closed_gateway_ends_its_streams_with_an_error(kv: Topology) -> None:
    async def run() -> None:
        gateway = gateway_of(kv)
        network = gateway.network(kv.channel)

        async def follow() -> None:
            async for _ in network.chaincode_events(CHAINCODE):
                pass

        async def wait_for_fate() -> None:
            await network.commit_status("0" * 64)

        await network.height()
        cancelled, closed, called = (asyncio.create_task(each()) for each in (follow, follow, wait_for_fate))
        await asyncio.wait([cancelled, closed, called], timeout=0.5)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert not closed.done()
        await gateway.close()
        for task in (closed, called):
            with pytest.raises(Exception, match="is closed") as caught:
                await task
            assert getattr(caught.value, "code", "") == "CANCELLED"

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_peer_that_dies_ends_the_stream_with_an_error_and_it_is_resumed_after_the_checkpoint(
    kv: Topology, key: str, tmp_path: Path
) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        heard: list[bytes] = []
        half = asyncio.Event()

        async def read(count: int) -> None:
            checkpointer = FileCheckpointer(tmp_path / "checkpoint")
            events = network.chaincode_events(CHAINCODE, height, checkpoint=checkpointer)
            async with contextlib.aclosing(events):
                async for event in events:
                    heard.append(event.payload)
                    checkpointer.checkpoint_chaincode_event(event)
                    if len(heard) == 5:
                        half.set()
                    if len(heard) == count:
                        return

        await announce(contract, key, 5)
        reading = asyncio.create_task(read(10))
        await half.wait()
        kill_peer(kv, "supplier")
        with pytest.raises(EventsError) as caught:
            await reading
        assert caught.value.code == "UNAVAILABLE"
        await asyncio.to_thread(bring_up, kv)
        await announce(contract, key, 5)
        await read(10)
        assert sorted(heard) == sorted([b"0", b"1", b"2", b"3", b"4"] * 2)
        await submitted(contract, "announce", key, "Last", "5")
        await read(11)
        assert heard[-1] == b"5"

    play(kv, story)
