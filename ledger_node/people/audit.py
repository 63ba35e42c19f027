"""Who did what at this node: one line of JSON for each act, appended, each naming the digest of the line before it.

An act is told twice: before it is begun (who asks for what; where that cannot be written nothing is done), and when it
has been answered. Only metadata stand here: no bodies, no amounts, no names from documents, no secrets.

The chain of digests shows that a line was changed, removed or put in between by somebody who could not write the rest
of the file anew; whoever may write the whole file can. Keep its newest digest elsewhere (`ledger-node audit verify`
prints it, and looks for it later) to be safe from that, too. A line that was cut short by a loss of power stays, as a
line of its own.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

BEFORE_FIRST = "0" * 64
TAIL_BYTES = 64 * 1024
TEXT_CHARACTERS_MAX = 300


class AuditLog:
    """The file; any number of processes and threads may append to it.

    Args:
        path: made at the first act, readable by its owner only; a file that was moved away is begun anew.
        now: the clock; UTC.
    """

    def __init__(self, path: Path, now: Callable[[], dt.datetime]) -> None:
        self.path = path
        self._now = now
        self.trouble = ""  # why the last act could not be written; empty when it was
        self._lock = threading.Lock()
        self._seen = (0, 0, BEFORE_FIRST)  # the file's inode, its size, the digest of its last line

    def append(self, **act: Any) -> str:
        """Write an act down.

        Args:
            act: names and values of what is told; texts are cut at 300 characters.

        Returns: the digest of its line, by which a later line can name it.

        Raises: OSError when it cannot be written.
        """
        told = {name: value[:TEXT_CHARACTERS_MAX] if isinstance(value, str) else value for name, value in act.items()}
        with self._lock:
            try:
                digest = self._append(told)
            except OSError as error:
                self.trouble = error.strerror or str(error)
                raise
            self.trouble = ""
            return digest

    def again(self) -> bool:
        """Whether acts can be written, tried where the last could not: who is not asked any more would never know."""
        if self.trouble:
            with suppress(OSError):
                self.append(act="written again", after=self.trouble)
        return not self.trouble

    def _append(self, told: dict[str, Any]) -> str:
        with _locked(self.path) as file:
            found = os.fstat(file.fileno())
            before = self._seen[2] if self._seen[:2] == (found.st_ino, found.st_size) else _last_digest(file)
            at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = json.dumps({"at": at, **told, "previous": before}, ensure_ascii=False).encode() + b"\n"
            if os.write(file.fileno(), line) != len(line):
                os.ftruncate(file.fileno(), found.st_size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            digest = _digest(line)
            self._seen = (found.st_ino, found.st_size + len(line), digest)
            return digest


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that does not continue the one before it: its number, from 1, and what is wrong."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading a whole file showed: how many lines, the digest of the last, what is wrong, what was looked for."""

    lines: int
    digest: str
    broken: tuple[Broken, ...]
    kept_found: bool


def verify(path: Path, kept: str = "") -> Verified:
    """Read the whole file and follow its chain.

    Args:
        path: the file.
        kept: the newest digest of an earlier time: some line has it, if nothing before was changed since.

    Raises: OSError when it cannot be read.
    """
    digest, lines, broken, kept_found = BEFORE_FIRST, 0, [], not kept
    with path.open("rb") as file:
        for line in file:
            lines += 1
            if not line.endswith(b"\n"):
                broken.append(Broken(lines, "it was cut short"))
            elif (act := _act(line)) is None:
                broken.append(Broken(lines, "it is no act: cut short, or written by something else"))
            elif act.get("previous") != digest:
                broken.append(Broken(lines, "it does not continue the line before it"))
            digest = _digest(line)
            kept_found = kept_found or digest == kept
    return Verified(lines, digest, tuple(broken), kept_found)


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The acts of a file, oldest first, each with the digest of its line. Raises: OSError."""
    with path.open("rb") as file:
        for line in file:
            act = _act(line)
            if act is not None:
                act.pop("previous", None)
                yield _digest(line), act


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The file that has the name while the lock is held, not one that was moved away meanwhile."""
    while True:
        with _opened(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(path, file):
                yield file
                return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _opened(path: Path) -> BinaryIO:
    folder = path.parent.stat()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0 and folder.st_uid and os.fstat(descriptor).st_uid == 0:
        os.fchown(descriptor, folder.st_uid, folder.st_gid)  # who serves the node has to write it, too
    return os.fdopen(descriptor, "rb", buffering=0)


def _last_digest(file: BinaryIO) -> str:
    """The digest of the last line; one that was cut short is ended first."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return BEFORE_FIRST
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read()
    if not tail.endswith(b"\n"):
        os.write(file.fileno(), b"\n")
        tail += b"\n"
    return _digest(tail[tail.rfind(b"\n", 0, -1) + 1 :])


def _digest(line: bytes) -> str:
    return hashlib.sha256(line.removesuffix(b"\n")).hexdigest()


def _act(line: bytes) -> dict[str, Any] | None:
    try:
        act = json.loads(line)
    except ValueError:
        return None
    return act if isinstance(act, dict) else None
