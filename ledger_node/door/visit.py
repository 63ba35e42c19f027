"""One connection as HTTP/1.1: uvicorn's protocol with a deadline for everything that its peer has to do.

uvicorn reads and writes HTTP; here it is only watched. A deadline begins when the connection does, or when an answer is
complete, and ends when the next request's whole header is there, however many bytes come in between.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ledger_node.door.bounds import Bounds
from ledger_node.door.guests import Guest, Guests

VISIT = "visit"  # where a request's ASGI state names its connection


@dataclass(frozen=True, slots=True)
class Rules:
    """What all connections of a door share."""

    config: Config
    state: ServerState
    guests: Guests
    bounds: Bounds


class Visit(H11Protocol):
    """A connection of a guest.

    Args:
        rules: of the door.
        guest: who it is.
    """

    def __init__(self, rules: Rules, guest: Guest) -> None:
        super().__init__(rules.config, rules.state, {VISIT: self})
        self.guest = guest
        self._guests, self._bounds = rules.guests, rules.bounds
        self._deadline: asyncio.TimerHandle | None = None
        self._unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The handshake, where there is one, is over: a header is waited for."""
        super().connection_made(transport)
        self.guest.show_out = transport.abort
        self._wait_for_header()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._stop_waiting()
        self._guests.leaves(self.guest)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """As the base does; a request's whole header ends the wait for it."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """The answer is given: the next header is waited for, and that the guest reads what it was sent."""
        self._wait_for_header()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self.offends("what it sent is no HTTP request")
        super().send_400_response(msg)

    def waited_for(self, yes: bool) -> None:
        """Within a request: whether its body, or that its answer is read, is waited for."""
        self.guest.since = self.loop.time() if yes else None

    @property
    def header_is_waited_for(self) -> bool:
        """Whether no request is being served."""
        return self._deadline is not None

    def offends(self, why: str) -> None:
        """Note what the guest did."""
        self._guests.offends(self.guest.address, why)

    def break_off(self) -> None:
        """End the connection at once, in the middle of an answer too."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.transport.abort()

    def certificate(self) -> bytes | None:
        """The client's certificate that the handshake has checked, DER; None without one."""
        connection: Any = self.transport.get_extra_info("ssl_object")
        return None if connection is None else connection.getpeercert(True)

    def _wait_for_header(self) -> None:
        self._stop_waiting()
        self.guest.since = self.loop.time()
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._deadline = self.loop.call_later(self._bounds.header_seconds_max, self._overdue)

    def _stop_waiting(self) -> None:
        self.guest.since = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _overdue(self) -> None:
        unread_before, self._unread_bytes = self._unread_bytes, self.transport.get_write_buffer_size()
        if 0 < self._unread_bytes < unread_before:  # a slow reader that goes on reading
            self._deadline = self.loop.call_later(self._bounds.header_seconds_max, self._overdue)
            return
        self.break_off()
        self.offends("it left its answer unread" if self._unread_bytes else "its header was not there in time")
