"""The stream of transactions of a drill, and what must be true of the ledger at its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections import Counter

from kv_network import CHAINCODE, channel_of

from network.blocks import Block, check_block, read_block
from network.gateway import Contract, GatewayError
from network.topology import Topology

SEND_SECONDS_MAX = 10.0
END_SECONDS_MAX = 120.0
POLL_SECONDS = 0.05


class Load:
    """Clients that write one key after the other, each through an organisation's own gateway, and probes besides."""

    def __init__(self, topology: Topology, clients: int) -> None:
        self.acknowledged: list[str] = []  # transaction ids
        self.flowing = threading.Event()
        self._topology = topology
        self._numbers = itertools.count()
        self._ended = False
        self._loop = asyncio.new_event_loop()
        self._contracts: list[Contract] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(clients),))

    def __enter__(self) -> Load:
        self._thread.start()
        assert self._ready.wait(END_SECONDS_MAX)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join(END_SECONDS_MAX)

    def probe(self) -> float:
        """Begin a transaction now, wait for its commit; the seconds that took.

        Raises: TimeoutError when ordering stands.
        """
        began = time.monotonic()
        asyncio.run_coroutine_threadsafe(self._write(next(self._numbers)), self._loop).result(END_SECONDS_MAX)
        return time.monotonic() - began

    async def _run(self, clients: int) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for organisation in self._topology.organisations:
                opened = channel_of(self._topology, organisation.name)
                self._contracts.append((await stack.enter_async_context(opened)).contract(CHAINCODE))
            self._ready.set()
            await asyncio.gather(*(self._client() for _ in range(clients)))

    async def _client(self) -> None:
        while not self._ended:
            if self.flowing.is_set():
                await self._write(next(self._numbers))
            else:
                await asyncio.sleep(POLL_SECONDS)

    async def _write(self, number: int) -> None:
        """Send until it is committed, as an outbox does: what may have been lost is sent again under the same key."""
        for tried in itertools.count(number):
            contract = self._contracts[tried % len(self._contracts)]
            with contextlib.suppress(GatewayError, TimeoutError):
                endorsed = await contract.propose("put_blind", f"drill{number}", str(tried)).endorse()
                commit = await endorsed.submit()
                status = await commit.status(SEND_SECONDS_MAX)
                if status.successful:
                    self.acknowledged.append(commit.transaction_id)
                    return
            await asyncio.sleep(POLL_SECONDS)


async def _blocks(topology: Topology, organisation: str) -> list[Block]:
    """Every block of a peer."""
    blocks: list[Block] = []
    async with channel_of(topology, organisation) as network:
        height = await network.height()
        async with contextlib.aclosing(network.blocks(0)) as stream:
            async for message in stream:
                blocks.append(read_block(message))
                check_block(blocks[-1], blocks[-2] if len(blocks) > 1 else None)
                if len(blocks) == height:
                    break
    return blocks


def check(topology: Topology, acknowledged: list[str]) -> dict[str, int]:
    """Compare what all peers have; the number of blocks and transactions.

    Raises: AssertionError when peers differ, something is lost, or something is there twice.
    """
    names = [each.name for each in topology.organisations]
    ledgers = {name: asyncio.run(_blocks(topology, name)) for name in names}
    shortest = min(len(each) for each in ledgers.values())
    heads = {name: [(b.number, b.hash) for b in blocks[:shortest]] for name, blocks in ledgers.items()}
    first = next(iter(heads.values()))
    assert all(each == first for each in heads.values()), "peers have different blocks"
    for blocks in ledgers.values():
        valid = Counter(t.id for block in blocks for t in block.transactions if t.id and t.code == "VALID")
        assert [each for each, times in valid.items() if times > 1] == [], "a transaction is valid twice"
        assert [each for each in acknowledged if valid[each] != 1] == [], "an acknowledged transaction is lost"
    return {"blocks": shortest, "acknowledged": len(acknowledged)}
