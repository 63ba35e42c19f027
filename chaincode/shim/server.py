"""The gRPC server that peers connect to; one session per stream, many peers and channels at once.

It also answers the standard gRPC health check with SERVING. The check shares the event loop with the transactions: a
contract that blocks the loop leaves it unanswered, and that is what an operator's supervisor looks for.
Source: server settings of fabric-chaincode-go (`shim/internal/server.go`); gRPC's health checking protocol.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from chaincode.shim.session import MESSAGE_SIZE_BYTES_MAX, Session
from chaincode.shim.stub import Handler

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
# The messages of grpc.health.v1 have one field each, so they are written out instead of depended on.
HEALTH_SERVING = b"\x08\x01"
HEALTH_REQUESTS = (b"", b"\x0a\x10protos.Chaincode")  # the server as a whole, or the service by its name
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS, as PEM.

    Args:
        certificate: our certificate chain.
        key: its key.
        client_roots: what a peer's client certificate must come from; None lets in whoever reaches the port.
    """

    certificate: bytes
    key: bytes
    client_roots: bytes | None = None


class ChaincodeServer:
    """Serves one chaincode package.

    Args:
        package_id: the id under which peers installed the package.
        address: "host:port" to listen on; port 0 finds a free one.
        handler: runs one transaction.
        tls: without it everything is readable, for tests and one-host development only.

    Raises:
        ValueError: no package id or address.
    """

    def __init__(self, package_id: str, address: str, handler: Handler, tls: Tls | None = None) -> None:
        if not package_id or not address:
            raise ValueError("a chaincode server needs the package id and an address to listen on")
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
            OSError: the address cannot be listened on, or key and certificate cannot be used.
        """
        server = grpc.aio.server(options=OPTIONS)
        # Sessions hand over messages that are serialized already.
        connect = grpc.stream_stream_rpc_method_handler(self._connect, ChaincodeMessage.FromString)
        check = grpc.unary_unary_rpc_method_handler(self._check_health)
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler("protos.Chaincode", {"Connect": connect}),
                grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check}),
            )
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
            for session in self._sessions:
                session.drain()
            await server.stop(grace_seconds)

    def _listen(self, server: grpc.aio.Server) -> int:
        try:
            if self._tls is None:
                return int(server.add_insecure_port(self._address))
            roots = self._tls.client_roots
            credentials = grpc.ssl_server_credentials(
                [(self._tls.key, self._tls.certificate)], roots, require_client_auth=roots is not None
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

    async def _check_health(self, request: bytes, context: grpc.aio.ServicerContext[object, object]) -> bytes:
        if request not in HEALTH_REQUESTS:
            await context.abort(grpc.StatusCode.NOT_FOUND, "only the server as a whole and protos.Chaincode are known")
        return HEALTH_SERVING
