"""What only some may see or change: transient data, private data collections, key-level endorsement."""

from __future__ import annotations

import contextlib

import pytest
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from gateway_stories import anew, submitted
from kv_network import CHAINCODE, channel_of, play

from network.gateway import Contract, EndorseError, EvaluateError, Network
from network.topology import Topology

pytestmark = pytest.mark.network

OWN = "_implicit_org_SupplierMSP"  # every organisation has a collection of its own, without being defined
SECRET = b"1 250 000 EUR"


def test_transient_data_reach_the_collection_and_no_block_or_other_organisation(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        own = ("SupplierMSP",)
        answer = await contract.submit("put_private", OWN, key, transient={"value": SECRET}, organisations=own)
        assert answer == str(len(SECRET)).encode()
        assert await contract.evaluate("get_private", OWN, key, organisations=own) == SECRET

        stop = await network.height() - 1
        found = []
        async for message in network.blocks_with_private_data(height, stop):
            assert SECRET not in message.block.SerializeToString()
            for private in message.private_data_map.values():
                for namespace in private.ns_pvt_rwset:
                    for collection in namespace.collection_pvt_rwset:
                        for write in KVRWSet.FromString(collection.rwset).writes:
                            found.append((namespace.namespace, collection.collection_name, write.key, write.value))
        assert found == [(CHAINCODE, OWN, key, SECRET)]

        async with channel_of(kv, "buyer") as other:
            async with contextlib.aclosing(other.blocks_with_private_data(height, stop)) as blocks:
                assert [len(message.private_data_map) async for message in blocks] == [0] * (stop - height + 1)
            with pytest.raises(EvaluateError):
                await other.contract(CHAINCODE).evaluate("get_private", OWN, key, organisations=("BuyerMSP",))

    play(kv, story)


def test_the_gateway_asks_only_those_who_may_see_transient_data(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        # The policy of an organisation's own collection is the organisation itself: nobody else is asked.
        transaction = await contract.propose("put_private", OWN, key, transient={"value": "text"}).endorse()
        (await (await transaction.submit()).status()).check()
        assert await contract.evaluate("get_private", OWN, key, organisations=("SupplierMSP",)) == b"text"
        with pytest.raises(EndorseError) as caught:
            await contract.submit("put_private", OWN, key)
        response = caught.value.chaincode_response
        assert response is not None
        assert response.message == "KeyError: 'value'"

    play(kv, story)


def test_the_gateway_plans_for_the_endorsers_that_a_key_names(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await submitted(contract, "put_guarded", key, "1", "CarrierMSP")
        without = ("SupplierMSP", "BuyerMSP", "FinancierMSP")
        _, commit = await anew(lambda: contract.submit_async("put", key, "2", organisations=without))
        assert (await commit.status()).code == "ENDORSEMENT_POLICY_FAILURE"
        await submitted(contract, "put", key, "3")  # the gateway finds out by itself whom to ask
        assert await contract.evaluate("get", key) == b"3"

    play(kv, story)
