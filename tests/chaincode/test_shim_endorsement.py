"""Key-level endorsement in the shim: the policies are those of fabric-chaincode-go, byte for byte."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams
from shim_peer import OFFERED, connected, serving

from chaincode.main import served
from chaincode.shim.endorsement import decode_policy, encode_policy, every_peer_of, peers_of
from chaincode.stub import Answer, Stub

# Written by pkg/statebased of fabric-chaincode-go 2.3.0: Policy() after AddOrgs(RoleTypePeer, ...).
GO_POLICIES = {
    ("SupplierMSP",): "120812060801120208001a11120f0a0b537570706c6965724d53501003",
    ("SupplierMSP", "BuyerMSP"): (
        "120c120a080212020800120208011a0e120c0a0842757965724d535010031a11120f0a0b537570706c6965724d53501003"
    ),
    ("ÄMSP", "ZMSP", "aMSP"): (
        "1210120e08031202080012020801120208021a0a12080a045a4d535010031a0a12080a04614d535010031a0b12090a05c3844d53501003"
    ),
}
GO_MEMBERS = "120c120a080212020800120208011a0c120a0a0842757965724d53501a0f120d0a0b537570706c6965724d5350"


@pytest.mark.parametrize("msp_ids", GO_POLICIES)
def test_a_policy_has_the_bytes_that_the_go_library_gives_it(msp_ids: tuple[str, ...]) -> None:
    assert every_peer_of([*msp_ids, msp_ids[0]]).hex() == GO_POLICIES[msp_ids]
    assert decode_policy(every_peer_of(msp_ids)) == dict.fromkeys(msp_ids, "PEER")


def test_a_policy_of_members_has_the_bytes_that_the_go_library_gives_it() -> None:
    assert encode_policy({"SupplierMSP": "MEMBER", "BuyerMSP": "MEMBER"}).hex() == GO_MEMBERS


@pytest.mark.parametrize("msp_ids", [(), ("SupplierMSP", ""), "SupplierMSP"])
def test_a_policy_that_anybody_would_fulfil_is_not_made(msp_ids: Any) -> None:
    with pytest.raises(ValueError, match="a list of MSP ids is needed"):
        every_peer_of(msp_ids)


def test_a_policy_of_one_and_some_others_counts_nobody_twice() -> None:
    policy = SignaturePolicyEnvelope.FromString(peers_of(["BuyerMSP"], ["SupplierMSP", "CarrierMSP", "BankMSP"], 2))
    owner, some = policy.rule.n_out_of.rules
    assert policy.rule.n_out_of.n == 2
    assert owner.signed_by == 0
    assert (some.n_out_of.n, [each.signed_by for each in some.n_out_of.rules]) == (2, [1, 2, 3])
    named = ["BuyerMSP", "BankMSP", "CarrierMSP", "SupplierMSP"]
    assert decode_policy(policy.SerializeToString()) == dict.fromkeys(named, "PEER")
    assert list(decode_policy(policy.SerializeToString())) == named


@pytest.mark.parametrize(
    ("owners", "others", "others_min"),
    [([], ["A"], 1), (["A"], ["A"], 1), (["A"], ["B", "B"], 2), (["A"], ["B"], 2), (["A"], ["B"], 0), ([""], ["B"], 1)],
)
def test_a_policy_that_cannot_be_fulfilled_or_counts_twice_is_not_made(
    owners: list[str], others: list[str], others_min: int
) -> None:
    with pytest.raises(ValueError, match="is no policy"):
        peers_of(owners, others, others_min)


async def share(stub: Stub, arguments: list[bytes]) -> Answer:
    stub.put_state("a", b"1")
    stub.set_key_endorsers("a", [argument.decode() for argument in arguments])
    return Answer(True, b"")


@pytest.mark.parametrize("offered", [OFFERED, ChaincodeAdditionalParams()], ids=["in a batch", "one by one"])
def test_the_endorsers_of_a_key_reach_the_peer_as_its_metadata(offered: Any) -> None:
    async def run() -> None:
        async with serving(served(share)) as (_, port), connected(port, offered) as peer:
            assert (await peer.invoke("t1", b"SupplierMSP", b"BuyerMSP")).status == 200
            assert (peer.state, peer.policies["a"].hex()) == ({"a": b"1"}, GO_POLICIES["SupplierMSP", "BuyerMSP"])
            assert (await peer.invoke("t2")).message.startswith("ValueError: a list of MSP ids is needed")

    asyncio.run(asyncio.wait_for(run(), 200))
