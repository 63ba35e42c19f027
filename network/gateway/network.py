"""A channel: its contracts, its blocks, the fate of its transactions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fabric_protos.common.ledger_pb2 import BlockchainInfo

from network.gateway.block_stream import deliver
from network.gateway.commit import Commit, Status
from network.gateway.contract import Contract
from network.gateway.signing import Context


class Network:
    """A channel as one peer sees it; made by `Gateway.network`."""

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

    async def blocks(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[Any, None]:
        """Full blocks, as messages `common.Block`, in order; waits for those that do not exist yet.

        A peer waits for its next block only: a start further ahead is refused with code NOT_FOUND.
        Close the generator (`aclose`) to end the stream.

        Args:
            start: the number of the first block.
            stop: the number of the last block; without it the stream goes on for ever.

        Raises:
            BlocksError: the peer refused or the connection was lost; ask again from the next block.
        """
        async with aclosing(deliver(self._context, self.channel, "Deliver", start, stop)) as responses:
            async for response in responses:
                yield response.block

    async def wait_for_block(self, number: int, timeout_seconds: float) -> None:
        """Return as soon as this peer has committed a block, its state included.

        Raises:
            BlocksError: not in time (code DEADLINE_EXCEEDED), or the connection was lost.
        """
        # A peer refuses to wait for a block beyond its next one, so the wait starts at its newest.
        blocks = deliver(self._context, self.channel, "DeliverFiltered", None, timeout_seconds=timeout_seconds)
        async with aclosing(blocks):
            async for response in blocks:
                if response.filtered_block.number >= number:
                    return
