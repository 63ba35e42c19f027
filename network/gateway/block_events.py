"""Blocks as a peer delivers them, in one of three forms: a request that can be signed elsewhere, and its blocks.

Source: `protos.Deliver` of the peer.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fabric_protos.common.common_pb2 import (
    DELIVER_SEEK_INFO,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
    Status,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition

from network.gateway.errors import BlocksError
from network.gateway.event_position import at_block
from network.gateway.signing import NONCE_SIZE_BYTES, Context, digest_of

NEVER = 2**64 - 1


class BlockForm(enum.Enum):
    """What is delivered of each block: method of the peer, and field of its answer."""

    FULL = ("Deliver", "block")  # common.Block
    FILTERED = ("DeliverFiltered", "filtered_block")  # protos.FilteredBlock: ids, codes, names of events
    WITH_PRIVATE_DATA = ("DeliverWithPrivateData", "block_and_private_data")  # protos.BlockAndPrivateData


class BlockEventsRequest:
    """Made by `Network.block_events_request`, or by `Gateway.block_events_request` from bytes."""

    def __init__(self, context: Context, form: BlockForm, payload: bytes, signature: bytes = b"") -> None:
        self._context = context
        self._form = form
        self._payload = payload
        self._signature = signature

    @classmethod
    def new(
        cls, context: Context, channel: str, form: BlockForm, start: SeekPosition, stop: int | None
    ) -> BlockEventsRequest:
        """Ask for blocks from a position on, up to and with number `stop`; None goes on for ever."""
        channel_header = ChannelHeader(
            type=DELIVER_SEEK_INFO, channel_id=channel, tls_cert_hash=context.tls_certificate_digest
        )
        channel_header.timestamp.GetCurrentTime()
        signature_header = SignatureHeader(creator=context.creator, nonce=secrets.token_bytes(NONCE_SIZE_BYTES))
        header = Header(
            channel_header=channel_header.SerializeToString(), signature_header=signature_header.SerializeToString()
        )
        seek = SeekInfo(
            start=start, stop=at_block(NEVER if stop is None else stop), behavior=SeekInfo.BLOCK_UNTIL_READY
        )
        payload = Payload(header=header, data=seek.SerializeToString())
        return cls(context, form, payload.SerializeToString())

    @property
    def serialized(self) -> bytes:
        """The request, to be stored or signed elsewhere; with the signature if it has one."""
        return bytes(Envelope(payload=self._payload, signature=self._signature).SerializeToString())

    @property
    def digest(self) -> bytes:
        """What must be signed, 32 bytes."""
        return digest_of(self._payload)

    def signed(self, signature: bytes) -> BlockEventsRequest:
        """The same request with a signature that was made elsewhere."""
        return BlockEventsRequest(self._context, self._form, self._payload, signature)

    async def events(self, timeout_seconds: float | None = None) -> AsyncGenerator[Any, None]:
        """Yield the blocks in order, and wait for new ones; close the generator (`aclose`) to end the stream.

        Args:
            timeout_seconds: for the whole stream, if not the gateway's.

        Raises:
            BlocksError: the peer refused, or the connection was lost; ask again from the next block.
        """
        method, field = self._form.value
        envelope = Envelope(payload=self._payload, signature=self._context.signature(self._payload, self._signature))
        timeout = self._context.deadlines.events_seconds if timeout_seconds is None else timeout_seconds
        responses = self._context.peers.stream(method, envelope, timeout, BlocksError)
        async with aclosing(responses):
            async for response in responses:
                if response.WhichOneof("Type") == "status":
                    self._check_end(response.status)
                    return
                yield getattr(response, field)
        raise BlocksError("the peer ended the stream of blocks")

    def _check_end(self, status: int) -> None:
        """Raise BlocksError unless the stream has come to where it was to stop."""
        stop = SeekInfo.FromString(Payload.FromString(self._payload).data).stop.specified.number
        if status != Status.SUCCESS or stop == NEVER:
            raise BlocksError("the peer ended the stream of blocks", code=Status.Name(status))
