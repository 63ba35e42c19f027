"""Asking the worker: started when it is first needed, watched while it works, killed when a document asks too much.

One checker may be shared by all threads of a process; it has at most two workers, each with one document at a time. A
document that is too large, takes too long or too much memory is answered as not checkable, by name, and harms no other:
the next one gets a fresh worker. Time is the worker's own processor time, so a busy machine refuses nobody; a bound of
the clock stands behind it.

Documents take turns in the quick lane, where each has a short share of time. One that needs more makes room: it goes on
in the slow lane with its worker if that lane is free, else it is begun again there when its turn comes. So whoever is
quick never waits for whoever is slow, however many those are.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from ledger_node.rules.verdict import Checked, from_json, unchecked

TOO_LARGE, TOO_SLOW, TOO_MUCH_MEMORY, WORKER_ENDED = "TOO_LARGE", "TOO_SLOW", "TOO_MUCH_MEMORY", "WORKER_ENDED"

KEPT_SHARE = 0.8
"""A worker that goes on holding more of the memory that one document may take is replaced."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one document may take of the worker; `documents_max` is after how many it is replaced by a fresh one.

    `quick_cpu_seconds` is the share of the quick lane: the first document of a fresh worker takes 0.4, others 0.01.
    """

    document_bytes_max: int = 50 << 20
    quick_cpu_seconds: float = 1.0
    cpu_seconds_max: float = 4.0
    clock_seconds_max: float = 120.0
    start_seconds_max: float = 300.0
    memory_bytes_max: int = 500_000_000
    documents_max: int = 2000
    look_seconds: float = 0.02


class Slow(Exception):
    """The document needs more than the quick lane's share of time."""


class _Stopped(Exception):
    """The worker was ended, or has ended; the reason is a name and a sentence."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name, self.text = name, text


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    watched: psutil.Process
    told: selectors.BaseSelector
    reason: str = ""
    documents: int = 0
    cpu_began: float = 0.0
    clock_ends: float = 0.0
    writer: threading.Thread | None = None
    buffer: bytearray = field(default_factory=bytearray)

    @property
    def answers(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def cpu_seconds(self) -> float:
        """0 of one that has ended, which the end of its answers will say."""
        try:
            times = self.watched.cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """As `cpu_seconds`."""
        try:
            return int(self.watched.memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.told.close()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what it did not read any more
                    stream.close()


class Checker:
    """Checks invoices against the packs of a folder.

    Args:
        folder: of packs.
        bounds: of one document.
    """

    def __init__(self, folder: Path, bounds: Bounds = Bounds()) -> None:
        self._folder = folder
        self._bounds = bounds
        self._quick, self._slow = threading.Lock(), threading.Lock()
        self._idle: list[_Worker] = []  # appended to and popped from in one step each, by whoever has a lane

    def check(self, content: bytes, *, patient: bool = True) -> Checked:
        """What a file is and which rules it breaks; whatever it is, an answer comes.

        Args:
            content: the whole file.
            patient: whether the caller waits for a slow document, and for those that are slow before it.

        Raises: Slow, to who is not patient.
        """
        if len(content) > self._bounds.document_bytes_max:
            text = f"larger than the {self._bounds.document_bytes_max} bytes that are checked"
            return unchecked(text, rule=TOO_LARGE)
        try:
            with self._quick:
                begun = self._begin(content)
                if isinstance(begun, Checked):
                    return begun
                goes_on = patient and self._slow.acquire(blocking=False)
                if not goes_on:
                    begun.end()
            if not patient:
                raise Slow
            if goes_on:
                try:
                    return self._finish(begun)
                finally:
                    self._slow.release()
            with self._slow:
                worker = self._ready()
                return unchecked(worker.reason) if worker.reason else self._finish(self._asked(worker, content))
        except _Stopped as stopped:
            return unchecked(stopped.text, rule=stopped.name)

    def reason(self) -> str:
        """Why nothing can be checked: no extra `rules`, or packs that are broken; else empty."""
        with self._quick:
            try:
                worker = self._ready()
            except _Stopped as stopped:
                return stopped.text
            if not worker.reason:
                self._keep(worker)
            return worker.reason

    def close(self) -> None:
        """End the workers, once they have answered; a later check starts another one."""
        with self._quick, self._slow:
            while self._idle:
                self._idle.pop().end()

    def _begin(self, content: bytes) -> Checked | _Worker:
        """The answer, or the worker that is still at it when the share of the quick lane is over.

        Raises: _Stopped.
        """
        try:
            return self._begin_once(content)
        except _Stopped as stopped:
            if stopped.name != WORKER_ENDED:
                raise
            return self._begin_once(content)  # perhaps it ended while nobody asked it anything

    def _begin_once(self, content: bytes) -> Checked | _Worker:
        worker = self._ready()
        if worker.reason:
            return unchecked(worker.reason)
        self._asked(worker, content)
        try:
            return self._answered(worker, min(self._bounds.quick_cpu_seconds, self._bounds.cpu_seconds_max))
        except Slow:
            return worker

    def _finish(self, worker: _Worker) -> Checked:
        """The answer of the slow lane. Raises: _Stopped."""
        try:
            return self._answered(worker, self._bounds.cpu_seconds_max)
        except Slow as slow:
            worker.end()
            raise _Stopped(
                TOO_SLOW, f"checking it takes more than {self._bounds.cpu_seconds_max:g} seconds: split it"
            ) from slow

    def _ready(self) -> _Worker:
        """A worker that has said that it is there; or why it cannot check, and it is ended.

        Raises: _Stopped.
        """
        with contextlib.suppress(IndexError):
            while True:
                worker = self._idle.pop()
                if worker.process.poll() is None:
                    return worker
                worker.end()
        worker = _start(self._folder)
        with _ended_unless_answered(worker):
            clock_ends = time.monotonic() + self._bounds.start_seconds_max
            worker.reason = str(self._line(worker, clock_ends, self._bounds.start_seconds_max)["reason"])
        if worker.reason:
            worker.end()
        return worker

    def _asked(self, worker: _Worker, content: bytes) -> _Worker:
        """The worker, which has got the document."""
        worker.documents += 1
        worker.clock_ends = time.monotonic() + self._bounds.clock_seconds_max
        worker.cpu_began = worker.cpu_seconds()
        worker.writer = threading.Thread(target=_write, args=(worker.process.stdin, content), daemon=True)
        worker.writer.start()
        return worker

    def _answered(self, worker: _Worker, cpu_seconds: float) -> Checked:
        """What it answers within so much of its processor's time since it was asked.

        Raises: _Stopped, and it is ended; Slow, and it goes on.
        """
        with _ended_unless_answered(worker):
            answer = from_json(self._line(worker, worker.clock_ends, worker.cpu_began + cpu_seconds))
            assert worker.writer is not None
            worker.writer.join()  # it has read all of it, or it could not answer
        self._keep(worker)
        return answer

    def _keep(self, worker: _Worker) -> None:
        """For the next document, unless it is worn: what one document has left behind would count against the next."""
        swollen = worker.memory_bytes() > self._bounds.memory_bytes_max * KEPT_SHARE
        if swollen or worker.documents >= self._bounds.documents_max:
            worker.end()
        else:
            self._idle.append(worker)

    def _line(self, worker: _Worker, clock_ends: float, cpu_ends: float) -> dict[str, Any]:
        """The next line of the worker, watched while it is awaited.

        Args:
            clock_ends: when it is over, by `time.monotonic`.
            cpu_ends: likewise, in seconds of the worker's processor's time.

        Raises: _Stopped, Slow.
        """
        while True:
            if b"\n" in worker.buffer:
                line, _, rest = bytes(worker.buffer).partition(b"\n")
                worker.buffer[:] = rest
                return dict(json.loads(line))
            if worker.told.select(self._bounds.look_seconds):
                piece = os.read(worker.answers.fileno(), 1 << 20)
                if not piece:
                    code = worker.process.wait()
                    text = f"the process that checks rules has ended ({code}): it was not checked"
                    raise _Stopped(WORKER_ENDED, text)
                worker.buffer += piece
                continue
            if worker.memory_bytes() > self._bounds.memory_bytes_max:
                most = self._bounds.memory_bytes_max
                raise _Stopped(TOO_MUCH_MEMORY, f"checking it takes more than {most} bytes of memory: split it")
            if time.monotonic() > clock_ends:
                raise _Stopped(TOO_SLOW, "checking it takes too long: split it, or try when the machine is less busy")
            if worker.cpu_seconds() > cpu_ends:
                raise Slow


@contextlib.contextmanager
def _ended_unless_answered(worker: _Worker) -> Iterator[None]:
    """Within, whatever breaks ends the worker: an answer that nobody reads would be taken for the next document's."""
    try:
        yield
    except Slow:
        raise
    except BaseException:
        worker.end()
        raise


def _start(folder: Path) -> _Worker:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ledger_node.rules.worker", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    told = selectors.DefaultSelector()
    assert process.stdout is not None
    told.register(process.stdout, selectors.EVENT_READ)
    return _Worker(process, psutil.Process(process.pid), told)


def _write(stream: IO[bytes], content: bytes) -> None:
    """A worker that was ended meanwhile reads no more; whoever awaits its answer is told that."""
    try:
        stream.write(f"{len(content)}\n".encode() + content)
        stream.flush()
    except (BrokenPipeError, ValueError):
        return
