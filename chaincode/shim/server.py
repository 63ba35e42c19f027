"""The gRPC server that peers connect to; one session per stream, many peers and channels at once.

Source: server settings of fabric-chaincode-go (`shim/internal/server.go`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from chaincode.shim.session import MESSAGE_SIZE_BYTES_MAX, Session
from chaincode.stub import Handler

OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_SIZE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_SIZE_BYTES_MAX),
    # Peers ping every minute. gRPC's default would answer an idle peer's third ping with GOAWAY "too many pings".
    ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Our own pings notice a peer that vanished without closing its connection.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Without this a second process could listen on the same port and take half of the connections.
    ("grpc.so_reuseport", 0),
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """Mutual TLS: our certificate chain and key, and the roots that a peer's client certificate must come from; PEM."""

    certificate: bytes
    key: bytes
    client_roots: bytes


class ChaincodeServer:
    """Serves one chaincode package.

    Args:
        package_id: the id under which peers installed the package.
        address: "host:port" to listen on; port 0 finds a free one.
        handler: runs one transaction.
        tls: mutual TLS; without it everything is readable, for tests and one-host development only.
    """

    def __init__(self, package_id: str, address: str, handler: Handler, tls: Tls | None = None) -> None:
        self._package_id = package_id
        self._address = address
        self._handler = handler
        self._tls = tls
        self._sessions: set[Session] = set()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> int:
        """Listen.

        Returns:
            The port.

        Raises:
            OSError: the address cannot be listened on.
        """
        server = grpc.aio.server(options=OPTIONS)
        connect = grpc.stream_stream_rpc_method_handler(
            self._connect, ChaincodeMessage.FromString, ChaincodeMessage.SerializeToString
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("protos.Chaincode", {"Connect": connect}),)
        )
        port = self._listen(server)
        await server.start()
        self._server = server
        log.info("%s listens on port %d", self._package_id, port)
        return port

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Refuse new streams and transactions, finish what runs within the time given, then end; twice is fine."""
        server, self._server = self._server, None
        if server is not None:
            drained = [session.drain() for session in self._sessions]
            await asyncio.gather(server.stop(grace_seconds), *drained)

    def _listen(self, server: grpc.aio.Server) -> int:
        try:
            if self._tls is None:
                return int(server.add_insecure_port(self._address))
            credentials = grpc.ssl_server_credentials(
                [(self._tls.key, self._tls.certificate)], self._tls.client_roots, require_client_auth=True
            )
            return int(server.add_secure_port(self._address, credentials))
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self._address}: {error}") from error

    async def _connect(
        self, incoming: AsyncIterator[ChaincodeMessage], context: grpc.aio.ServicerContext[object, object]
    ) -> None:
        session = Session(self._package_id, self._handler)
        self._sessions.add(session)
        log.info("peer %s connected", context.peer())
        try:
            await session.serve(incoming, context.write)
        finally:
            self._sessions.discard(session)
            log.info("peer %s disconnected", context.peer())
