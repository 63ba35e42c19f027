"""Blocks as a peer delivers them: a signed request opens a stream that stays open.

Source: `protos.Deliver` of the peer.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from typing import Any

import grpc
from fabric_protos.common.common_pb2 import (
    DELIVER_SEEK_INFO,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
    Status,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekNewest, SeekPosition, SeekSpecified

from network.gateway.contract import NONCE_SIZE_BYTES
from network.gateway.errors import BlocksError, from_rpc
from network.gateway.signing import Context

NEVER = 2**64 - 1


async def deliver(
    context: Context,
    channel: str,
    method: str,
    start: int | None,
    stop: int | None = None,
    timeout_seconds: float | None = None,
) -> AsyncGenerator[Any, None]:
    """Messages `protos.DeliverResponse`, one for each block.

    Args:
        context: who asks, and where.
        channel: the channel's name.
        method: "Deliver" or "DeliverFiltered".
        start: the number of the first block; None is the peer's newest.
        stop: the number of the last block; without it the stream goes on for ever.
        timeout_seconds: for the whole stream; without it there is no deadline.

    Raises:
        BlocksError: the peer refused or the connection was lost.
    """
    stream = context.connection.deliver(method, timeout_seconds)
    try:
        await stream.write(_request(context, channel, start, NEVER if stop is None else stop))
        async for response in stream:
            if response.WhichOneof("Type") == "status":
                _check_end(response.status, stop)
                return
            yield response
        raise BlocksError("the peer ended the stream of blocks")
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error, BlocksError, "") from error
    finally:
        stream.cancel()


def _check_end(status: int, stop: int | None) -> None:
    if status != Status.SUCCESS or stop is None:
        raise BlocksError("the peer ended the stream of blocks", code=Status.Name(status))


def _request(context: Context, channel: str, start: int | None, stop: int) -> Envelope:
    channel_header = ChannelHeader(type=DELIVER_SEEK_INFO, channel_id=channel)
    channel_header.timestamp.GetCurrentTime()
    signature_header = SignatureHeader(creator=context.creator, nonce=secrets.token_bytes(NONCE_SIZE_BYTES))
    header = Header(
        channel_header=channel_header.SerializeToString(), signature_header=signature_header.SerializeToString()
    )
    seek = SeekInfo(
        start=_position(start),
        stop=_position(stop),
        behavior=SeekInfo.BLOCK_UNTIL_READY,
    )
    payload: bytes = Payload(header=header, data=seek.SerializeToString()).SerializeToString()
    return Envelope(payload=payload, signature=context.signature(payload, b""))


def _position(number: int | None) -> SeekPosition:
    return SeekPosition(newest=SeekNewest()) if number is None else SeekPosition(specified=SeekSpecified(number=number))
