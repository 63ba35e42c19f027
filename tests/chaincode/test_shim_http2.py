"""The shim's own HTTP/2, spoken to frame by frame: what peers and gRPC may do, and what they may not."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

import hpack
import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from chaincode.shim import ChaincodeServer, ChaincodeStub
from chaincode.shim import http2 as h2

ANSWER = b"a" * 200_000
RAN: list[str] = []
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def request(path: str = "/protos.Chaincode/Connect") -> bytes:
    names = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "te": "trailers"}
    return hpack.Encoder().encode(list(names.items()))


def transaction() -> bytes:
    payload = ChaincodeInput(args=[b"x"]).SerializeToString()
    message = ChaincodeMessage(type=ChaincodeMessage.TRANSACTION, txid="t", channel_id="c", payload=payload)
    encoded: bytes = message.SerializeToString()
    return b"\0" + len(encoded).to_bytes(4, "big") + encoded


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    head = await reader.readexactly(9)
    payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
    return head[3], head[4], int.from_bytes(head[5:], "big"), payload


async def read_until(reader: asyncio.StreamReader, kind: int) -> tuple[int, int, int, bytes]:
    while (found := await read_frame(reader))[0] != kind:
        pass
    return found


async def read_body(reader: asyncio.StreamReader, size: int) -> bytes:
    body = b""
    while len(body) < size:
        body += (await read_until(reader, h2.DATA))[3]
    return body


def play(story: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], greet: bool = True) -> None:
    """Connect to a server whose contract answers ANSWER, and play a story with its bare connection."""

    async def answer(stub: ChaincodeStub) -> bytes:
        RAN.append(stub.tx_id)
        return ANSWER

    async def run() -> None:
        server = ChaincodeServer("p:1", "127.0.0.1:0", answer)
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
        try:
            if greet:
                writer.write(h2.PREFACE + frame(h2.SETTINGS, 0, 0))
            await story(reader, writer)
        finally:
            writer.close()
            await server.stop(0.1)

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_request_that_comes_byte_by_byte_is_understood() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in frame(h2.HEADERS, h2.END_HEADERS, 1, request()):
            writer.write(bytes((byte,)))
            await writer.drain()
        kind, _, stream_id, body = await read_until(reader, h2.DATA)
        assert (kind, stream_id) == (h2.DATA, 1)
        assert ChaincodeMessage.FromString(body[5:]).type == ChaincodeMessage.REGISTER

    play(story)


def test_headers_may_be_continued_padded_and_prioritised() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        block = request()
        padded = bytes((3,)) + bytes(5) + block[:10] + bytes(3)
        writer.write(frame(h2.HEADERS, h2.PADDED | h2.PRIORITISED, 1, padded))
        writer.write(frame(h2.CONTINUATION, h2.END_HEADERS, 1, block[10:]))
        assert (await read_until(reader, h2.DATA))[2] == 1

    play(story)


def test_an_answer_waits_for_the_window_and_loses_nothing() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(h2.HEADERS, h2.END_HEADERS, 1, request()))
        registered = len((await read_until(reader, h2.DATA))[3])
        writer.write(frame(h2.DATA, 0, 1, transaction()))
        first = await read_body(reader, h2.WINDOW_DEFAULT - registered)
        assert len(first) == h2.WINDOW_DEFAULT - registered  # and not a byte more, before there is room
        writer.write(frame(h2.PING, 0, 0, b"no data!"))
        assert (await read_frame(reader))[0] == h2.PING
        for stream_id in (0, 1):
            writer.write(frame(h2.WINDOW_UPDATE, 0, stream_id, struct.pack(">I", 1_000_000)))
        size = int.from_bytes(first[1:5], "big")
        rest = await read_body(reader, size + 5 - len(first))
        assert ANSWER in ChaincodeMessage.FromString((first + rest)[5:]).payload

    play(story)


def test_a_ping_is_answered_with_its_own_bytes() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(h2.PING, 0, 0, b"12345678"))
        assert await read_until(reader, h2.PING) == (h2.PING, h2.ACK, 0, b"12345678")

    play(story)


def test_an_unknown_method_is_answered_and_the_connection_lives_on() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(h2.HEADERS, h2.END_HEADERS, 1, request("/protos.Chaincode/Nothing")))
        decoder = hpack.Decoder()
        decoder.decode((await read_until(reader, h2.HEADERS))[3])
        _, flags, _, trailers = await read_until(reader, h2.HEADERS)
        assert flags & h2.END_STREAM
        assert (b"grpc-status", b"12") in [tuple(each) for each in decoder.decode(trailers, raw=True)]
        writer.write(frame(h2.HEADERS, h2.END_HEADERS, 3, request()))
        assert (await read_until(reader, h2.DATA))[2] == 3

    play(story)


def test_a_reset_stream_ends_alone() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for stream_id in (1, 3):
            writer.write(frame(h2.HEADERS, h2.END_HEADERS, stream_id, request()))
            await read_until(reader, h2.DATA)
        writer.write(frame(h2.RESET, 0, 1, bytes(4)) + frame(h2.DATA, 0, 1, transaction()))
        writer.write(frame(h2.DATA, 0, 3, transaction()))
        assert (await read_until(reader, h2.DATA))[2] == 3

    play(story)


@pytest.mark.parametrize(
    "bytes_sent",
    [
        pytest.param(frame(h2.HEADERS, h2.END_HEADERS, 2, request()), id="a stream id of a server"),
        pytest.param(frame(h2.HEADERS, 0, 1, request()) + frame(h2.PING, 0, 0, bytes(8)), id="headers cut off"),
        pytest.param(frame(h2.CONTINUATION, 0, 1, b""), id="nothing to continue"),
        pytest.param(frame(h2.HEADERS, h2.END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"), id="headers that are none"),
        pytest.param(frame(h2.PUSH, 0, 1, bytes(8)), id="a push"),
        pytest.param(frame(h2.WINDOW_UPDATE, 0, 0, b"\0"), id="a frame of the wrong size"),
        pytest.param((h2.FRAME_SIZE_BYTES_MAX + 1).to_bytes(3, "big") + bytes(6), id="a frame that is too large"),
        pytest.param(frame(h2.HEADERS, h2.PADDED | h2.END_HEADERS, 1, b"\x09ab"), id="more padding than bytes"),
    ],
)
def test_what_is_no_http2_ends_the_connection(bytes_sent: bytes) -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes_sent)
        await read_until(reader, h2.GOAWAY)
        assert await reader.read() == b""

    play(story)


def test_another_protocol_is_turned_away() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.read()
        assert reader.at_eof()

    play(story, greet=False)


@pytest.mark.parametrize("setting", [(h2.FRAME_MAX, 0), (h2.FRAME_MAX, 2**24), (h2.INITIAL_WINDOW, 2**31)])
def test_settings_beyond_the_limits_of_http2_end_the_connection(setting: tuple[int, int]) -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(h2.SETTINGS, 0, 0, struct.pack(">HI", *setting)))
        assert (await read_until(reader, h2.GOAWAY))[3][4:] == struct.pack(">I", h2.PROTOCOL_ERROR)
        assert await reader.read() == b""

    play(story)


def test_what_comes_after_the_end_of_a_stream_runs_nothing() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(h2.HEADERS, h2.END_HEADERS, 1, request()))
        writer.write(frame(h2.DATA, h2.END_STREAM, 1) + frame(h2.DATA, 0, 1, transaction()))
        writer.write(frame(h2.HEADERS, h2.END_HEADERS, 3, request()) + frame(h2.DATA, 0, 3, transaction()))
        await read_body(reader, 1000)  # the answer of the second stream, so that the first had its time

    RAN.clear()
    play(story)
    assert RAN == ["t"]


def test_one_that_asks_for_acknowledgements_and_never_reads_is_cut_off() -> None:
    async def story(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pings = frame(h2.PING, 0, 0, bytes(8)) * 10_000
        with pytest.raises(ConnectionError):
            while True:  # our own reading stops when the stream's buffer is full
                writer.write(pings)
                await writer.drain()

    play(story)
