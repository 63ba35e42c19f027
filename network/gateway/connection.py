"""One gRPC connection to one peer, opened at first use: channels must never be older than a fork.

Every call has a deadline and every error leaves as the error of its step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from fabric_protos.gateway.gateway_pb2_grpc import GatewayStub
from fabric_protos.peer.events_pb2_grpc import DeliverStub

from network.gateway.errors import GatewayError, from_rpc

MESSAGE_SIZE_BYTES_MAX = 100 * 1024 * 1024  # what peers send and take
OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_SIZE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_SIZE_BYTES_MAX),
    # A peer that restarts is found again in seconds; gRPC's own back-off grows to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A quiet stream of blocks notices a vanished peer. Peers forbid pings more often than once a minute.
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Gateways of one process share no connection, so closing one disturbs no other.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each step may take, in seconds, unless a call says otherwise."""

    evaluate_seconds: float = 10.0
    endorse_seconds: float = 15.0
    submit_seconds: float = 10.0
    commit_status_seconds: float = 60.0


class Connection:
    """A lazily opened channel.

    Args:
        endpoint: "host:port" of the peer.
        tls_roots: PEM certificates that the peer's TLS certificate must come from; None talks without TLS.
        server_name: the name to expect in the peer's certificate, if it is not the endpoint's host.
    """

    def __init__(self, endpoint: str, tls_roots: bytes | None, server_name: str = "") -> None:
        self.endpoint = endpoint
        self._tls_roots = tls_roots
        self._server_name = server_name
        self._channel: Any = None
        self._gateway: Any = None
        self._closed = False

    async def call(
        self, method: str, request: Any, timeout_seconds: float, kind: type[GatewayError], transaction_id: str
    ) -> Any:
        """Call one method of the peer's Gateway service.

        Args:
            method: "Evaluate", "Endorse", "Submit" or "CommitStatus".
            request: the request message.
            timeout_seconds: the deadline.
            kind: the error to raise.
            transaction_id: for the error.

        Raises:
            GatewayError: of the class given.
        """
        channel = self._open()
        if self._gateway is None:
            self._gateway = GatewayStub(channel)
        try:
            return await getattr(self._gateway, method)(request, timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, kind, transaction_id) from error

    def deliver(self, method: str, timeout_seconds: float | None) -> Any:
        """Open a stream of the peer's Deliver service: "Deliver" or "DeliverFiltered"."""
        return getattr(DeliverStub(self._open()), method)(timeout=timeout_seconds)

    async def close(self) -> None:
        """Close the channel; calls in flight end with an error, closing twice is fine."""
        self._closed = True
        self._gateway = None
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _open(self) -> Any:
        if self._closed:
            raise RuntimeError(f"the connection to {self.endpoint} is closed")
        if self._channel is None:
            self._channel = self._new_channel()
        return self._channel

    def _new_channel(self) -> Any:
        if self._tls_roots is None:
            return grpc.aio.insecure_channel(self.endpoint, OPTIONS)
        options = OPTIONS
        if self._server_name:
            options = (*OPTIONS, ("grpc.ssl_target_name_override", self._server_name))
        return grpc.aio.secure_channel(self.endpoint, grpc.ssl_channel_credentials(self._tls_roots), options)
