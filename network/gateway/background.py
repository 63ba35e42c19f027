"""Runs this client for code that is not asynchronous: one event loop in one thread, shared by the whole process.

gRPC's asynchronous side serves one loop well and several badly, so every `Background` of a process uses the same
one; the last to close ends it. The thread starts at the first call, never before, so that a server may fork first.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, TypeVar

from network.gateway.event_stream import EventStream

T = TypeVar("T")
STOP_POLL_SECONDS = 0.1
READ_AHEAD_ITEMS = 4


class _Loop:
    """The process's event loop and how many use it."""

    def __init__(self) -> None:
        self.users = 0
        self.process_id = os.getpid()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="gateway", daemon=True)
        self._thread.start()

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(_cancel_others(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


_lock = threading.Lock()
_shared: _Loop | None = None


class Background:
    """A synchronous face: `run` for one coroutine, `iterate` for a stream. May be used from any thread."""

    def __init__(self) -> None:
        self._loop: _Loop | None = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether there is a loop to run things in: something ran, and this is not closed."""
        return self._loop is not None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and return its result; it is cancelled when the waiting is interrupted.

        Raises:
            RuntimeError: after `close`.
            concurrent.futures.CancelledError: closed meanwhile, by another thread.
        """
        running = self._start(work)
        try:
            return running.result()
        finally:
            running.cancel()

    def iterate(self, items: EventStream[T] | AsyncGenerator[T, None], stop: threading.Event) -> Iterator[T]:
        """Yield what a stream or an asynchronous generator yields, until it ends or `stop` is set.

        A stream has begun when this returns. Whatever is iterated is closed at the end.
        """
        if isinstance(items, EventStream):
            self.run(_begun(items))
        return self._items(items, stop)

    def _items(self, items: EventStream[T] | AsyncGenerator[T, None], stop: threading.Event) -> Iterator[T]:
        queue: asyncio.Queue[T | None] = asyncio.Queue(READ_AHEAD_ITEMS)
        pump = self._start(_pump(items, queue))
        try:
            while (item := self._next(queue, pump, stop)) is not None:
                yield item
        finally:
            pump.cancel()

    def close(self) -> None:
        """Let go of the loop; the last to do so ends it. Closing twice is fine."""
        global _shared
        with _lock:
            loop, self._loop, self._closed = self._loop, None, True
            if loop is None or loop.process_id != os.getpid():
                return
            loop.users -= 1
            if loop.users == 0:
                _shared = None
                loop.end()

    def _next(
        self,
        queue: asyncio.Queue[T | None],
        pump: concurrent.futures.Future[None],
        stop: threading.Event,
    ) -> T | None:
        """The next item; None when `stop` is set or the generator has ended. Raises what the generator raised."""
        waiting = self._start(queue.get())
        while not stop.is_set():
            done, _ = concurrent.futures.wait([waiting], STOP_POLL_SECONDS)
            if not done:
                continue
            if waiting.cancelled():  # the loop was closed by another thread
                return None
            item = waiting.result()
            if item is None:
                pump.result()
            return item
        waiting.cancel()
        return None

    def _start(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Hand a coroutine to the loop, which is not ended in between: it would never run there, nor be cancelled."""
        with _lock:
            try:
                return asyncio.run_coroutine_threadsafe(work, self._open())
            except RuntimeError:
                work.close()
                raise

    def _open(self) -> asyncio.AbstractEventLoop:
        global _shared
        if self._closed:
            raise RuntimeError("closed")
        if self._loop is None:
            if _shared is None or _shared.process_id != os.getpid():
                _shared = _Loop()
            _shared.users += 1
            self._loop = _shared
        if self._loop.process_id != os.getpid():
            raise RuntimeError("first used before a fork: make a new one in the child process")
        return self._loop.loop


async def _begun(items: EventStream[T]) -> None:
    await items


async def _pump(items: EventStream[T] | AsyncGenerator[T, None], queue: asyncio.Queue[T | None]) -> None:
    """Move items into the queue; None marks the end, unless the reader has gone and cancelled this."""
    try:
        async with contextlib.aclosing(items):
            async for item in items:
                await queue.put(item)
    except asyncio.CancelledError:
        raise
    except BaseException:
        await queue.put(None)
        raise
    await queue.put(None)


async def _cancel_others() -> None:
    """Cancel every other task of the loop and wait until they have ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
