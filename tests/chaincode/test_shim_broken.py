"""Contracts that break: each is answered once, and the stream and the process live on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from shim_peer import Peer, Type, connected, serving

from chaincode import shim
from chaincode.shim import ChaincodeStub, PeerError, Response


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


async def return_nothing(stub: ChaincodeStub) -> Any:
    stub.put_state("never", b"written")


async def return_text(stub: ChaincodeStub) -> Any:
    return "text"


async def return_a_response_of_text(stub: ChaincodeStub) -> Any:
    return Response(payload="text")  # type: ignore[arg-type]


async def return_status_0(stub: ChaincodeStub) -> Any:
    return Response(0)


async def write_a_number(stub: ChaincodeStub) -> Any:
    stub.put_state("k", 5)  # type: ignore[arg-type]


async def interrupt(stub: ChaincodeStub) -> Any:
    raise KeyboardInterrupt


async def say_nothing(stub: ChaincodeStub) -> Any:
    raise UnspeakableError


async def say_too_much(stub: ChaincodeStub) -> Any:
    raise ValueError("x" * 110_000_000)


async def say_what_is_no_text(stub: ChaincodeStub) -> Any:
    return Response(400, "\ud800")


async def cancel_itself(stub: ChaincodeStub) -> Any:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await stub.get_state("k")


async def stop_waiting(stub: ChaincodeStub) -> Any:
    try:
        await asyncio.wait_for(stub.get_state("slow"), 0.05)
    except TimeoutError:
        await stub.get_state("other")


async def stop_waiting_and_answer(stub: ChaincodeStub) -> Any:
    reading = asyncio.create_task(stub.get_state("slow"))
    await asyncio.sleep(0.05)
    reading.cancel()
    await asyncio.wait([reading])
    return b"decided without"


async def leave_reads_behind(stub: ChaincodeStub) -> Any:
    LEFT.extend(asyncio.create_task(stub.get_state(f"k{number}")) for number in range(5))
    await asyncio.sleep(0)  # the first one is on its way to the peer, the others wait for their turn
    return b"done"


async def block(stub: ChaincodeStub) -> Any:
    time.sleep(0.3)  # noqa: ASYNC251 - that is what is tested
    return b"done"


async def read(stub: ChaincodeStub) -> Any:
    return await stub.get_state("k") or b""


async def read_or_go_on(stub: ChaincodeStub) -> Any:
    value = b"cannot be read"
    with contextlib.suppress(PeerError):
        value = await stub.get_state(stub.get_string_args()[1]) or b"missing"
    stub.put_state("found", value)
    return await stub.get_state("k")


async def write_or_go_on(stub: ChaincodeStub) -> Any:
    stub.put_state("before", b"1")
    stub.put_state(stub.get_string_args()[1], b"1")
    with contextlib.suppress(PeerError):
        await stub.finish_write_batch()
    return b"done"


async def refuse_to_end(stub: ChaincodeStub) -> Any:
    while True:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            LEFT.append(asyncio.current_task())


LEFT: list[Any] = []
FUNCTIONS: dict[str, Callable[[ChaincodeStub], Awaitable[Any]]] = {
    each.__name__: each
    for each in (
        *(return_nothing, return_text, return_a_response_of_text, return_status_0, write_a_number, interrupt),
        *(say_nothing, say_too_much, say_what_is_no_text, cancel_itself, stop_waiting, stop_waiting_and_answer),
        *(leave_reads_behind, block, read, refuse_to_end, read_or_go_on, write_or_go_on),
    )
}


async def contract(stub: ChaincodeStub) -> Any:
    return await FUNCTIONS[stub.get_function_and_parameters()[0]](stub)


def play(story: Callable[[Peer], Awaitable[None]]) -> None:
    async def run() -> None:
        async with serving(contract) as (_, port), connected(port) as peer:
            peer.state = {"k": b"value"}
            await story(peer)

    asyncio.run(asyncio.wait_for(run(), 200))


@pytest.mark.parametrize(
    ("function", "status", "text"),
    [
        ("return_nothing", 500, "TypeError: a contract answers with bytes or a Response, this one with NoneType"),
        ("return_text", 500, "TypeError: a contract answers with bytes or a Response, this one with str"),
        ("return_a_response_of_text", 500, "TypeError: "),
        ("return_status_0", 500, "ValueError: 0 is no status"),
        ("write_a_number", 500, "TypeError: expected bytes, int found"),
        ("interrupt", 500, "KeyboardInterrupt: "),
        ("say_nothing", 500, "UnspeakableError: its text cannot be had: RuntimeError"),
        ("say_too_much", 500, "ValueError: xxx"),
        ("say_what_is_no_text", 400, "\\ud800"),
        ("cancel_itself", 500, "CancelledError: "),
        ("unheard_of", 500, "KeyError: 'unheard_of'"),
    ],
)
def test_a_broken_contract_is_answered_once_and_the_stream_lives(function: str, status: int, text: str) -> None:
    async def story(peer: Peer) -> None:
        answer = await peer.invoke("t1", function.encode())
        assert (answer.status, answer.message[: len(text)]) == (status, text)
        assert (await peer.invoke("t2", b"read")).payload == b"value"
        assert [message.txid for message in peer.completed] == ["t1", "t2"]
        assert peer.state == {"k": b"value"}

    play(story)


@pytest.mark.parametrize("function", ["stop_waiting", "stop_waiting_and_answer"])
def test_a_contract_that_stops_waiting_for_the_peer_cannot_go_on(function: str) -> None:
    async def story(peer: Peer) -> None:
        peer.replies[Type.GET_STATE] = lambda message: None if b"slow" in message.payload else b"value"
        answer = await peer.invoke("t1", function.encode())
        assert (answer.status, answer.message) == (
            500,
            "PeerError: the contract stopped waiting for an answer of the peer",
        )
        assert [message.payload for message in peer.asked] == [b"\n\x04slow"]
        # The peer's answer comes after all, and is taken for nothing else.
        await peer.send(Type(type=Type.RESPONSE, payload=b"late", txid="t1", channel_id="scf"))
        assert (await peer.invoke("t2", b"read")).payload == b"value"

    play(story)


def test_a_contract_that_catches_a_failed_read_goes_on_as_in_go_and_cannot_take_it_for_a_missing_key() -> None:
    async def story(peer: Peer) -> None:
        peer.fail_on = "broken-key"
        for tx_id, key, found in (("t1", b"broken-key", b"cannot be read"), ("t2", b"other-key", b"missing")):
            answer = await peer.invoke(tx_id, b"read_or_go_on", key)
            assert (answer.status, answer.payload) == (200, b"value")
            assert peer.state["found"] == found

    play(story)


def test_a_contract_that_catches_a_failed_write_cannot_succeed() -> None:
    async def story(peer: Peer) -> None:
        peer.fail_on = "broken-key"
        answer = await peer.invoke("t1", b"write_or_go_on", b"broken-key")
        assert (answer.status, answer.message) == (
            500,
            "PeerError: not all writes were taken: GET_STATE failed: no ledger context",
        )
        assert (await peer.invoke("t2", b"write_or_go_on", b"other-key")).status == 200
        assert set(peer.state) == {"k", "before", "other-key"}

    play(story)

    play(story)


def test_reads_that_a_contract_leaves_behind_wedge_nothing() -> None:
    async def story(peer: Peer) -> None:
        LEFT.clear()
        assert (await peer.invoke("t1", b"leave_reads_behind")).payload == b"done"
        await asyncio.wait(LEFT)
        assert {str(task.exception()) for task in LEFT[1:]} == {"transaction t1 is already answered"}
        assert (await peer.invoke("t2", b"read")).payload == b"value"

    play(story)


def test_reads_left_behind_end_with_their_peer() -> None:
    async def run() -> None:
        LEFT.clear()
        async with serving(contract) as (_, port):
            async with connected(port) as peer:
                peer.replies[Type.GET_STATE] = lambda message: None
                assert (await peer.invoke("t1", b"leave_reads_behind")).payload == b"done"
            await asyncio.wait(LEFT)
            assert LEFT[0].cancelled()

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_contract_that_blocks_holds_the_others_up_and_no_longer() -> None:
    async def story(peer: Peer) -> None:
        blocking = await peer.start("t1", b"block")
        others = [await peer.start(f"t{number}", b"read") for number in range(2, 10)]
        answers = await asyncio.gather(blocking, *others)
        assert {answer.status for answer in answers} == {200}

    play(story)


def test_a_contract_that_does_not_let_itself_be_cancelled_cannot_hold_up_the_end() -> None:
    async def run() -> None:
        LEFT.clear()
        async with serving(contract) as (server, port), connected(port) as peer:
            await peer.start("t1", b"refuse_to_end")
            assert (await peer.invoke("t2", b"read")).status == 200
            await asyncio.wait_for(server.stop(0.1), 60)

    loop = asyncio.new_event_loop()  # asyncio.run would wait for that contract
    loop.run_until_complete(asyncio.wait_for(run(), 200))
    loop.close()


def test_the_short_forms_of_answers_have_their_status() -> None:
    assert shim.success(b"p") == Response(200, "", b"p")
    assert shim.error("no") == Response(500, "no", b"")
