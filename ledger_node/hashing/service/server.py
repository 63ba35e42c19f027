"""The process behind `ledger-node hash serve`: one thread speaks with all clients, one hashes batch after batch.

The socket belongs to whoever holds the lock file beside it; what a killed service left there is replaced in one step.
A client that dies, stalls, or says what is no message costs the others nothing: it is dropped, and what it asked for
is forgotten. Nothing of a client can make the service read a file that the client did not open for reading itself.
Source: unix(7) (SO_PEERCRED, SCM_RIGHTS, SOCK_SEQPACKET), fcntl(2).
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import resource
import selectors
import socket
import stat
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.queue import Work, WorkQueue
from ledger_node.hashing.service.wire import (
    MESSAGE_BYTES_MAX,
    MESSAGE_DOCUMENTS_MAX,
    Kind,
    Message,
    WireError,
    decode,
    encode,
    encode_done,
    encode_queued,
)
from ledger_node.hashing.sources import Descriptor, Hashed

log = structlog.get_logger("hash service")
TICK_SECONDS = 1.0
OUTBOX_MESSAGES_MAX = 64  # a client that lets more lie is not heard until it has taken them
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """Every bound of the service, with its unit."""

    clients_max: int = 64
    client_documents_max: int = 4096
    documents_max: int = 32768
    bytes_max: int = 1 << 40
    batch_documents_max: int = 16384
    batch_bytes_max: int = 2 << 30
    silence_seconds_max: float = 60.0
    stop_seconds_max: float = 60.0


@dataclass(eq=False)
class _Client:
    """One connection: who is at its other end, what it has in flight, and what it has not taken yet."""

    socket: socket.socket
    pid: int
    uid: int
    gid: int
    seen_at: float
    in_flight: int = 0
    documents: int = 0
    size_bytes: int = 0
    outbox: deque[tuple[bytes, int]] = field(default_factory=deque)  # a message, and the documents that it concludes

    def row(self) -> dict[str, int]:
        return {
            "pid": self.pid,
            "uid": self.uid,
            "gid": self.gid,
            "in_flight": self.in_flight,
            "documents": self.documents,
            "bytes": self.size_bytes,
        }


class Server:
    """The service on a socket that listens already.

    Args:
        listener: of type SOCK_SEQPACKET; closed at the end.
        hasher: closed by whoever opened it.
        limits: of clients, documents and bytes.
        telemetry: what the device says of itself, for the status; called when somebody asks.
    """

    def __init__(
        self,
        listener: socket.socket,
        hasher: Hasher,
        limits: ServiceLimits,
        telemetry: Callable[[], dict[str, Any]],
    ) -> None:
        self._listener = listener
        self._hasher = hasher
        self._limits = limits
        self._telemetry = telemetry
        self._queue = WorkQueue(min(limits.documents_max, _descriptors_max()), limits.bytes_max)
        self._clients: dict[int, _Client] = {}
        self._next_client = 1
        self._done: deque[Work] = deque()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._waking = threading.RLock()  # a signal may ask to stop in the very thread that closes what it wakes
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._begun = time.monotonic()
        self._refused = 0
        self._rate = {"documents_per_second": 0.0, "bytes_per_second": 0.0}

    def run(self) -> None:
        """Serve until `stop`; what runs then is finished and answered, what waits is handed back."""
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        hashing = threading.Thread(target=self._hash, name="hashing")
        hashing.start()
        try:
            while not self._stopping:
                self._turn()
            self._finish(hashing)
        finally:
            self._queue.close()
            hashing.join()
            for number in list(self._clients):
                self._drop(number)
            self._selector.close()
            self._listener.close()
            with self._waking:
                wake, self._wake = self._wake, -1
                os.close(wake)

    def stop(self) -> None:
        """End `run` soon; may be called from a signal handler or another thread, and more than once."""
        self._stopping = True
        with self._waking:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def status(self) -> dict[str, Any]:
        """What runs, for whom, how much waits, and how fast it goes."""
        return {
            "pid": os.getpid(),
            "up_seconds": round(time.monotonic() - self._begun, 1),
            **self._hasher.status(),
            "queue": self._queue.load(),
            "rate": self._rate,
            "refused": self._refused,
            "clients": [client.row() for client in self._clients.values()],
            "device": self._telemetry(),
        }

    def _turn(self) -> None:
        for key, events in self._selector.select(TICK_SECONDS):
            key.data(events)
        now = time.monotonic()
        for number, client in list(self._clients.items()):
            waits_for_us = client.in_flight and not client.outbox
            if not waits_for_us and now - client.seen_at > self._limits.silence_seconds_max:
                self._drop(number, "it was silent for too long")

    def _finish(self, hashing: threading.Thread) -> None:
        """After `stop`: hand back what waits, wait for what runs, and let the answers out."""
        self._selector.unregister(self._listener)
        for work in self._queue.close():
            self._say(work.client, encode(Kind.BUSY, work.number), len(work.fds))
            work.close()
        deadline = time.monotonic() + self._limits.stop_seconds_max
        while time.monotonic() < deadline and (
            hashing.is_alive() or self._done or any(client.outbox for client in self._clients.values())
        ):
            self._turn()

    def _accept(self, _: int) -> None:
        try:
            connection, _address = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:  # no descriptor left: others give theirs back
            self._refused += 1
            log.warning("a client cannot be accepted", reason=str(error))
            return
        if len(self._clients) >= self._limits.clients_max:
            self._refused += 1
            connection.close()
            return
        connection.setblocking(False)
        size = _CREDENTIALS.size
        pid, uid, gid = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        number, self._next_client = self._next_client, self._next_client + 1
        self._clients[number] = _Client(connection, pid, uid, gid, time.monotonic())
        self._watch(number)

    def _ready(self, number: int, events: int) -> None:
        if events & selectors.EVENT_WRITE and number in self._clients:  # an answer may have found it gone just now
            self._flush(number)
        if events & selectors.EVENT_READ and number in self._clients:
            self._read(number)

    def _read(self, number: int) -> None:
        client = self._clients[number]
        fds: list[int] = []
        try:
            content, fds, cut = _receive(client.socket)
            if not content:
                _close_all(fds)
                return self._drop(number)
            client.seen_at = time.monotonic()
            self._answer(number, decode(content), fds, cut)
        except BlockingIOError:
            return None
        except (WireError, OSError) as error:
            _close_all(fds)
            self._refused += 1
            self._drop(number, str(error))
        return None

    def _answer(self, number: int, message: Message, fds: list[int], cut: bool) -> None:
        if message.kind is Kind.STATUS and not fds:
            return self._say(number, encode(Kind.STATUS, message.number, body=json.dumps(self.status()).encode()))
        if message.kind is not Kind.HASH or message.body or not 0 < message.documents <= MESSAGE_DOCUMENTS_MAX:
            raise WireError("a message that only the service may send, or of the wrong length")
        if cut:  # this process has no room for so many descriptors
            _close_all(fds)
            return self._say(number, encode(Kind.BUSY, message.number))
        if len(fds) != message.documents:
            raise WireError(f"{len(fds)} descriptors came with a message about {message.documents}")
        sizes = [_acceptable_size(fd) for fd in fds]
        for place, size in enumerate(sizes):
            if size < 0:
                os.close(fds[place])
                fds[place] = -1
        work = Work(number, message.number, list(fds), sum(size for size in sizes if size > 0))
        bytes_ahead = self._queue.put(work)
        fds.clear()  # they are the work's now
        if bytes_ahead < 0:
            work.close()
            return self._say(number, encode(Kind.BUSY, message.number))
        client = self._clients[number]
        client.in_flight += message.documents
        self._say(number, encode_queued(message.number, bytes_ahead))
        return self._watch(number)

    def _say(self, number: int, content: bytes, concluded: int = 0) -> None:
        client = self._clients.get(number)
        if client is not None:
            client.outbox.append((content, concluded))
            self._flush(number)

    def _flush(self, number: int) -> None:
        client = self._clients[number]
        try:
            while client.outbox:
                content, concluded = client.outbox[0]
                client.socket.send(content, socket.MSG_NOSIGNAL)
                client.outbox.popleft()
                client.in_flight -= concluded
                client.seen_at = time.monotonic()
        except BlockingIOError:
            pass
        except OSError as error:
            return self._drop(number, str(error))
        return self._watch(number)

    def _watch(self, number: int) -> None:
        """Listen to a client that may send more; wait for room towards one that has not taken its answers."""
        client = self._clients.get(number)
        if client is None:
            return
        room = client.in_flight < self._limits.client_documents_max and len(client.outbox) < OUTBOX_MESSAGES_MAX
        hears = room and not self._stopping
        events = (selectors.EVENT_READ if hears else 0) | (selectors.EVENT_WRITE if client.outbox else 0)
        known = self._selector.get_map().get(client.socket.fileno())
        if known is not None and known.events != events:
            self._selector.unregister(client.socket)
            known = None
        if known is None and events:
            self._selector.register(client.socket, events, lambda ready: self._ready(number, ready))

    def _drop(self, number: int, reason: str = "") -> None:
        client = self._clients.pop(number)
        with contextlib.suppress(KeyError):
            self._selector.unregister(client.socket)
        client.socket.close()
        self._queue.forget(number)
        if reason:
            log.warning("a client is dropped", pid=client.pid, uid=client.uid, reason=reason)

    def _woken(self, _: int) -> None:
        os.eventfd_read(self._wake)
        while self._done:
            work = self._done.popleft()
            client = self._clients.get(work.client)
            if client is not None:
                client.documents += len(work.answers)
                client.size_bytes += sum(answer.size_bytes for answer in work.answers if answer)
                self._say(work.client, encode_done(work.number, work.answers), len(work.answers))

    def _hash(self) -> None:
        while works := self._queue.take(self._limits.batch_documents_max, self._limits.batch_bytes_max):
            begun = time.perf_counter()
            try:
                self._hash_batch(works)
            except Exception:
                log.exception("a batch broke; its clients hash it themselves")
            seconds = max(time.perf_counter() - begun, 1e-9)
            documents = sum(len(work.fds) for work in works)
            size_bytes = sum(work.size_bytes for work in works)
            self._rate = {
                "documents_per_second": round(documents / seconds, 1),
                "bytes_per_second": round(size_bytes / seconds, 1),
            }
            for work in works:
                work.answers = work.answers or [None] * len(work.fds)
                work.close()
                self._done.append(work)
            os.eventfd_write(self._wake, 1)
        os.eventfd_write(self._wake, 1)  # the end of this thread is what `_finish` waits for

    def _hash_batch(self, works: Sequence[Work]) -> None:
        fds = [fd for work in works for fd in work.fds if fd >= 0]
        answers = iter(self._hasher.hash_batch([Descriptor(fd) for fd in fds]))
        for work in works:
            found = [next(answers) if fd >= 0 else None for fd in work.fds]
            work.answers = [answer if isinstance(answer, Hashed) else None for answer in found]


def _receive(connection: socket.socket) -> tuple[bytes, list[int], bool]:
    """One message with its descriptors, and whether the system cut some of them off."""
    room = socket.CMSG_SPACE(253 * array.array("i").itemsize)
    content, ancillary, flags, _ = connection.recvmsg(MESSAGE_BYTES_MAX, room, socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    if flags & socket.MSG_TRUNC:
        _close_all(fds.tolist())
        raise WireError("a message that is too long")
    return content, fds.tolist(), bool(flags & socket.MSG_CTRUNC)


def _acceptable_size(fd: int) -> int:
    """The bytes of a regular file that is open for reading and for nothing else; -1 for whatever else it is."""
    found = os.fstat(fd)
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    readable = flags & os.O_ACCMODE == os.O_RDONLY and not flags & os.O_PATH
    return found.st_size if stat.S_ISREG(found.st_mode) and readable else -1


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        if fd >= 0:
            os.close(fd)
    fds.clear()


def _descriptors_max() -> int:
    """How many documents this process may hold open; the soft limit is raised to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(MESSAGE_DOCUMENTS_MAX, hard - 256)
