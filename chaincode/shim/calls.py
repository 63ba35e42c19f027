"""gRPC on top of HTTP/2: messages with their lengths in front, and a status at the end of each call.

Source: gRPC's PROTOCOL-HTTP2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

from chaincode.shim.http2 import Connection

OK, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 5, 8, 12, 13
PREFIX_SIZE_BYTES = 5
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


class Service(Protocol):
    """What answers a call."""

    def received(self, message: bytes) -> None:
        """One message came. May raise: that ends the call."""
        ...

    def ended(self) -> None:
        """No message comes any more; called once."""
        ...


class Call:
    """One call, from its headers to its status.

    Args:
        connection: what it came on.
        stream_id: its number there.
        message_size_bytes_max: a larger message ends the call.
        service: makes what answers it.
    """

    def __init__(
        self,
        connection: Connection,
        stream_id: int,
        message_size_bytes_max: int,
        service: Callable[[Call], Service],
    ) -> None:
        self.connection = connection
        self.window = 0
        self.unacknowledged = 0
        self.outgoing = bytearray()
        self.trailers: list[tuple[str, str]] | None = None
        self._incoming = bytearray()
        self._message_size_bytes_max = message_size_bytes_max
        self._over = False
        connection.respond(stream_id, HEADERS)
        self._service = service(self)

    def send(self, message: bytes) -> None:
        """Send a message; after `finish` it is dropped."""
        if self.trailers is None:
            self.outgoing += b"\0" + len(message).to_bytes(4, "big") + message
            self.connection.wants_to_send()

    def finish(self, status: int = OK, text: str = "") -> None:
        """End the call; a second time changes nothing."""
        if self.trailers is None:
            self.trailers = [("grpc-status", str(status)), ("grpc-message", quote(text, safe=" "))]
            self.connection.wants_to_send()

    def received(self, data: bytes) -> None:
        """Take every whole message out of what has come."""
        self._incoming += data
        incoming, position, size = self._incoming, 0, len(self._incoming)
        while size - position >= PREFIX_SIZE_BYTES and self.trailers is None:
            length = int.from_bytes(incoming[position + 1 : position + PREFIX_SIZE_BYTES], "big")
            if incoming[position]:
                self.finish(UNIMPLEMENTED, "compressed messages are not understood")
            elif length > self._message_size_bytes_max:
                self.finish(RESOURCE_EXHAUSTED, f"a message of {length} bytes is too large")
            end = position + PREFIX_SIZE_BYTES + length
            if end > size or self.trailers is not None:
                break
            self._service.received(bytes(incoming[position + PREFIX_SIZE_BYTES : end]))
            position = end
        del incoming[:position]

    def ended(self) -> None:
        """Nothing comes any more."""
        if not self._over:
            self._over = True
            self._service.ended()
