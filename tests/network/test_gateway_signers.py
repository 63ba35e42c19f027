"""Who signs, and where: many identities over one connection, keys that answer slowly."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest
from gateway_stories import submitted
from kv_network import CHAINCODE, gateway_of, identity_of

from network.gateway import Gateway, software_signer
from network.topology import Topology

pytestmark = pytest.mark.network


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_many_identities_act_over_one_connection_which_ends_with_the_gateway_that_made_it(kv: Topology) -> None:
    async def who(gateway: Gateway) -> str:
        return str(json.loads(await gateway.network(kv.channel).contract(CHAINCODE).evaluate("who"))[0])

    async def run() -> None:
        async with gateway_of(kv) as gateway:
            assert await who(gateway) == "SupplierMSP"
            descriptors = open_descriptors()
            for organisation in kv.organisations * 5:
                sign = software_signer(kv.folders(organisation.name).user.key.read_bytes())
                async with gateway.acting_as(identity_of(kv, organisation.name), sign) as guest:
                    assert (guest.identity.msp_id, await who(guest)) == (organisation.msp_id, organisation.msp_id)
            assert open_descriptors() == descriptors
            assert await who(gateway) == "SupplierMSP"
        with pytest.raises(RuntimeError, match="closed"):
            await who(guest)

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_signer_may_be_asynchronous_at_every_step_and_a_slow_one_holds_nobody_up(kv: Topology, key: str) -> None:
    sign = software_signer(kv.folders("supplier").user.key.read_bytes())
    key_is_there = asyncio.Event()

    async def sign_later(digest: bytes) -> bytes:
        await key_is_there.wait()
        return sign(digest)

    async def run() -> None:
        async with gateway_of(kv) as gateway, gateway.acting_as(gateway.identity, sign_later) as slow:
            quick = gateway.network(kv.channel)
            network, contract = slow.network(kv.channel), slow.network(kv.channel).contract(CHAINCODE)
            height = await quick.height()
            waiting = asyncio.ensure_future(submitted(contract, "announce", key, "Told", "1"))
            assert await quick.contract(CHAINCODE).evaluate("get", key) == b""
            assert not waiting.done()
            key_is_there.set()
            await waiting
            assert await contract.evaluate("get", key) == b"1"
            async with aclosing(network.chaincode_events(CHAINCODE, height)) as events:
                event = await anext(events)
            assert (event.name, event.payload) == ("Told", b"1")
            assert [block.header.number async for block in network.blocks(1, 2)] == [1, 2]

    asyncio.run(asyncio.wait_for(run(), 200))
