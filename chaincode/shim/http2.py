"""The server's side of HTTP/2, as far as gRPC wants it: one connection, its streams, flow control, pings.

The Python of gRPC costs a contract three times the CPU: it crosses two threads for every message, where this reads and
writes all that has come together. Header compression is the hpack library's. It serves Fabric's peers, gRPC health
probes, and nothing that wants more of HTTP/2. Source: RFC 9113, and gRPC's PROTOCOL-HTTP2.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import Protocol

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_SIZE_BYTES = 9
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITISED = 0x4, 0x8, 0x20
TABLE_SIZE, STREAMS_MAX, INITIAL_WINDOW, FRAME_MAX = 1, 3, 4, 5  # settings
PROTOCOL_ERROR, REFUSED = 1, 7
WINDOW_DEFAULT = 65_535
WINDOW_MAX = 2**31 - 1
WINDOW_OURS = 16 * 1024 * 1024
FRAME_SIZE_BYTES_MAX = 16_384
HEADERS_SIZE_BYTES_MAX = 65_536
TABLE_SIZE_BYTES_MAX = 4096
FRAME_SIZE_BYTES_LARGEST = 2**24 - 1
CALLS_MAX = 100
UNREAD_ANSWERS_MAX = 1000  # acknowledgements that the other side has not read yet
PING_SECONDS = 60.0
PONG_SECONDS_MAX = 20.0
LINGER_SECONDS = 0.5  # the other side closes by itself once it has read the last status; closing first may lose it
log = logging.getLogger(__name__)


class Stream(Protocol):
    """What a connection wants of each of its streams."""

    window: int  # how many bytes the other side takes now
    unacknowledged: int  # bytes that came since the last WINDOW_UPDATE
    outgoing: bytearray
    trailers: list[tuple[str, str]] | None

    def received(self, data: bytes) -> None:
        """Bytes of the body came."""
        ...

    def ended(self) -> None:
        """Nothing comes any more: the other side has finished, has reset the stream, or is gone."""
        ...


class Violation(Exception):
    """The other side does not keep to HTTP/2; the connection cannot go on."""


class Connection(asyncio.Protocol):
    """One connection.

    Args:
        accept: makes the stream for a request, given this connection, the stream's id and the request's path.
    """

    def __init__(self, accept: Callable[[Connection, int, str], Stream]) -> None:
        self._accept = accept
        self._streams: dict[int, Stream] = {}
        self._incoming = bytearray()
        self._greeted = False
        self._headers: tuple[int, int, bytearray] | None = None  # stream, flags, block: until CONTINUATION ends it
        self._decoder = hpack.Decoder()
        self._encoder = hpack.Encoder()
        self._frames: list[bytes] = []
        self._flushing = False
        self._paused = False
        self._unread_answers = 0
        self._draining = False
        self._window = WINDOW_DEFAULT
        self._window_initial = WINDOW_DEFAULT
        self._frame_max = FRAME_SIZE_BYTES_MAX
        self._unacknowledged = 0  # bytes that came since the last WINDOW_UPDATE of the connection
        self._stream_last = 0
        self._silent = False
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        settings = struct.pack(">HIHI", INITIAL_WINDOW, WINDOW_OURS, STREAMS_MAX, CALLS_MAX)
        self._send(SETTINGS, 0, 0, settings)
        self._send(WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW_OURS - WINDOW_DEFAULT))
        self._timer = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.ended()
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._silent = False
        self._incoming += data
        try:
            self._read()
        except (Violation, hpack.HPACKError, struct.error, IndexError) as error:
            log.warning("a connection is closed: %s", error)
            self._go_away(PROTOCOL_ERROR)
            if self._paused:  # it does not read, so there is no waiting until it has read the reason
                self._transport.abort()
            else:
                self._transport.close()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._unread_answers = 0
        self._flush()

    @property
    def peer(self) -> str:
        """The address of the other side."""
        return str(self._transport.get_extra_info("peername"))

    def respond(self, stream_id: int, headers: list[tuple[str, str]]) -> None:
        """Begin an answer."""
        self._send(HEADERS, END_HEADERS, stream_id, self._encoder.encode(headers))

    def wants_to_send(self) -> None:
        """A stream has bytes or trailers to send: they go out together, once whatever runs now has returned."""
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def drain(self) -> None:
        """Take no new streams, and close once the last one has ended."""
        self._draining = True
        self._go_away(0)

    def abort(self) -> None:
        """Close at once, whatever was still to be sent."""
        self._transport.abort()

    def _read(self) -> None:
        """Take every whole frame out of what has come."""
        incoming, position = self._incoming, 0
        if not self._greeted:
            if len(incoming) < len(PREFACE):
                return
            if not incoming.startswith(PREFACE):
                raise Violation("this is no HTTP/2")
            self._greeted, position = True, len(PREFACE)
        size = len(incoming)
        while size - position >= HEADER_SIZE_BYTES:
            length = int.from_bytes(incoming[position : position + 3], "big")
            if length > FRAME_SIZE_BYTES_MAX:
                raise Violation(f"a frame of {length} bytes")
            end = position + HEADER_SIZE_BYTES + length
            if end > size:
                break
            kind, flags = incoming[position + 3], incoming[position + 4]
            stream_id = int.from_bytes(incoming[position + 5 : position + 9], "big") & WINDOW_MAX
            self._frame(kind, flags, stream_id, bytes(incoming[position + HEADER_SIZE_BYTES : end]))
            position = end
        del incoming[:position]

    def _frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._headers is not None and kind != CONTINUATION:
            raise Violation("headers are not continued")
        if kind == DATA:
            self._data(flags, stream_id, payload)
        elif kind == WINDOW_UPDATE:
            self._credit(stream_id, struct.unpack(">I", payload)[0] & WINDOW_MAX)
        elif kind == PING and not flags & ACK:
            self._answer(PING, payload)
        elif kind == HEADERS:
            block = _unpadded(flags, payload)
            self._block(stream_id, flags, bytearray(block[5:] if flags & PRIORITISED else block))
        elif kind == CONTINUATION:
            self._continued(flags, stream_id, payload)
        elif kind == SETTINGS and not flags & ACK:
            self._settings(payload)
        elif kind == RESET:
            self._end(stream_id)
        elif kind == PUSH:
            raise Violation("a client may not push")

    def _data(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._unacknowledged = self._acknowledge(0, self._unacknowledged + len(payload))
        stream = self._streams.get(stream_id)
        if stream is None:  # one that has ended here, and whose last bytes were on the way
            return
        stream.unacknowledged = self._acknowledge(stream_id, stream.unacknowledged + len(payload))
        if payload:
            stream.received(_unpadded(flags, payload))
        if flags & END_STREAM:
            stream.ended()

    def _acknowledge(self, stream_id: int, size: int) -> int:
        """Allow as many bytes again as came, once they are worth a frame; how many are left for the next."""
        if size <= WINDOW_OURS // 4:
            return size
        self._send(WINDOW_UPDATE, 0, stream_id, struct.pack(">I", size))
        return 0

    def _block(self, stream_id: int, flags: int, block: bytearray) -> None:
        """The beginning of a request's headers, or all of them."""
        if flags & END_HEADERS:
            self._request(stream_id, flags, bytes(block))
        else:
            self._headers = (stream_id, flags, block)

    def _continued(self, flags: int, stream_id: int, payload: bytes) -> None:
        if self._headers is None or self._headers[0] != stream_id:
            raise Violation("nothing is to be continued")
        _, first_flags, block = self._headers
        block += payload
        if len(block) > HEADERS_SIZE_BYTES_MAX:
            raise Violation("headers are too long")
        if flags & END_HEADERS:
            self._headers = None
            self._request(stream_id, first_flags, bytes(block))

    def _request(self, stream_id: int, flags: int, block: bytes) -> None:
        headers = dict(self._decoder.decode(block, raw=True))  # always: the table of names would go astray
        if stream_id in self._streams:
            raise Violation("headers came twice")
        if stream_id <= self._stream_last or stream_id % 2 == 0:
            raise Violation(f"stream {stream_id} out of order")
        self._stream_last = stream_id
        if self._draining or len(self._streams) >= CALLS_MAX:
            self._send(RESET, 0, stream_id, struct.pack(">I", REFUSED))
            return
        stream = self._accept(self, stream_id, headers.get(b":path", b"").decode("ascii", "replace"))
        stream.window += self._window_initial
        self._streams[stream_id] = stream
        if flags & END_STREAM:
            stream.ended()

    def _settings(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack(">HI", payload):
            if name == INITIAL_WINDOW:
                if value > WINDOW_MAX:
                    raise Violation(f"a window of {value} bytes")
                for stream in self._streams.values():
                    stream.window += value - self._window_initial
                self._window_initial = value
            elif name == FRAME_MAX:
                if not FRAME_SIZE_BYTES_MAX <= value <= FRAME_SIZE_BYTES_LARGEST:
                    raise Violation(f"frames of at most {value} bytes")
                self._frame_max = value
            elif name == TABLE_SIZE:
                self._encoder.header_table_size = min(value, TABLE_SIZE_BYTES_MAX)
        self._answer(SETTINGS, b"")

    def _answer(self, kind: int, payload: bytes) -> None:
        """Acknowledge; one that asks and asks and never reads may not fill our memory."""
        if self._paused:
            self._unread_answers += 1
            if self._unread_answers > UNREAD_ANSWERS_MAX:
                raise Violation("acknowledgements are asked for and not read")
        self._send(kind, ACK, 0, payload)

    def _credit(self, stream_id: int, size: int) -> None:
        if stream_id == 0:
            self._window += size
        elif stream_id in self._streams:
            self._streams[stream_id].window += size
        self.wants_to_send()

    def _end(self, stream_id: int) -> None:
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            stream.ended()
            self._close_when_idle()

    def _flush(self) -> None:
        """Send what the streams have, as far as the other side's windows and the transport's buffer go."""
        self._flushing = False
        if self._transport.is_closing():
            return
        for stream_id, stream in list(self._streams.items()):
            self._send_data(stream_id, stream)
            if not stream.outgoing and stream.trailers is not None:
                self._send(HEADERS, END_HEADERS | END_STREAM, stream_id, self._encoder.encode(stream.trailers))
                self._end(stream_id)
        if self._frames:
            self._transport.write(b"".join(self._frames))
            self._frames.clear()
        self._close_when_idle()

    def _send_data(self, stream_id: int, stream: Stream) -> None:
        outgoing, position = stream.outgoing, 0
        while position < len(outgoing) and not self._paused:
            size = min(len(outgoing) - position, self._frame_max, self._window, stream.window)
            if size <= 0:
                break
            self._send(DATA, 0, stream_id, bytes(outgoing[position : position + size]))
            self._window -= size
            stream.window -= size
            position += size
        del outgoing[:position]

    def _send(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big")
        self._frames.append(head + payload)
        self.wants_to_send()

    def _go_away(self, code: int) -> None:
        self._send(GOAWAY, 0, 0, struct.pack(">II", self._stream_last, code))
        self._flush()

    def _close_when_idle(self) -> None:
        if self._draining and not self._streams and not self._frames:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.close)

    def _ping(self) -> None:
        """Notice a peer that vanished without closing its connection."""
        loop = asyncio.get_running_loop()
        if self._silent:
            log.warning("%s does not answer", self.peer)
            self.abort()
            return
        self._silent = True
        self._send(PING, 0, 0, bytes(8))
        self._timer = loop.call_later(PONG_SECONDS_MAX, self._expect)

    def _expect(self) -> None:
        if self._silent:
            self._ping()
        else:
            self._timer = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping)


def _unpadded(flags: int, payload: bytes) -> bytes:
    if not flags & PADDED:
        return payload
    if payload[0] >= len(payload):
        raise Violation("more padding than bytes")
    return payload[1 : len(payload) - payload[0]]
