"""The peers of one gateway: which of them gets a call, and which calls may go on to the next.

They are asked in the order given. One that cannot be reached, or does not answer in time, comes last for a while.
A call that reached no peer goes to the next one, whatever it is. A call that did reach one goes on only if it leaves
no trace (evaluate, endorse, commit status) and the connection broke or the peer says that it cannot serve; a submit
never does: its transaction may be ordered already, so its fate must be asked first. What is confidential goes to the
first peer and to those that are trusted, and to no other.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from network.gateway.codes import RpcCode
from network.gateway.connection import Connection
from network.gateway.errors import EventsError, GatewayError

CONNECT_SECONDS_MAX = 3.0
AVOID_SECONDS = 10.0
TRACELESS = ("Evaluate", "Endorse", "CommitStatus")


class Peers:
    """One or more connections, in the order in which they are preferred.

    Raises: ValueError when there is none.
    """

    def __init__(self, connections: Sequence[Connection]) -> None:
        if not connections:
            raise ValueError("a gateway needs the endpoint of at least one peer")
        self._connections = tuple(connections)

    @property
    def are_several(self) -> bool:
        """Whether a call may go to more than one."""
        return len(self._connections) > 1

    async def call(
        self,
        method: str,
        request: Any,
        timeout_seconds: float,
        kind: type[GatewayError],
        transaction_id: str,
        *,
        is_confidential: bool = False,
    ) -> Any:
        """Call one method of the Gateway service, see `Connection.call`; the deadline is for all peers together."""
        ends = time.monotonic() + timeout_seconds
        *others, last = self._in_order(is_confidential)
        for connection in others:
            if not await self._reached(connection, ends - time.monotonic()):
                continue
            try:
                return await connection.call(method, request, ends - time.monotonic(), kind, transaction_id)
            except GatewayError as error:
                _judge(connection, method, error)
                if error.code != RpcCode.UNAVAILABLE or method not in TRACELESS:
                    raise
        try:
            return await last.call(method, request, ends - time.monotonic(), kind, transaction_id)
        except GatewayError as error:
            _judge(last, method, error)
            raise

    async def stream(
        self, method: str, request: Any, timeout_seconds: float | None, kind: type[EventsError]
    ) -> AsyncGenerator[Any, None]:
        """Yield what the first peer that can be reached answers, see `Connection.stream`.

        A stream that broke is not opened again here: only its reader knows up to where it has come.
        """
        *others, last = self._in_order()
        for connection in others:
            if await self._reached(connection, CONNECT_SECONDS_MAX):
                break
        else:
            connection = last
        try:
            async with aclosing(connection.stream(method, request, timeout_seconds, kind)) as responses:
                async for response in responses:
                    yield response
        except EventsError as error:
            _judge(connection, method, error)
            raise

    async def close(self) -> None:
        """Close every connection; twice is fine."""
        for connection in self._connections:
            await connection.close()

    def _in_order(self, is_confidential: bool = False) -> Sequence[Connection]:
        if not self.are_several:
            return self._connections
        first, *others = self._connections
        chosen = [first, *(each for each in others if each.endpoint.is_trusted or not is_confidential)]
        now = time.monotonic()
        return sorted(chosen, key=lambda each: max(each.avoided_until - now, 0.0))

    async def _reached(self, connection: Connection, seconds_left: float) -> bool:
        reached = await connection.reached(min(CONNECT_SECONDS_MAX, seconds_left))
        if not reached:
            _avoid(connection)
        return reached


def _judge(connection: Connection, method: str, error: GatewayError) -> None:
    """Avoid a peer that broke off or did not answer; one that passes on what others said is well."""
    silent = error.code == RpcCode.DEADLINE_EXCEEDED and method in ("Evaluate", "Endorse", "Submit")
    if silent or (error.code == RpcCode.UNAVAILABLE and not error.details):
        _avoid(connection)


def _avoid(connection: Connection) -> None:
    connection.avoided_until = time.monotonic() + AVOID_SECONDS
