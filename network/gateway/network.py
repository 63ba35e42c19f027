"""A channel: its contracts, its events, the fate of its transactions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.gateway.gateway_pb2 import ChaincodeEventsRequest as ChaincodeEventsMessage
from fabric_protos.orderer.ab_pb2 import SeekNewest, SeekPosition
from fabric_protos.orderer.configuration_pb2 import BatchSize

from network.gateway.block_events import BlockEventsRequest, BlockForm
from network.gateway.chaincode_event import ChaincodeEvent
from network.gateway.chaincode_events import ChaincodeEventsRequest, after_of
from network.gateway.checkpointer import Checkpoint
from network.gateway.codes import RpcCode
from network.gateway.commit import Commit, Status
from network.gateway.contract import Contract
from network.gateway.errors import BlocksError, EvaluateError, EventsError
from network.gateway.event_position import has_come_anywhere, start_position
from network.gateway.event_stream import EventStream
from network.gateway.signing import Context


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """What the channel's configuration lets orderers put into one block; the preferred size is kept when possible."""

    transactions_max: int
    bytes_max: int
    bytes_preferred: int


class Network:
    """A channel as one peer sees it; made by `Gateway.network`.

    Events and blocks come from `start` on, or from the checkpoint if it has come anywhere yet; without either, from
    the next block that is committed after the stream has begun (`EventStream`: by `async with`, by `await`, or at the
    first item).
    """

    def __init__(self, context: Context, channel: str) -> None:
        self._context = context
        self.channel = channel

    def contract(self, chaincode: str, name: str = "") -> Contract:
        """A chaincode by name, or one of the contracts inside it."""
        return Contract(self._context, self.channel, chaincode, name)

    async def height(self) -> int:
        """How many blocks the gateway's own organisation's peer has committed.

        Raises:
            EvaluateError: the peer did not answer.
        """
        answer = await self.contract("qscc").evaluate(
            b"GetChainInfo", self.channel.encode(), organisations=(self._context.identity.msp_id,)
        )
        return int(BlockchainInfo.FromString(answer).height)

    async def block_limits(self) -> BlockLimits:
        """How large a block of this channel may be, as the own peer's latest configuration says.

        Raises:
            EvaluateError: the peer did not answer.
        """
        answer = await self.contract("cscc").evaluate(
            b"GetChannelConfig", self.channel.encode(), organisations=(self._context.identity.msp_id,)
        )
        orderer = Config.FromString(answer).channel_group.groups["Orderer"]
        size = BatchSize.FromString(orderer.values["BatchSize"].value)
        return BlockLimits(size.max_message_count, size.absolute_max_bytes, size.preferred_max_bytes)

    async def is_before_snapshot(self, transaction_id: str) -> bool:
        """Whether the own peer joined by a snapshot and the transaction is in a block before it.

        Such a peer knows the id and not what became of it; asked for the commit status, it never answers.

        Raises:
            EvaluateError: the peer did not answer.
        """
        asked = b"GetTransactionByID", self.channel.encode(), transaction_id.encode()
        try:
            await self.contract("qscc").evaluate(*asked, organisations=(self._context.identity.msp_id,))
        except EvaluateError as error:
            if error.code in (RpcCode.UNAVAILABLE, RpcCode.DEADLINE_EXCEEDED):
                raise
            return error.before_snapshot  # otherwise it knows no such transaction
        return False

    def commit(self, transaction_id: str) -> Commit:
        """The commit of a transaction known by its id alone, for example after a crash."""
        return Commit(self._context, self.channel, transaction_id)

    async def commit_status(self, transaction_id: str, timeout_seconds: float | None = None) -> Status:
        """Wait for the fate of a transaction known by its id alone.

        For an id that never was, the peer waits until the deadline (code DEADLINE_EXCEEDED) and never says "never".

        Raises:
            CommitStatusError: not known in time.
        """
        return await self.commit(transaction_id).status(timeout_seconds)

    def chaincode_events(
        self, chaincode: str, start: int | None = None, *, checkpoint: Checkpoint | None = None
    ) -> EventStream[ChaincodeEvent]:
        """The events of a chaincode, see `chaincode_events_request` and `ChaincodeEventsRequest.events`."""

        async def begin() -> AsyncGenerator[ChaincodeEvent, None]:
            first = start
            if first is None and not has_come_anywhere(checkpoint):
                # A peer takes the next block as it reads the request, which it never says: so the block is named.
                first = await self._next_block(EventsError)
            return self.chaincode_events_request(chaincode, first, checkpoint=checkpoint).events()

        return EventStream(begin)

    def chaincode_events_request(
        self, chaincode: str, start: int | None = None, *, checkpoint: Checkpoint | None = None
    ) -> ChaincodeEventsRequest:
        """A request for the events of a chaincode; nothing is sent.

        Args:
            chaincode: its name.
            start: the number of the first block.
            checkpoint: how far a reader has come; events before it are left out.
        """
        message = ChaincodeEventsMessage(
            channel_id=self.channel,
            chaincode_id=chaincode,
            identity=self._context.creator,
            start_position=start_position(start, checkpoint),
        )
        return ChaincodeEventsRequest(self._context, message.SerializeToString(), after_of(checkpoint))

    def blocks(
        self, start: int | None = None, stop: int | None = None, *, checkpoint: Checkpoint | None = None
    ) -> EventStream[Any]:
        """Full blocks, as messages `common.Block`; see `block_events_request` and `BlockEventsRequest.events`."""
        return self._block_stream(BlockForm.FULL, start, stop, checkpoint)

    def filtered_blocks(
        self, start: int | None = None, stop: int | None = None, *, checkpoint: Checkpoint | None = None
    ) -> EventStream[Any]:
        """Blocks as messages `protos.FilteredBlock`: transaction ids, codes, names of events; no data."""
        return self._block_stream(BlockForm.FILTERED, start, stop, checkpoint)

    def blocks_with_private_data(
        self, start: int | None = None, stop: int | None = None, *, checkpoint: Checkpoint | None = None
    ) -> EventStream[Any]:
        """Blocks as messages `protos.BlockAndPrivateData`: with the private data that this organisation may see."""
        return self._block_stream(BlockForm.WITH_PRIVATE_DATA, start, stop, checkpoint)

    def block_events_request(
        self,
        form: BlockForm = BlockForm.FULL,
        start: int | None = None,
        stop: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> BlockEventsRequest:
        """A request for blocks; nothing is sent.

        A peer waits for its next block only: a start further ahead is refused with code NOT_FOUND.

        Args:
            form: what is wanted of each block.
            start: the number of the first block.
            stop: the number of the last block; without it the stream goes on for ever.
            checkpoint: how far a reader has come; a block of which a part is done comes again, as a whole.
        """
        return BlockEventsRequest.new(self._context, self.channel, form, start_position(start, checkpoint), stop)

    async def wait_for_block(self, number: int, timeout_seconds: float) -> None:
        """Return as soon as this peer has committed a block, its state included.

        Raises:
            BlocksError: not in time (code DEADLINE_EXCEEDED), or the connection was lost.
        """
        # A peer refuses to wait for a block beyond its next one, so the wait starts at its newest.
        newest = SeekPosition(newest=SeekNewest())
        request = BlockEventsRequest.new(self._context, self.channel, BlockForm.FILTERED, newest, None)
        async with aclosing(request.events(timeout_seconds)) as blocks:
            async for block in blocks:
                if block.number >= number:
                    return

    def _block_stream(
        self, form: BlockForm, start: int | None, stop: int | None, checkpoint: Checkpoint | None
    ) -> EventStream[Any]:
        async def begin() -> AsyncGenerator[Any, None]:
            first = start
            if first is None and not has_come_anywhere(checkpoint):
                # What a peer takes for the next or the newest block, it never says; after a snapshot they are the same.
                first = await self._next_block(BlocksError)
            return self.block_events_request(form, first, stop, checkpoint=checkpoint).events()

        return EventStream(begin)

    async def _next_block(self, kind: type[EventsError]) -> int:
        """The number of the block that is committed next."""
        try:
            return await self.height()
        except EvaluateError as error:
            raise kind(f"where the stream begins is not known: {error.message}", code=error.code) from error
