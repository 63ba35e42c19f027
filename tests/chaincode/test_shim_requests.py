"""What the stub's verbs say to a peer, message by message, where a real network would not show it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetStateMultiple,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    QueryStateClose,
    WriteBatchState,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response as ResponseMessage
from shim_peer import CHANNEL, CREATOR, Peer, Refused, Type, connected, serving

from chaincode.shim import ChaincodeStub, Handler, create_composite_key, split_composite_key

# shim.CreateCompositeKey of fabric-chaincode-go 2.3.0.
GO_COMPOSITE_KEYS = {
    ("invoice",): "00696e766f69636500",
    ("invoice", "2026", "17"): "00696e766f696365003230323600313700",
    ("owner", "Zoë", "", "😀"): "006f776e6572005a6fc3ab0000f09f988000",
}
OLD_PEER = ChaincodeAdditionalParams()


def play(contract: Handler, story: Callable[[Peer], Awaitable[None]], **peer_options: Any) -> None:
    """Run a story with one peer connected to one server."""

    async def run() -> None:
        async with serving(contract) as (_, port), connected(port, **peer_options) as peer:
            await story(peer)

    asyncio.run(asyncio.wait_for(run(), 200))


def kinds(peer: Peer) -> list[str]:
    return [Type.Type.Name(message.type) for message in peer.asked]


@pytest.mark.parametrize("parts", GO_COMPOSITE_KEYS)
def test_a_composite_key_has_the_bytes_that_go_gives_it(parts: tuple[str, ...]) -> None:
    key = create_composite_key(parts[0], parts[1:])
    assert key.encode().hex() == GO_COMPOSITE_KEYS[parts]
    assert split_composite_key(key) == (parts[0], list(parts[1:]))


def test_what_is_no_composite_key_is_an_error() -> None:
    for part in ("a\0b", "a\U0010ffff", "\ud800"):
        with pytest.raises(ValueError, match=r"U\+0000|surrogates"):
            create_composite_key("owner", [part])
    for key in ("", "\0", "simple", "\0cut"):
        with pytest.raises(ValueError, match="is no composite key"):
            split_composite_key(key)


async def first_of_range(stub: ChaincodeStub) -> bytes:
    async with aclosing(stub.get_state_by_range("a", "b")) as records:
        return (await anext(records)).key.encode()


async def break_out(stub: ChaincodeStub) -> bytes:
    async for _ in stub.get_state_by_range("a", "b"):
        break
    await stub.get_state("a")
    await stub.get_state("a")
    return b""


async def read_all(stub: ChaincodeStub) -> bytes:
    return str(len([record async for record in stub.get_state_by_range("a", "b")])).encode()


def test_an_iteration_that_is_left_early_is_closed_at_the_peer() -> None:
    async def story(peer: Peer) -> None:
        peer.state = {f"a{number:03}": b"v" for number in range(250)}
        assert (await peer.invoke("t1")).payload == b"a000"
        assert kinds(peer) == ["GET_STATE_BY_RANGE", "QUERY_STATE_CLOSE"]
        assert QueryStateClose.FromString(peer.asked[1].payload).id == "1"

    play(first_of_range, story)


def test_an_iteration_that_is_broken_out_of_is_closed_at_the_peer_as_well() -> None:
    async def story(peer: Peer) -> None:
        peer.state = {f"a{number:03}": b"v" for number in range(250)}
        assert (await peer.invoke("t1")).status == 200
        assert sorted(kinds(peer)) == ["GET_STATE", "GET_STATE", "GET_STATE_BY_RANGE", "QUERY_STATE_CLOSE"]

    play(break_out, story)


def test_an_iteration_to_the_end_reads_what_the_peer_cut_and_closes_nothing() -> None:
    async def story(peer: Peer) -> None:
        peer.state = {f"a{number:04}": b"v" for number in range(2100)}
        assert (await peer.invoke("t1")).payload == b"2100"
        assert kinds(peer).count("GET_STATE_BY_RANGE") == 3
        assert "QUERY_STATE_CLOSE" not in kinds(peer)

    play(read_all, story, total_query_limit=1000)


async def write_everything(stub: ChaincodeStub) -> bytes:
    stub.put_state("k", b"public")
    for key in ("k", "deleted", "purged"):
        stub.put_private_data("trade", key, b"private")
    stub.del_private_data("trade", "deleted")
    stub.purge_private_data("trade", "purged")
    stub.set_private_data_validation_parameter("trade", "k", b"policy")
    stub.set_state_validation_parameter("k", b"public policy")
    return b""


def test_private_writes_travel_in_the_same_batch_each_with_its_collection() -> None:
    async def story(peer: Peer) -> None:
        peer.replies[Type.WRITE_BATCH_STATE] = lambda message: b""
        assert (await peer.invoke("t1")).status == 200
        records = WriteBatchState.FromString(peer.asked[0].payload).rec
        written = [(each.collection, each.key, Type.Type.Name(each.type), each.value) for each in records]
        assert written == [
            ("", "k", "PUT_STATE", b"public"),
            ("trade", "k", "PUT_STATE", b"private"),
            ("trade", "deleted", "DEL_STATE", b""),
            ("trade", "purged", "PURGE_PRIVATE_DATA", b""),
            ("trade", "k", "PUT_STATE_METADATA", b""),
            ("", "k", "PUT_STATE_METADATA", b""),
        ]
        assert [each.metadata.value for each in records[4:]] == [b"policy", b"public policy"]

    play(write_everything, story)


def test_an_old_peer_gets_private_writes_one_by_one() -> None:
    messages = {
        Type.PUT_STATE: PutState,
        Type.DEL_STATE: DelState,
        Type.PURGE_PRIVATE_DATA: PurgePrivateState,
        Type.PUT_STATE_METADATA: PutStateMetadata,
    }

    async def story(peer: Peer) -> None:
        peer.replies = dict.fromkeys(messages, lambda message: b"")
        assert (await peer.invoke("t1")).status == 200
        sent = [messages[each.type].FromString(each.payload) for each in peer.asked]
        places = [("", "k"), ("trade", "k"), ("trade", "deleted"), ("trade", "purged"), ("trade", "k"), ("", "k")]
        assert [(each.collection, each.key) for each in sent] == places
        assert kinds(peer)[2:4] == ["DEL_STATE", "PURGE_PRIVATE_DATA"]

    play(write_everything, story, ready=OLD_PEER)


async def read_private(stub: ChaincodeStub) -> bytes:
    return json.dumps([bool(each) for each in await stub.get_multiple_private_data("trade", ["a", "b"])]).encode()


@pytest.mark.parametrize("offered", [True, False])
def test_several_private_keys_are_asked_for_together_where_the_peer_offers_it(offered: bool) -> None:
    async def story(peer: Peer) -> None:
        peer.state = {"b": b"1"}
        assert json.loads((await peer.invoke("t1")).payload) == [False, True]
        assert kinds(peer) == (["GET_STATE_MULTIPLE"] if offered else ["GET_STATE", "GET_STATE"])
        assert {GetStateMultiple.FromString(each.payload).collection for each in peer.asked if offered} <= {"trade"}

    play(read_private, story, ready=ChaincodeAdditionalParams(use_get_multiple_keys=offered))


async def mistaken(stub: ChaincodeStub) -> bytes:
    name, *arguments = stub.get_string_args()
    result = getattr(stub, name)(*arguments)
    await (result if asyncio.iscoroutine(result) else anext(result))
    return b""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("get_private_data", "", "k"), "ValueError: a collection needs a name"),
        (("get_private_data", "trade", ""), "ValueError: a key may not be empty"),
        (("get_private_data_hash", "", "k"), "ValueError: a collection needs a name"),
        (("get_private_data_by_range", "", "a", "b"), "ValueError: a collection needs a name"),
        (("get_state_by_range", "\0a", "b"), "ValueError: '\\x00a' begins with U+0000"),
        (("get_history_for_key", ""), "ValueError: a key may not be empty"),
        (("get_state_validation_parameter", ""), "ValueError: a key may not be empty"),
    ],
)
def test_a_wrong_argument_is_an_error_before_the_peer_is_asked(arguments: tuple[str, ...], text: str) -> None:
    async def story(peer: Peer) -> None:
        answer = await peer.invoke("t1", *(each.encode() for each in arguments))
        assert (answer.status, answer.message.startswith(text), peer.asked) == (500, True, [])

    play(mistaken, story)


async def page_of_none(stub: ChaincodeStub) -> bytes:
    return (await stub.get_state_by_range_with_pagination("a", "b", 0)).bookmark.encode()


def test_a_page_without_records_is_not_asked_for() -> None:
    async def story(peer: Peer) -> None:
        assert (await peer.invoke("t1")).message == "ValueError: a page holds at least one record, not 0"

    play(page_of_none, story)


async def rich(stub: ChaincodeStub) -> bytes:
    return str([record async for record in stub.get_query_result("{}")]).encode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [("ExecuteQuery not supported for leveldb", "RichQueriesMissing"), ("invalid selector", "PeerError")],
)
def test_only_a_database_without_rich_queries_is_told_as_such(text: str, kind: str) -> None:
    def refuse(message: Any) -> bytes:
        raise Refused(text)

    async def story(peer: Peer) -> None:
        peer.replies[Type.GET_QUERY_RESULT] = refuse
        answer = await peer.invoke("t1")
        assert (answer.status, answer.message.startswith(kind + ": "), text in answer.message) == (500, True, True)

    play(rich, story)


async def call_other(stub: ChaincodeStub) -> bytes:
    channel, *arguments = stub.get_string_args()
    answer = await stub.invoke_chaincode("other", [*arguments, b"\xff"], channel)
    return json.dumps([answer.status, answer.message, answer.payload.decode()]).encode()


def test_another_chaincode_is_called_by_name_and_channel_and_answers_for_itself() -> None:
    def answer(message: Any) -> bytes:
        spec = ChaincodeSpec.FromString(message.payload)
        assert list(spec.input.args) == [b"a", b"\xff"]
        response = ResponseMessage(status=409, message=spec.chaincode_id.name, payload=b"p")
        return bytes(Type(type=Type.COMPLETED, payload=response.SerializeToString()).SerializeToString())

    async def story(peer: Peer) -> None:
        peer.replies[Type.INVOKE_CHAINCODE] = answer
        assert json.loads((await peer.invoke("t1", b"", b"a")).payload) == [409, "other", "p"]
        assert json.loads((await peer.invoke("t2", b"two", b"a")).payload) == [409, "other/two", "p"]

    play(call_other, story)


@pytest.mark.parametrize("status", [0, 700])
def test_another_chaincode_may_answer_with_any_status(status: int) -> None:
    def answer(message: Any) -> bytes:
        response = ResponseMessage(status=status, payload=b"p")
        return bytes(Type(type=Type.COMPLETED, payload=response.SerializeToString()).SerializeToString())

    async def story(peer: Peer) -> None:
        peer.replies[Type.INVOKE_CHAINCODE] = answer
        assert json.loads((await peer.invoke("t1", b"", b"a")).payload) == [status, "", "p"]

    play(call_other, story)


def test_another_chaincode_that_broke_is_an_exception() -> None:
    async def story(peer: Peer) -> None:
        peer.replies[Type.INVOKE_CHAINCODE] = lambda message: bytes(
            Type(type=Type.ERROR, payload=b"it broke").SerializeToString()
        )
        assert (await peer.invoke("t1", b"", b"a")).message == "PeerError: it broke"

    play(call_other, story)


async def tell_envelope(stub: ChaincodeStub) -> bytes:
    stub.set_event("first", b"1")
    stub.set_event("second")
    told = [stub.is_init, stub.get_args_slice().decode(), stub.get_decorations()["trace"].decode()]
    transient = {name: value.decode() for name, value in stub.get_transient().items()}
    return json.dumps([*told, transient, stub.get_binding().hex(), stub.get_creator().hex()]).encode()


def test_a_contract_sees_all_of_its_proposal() -> None:
    header = SignatureHeader(creator=CREATOR.SerializeToString(), nonce=b"nonce")
    proposal = Proposal(
        header=Header(
            channel_header=ChannelHeader(epoch=258).SerializeToString(), signature_header=header.SerializeToString()
        ).SerializeToString(),
        payload=ChaincodeProposalPayload(TransientMap={"a": b"1"}).SerializeToString(),
    )
    binding = hashlib.sha256(b"nonce" + CREATOR.SerializeToString() + b"\x02\x01\0\0\0\0\0\0").hexdigest()

    async def story(peer: Peer) -> None:
        signed = SignedProposal(proposal_bytes=proposal.SerializeToString())
        answer = await peer.invoke("t1", b"a", b"b", proposal=signed, kind=Type.INIT)
        expected = [True, "ab", "1", {"a": "1"}, binding, CREATOR.SerializeToString().hex()]
        assert json.loads(answer.payload) == expected
        event = peer.completed[0].chaincode_event
        assert (event.event_name, event.payload) == ("second", b"")

    play(tell_envelope, story)


async def read_own_channel(stub: ChaincodeStub) -> bytes:
    await stub.get_state("a")
    return stub.channel_id.encode()


def test_the_same_transaction_id_on_two_channels_is_two_transactions() -> None:
    async def story(peer: Peer) -> None:
        first, second = await peer.start("t1"), await peer.start("t1", channel="other")
        answers = await asyncio.gather(first, second)
        assert [answer.payload.decode() for answer in answers] == [CHANNEL, "other"]

    play(read_own_channel, story)
