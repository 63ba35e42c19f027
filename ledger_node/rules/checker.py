"""Asking the worker: started when it is first needed, watched while it works, killed when a document asks too much.

One checker may be shared by all threads of a process; it has at most one worker, which takes one document at a time. A
document that is too large, takes too long or too much memory is answered as not checkable, by name, and harms no other:
the next one gets a fresh worker. Time is the worker's own processor time, so a busy machine refuses nobody; a bound of
the clock stands behind it.
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
    """What one document may take of the worker; `documents_max` is after how many it is replaced by a fresh one."""

    document_bytes_max: int = 50 << 20
    cpu_seconds_max: float = 4.0
    clock_seconds_max: float = 120.0
    start_seconds_max: float = 300.0
    memory_bytes_max: int = 500_000_000
    documents_max: int = 2000
    look_seconds: float = 0.02


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
        self._lock = threading.Lock()
        self._worker: _Worker | None = None

    def check(self, content: bytes) -> Checked:
        """What a file is and which rules it breaks; whatever it is, an answer comes.

        Args:
            content: the whole file.
        """
        if len(content) > self._bounds.document_bytes_max:
            text = f"larger than the {self._bounds.document_bytes_max} bytes that are checked"
            return unchecked(text, rule=TOO_LARGE)
        with self._lock:
            answer = self._checked(content)
            if answer.findings and answer.findings[0].rule == WORKER_ENDED:  # perhaps while nobody asked it anything
                answer = self._checked(content)
            return answer

    def _checked(self, content: bytes) -> Checked:
        try:
            worker = self._ready()
            if worker.reason:
                return unchecked(worker.reason)
            worker.documents += 1
            answer = from_json(self._ask(worker, content))
            if worker.documents >= self._bounds.documents_max or self._is_swollen(worker):
                self._end()
            return answer
        except _Stopped as stopped:
            self._end()
            return unchecked(stopped.text, rule=stopped.name)
        except BaseException:
            self._end()  # an answer that nobody has read would be taken for that of the next document
            raise

    def reason(self) -> str:
        """Why nothing can be checked: no extra `rules`, or packs that are broken; else empty."""
        with self._lock:
            try:
                return self._ready().reason
            except _Stopped as stopped:
                self._end()
                return stopped.text
            except BaseException:
                self._end()
                raise

    def close(self) -> None:
        """End the worker; a later check starts another one."""
        with self._lock:
            self._end()

    def _ready(self) -> _Worker:
        """The worker, once it has said that it is there. One that cannot check is asked anew each time.

        Raises: _Stopped.
        """
        if self._worker is not None and (self._worker.process.poll() is not None or self._worker.reason):
            self._end()
        if self._worker is None:
            self._worker = _start(self._folder)
            self._worker.reason = str(self._answer(self._worker, self._bounds.start_seconds_max, starts=True)["reason"])
        return self._worker

    def _ask(self, worker: _Worker, content: bytes) -> dict[str, Any]:
        assert worker.process.stdin is not None
        writer = threading.Thread(target=_write, args=(worker.process.stdin, content), daemon=True)
        writer.start()
        answer = self._answer(worker, self._bounds.clock_seconds_max)
        writer.join()
        return answer

    def _answer(self, worker: _Worker, clock_seconds_max: float, *, starts: bool = False) -> dict[str, Any]:
        """The next line of the worker, watched while it is awaited."""
        bounds = self._bounds
        ends = time.monotonic() + clock_seconds_max
        cpu_ends = worker.cpu_seconds() + (clock_seconds_max if starts else bounds.cpu_seconds_max)
        while True:
            if b"\n" in worker.buffer:
                line, _, rest = bytes(worker.buffer).partition(b"\n")
                worker.buffer[:] = rest
                return dict(json.loads(line))
            if worker.told.select(bounds.look_seconds):
                piece = os.read(worker.answers.fileno(), 1 << 20)
                if not piece:
                    code = worker.process.wait()
                    raise _Stopped(
                        WORKER_ENDED, f"the process that checks rules has ended ({code}): it was not checked"
                    )
                worker.buffer += piece
            self._bound(worker, ends, cpu_ends)

    def _bound(self, worker: _Worker, ends: float, cpu_ends: float) -> None:
        """Raises: _Stopped."""
        if worker.memory_bytes() > self._bounds.memory_bytes_max:
            most = self._bounds.memory_bytes_max
            raise _Stopped(TOO_MUCH_MEMORY, f"checking it takes more than {most} bytes of memory: split it")
        if worker.cpu_seconds() > cpu_ends or time.monotonic() > ends:
            most_seconds = self._bounds.cpu_seconds_max
            raise _Stopped(TOO_SLOW, f"checking it takes more than {most_seconds:g} seconds: split it")

    def _is_swollen(self, worker: _Worker) -> bool:
        """Whether what one document has left behind would count against the next one."""
        return worker.memory_bytes() > self._bounds.memory_bytes_max * KEPT_SHARE

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None


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
