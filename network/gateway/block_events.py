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

from network.gateway.errors import BlocksError, name_of
from network.gateway.event_position import at_block
from network.gateway.signing import NONCE_SIZE_BYTES, Context

NEVER = 2**64 - 1


class BlockForm(enum.Enum):
    """What is delivered of each block: method of the peer, and field of its answer."""

    FULL = ("Deliver", "block")  # common.Block
    FILTERED = ("DeliverFiltered", "filtered_block")  # protos.FilteredBlock: ids, codes, names of events
    WITH_PRIVATE_DATA = ("DeliverWithPrivateData", "block_and_private_data")  # protos.BlockAndPrivateData

    def number(self, block: Any) -> int:
        """The number of a block in this form."""
        if self is BlockForm.FILTERED:
            return int(block.number)
        return int((block if self is BlockForm.FULL else block.block).header.number)


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
        """What must be signed: 32 bytes, or for an Ed25519 key the whole message."""
        return self._context.digest(self._payload)

    def signed(self, signature: bytes) -> BlockEventsRequest:
        """The same request with a signature that was made elsewhere."""
        return BlockEventsRequest(self._context, self._form, self._payload, signature)

    async def events(self, timeout_seconds: float | None = None) -> AsyncGenerator[Any, None]:
        """Yield the blocks in order, and wait for new ones; close the generator (`aclose`) to end the stream.

        Args:
            timeout_seconds: for the whole stream, if not the gateway's.

        Raises:
            BlocksError: the peer refused, the connection was lost, or the peer sent another block than was due; ask
                again from the next block.
        """
        method, field = self._form.value
        signature = await self._context.signature(self._payload, self._signature)
        envelope = Envelope(payload=self._payload, signature=signature)
        timeout = self._context.deadlines.events_seconds if timeout_seconds is None else timeout_seconds
        responses = self._context.peers.stream(method, envelope, timeout, BlocksError)
        asked = Payload.FromString(self._payload)
        seek = SeekInfo.FromString(asked.data)
        channel = ChannelHeader.FromString(asked.header.channel_header).channel_id
        due = int(seek.start.specified.number) if seek.start.HasField("specified") else None
        last = int(seek.stop.specified.number)
        async with aclosing(responses):
            async for response in responses:
                kind = response.WhichOneof("Type")
                if kind == "status":
                    if response.status == Status.SUCCESS and due == last + 1:
                        return
                    raise BlocksError("the peer ended the stream of blocks", code=name_of(Status, response.status))
                if kind != field:
                    raise BlocksError(f"the peer sent something else than was asked for: {kind}")
                block = getattr(response, field)
                due = self._checked(block, due, last, channel) + 1
                yield block
        raise BlocksError("the peer ended the stream of blocks")

    def _checked(self, block: Any, due: int | None, last: int, channel: str) -> int:
        """The number of a block that is the one due, and no later one than the last."""
        number = self._form.number(block)
        if number > last:
            raise BlocksError(f"the peer sent block {number}, and {last} was the last one asked for")
        if due not in (None, number):
            raise BlocksError(f"the peer sent block {number} instead of block {due}")
        # Full blocks name their channel in each transaction, and prove their place by their hashes.
        if self._form is BlockForm.FILTERED and block.channel_id != channel:
            raise BlocksError(f"the peer sent a block of channel {block.channel_id!r}")
        return number
