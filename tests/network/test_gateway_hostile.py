"""A peer that answers wrongly, by mistake or on purpose: each wrong answer is the error of its step, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from fabric_protos.common.common_pb2 import Block, BlockHeader, ChannelHeader, Envelope, Header, Payload, Status
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    CommitStatusResponse,
    EndorseRequest,
    EndorseResponse,
    PreparedTransaction,
)
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.events_pb2 import DeliverResponse, FilteredBlock
from fabric_protos.peer.proposal_pb2 import Proposal
from grpc.aio import AioRpcError, Metadata
from membership import stranger

from network.gateway import (
    BlocksError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    EventsError,
    Gateway,
    GatewayError,
    MemoryCheckpointer,
    PeerDetail,
    SubmitError,
)
from network.gateway.errors import from_rpc

CHANNEL = "scf"
GARBAGE = b"\xff\xff\xff"
DONE = DeliverResponse(status=Status.SUCCESS)
Answer = Callable[[bytes], list[bytes]]


def play(answer: Answer, story: Callable[[Gateway], Awaitable[None]]) -> None:
    """Run a story with a peer that has one answer to everything: a message, or several to a stream."""

    async def run() -> None:
        async with serving(answer) as port, Gateway(f"127.0.0.1:{port}", stranger(), lambda digest: b"s") as gateway:
            await story(gateway)

    asyncio.run(asyncio.wait_for(run(), 200))


@contextlib.asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[int]:
    """A gRPC server that sends bytes as they are; its port."""

    async def handle(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        try:
            messages = answer(await anext(requests))
        except RuntimeError:
            context.set_trailing_metadata((("grpc-status-details-bin", GARBAGE),))
            await context.abort(grpc.StatusCode.ABORTED, "refused")
        for message in messages:
            yield message

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            return grpc.stream_stream_rpc_method_handler(handle)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


def always(*messages: Any) -> Answer:
    return lambda request: [each if isinstance(each, bytes) else each.SerializeToString() for each in messages]


def refuse(request: bytes) -> list[bytes]:
    raise RuntimeError


async def errors_of_all_steps(gateway: Gateway) -> list[GatewayError]:
    """What each step and each stream raises; the transaction is one that somebody has stored."""
    network = gateway.network(CHANNEL)
    contract = network.contract("kv")
    header = Header(channel_header=ChannelHeader(channel_id=CHANNEL, tx_id="f" * 64).SerializeToString())
    stored = PreparedTransaction(envelope=Envelope(payload=Payload(header=header).SerializeToString()))
    steps: list[tuple[Awaitable[Any], type[GatewayError]]] = [
        (contract.evaluate("get", "a"), EvaluateError),
        (contract.propose("get", "a").endorse(), EndorseError),
        (gateway.transaction(stored.SerializeToString()).submit(), SubmitError),
        (network.commit_status("f" * 64), CommitStatusError),
        (anext(network.chaincode_events("kv", 0)), EventsError),
        (anext(network.blocks(0)), BlocksError),
    ]
    found = []
    for step, kind in steps:
        with pytest.raises(kind) as caught:
            await step
        found.append(caught.value)
    return found


def test_an_answer_that_is_no_message_is_the_error_of_its_step() -> None:
    async def story(gateway: Gateway) -> None:
        for error in await errors_of_all_steps(gateway):
            assert (error.code, error.message) == ("INTERNAL", "the peer's answer cannot be read")

    play(always(GARBAGE), story)


def test_a_refusal_whose_details_are_no_message_is_the_error_of_its_step() -> None:
    async def story(gateway: Gateway) -> None:
        for error in await errors_of_all_steps(gateway):
            assert (error.code, error.message, error.details[0].message) == (
                "ABORTED",
                "refused",
                "the details cannot be read",
            )
            assert error.chaincode_response is None

    play(refuse, story)


def test_an_answer_that_is_too_large_does_not_mean_that_the_transaction_was() -> None:
    async def story(gateway: Gateway) -> None:
        for error in await errors_of_all_steps(gateway):
            assert (error.code, error.too_large) == ("RESOURCE_EXHAUSTED", False)

    play(always(bytes(101 * 2**20)), story)


@pytest.mark.parametrize(
    ("saying", "others", "expected"), [(1, 0, True), (2, 2, True), (1, 3, False), (0, 4, False), (0, 0, False)]
)
@pytest.mark.parametrize(
    "text",
    [
        "message payload is 9 bytes and exceeds maximum allowed 8 bytes",
        "received unsuccessful response from orderer: status=SERVICE_UNAVAILABLE, "
        "info=failed to submit request: submitted request (9) is bigger than request max bytes (8)",
    ],
)
def test_one_orderer_of_four_cannot_make_a_transaction_too_large(
    text: str, saying: int, others: int, expected: bool
) -> None:
    too_large = PeerDetail("orderer", "SupplierMSP", text)
    details = (too_large,) * saying + (PeerDetail("orderer", "BuyerMSP", "connection refused"),) * others
    assert SubmitError("no", "f" * 64, "UNAVAILABLE", details).too_large == expected


def another_transaction(request: bytes) -> list[bytes]:
    """The header is of another channel and id, as if the peer had mixed up two clients."""
    header = Header(channel_header=ChannelHeader(channel_id="other", tx_id="0" * 64).SerializeToString())
    return [endorsed(Payload(header=header).SerializeToString())]


def without_answer(request: bytes) -> list[bytes]:
    """The header is right, and there is no transaction behind it."""
    proposal = Proposal.FromString(EndorseRequest.FromString(request).proposed_transaction.proposal_bytes)
    return [endorsed(Payload(header=Header.FromString(proposal.header)).SerializeToString())]


def endorsed(payload: bytes) -> bytes:
    return bytes(EndorseResponse(prepared_transaction=Envelope(payload=payload)).SerializeToString())


@pytest.mark.parametrize("answer", [another_transaction, without_answer, always(endorsed(GARBAGE))])
def test_nothing_is_signed_but_the_transaction_that_was_proposed(answer: Answer) -> None:
    signed = []

    async def run() -> None:
        async with serving(answer) as port:

            def sign(digest: bytes) -> bytes:
                signed.append(digest)
                return b"signature"

            async with Gateway(f"127.0.0.1:{port}", stranger(), sign) as gateway:
                with pytest.raises(EndorseError, match="the peer returned"):
                    await gateway.network(CHANNEL).contract("kv").submit("put", "a", "1")

    asyncio.run(asyncio.wait_for(run(), 200))
    assert len(signed) == 1, "only the proposal"


def test_a_validation_code_that_only_newer_peers_know_is_a_number_and_no_success() -> None:
    async def story(gateway: Gateway) -> None:
        status = await gateway.network(CHANNEL).commit_status("f" * 64)
        assert (status.code, status.successful) == ("777", False)

    play(always(CommitStatusResponse(result=777, block_number=5)), story)


def block(number: int) -> Any:
    return DeliverResponse(block=Block(header=BlockHeader(number=number)))


def filtered(number: int, channel: str = CHANNEL) -> Any:
    return DeliverResponse(filtered_block=FilteredBlock(number=number, channel_id=channel))


def blocks_of(*messages: Any, is_filtered: bool = False) -> tuple[list[int], str]:
    """The numbers of blocks 3 to 5 as they come, and the error that ends them."""
    numbers: list[int] = []
    errors = [""]

    async def story(gateway: Gateway) -> None:
        network = gateway.network(CHANNEL)
        try:
            if is_filtered:
                numbers.extend([each.number async for each in network.filtered_blocks(3, 5)])
            else:
                async for each in network.blocks(3, 5):
                    numbers.append(each.header.number)
        except BlocksError as error:
            errors[0] = str(error)

    play(always(*messages), story)
    return numbers, errors[0]


def test_blocks_come_one_by_one_to_the_last_or_end_with_an_error() -> None:
    good = [block(3), block(4), block(5)]
    assert blocks_of(*good, DONE) == ([3, 4, 5], "")
    assert blocks_of(block(3), block(5), DONE) == ([3], "the peer sent block 5 instead of block 4")
    assert blocks_of(block(3), block(3), DONE) == ([3], "the peer sent block 3 instead of block 4")
    assert blocks_of(block(4), DONE) == ([], "the peer sent block 4 instead of block 3")
    assert blocks_of(*good, block(6), DONE) == ([3, 4, 5], "the peer sent block 6, and 5 was the last one asked for")
    assert blocks_of(block(3), DONE) == ([3], "SUCCESS the peer ended the stream of blocks")
    assert blocks_of(*good) == ([3, 4, 5], "the peer ended the stream of blocks")
    assert blocks_of(DeliverResponse(status=999)) == ([], "999 the peer ended the stream of blocks")
    assert blocks_of(filtered(3)) == ([], "the peer sent something else than was asked for: filtered_block")


def test_filtered_blocks_are_of_the_channel_that_was_asked_for() -> None:
    assert blocks_of(filtered(3), filtered(4), filtered(5), DONE, is_filtered=True) == ([3, 4, 5], "")
    assert blocks_of(filtered(3, "other"), is_filtered=True) == ([], "the peer sent a block of channel 'other'")


def events(number: int, *names: str, chaincode: str = "kv") -> Any:
    found = [ChaincodeEvent(chaincode_id=chaincode, tx_id=name, event_name=name) for name in names]
    return ChaincodeEventsResponse(block_number=number, events=found)


@pytest.mark.parametrize(
    ("messages", "heard", "text"),
    [
        ((events(3, "a", "b"), events(7, "c")), ["b", "c"], "ended the stream"),
        ((events(3, "a", "b"), events(3, "a", "b")), ["b"], "block 3 after those of block 3"),
        ((events(3, "a", "b"), events(2, "z")), ["b"], "block 2 after those of block 3"),
        ((events(2, "z"),), [], "block 2, and 3 is the first one asked for"),
        ((events(4, "d", chaincode="other"),), [], "an event of chaincode 'other'"),
    ],
)
def test_events_come_once_in_order_and_only_of_the_chaincode(
    messages: tuple[Any, ...], heard: list[str], text: str
) -> None:
    checkpoint = MemoryCheckpointer()
    checkpoint.checkpoint_transaction(3, "a")
    names: list[str] = []

    async def story(gateway: Gateway) -> None:
        with pytest.raises(EventsError, match=text):
            async for event in gateway.network(CHANNEL).chaincode_events("kv", checkpoint=checkpoint):
                names.append(event.name)

    play(always(*messages), story)
    assert names == heard


@pytest.mark.parametrize(("in_time", "code"), [(False, "DEADLINE_EXCEEDED"), (True, "CANCELLED")])
def test_a_stream_that_the_peer_cancels_is_a_deadline_only_when_it_has_passed(in_time: bool, code: str) -> None:
    reset = "Stream removed (RST_STREAM (Received RST_STREAM with error code 8))"  # grpc-go
    error = AioRpcError(grpc.StatusCode.CANCELLED, Metadata(), Metadata(), reset)
    assert from_rpc(error, CommitStatusError, "0" * 64, in_time=in_time).code == code
