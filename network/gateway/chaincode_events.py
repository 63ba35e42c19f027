"""The events of one chaincode, as a peer streams them: a request that can be signed elsewhere, and its events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fabric_protos.gateway.gateway_pb2 import ChaincodeEventsRequest as ChaincodeEventsMessage
from fabric_protos.gateway.gateway_pb2 import SignedChaincodeEventsRequest

from network.gateway.chaincode_event import ChaincodeEvent
from network.gateway.checkpointer import Checkpoint
from network.gateway.errors import EventsError
from network.gateway.signing import Context


class ChaincodeEventsRequest:
    """Made by `Network.chaincode_events_request`, or by `Gateway.chaincode_events_request` from bytes.

    Args:
        context: who asks, and where.
        message: a serialized `gateway.ChaincodeEventsRequest`.
        after: block number and id of the last transaction that is done; its block's events up to it are left out.
        signature: of the message, if it was made elsewhere.
    """

    def __init__(
        self, context: Context, message: bytes, after: tuple[int, str] | None = None, signature: bytes = b""
    ) -> None:
        self._context = context
        self._message = message
        self._after = after
        self._signature = signature

    @property
    def serialized(self) -> bytes:
        """The request, to be stored or signed elsewhere; with the signature if it has one."""
        request = SignedChaincodeEventsRequest(request=self._message, signature=self._signature)
        return bytes(request.SerializeToString())

    @property
    def digest(self) -> bytes:
        """What must be signed: 32 bytes, or for an Ed25519 key the whole message."""
        return self._context.digest(self._message)

    def signed(self, signature: bytes) -> ChaincodeEventsRequest:
        """The same request with a signature that was made elsewhere."""
        return ChaincodeEventsRequest(self._context, self._message, self._after, signature)

    async def events(self, timeout_seconds: float | None = None) -> AsyncGenerator[ChaincodeEvent, None]:
        """Yield the events in order, and wait for new ones; close the generator (`aclose`) to end the stream.

        Args:
            timeout_seconds: for the whole stream, if not the gateway's.

        Raises:
            EventsError: the peer refused, the connection was lost, or the peer sent a block's events out of order;
                ask again from the last checkpoint.
        """
        signature = await self._context.signature(self._message, self._signature)
        request = SignedChaincodeEventsRequest(request=self._message, signature=signature)
        timeout = self._context.deadlines.events_seconds if timeout_seconds is None else timeout_seconds
        responses = self._context.peers.stream("ChaincodeEvents", request, timeout, EventsError)
        asked = ChaincodeEventsMessage.FromString(self._message)
        first = asked.start_position.specified.number  # 0 when the request names no block
        previous = -1
        async with aclosing(responses):
            async for response in responses:
                number = response.block_number
                if number <= previous:
                    raise EventsError(f"the peer sent events of block {number} after those of block {previous}")
                if number < first:
                    raise EventsError(f"the peer sent events of block {number}, and {first} is the first one asked for")
                previous = number
                for event in self._not_done(response):
                    if event.chaincode_id != asked.chaincode_id:
                        raise EventsError(f"the peer sent an event of chaincode {event.chaincode_id!r}")
                    yield ChaincodeEvent(
                        response.block_number, event.tx_id, event.chaincode_id, event.event_name, event.payload
                    )
        raise EventsError("the peer ended the stream of chaincode events")

    def _not_done(self, response: Any) -> Any:
        """The events of a block that come after the checkpoint.

        A peer can be told to leave them out itself, but one that finds no event of that transaction then sends
        nothing at all, for ever and without a word.
        """
        if self._after is None or response.block_number != self._after[0]:
            return response.events
        ids = [event.tx_id for event in response.events]
        if self._after[1] not in ids:
            number, transaction_id = self._after
            raise EventsError(
                f"the checkpoint's transaction {transaction_id} has no event of this chaincode in block {number}, so "
                "what comes after it is not known: start from the block"
            )
        return response.events[ids.index(self._after[1]) + 1 :]


def after_of(checkpoint: Checkpoint | None) -> tuple[int, str] | None:
    """Block number and transaction id that a checkpoint stands after; None when it stands before a whole block."""
    if checkpoint is None or checkpoint.block_number is None or not checkpoint.transaction_id:
        return None
    return checkpoint.block_number, checkpoint.transaction_id
