"""A node's side of the hashing service: the same answers with or without it.

Files go to the service when it is there; buffers and streams, whatever it does not answer, and everything while it
hangs or is gone are hashed by this process itself. A service that is silent for longer than its work can take is left
alone for a while, a longer one each time, and used again when it answers; one that gave a wrong digest never again.
"""

from __future__ import annotations

import array
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict

from ledger_node.errors import NotFound
from ledger_node.hashing.digest import OPEN_FLAGS
from ledger_node.hashing.guard import Answer, Checked, Sampler, disagreeing, stamps, verify_batch
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.wire import (
    MESSAGE_BYTES_MAX,
    MESSAGE_DOCUMENTS_MAX,
    Kind,
    Message,
    WireError,
    check_socket_path,
    decode,
    decode_done,
    decode_queued,
    encode,
)
from ledger_node.hashing.sources import Descriptor, Hashed, Source

log = structlog.get_logger(__name__)
WINDOW_MESSAGES = 16
STATUS_SECONDS_MAX = 5.0
SECONDS_MAX = 7 * 86400.0  # a sparse file may be of any length, and a clock's number may not


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a service is waited for, and how long it is left alone after it was waited for in vain.

    Others' bytes before one's own are waited for at the least rate, too, but never longer than `queue_seconds_max`.
    """

    silence_seconds: float = 5.0
    bytes_per_second_min: float = 50e6
    queue_seconds_max: float = 60.0
    pause_seconds_min: float = 2.0
    pause_seconds_max: float = 120.0


class ServiceHasher:
    """Hashes by the service where there is one; may be used from any thread, and made before a process forks.

    Args:
        socket_path: of the service; None never asks one.
        local: hashes everything else; closed by `close`.
        patience: with a service that is silent.

    Raises: ConfigError for a path that is too long.
    """

    def __init__(self, socket_path: Path | None, local: Hasher, patience: Patience | None = None) -> None:
        if socket_path is not None:
            check_socket_path(socket_path)
        self._path = socket_path
        self._local = local
        self._patience = patience or Patience()
        self._sampler = Sampler()
        self._lock = threading.Lock()
        self._asks_again_at = 0.0
        self._pause = self._patience.pause_seconds_min
        self._dropped = ""
        self._last = "not asked yet"
        self._documents = self._bytes = 0

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """The digests of documents, in their order; as `Hasher.hash_batch`."""
        nothing: list[Answer | None] = [None] * len(sources)
        answers = self._ask(sources) if self._may_ask() else nothing
        left = [place for place, answer in enumerate(answers) if answer is None]
        for place, answer in zip(left, self._local.hash_batch([sources[place] for place in left]), strict=True):
            answers[place] = answer
        return [answer for answer in answers if answer is not None]

    def verify_batch(self, pairs: Sequence[tuple[Source, bytes]], /) -> list[Checked]:
        """Compare documents with what is expected of them; as `Hasher.verify_batch`."""
        checks, disputed = verify_batch(self.hash_batch, pairs)
        if any(name.startswith("service:") for name in disputed):
            self._drop("it found a mismatch that hashlib does not find")
        return checks

    def status(self) -> dict[str, Any]:
        """What this process uses: `{service: {socket, state, documents, bytes}, local: {...}}`."""
        with self._lock:
            service = {
                "socket": str(self._path) if self._path else "",
                "state": self._dropped or self._last,
                "documents": self._documents,
                "bytes": self._bytes,
            }
        return {"service": service, "local": self._local.status()}

    def service_status(self) -> dict[str, Any] | None:
        """What the service says of itself; None when it does not answer."""
        if self._path is None:
            return None
        try:
            return service_status(self._path, min(1.0, self._patience.silence_seconds))
        except NotFound:
            return None

    def close(self) -> None:
        """Give back what the local hasher holds; twice is fine."""
        self._local.close()

    def _may_ask(self) -> bool:
        """Whether the service is to be asked now; of many threads only one tries it again after a pause."""
        if self._path is None or self._dropped:
            return False
        with self._lock:
            now = time.monotonic()
            if now < self._asks_again_at:
                return False
            if self._asks_again_at:
                self._asks_again_at = now + self._pause
        return True

    def _ask(self, sources: Sequence[Source]) -> list[Answer | None]:
        """What the service answers, None where it does not; a sample of it was hashed again."""
        assert self._path is not None
        answers: list[Answer | None] = [None] * len(sources)
        files = [place for place, source in enumerate(sources) if isinstance(source, Path | Descriptor)]
        if not files:
            return answers
        picked = [files[place] for place in self._sampler.pick(len(files))]
        before = stamps(sources, picked)
        try:
            with _connected(self._path, self._patience.silence_seconds) as connection:
                _Conversation(connection, self._patience).hash(sources, files, answers)
        except (FileNotFoundError, ConnectionRefusedError):
            self._note("absent")
            return answers
        except (WireError, OSError) as error:
            self._leave_alone(str(error) or type(error).__name__)
        else:
            self._well()
        answered = [place for place in picked if answers[place] is not None]
        if wrong := disagreeing(sources, answers, answered, [before[picked.index(place)] for place in answered]):
            self._drop(f"{len(wrong)} of its digests were wrong")
            return [None] * len(sources)
        hashed = [answer for answer in answers if isinstance(answer, Hashed)]
        with self._lock:
            self._documents += len(hashed)
            self._bytes += sum(answer.size_bytes for answer in hashed)
        return answers

    def _note(self, state: str) -> None:
        with self._lock:
            self._last = state

    def _well(self) -> None:
        with self._lock:
            self._last, self._asks_again_at, self._pause = "used", 0.0, self._patience.pause_seconds_min

    def _leave_alone(self, reason: str) -> None:
        with self._lock:
            pause = self._pause
            self._last = f"left alone for {pause:.0f} s: {reason}"
            self._asks_again_at = time.monotonic() + pause
            self._pause = min(self._patience.pause_seconds_max, pause * 2)
        log.warning("the hashing service is left alone", socket=str(self._path), reason=reason, pause_seconds=pause)

    def _drop(self, reason: str) -> None:
        self._dropped = f"not used any more: {reason}"
        log.critical("the hashing service is dropped", socket=str(self._path), reason=reason)


class _Conversation:
    """One batch with the service: a window of messages goes out, answers come back in any order."""

    def __init__(self, connection: socket.socket, patience: Patience) -> None:
        self._connection = connection
        self._patience = patience
        self._open: dict[int, tuple[list[int], int]] = {}  # by number: the places of a message, and its bytes
        self._queued: set[int] = set()
        self._bytes_ahead = 0

    def hash(self, sources: Sequence[Source], places: Sequence[int], answers: list[Answer | None]) -> None:
        """Fill `answers` at `places`; what the service gives no digest for stays None.

        Raises: OSError, WireError when it fails; what was answered until then stays.
        """
        portions = deque(
            list(places[start : start + MESSAGE_DOCUMENTS_MAX])
            for start in range(0, len(places), MESSAGE_DOCUMENTS_MAX)
        )
        number = 0
        while portions or self._open:
            if portions and len(self._open) < WINDOW_MESSAGES:
                number += 1
                self._send(number, sources, portions.popleft())
            else:
                self._receive(answers)

    def _send(self, number: int, sources: Sequence[Source], places: Sequence[int]) -> None:
        opened: list[int] = []
        fds, sent, size_bytes = array.array("i"), [], 0
        try:
            for place in places:
                source = sources[place]
                try:
                    if isinstance(source, Path):
                        opened.append(os.open(source, OPEN_FLAGS))
                    fd = source.fd if isinstance(source, Descriptor) else opened[-1]
                    size_bytes += os.fstat(fd).st_size
                except OSError:
                    continue  # this process tries again, and says what is wrong
                fds.append(fd)
                sent.append(place)
            if fds:
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
                self._connection.settimeout(self._patience.silence_seconds)
                self._connection.sendmsg([encode(Kind.HASH, number, len(fds))], rights, socket.MSG_NOSIGNAL)
                self._open[number] = (sent, size_bytes)
        finally:
            for fd in opened:
                os.close(fd)

    def _receive(self, answers: list[Answer | None]) -> None:
        rate = self._patience.bytes_per_second_min
        ahead_seconds = min(self._bytes_ahead / rate, self._patience.queue_seconds_max)
        own_seconds = sum(size_bytes for _, size_bytes in self._open.values()) / rate
        self._connection.settimeout(min(self._patience.silence_seconds + ahead_seconds + own_seconds, SECONDS_MAX))
        message = _hear(self._connection)
        if message.kind is Kind.QUEUED and message.number in self._open.keys() - self._queued:
            self._queued.add(message.number)
            self._bytes_ahead = max(self._bytes_ahead, decode_queued(message))
            return
        if message.number not in self._open or message.kind not in {Kind.DONE, Kind.BUSY}:
            raise WireError("an answer to what was not asked")
        places, _ = self._open.pop(message.number)
        if message.kind is Kind.DONE:
            received = decode_done(message)
            if len(received) != len(places):
                raise WireError(f"{len(received)} answers about {len(places)} documents")
            for place, answer in zip(places, received, strict=True):
                answers[place] = answer._replace(backend=f"service:{answer.backend}") if answer else None


def service_status(path: Path, seconds_max: float = STATUS_SECONDS_MAX) -> dict[str, Any]:
    """What the service at `path` says of itself.

    Args:
        seconds_max: how long it is waited for.

    Raises: NotFound when none answers, ConfigError for a path that is too long.
    """
    check_socket_path(path)
    try:
        with _connected(path, seconds_max) as connection:
            connection.send(encode(Kind.STATUS, 0), socket.MSG_NOSIGNAL)
            message = _hear(connection)
            if message.kind is not Kind.STATUS:
                raise WireError("another answer than a status")
            return _Status.model_validate_json(message.body).model_dump()
    except (OSError, WireError, ValueError) as error:
        text = f"no hashing service answers at {path}: {error or type(error).__name__}"
        raise NotFound(text, f"Start one: ledger-node hash serve --socket {path}") from error


class _Status(BaseModel):
    """What every status has, whoever wrote it; whatever else it says is passed on."""

    model_config = ConfigDict(extra="allow")

    pid: int
    up_seconds: float
    backend: str
    gpu: dict[str, Any]
    documents: int
    bytes: int
    unreadable: int
    queue: dict[str, int]
    rate: dict[str, float]
    clients: list[dict[str, Any]]


@contextmanager
def _connected(path: Path, seconds_max: float) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(seconds_max)
        connection.connect(str(path))
        yield connection


def _hear(connection: socket.socket) -> Message:
    content = connection.recv(MESSAGE_BYTES_MAX)
    if not content:
        raise WireError("the service has ended the connection")
    return decode(content)
