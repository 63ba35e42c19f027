"""One gRPC connection to one peer, opened at first use: channels must never be older than a fork.

Every call has a deadline and every error leaves as the error of its step.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from fabric_protos.gateway.gateway_pb2_grpc import GatewayStub
from fabric_protos.peer.events_pb2_grpc import DeliverStub
from fabric_protos.peer.peer_pb2_grpc import EndorserStub

from network.gateway.codes import RpcCode
from network.gateway.errors import EventsError, GatewayError, from_rpc

MESSAGE_SIZE_BYTES_MAX = 100 * 1024 * 1024  # what peers send and take
METADATA_SIZE_BYTES_MAX = 16 * 1024 * 1024
OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_SIZE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_SIZE_BYTES_MAX),
    # A refusal's message comes in the trailers, once for each peer: a group's answers take more than gRPC's 8 KB.
    ("grpc.max_metadata_size", METADATA_SIZE_BYTES_MAX),
    ("grpc.absolute_max_metadata_size", METADATA_SIZE_BYTES_MAX),
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
UNREADABLE = "the peer's answer cannot be read"  # gRPC's Python hands over None then
CONNECTING = (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.CONNECTING)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A peer that serves the Gateway.

    Args:
        address: "host:port".
        tls_roots: PEM certificates that the peer's TLS certificate must come from; None talks without TLS.
        server_name: the name to expect in the peer's certificate, if it is not the address's host.
        is_trusted: whether it may get transient data when the peers before it cannot be reached; it sees them in clear,
            so it should be a peer of the own organisation.
    """

    address: str
    tls_roots: bytes | None = None
    server_name: str = ""
    is_trusted: bool = False


@dataclass(frozen=True, slots=True)
class TlsClient:
    """What a client shows to peers that ask for a TLS certificate: the certificate and its key, both PEM."""

    certificate: bytes
    key: bytes


ChannelOptions = Sequence[tuple[str, int | str]]
Interceptors = Sequence[grpc.aio.ClientInterceptor]


class Connection:
    """A lazily opened channel to one peer.

    Args:
        endpoint: of the peer.
        tls_client: what is shown to it.
        options: of the gRPC channel, on top of `OPTIONS`; the later of two with one name counts.
        interceptors: of every call.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        tls_client: TlsClient | None,
        options: ChannelOptions = (),
        interceptors: Interceptors = (),
    ) -> None:
        self.endpoint = endpoint
        self._options = tuple({**dict(OPTIONS), **dict(options)}.items())
        self._interceptors = interceptors
        self.avoided_until = 0.0  # on the monotonic clock; for `Peers`, which asks others first until then
        self._tls_client = tls_client
        self._channel: Any = None
        self._gateway: Any = None
        self._closed = False

    async def call(
        self, method: str, request: Any, timeout_seconds: float, kind: type[GatewayError], transaction_id: str
    ) -> Any:
        """Call one method of the peer's Gateway service, or of its Endorser service.

        Args:
            method: "Evaluate", "Endorse", "Submit" or "CommitStatus"; of the Endorser "ProcessProposal".
            request: the request message.
            timeout_seconds: the deadline.
            kind: the error to raise.
            transaction_id: for the error.

        Raises:
            GatewayError: of the class given.
        """
        channel = self._open()
        service = EndorserStub(channel) if method == "ProcessProposal" else self._gateway
        ends = time.monotonic() + timeout_seconds
        try:
            answer = await getattr(service, method)(request, timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, kind, transaction_id, in_time=time.monotonic() < ends) from error
        except asyncio.CancelledError:
            if self._was_closed():
                raise kind(self._closed_text(), transaction_id, RpcCode.CANCELLED) from None
            raise
        if answer is None:
            raise kind(UNREADABLE, transaction_id, RpcCode.INTERNAL)
        return answer

    async def stream(
        self, method: str, request: Any, timeout_seconds: float | None, kind: type[EventsError]
    ) -> AsyncGenerator[Any, None]:
        """Yield what one streaming method of the peer answers, until it ends; close the generator to end it.

        Args:
            method: "ChaincodeEvents" of the Gateway service, or a method of the Deliver service.
            request: the one request.
            timeout_seconds: for the whole stream; None sets no deadline.
            kind: the error to raise.

        Raises:
            EventsError: of the class given; the peer refused, or the connection was lost.
        """
        channel = self._open()
        if method == "ChaincodeEvents":
            call = self._gateway.ChaincodeEvents(request, timeout=timeout_seconds)
        else:
            call = getattr(DeliverStub(channel), method)(iter((request,)), timeout=timeout_seconds)
        ends = math.inf if timeout_seconds is None else time.monotonic() + timeout_seconds
        try:
            async for response in call:
                if response is None:
                    raise kind(UNREADABLE, code=RpcCode.INTERNAL)
                yield response
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, kind, "", in_time=time.monotonic() < ends) from error
        except asyncio.CancelledError:
            if self._was_closed():
                raise kind(self._closed_text(), code=RpcCode.CANCELLED) from None
            raise
        finally:
            call.cancel()

    async def reached(self, timeout_seconds: float) -> bool:
        """Whether the peer is connected now, or after waiting a while for it; nothing is sent to it."""
        channel = self._open()
        state = channel.get_state(try_to_connect=True)
        ends = time.monotonic() + timeout_seconds
        try:
            while state in CONNECTING:
                await asyncio.wait_for(channel.wait_for_state_change(state), ends - time.monotonic())
                state = channel.get_state(try_to_connect=True)
        except TimeoutError:
            return False
        return bool(state is grpc.ChannelConnectivity.READY)

    async def close(self) -> None:
        """Close the channel; calls in flight end with an error, closing twice is fine."""
        self._closed = True
        self._gateway = None
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _open(self) -> Any:
        if self._closed:
            raise RuntimeError(self._closed_text())
        if self._channel is None:
            self._channel = self._new_channel()
            self._gateway = GatewayStub(self._channel)
        return self._channel

    def _new_channel(self) -> Any:
        endpoint = self.endpoint
        if endpoint.tls_roots is None:
            return grpc.aio.insecure_channel(endpoint.address, self._options, interceptors=self._interceptors)
        options = self._options
        if endpoint.server_name:
            options = (*options, ("grpc.ssl_target_name_override", endpoint.server_name))
        own = (self._tls_client.key, self._tls_client.certificate) if self._tls_client else (None, None)
        credentials = grpc.ssl_channel_credentials(endpoint.tls_roots, *own)
        return grpc.aio.secure_channel(endpoint.address, credentials, options, interceptors=self._interceptors)

    def _was_closed(self) -> bool:
        """Whether a call was cancelled because of `close`, and not with the task that waits for it."""
        task = asyncio.current_task()
        return self._closed and not (task is not None and task.cancelling())

    def _closed_text(self) -> str:
        return f"the connection to {self.endpoint.address} is closed"
