"""The shim against a peer that speaks the chaincode protocol over gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams
from fabric_protos.peer.proposal_pb2 import SignedProposal
from shim_peer import CHANNEL, OFFERED, SECONDS, Peer, Type, connected, serving

from chaincode.main import served
from chaincode.shim import ChaincodeServer
from chaincode.stub import Answer, Stub


@served
async def contract(stub: Stub, arguments: list[bytes]) -> Answer:
    """A contract with one function for each verb and each way to break."""
    function, *rest = (argument.decode() for argument in arguments)
    result: Any = await FUNCTIONS[function](stub, *rest)
    return result if isinstance(result, Answer) else Answer(True, json.dumps(result).encode())


async def put(stub: Stub, key: str, value: str) -> str:
    before = await stub.get_state(key)
    stub.put_state(key, value.encode())
    assert await stub.get_state(key) == before, "a transaction saw its own write"
    return (before or b"").decode()


async def put_many(stub: Stub, count: str) -> None:
    for number in range(int(count)):
        stub.put_state(f"k{number:05}", str(number).encode())


async def delete(stub: Stub, key: str) -> None:
    stub.put_state(key, b"first")
    stub.del_state(key)


async def get_many(stub: Stub, keys: str) -> list[str | None]:
    return [None if value is None else value.decode() for value in await stub.get_states(json.loads(keys))]


async def get_together(stub: Stub, *keys: str) -> list[str | None]:
    values = await asyncio.gather(*(stub.get_state(key) for key in keys))
    return [None if value is None else value.decode() for value in values]


async def get_range(stub: Stub, start: str, end: str, limit: str = "0") -> list[str]:
    return [key for key, _ in await stub.get_range(start, end, int(limit))]


async def who(stub: Stub) -> list[Any]:
    return [stub.tx_id, stub.channel_id, stub.timestamp, stub.msp_id, stub.creator_certificate.decode()]


async def refuse(stub: Stub) -> Answer:
    stub.put_state("never", b"written")
    return Answer(False, b'{"code":"NOT_APPROVED"}')


async def break_by(stub: Stub, kind: str) -> None:
    stub.put_state("never", b"written")
    raise {"error": RuntimeError("on purpose"), "exit": SystemExit(3), "cancel": asyncio.CancelledError()}[kind]


async def wait_for_ever(stub: Stub) -> None:
    await asyncio.Event().wait()


async def wait_a_moment(stub: Stub) -> str:
    await asyncio.sleep(0.2)
    return "done"


async def emit(stub: Stub, name: str) -> None:
    stub.set_event(name, b"content")  # type: ignore[attr-defined]


async def leave_work_behind(stub: Stub) -> None:
    async def later() -> None:
        await asyncio.sleep(0.05)
        try:
            stub.put_state("late", b"1")
        except Exception as error:
            LEFT_BEHIND.append(str(error))
            raise

    LEFT_BEHIND.append(asyncio.create_task(later()))


async def answer_huge(stub: Stub) -> Answer:
    return Answer(True, bytes(105 * 1024 * 1024))


LEFT_BEHIND: list[Any] = []
FUNCTIONS: dict[str, Callable[..., Awaitable[Any]]] = {
    function.__name__: function
    for function in (
        *(put, put_many, delete, get_many, get_together, get_range, who, refuse, break_by),
        *(wait_for_ever, wait_a_moment, emit, leave_work_behind, answer_huge),
    )
}


def play(story: Callable[[Peer], Awaitable[None]], **peer_options: Any) -> None:
    """Run a story with one peer connected to one server."""

    async def run() -> None:
        async with serving(contract) as (_, port), connected(port, **peer_options) as peer:
            await story(peer)

    asyncio.run(asyncio.wait_for(run(), 200))


def kinds(peer: Peer) -> list[str]:
    return [Type.Type.Name(message.type) for message in peer.asked]


def test_a_contract_reads_writes_and_never_sees_its_own_writes() -> None:
    async def story(peer: Peer) -> None:
        assert peer.package_id == "kv:1"
        assert (await peer.invoke("t1", b"put", b"a", b"1")).payload == b'""'
        assert (await peer.invoke("t2", b"put", b"a", b"2")).payload == b'"1"'
        assert peer.state == {"a": b"2"}

    play(story)


def test_the_contract_learns_who_asked_when_and_where() -> None:
    async def story(peer: Peer) -> None:
        answer = await peer.invoke("t1", b"who")
        expected = ["t1", CHANNEL, SECONDS, "SupplierMSP", "-----BEGIN CERTIFICATE-----"]
        assert expected == json.loads(answer.payload)

    play(story)


def test_many_writes_travel_in_batches_of_the_size_the_peer_names() -> None:
    async def story(peer: Peer) -> None:
        await peer.invoke("t1", b"put_many", b"2500")
        assert kinds(peer) == ["WRITE_BATCH_STATE"] * 3
        assert len(peer.state) == 2500
        await peer.invoke("t2", b"delete", b"k00000")
        assert len(peer.state) == 2499

    play(story)


def test_many_reads_travel_together_and_missing_keys_are_none() -> None:
    async def story(peer: Peer) -> None:
        peer.state = {"a": b"1", "c": b"3"}
        answer = await peer.invoke("t1", b"get_many", b'["a", "b", "c"]')
        assert json.loads(answer.payload) == ["1", None, "3"]
        assert kinds(peer) == ["GET_STATE_MULTIPLE"]
        assert json.loads((await peer.invoke("t2", b"get_many", b"[]")).payload) == []

    play(story)


def test_an_old_peer_without_batches_is_asked_key_by_key() -> None:
    async def story(peer: Peer) -> None:
        await peer.invoke("t1", b"put_many", b"2")
        await peer.invoke("t2", b"delete", b"k00000")
        answer = await peer.invoke("t3", b"get_many", b'["k00000", "k00001"]')
        assert json.loads(answer.payload) == [None, "1"]
        assert kinds(peer) == ["PUT_STATE", "PUT_STATE", "DEL_STATE", "GET_STATE", "GET_STATE"]

    play(story, ready=ChaincodeAdditionalParams())


def test_batches_without_a_size_get_the_official_default() -> None:
    async def story(peer: Peer) -> None:
        await peer.invoke("t1", b"put_many", b"101")
        assert kinds(peer) == ["WRITE_BATCH_STATE"] * 2

    play(story, ready=ChaincodeAdditionalParams(use_write_batch=True))


def test_a_range_is_read_page_by_page_in_key_order() -> None:
    async def story(peer: Peer) -> None:
        peer.state = {f"k{number:03}": b"v" for number in range(250)} | {"j": b"v", "l": b"v"}
        answer = await peer.invoke("t1", b"get_range", b"k", b"l")
        assert json.loads(answer.payload) == [f"k{number:03}" for number in range(250)]
        assert kinds(peer) == ["GET_STATE_BY_RANGE", "QUERY_STATE_NEXT", "QUERY_STATE_NEXT"]

    play(story)


@pytest.mark.parametrize(("limit", "asked"), [(b"1", ["CLOSE"]), (b"100", ["CLOSE"]), (b"101", ["NEXT", "CLOSE"])])
def test_no_more_of_a_range_is_read_than_is_wanted(limit: bytes, asked: list[str]) -> None:
    async def story(peer: Peer) -> None:
        peer.state = {f"k{number:03}": b"v" for number in range(250)}
        answer = await peer.invoke("t1", b"get_range", b"k", b"l", limit)
        assert json.loads(answer.payload) == [f"k{number:03}" for number in range(int(limit))]
        assert kinds(peer) == ["GET_STATE_BY_RANGE", *(f"QUERY_STATE_{one}" for one in asked)]

    play(story)


def test_a_range_that_the_peer_cuts_silently_is_read_to_its_end() -> None:
    async def story(peer: Peer) -> None:
        peer.state = {f"k{number:05}": b"v" for number in range(2500)}
        answer = await peer.invoke("t1", b"get_range", b"k", b"l")
        assert len(json.loads(answer.payload)) == 2500

    play(story, total_query_limit=1000)


def test_reads_asked_for_at_the_same_time_take_turns() -> None:
    async def story(peer: Peer) -> None:
        peer.state = {"a": b"1", "b": b"2", "c": b"3"}
        answer = await peer.invoke("t1", b"get_together", b"a", b"b", b"c")
        assert json.loads(answer.payload) == ["1", "2", "3"]

    play(story)


def test_a_refusal_is_answered_below_500_with_its_text_and_writes_nothing() -> None:
    async def story(peer: Peer) -> None:
        answer = await peer.invoke("t1", b"refuse")
        assert (answer.status, answer.message, answer.payload) == (409, '{"code":"NOT_APPROVED"}', b"")
        assert peer.asked == []

    play(story)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((b"break_by", b"error"), "RuntimeError: on purpose"),
        ((b"break_by", b"exit"), "SystemExit: 3"),
        ((b"break_by", b"cancel"), "CancelledError: "),
        ((b"unheard_of",), "KeyError: 'unheard_of'"),
        ((b"put", b"", b"1"), "ValueError: a key may not be empty"),
        ((b"put", b"a", b""), "ValueError: an empty value would delete key 'a'"),
        ((b"emit", b""), "ValueError: an event needs a name"),
        ((b"answer_huge",), "ValueError: a message of "),
        ((b"\xff",), "UnicodeDecodeError: "),
    ],
)
def test_a_contract_that_breaks_is_answered_once_with_500_and_the_stream_lives(
    arguments: tuple[bytes, ...], text: str
) -> None:
    async def story(peer: Peer) -> None:
        answer = await peer.invoke("t1", *arguments)
        assert answer.status == 500
        assert answer.message.startswith(text)
        assert (await peer.invoke("t2", b"put", b"a", b"1")).status == 200
        assert [message.txid for message in peer.completed] == ["t1", "t2"]
        assert peer.state == {"a": b"1"}

    play(story)


def test_a_transaction_without_a_proposal_is_answered_with_500() -> None:
    async def story(peer: Peer) -> None:
        answer = await peer.invoke("t1", b"who", proposal=SignedProposal())
        assert (answer.status, "proposal" in answer.message) == (500, True)

    play(story)


def test_an_error_of_the_peer_becomes_an_exception_and_never_a_value() -> None:
    async def story(peer: Peer) -> None:
        peer.fail_on = "broken-key"
        answer = await peer.invoke("t1", b"put", b"broken-key", b"1")
        assert answer.status == 500
        assert answer.message == "PeerError: GET_STATE failed: no ledger context"

    play(story)


def test_the_event_of_a_transaction_goes_with_its_answer() -> None:
    async def story(peer: Peer) -> None:
        await peer.invoke("t1", b"emit", b"paid")
        await peer.invoke("t2", b"who")
        event = peer.completed[0].chaincode_event
        assert (event.event_name, event.payload) == ("paid", b"content")
        assert not peer.completed[1].HasField("chaincode_event")

    play(story)


def test_a_thousand_transactions_at_once_all_complete() -> None:
    async def story(peer: Peer) -> None:
        started = [await peer.start(f"t{number}", b"put", f"k{number}".encode(), b"v") for number in range(1000)]
        answers = await asyncio.gather(*started)
        assert {answer.status for answer in answers} == {200}
        assert len(peer.state) == 1000

    play(story)


def test_one_transaction_that_hangs_holds_up_no_other() -> None:
    async def story(peer: Peer) -> None:
        await peer.start("t1", b"wait_for_ever")
        assert (await peer.invoke("t2", b"who")).status == 200

    play(story)


def test_a_transaction_that_the_peer_gave_up_and_starts_anew_is_answered_once() -> None:
    async def story(peer: Peer) -> None:
        await peer.start("t1", b"wait_for_ever")
        assert (await peer.invoke("t1", b"who")).status == 200
        assert len(peer.completed) == 1

    play(story)


def test_work_that_a_contract_leaves_behind_cannot_touch_its_answered_transaction() -> None:
    async def story(peer: Peer) -> None:
        LEFT_BEHIND.clear()
        assert (await peer.invoke("t1", b"leave_work_behind")).status == 200
        await asyncio.gather(LEFT_BEHIND[0], return_exceptions=True)
        assert LEFT_BEHIND[1:] == ["transaction t1 is already answered"]

    play(story)


def test_keepalives_are_answered_and_stray_messages_ignored() -> None:
    async def story(peer: Peer) -> None:
        await peer.send(Type(type=Type.KEEPALIVE))
        await asyncio.wait_for(peer.keepalives.wait(), 60)
        await peer.send(Type(type=Type.RESPONSE, txid="nobody", channel_id=CHANNEL))
        await peer.send(Type(type=Type.INVOKE_CHAINCODE, txid="nobody", channel_id=CHANNEL))
        assert (await peer.invoke("t1", b"who")).status == 200

    play(story)


def test_a_peer_that_comes_back_gets_a_new_session_and_peers_share_a_server() -> None:
    async def run() -> None:
        async with serving(contract) as (_, port):
            async with connected(port) as first, connected(port, OFFERED) as second:
                await first.start("t1", b"wait_for_ever")
                assert (await second.invoke("t1", b"put", b"a", b"1")).status == 200
            async with connected(port) as again:
                assert (await again.invoke("t1", b"who")).status == 200

    asyncio.run(asyncio.wait_for(run(), 200))


def test_stopping_finishes_what_runs_and_refuses_what_comes() -> None:
    async def run() -> None:
        async with serving(contract) as (server, port), connected(port) as peer:
            running = await peer.start("t1", b"wait_a_moment")
            assert (await peer.invoke("t0", b"who")).status == 200
            stopping = asyncio.create_task(server.stop(5))
            await asyncio.sleep(0.05)
            refused = await peer.invoke("t2", b"who")
            assert (refused.status, refused.message) == (500, "PeerError: the chaincode is stopping")
            assert (await running).payload == b'"done"'
            await asyncio.wait_for(asyncio.gather(stopping, peer.ended.wait()), 60)
            await server.stop()

    asyncio.run(asyncio.wait_for(run(), 200))


def test_stopping_cuts_off_what_hangs_after_the_grace_period() -> None:
    async def run() -> None:
        async with serving(contract) as (server, port), connected(port) as peer:
            await peer.start("t1", b"wait_for_ever")
            assert (await peer.invoke("t2", b"who")).status == 200
            await asyncio.wait_for(server.stop(0.2), 60)

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    async def run() -> None:
        async with serving(contract) as (_, port):
            with pytest.raises(OSError, match=f"cannot listen on localhost:{port}"):
                await ChaincodeServer("kv:1", f"localhost:{port}", contract).start()

    asyncio.run(asyncio.wait_for(run(), 200))
