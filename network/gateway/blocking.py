"""The client for programs that are not asynchronous: the same nouns, whose calls block.

Every call runs in the process's one event loop (`Background`) and may be made from any thread. The steps of the long
form are had by `background.run(...)` on the asynchronous nouns, which each of these shows as `asynchronous`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from network.gateway.background import Background
from network.gateway.chaincode_event import ChaincodeEvent
from network.gateway.checkpointer import Checkpoint
from network.gateway.commit import Commit, Status
from network.gateway.contract import Contract, Transient
from network.gateway.deadlines import Deadlines
from network.gateway.gateway import Gateway
from network.gateway.network import Network


class BlockingGateway:
    """A gateway whose calls block; `with` closes it.

    Args:
        gateway: the asynchronous one, made and not used yet.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.asynchronous = gateway
        self.background = Background()

    def network(self, channel: str) -> BlockingNetwork:
        """A channel, by name."""
        return BlockingNetwork(self.background, self.asynchronous.network(channel))

    def close(self) -> None:
        """Close the connections; twice is fine."""
        if self.background.is_open:
            self.background.run(self.asynchronous.close())
        self.background.close()

    def __enter__(self) -> BlockingGateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class BlockingNetwork:
    """A channel; see `Network`."""

    def __init__(self, background: Background, network: Network) -> None:
        self._background = background
        self.asynchronous = network

    def contract(self, chaincode: str, name: str = "") -> BlockingContract:
        """A chaincode by name, or one of the contracts inside it."""
        return BlockingContract(self._background, self.asynchronous.contract(chaincode, name))

    def height(self) -> int:
        """See `Network.height`."""
        return self._background.run(self.asynchronous.height())

    def commit_status(self, transaction_id: str, timeout_seconds: float | None = None) -> Status:
        """See `Network.commit_status`."""
        return self._background.run(self.asynchronous.commit_status(transaction_id, timeout_seconds))

    def chaincode_events(
        self,
        chaincode: str,
        start: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[ChaincodeEvent]:
        """The events of a chaincode, see `Network.chaincode_events`; begun when this returns.

        Args:
            chaincode: its name.
            start: the number of the first block.
            checkpoint: how far a reader has come.
            stop: ends the iteration when it is set, by another thread.
        """
        stream = self.asynchronous.chaincode_events(chaincode, start, checkpoint=checkpoint)
        return self._background.iterate(stream, stop or threading.Event())

    def blocks(
        self,
        start: int | None = None,
        end: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Any]:
        """Full blocks, see `Network.blocks` and `chaincode_events`; `end` is the number of the last one."""
        stream = self.asynchronous.blocks(start, end, checkpoint=checkpoint)
        return self._background.iterate(stream, stop or threading.Event())


class BlockingContract:
    """A contract of a channel; see `Contract`."""

    def __init__(self, background: Background, contract: Contract) -> None:
        self._background = background
        self.asynchronous = contract

    def evaluate(
        self,
        *arguments: str | bytes,
        transient: Transient | None = None,
        organisations: Sequence[str] = (),
        timeout_seconds: float | None = None,
    ) -> bytes:
        """See `Contract.evaluate`."""
        asked = self.asynchronous.evaluate(
            *arguments, transient=transient, organisations=organisations, timeout_seconds=timeout_seconds
        )
        return self._background.run(asked)

    def submit(
        self,
        *arguments: str | bytes,
        transient: Transient | None = None,
        organisations: Sequence[str] = (),
        deadlines: Deadlines | None = None,
    ) -> bytes:
        """See `Contract.submit`."""
        sent = self.asynchronous.submit(
            *arguments, transient=transient, organisations=organisations, deadlines=deadlines
        )
        return self._background.run(sent)

    def submit_async(
        self,
        *arguments: str | bytes,
        transient: Transient | None = None,
        organisations: Sequence[str] = (),
        deadlines: Deadlines | None = None,
    ) -> tuple[bytes, Commit]:
        """See `Contract.submit_async`; the commit's id is asked for by `BlockingNetwork.commit_status`."""
        sent = self.asynchronous.submit_async(
            *arguments, transient=transient, organisations=organisations, deadlines=deadlines
        )
        return self._background.run(sent)
