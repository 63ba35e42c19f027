"""What a listener holds: the items of a stream, begun when it says so, ended when it is left.

    async with network.chaincode_events("kv") as events:    # begun: what is committed from here on is heard of
        await contract.submit("announce", ...)
        async for event in events:
            ...

`events = await network.chaincode_events("kv")` has begun, too, and is ended by `await events.aclose()`. One that is
only iterated begins when its first item is awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class EventStream(AsyncIterator[T_co], Generic[T_co]):
    """Items in order, and new ones as they come; made by the methods of `Network`.

    Args:
        begin: fixes the position that the items come from, and gives the items.
    """

    def __init__(self, begin: Callable[[], Awaitable[AsyncGenerator[T_co, None]]]) -> None:
        self._begin = begin
        self._beginning = asyncio.Lock()
        self._items: AsyncGenerator[T_co, None] | None = None
        self._closed = False

    def __await__(self) -> Generator[Any, None, EventStream[T_co]]:
        """Begin, once. Raises: EventsError when no peer says where the stream would begin."""
        return self._begun().__await__()

    async def __aenter__(self) -> EventStream[T_co]:
        return await self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __anext__(self) -> T_co:
        await self
        if self._items is None:
            raise StopAsyncIteration
        return await anext(self._items)

    async def aclose(self) -> None:
        """End the stream at the peer; what comes later is nothing. Twice is fine.

        Raises: RuntimeError while another task awaits an item: cancel that one first.
        """
        self._closed = True
        items, self._items = self._items, None
        if items is not None:
            await items.aclose()

    async def _begun(self) -> EventStream[T_co]:
        async with self._beginning:  # two who wait for the beginning are promised the same one
            if self._items is None and not self._closed:
                items = await self._begin()
                if self._closed:
                    await items.aclose()
                else:
                    self._items = items
        return self
