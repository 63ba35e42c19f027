"""Many connections that stall: each sends the beginning of something, then a byte every three seconds, for ever."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

DRIP_SECONDS = 3.0
CONNECTIONS = 500


def half_hello() -> bytes:
    """The first half of a real ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    hello = outgoing.read()
    return hello[: len(hello) // 2]


class Crowd:
    """Stalling connections, for as long as the block lasts; those that are closed on them come again.

    Args:
        port: of the door on 127.0.0.1.
        beginning: what each sends at first.
        drop: what each sends every three seconds.
        connections: how many.
    """

    def __init__(self, port: int, beginning: bytes, drop: bytes, connections: int = CONNECTIONS) -> None:
        self._port, self._beginning, self._drop = port, beginning, drop
        self._sockets = [self._come() for _ in range(connections)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drip)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for connection in self._sockets:
            connection.close()

    def _come(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._send(connection, self._beginning)
        return connection

    def _drip(self) -> None:
        while not self._stop.wait(DRIP_SECONDS):
            for number, connection in enumerate(self._sockets):
                if not self._send(connection, self._drop):
                    connection.close()
                    self._sockets[number] = self._come()

    @staticmethod
    def _send(connection: socket.socket, content: bytes) -> bool:
        try:
            connection.sendall(content)
        except OSError:
            return False
        return True
