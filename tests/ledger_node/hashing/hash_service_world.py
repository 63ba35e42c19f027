"""A hashing service in a thread, its clients, and strangers at its socket."""

from __future__ import annotations

import array
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hash_backends import Wide, digests_of

from ledger_node.hashing import Hashed, Source
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.guard import Answer
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.client import Patience, ServiceHasher
from ledger_node.hashing.service.endpoint import listening
from ledger_node.hashing.service.server import Server, ServiceLimits
from ledger_node.hashing.service.wire import (
    MESSAGE_BYTES_MAX,
    Kind,
    Message,
    decode,
    encode,
)

SECONDS_MAX = 120.0


class Held(Wide):
    """Hashes only while `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.holds = threading.Event()

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """Real digests, late."""
        self.holds.set()
        self.go.wait(SECONDS_MAX)
        return super().hash_batch(sources)


@contextlib.contextmanager
def served(path: Path, hasher: Hasher, limits: ServiceLimits | None = None) -> Iterator[Server]:
    """A service in a thread of this process."""
    with listening(path) as listener:
        server = Server(listener, hasher, limits or ServiceLimits(), dict)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


def client(path: Path | None, patience: Patience | None = None) -> ServiceHasher:
    return ServiceHasher(path, Hasher(HashlibBackend()), patience)


def documents(folder: Path, count: int) -> tuple[list[Path], list[bytes]]:
    contents = [b"document %d" % number * (number % 50) for number in range(count)]
    paths = [folder / str(number) for number in range(count)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths, digests_of(contents)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def backends(answers: Sequence[Answer]) -> set[str]:
    return {answer.backend for answer in answers if isinstance(answer, Hashed)}


@contextlib.contextmanager
def stranger(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(SECONDS_MAX)
        connection.connect(str(path))
        yield connection


def ask(connection: socket.socket, fds: list[int], count: int | None = None, body: bytes = b"") -> None:
    content = encode(Kind.HASH, 7, len(fds) if count is None else count, body)
    connection.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


def hear(connection: socket.socket) -> Message | None:
    """The next message; None when the connection is over."""
    try:
        content = connection.recv(MESSAGE_BYTES_MAX)
    except ConnectionResetError:
        return None
    return decode(content) if content else None


def is_gone(connection: socket.socket) -> bool:
    while message := hear(connection):
        assert message.kind in {Kind.QUEUED, Kind.DONE}
    return True


def kind(message: Message | None) -> Kind | None:
    return message.kind if message else None


def times_open(path: Path) -> int:
    """How often this process, which is the service's, too, has a file open."""
    return sum(link == str(path) for link in links())


def links() -> Iterator[str]:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            yield os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
