"""The server that peers connect to, over gRPC; one session per stream, many peers and channels at once.

It also answers the standard gRPC health check with SERVING. The check shares the event loop with the transactions: a
contract that blocks the loop leaves it unanswered, and that is what an operator's supervisor looks for.
Source: server settings of fabric-chaincode-go (`shim/internal/server.go`); gRPC's health checking protocol.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from chaincode.shim.calls import NOT_FOUND, UNIMPLEMENTED, Call, Service
from chaincode.shim.http2 import Connection
from chaincode.shim.session import MESSAGE_SIZE_BYTES_MAX, Session
from chaincode.shim.stub import Handler

# The messages of grpc.health.v1 have one field each, so they are written out instead of depended on.
CONNECT, HEALTH = "/protos.Chaincode/Connect", "/grpc.health.v1.Health/Check"
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
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen.

        Returns:
            The port.

        Raises:
            OSError: the address cannot be listened on, or key and certificate cannot be used.
        """
        host, _, port = self._address.rpartition(":")
        listen = asyncio.get_running_loop().create_server
        try:
            context = None if self._tls is None else _context(self._tls)
            self._server = await listen(self._new_connection, host.strip("[]") or None, int(port), ssl=context)
        except (OSError, ValueError) as error:
            raise OSError(f"cannot listen on {self._address}: {error}") from error
        chosen = int(self._server.sockets[0].getsockname()[1])
        log.info("%s listens on port %d", self._package_id, chosen)
        return chosen

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Refuse new streams and transactions, finish what runs within the time given, then end; twice is fine."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for session in list(self._sessions):
            session.drain()
        connections = list(self._connections)
        for connection in connections:
            connection.drain()
        ends = [connection.closed for connection in connections]
        if ends:
            await asyncio.wait(ends, timeout=grace_seconds)
            for connection in connections:
                connection.abort()
            await asyncio.wait(ends)

    def _new_connection(self) -> Connection:
        connection = Connection(self._new_call)
        self._connections.add(connection)
        return connection

    def _new_call(self, connection: Connection, stream_id: int, path: str) -> Call:
        services: dict[str, Callable[[Call], Service]] = {CONNECT: self._connect, HEALTH: _Health}
        service = services.get(path, _Unknown)
        return Call(connection, stream_id, MESSAGE_SIZE_BYTES_MAX, service)

    def _connect(self, call: Call) -> Session:
        session = Session(self._package_id, self._handler, call)
        self._sessions.add(session)
        return session


class _Health:
    """Answers one health check."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def received(self, message: bytes) -> None:
        if message in HEALTH_REQUESTS:
            self._call.send(HEALTH_SERVING)
            self._call.finish()
        else:
            self._call.finish(NOT_FOUND, "only the server as a whole and protos.Chaincode are known")

    def ended(self) -> None:
        """The answer went out with the request."""


class _Unknown:
    """Answers what is not served here."""

    def __init__(self, call: Call) -> None:
        call.finish(UNIMPLEMENTED, "there is no such method")

    def received(self, message: bytes) -> None:
        """Nothing is read."""

    def ended(self) -> None:
        """It is answered already."""


def _context(tls: Tls) -> ssl.SSLContext:
    """Our side of TLS; Python takes a certificate and its key from files only, so they are there for a moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    with tempfile.NamedTemporaryFile() as certificate, tempfile.NamedTemporaryFile() as key:
        for file, content in ((certificate, tls.certificate), (key, tls.key)):
            file.write(content)
            file.flush()
        context.load_cert_chain(certificate.name, key.name)
    if tls.client_roots is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=tls.client_roots.decode("ascii"))
    return context
