"""The service's place on this machine: a socket in a folder of its own, and a lock that proves there is one service.

The kernel releases the lock however the process ends, so a socket without a locked lock file is stale and is replaced
in one step; anything else that stands in its place is left alone.
"""

from __future__ import annotations

import fcntl
import grp
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_node.errors import ConfigError
from ledger_node.hashing.service.wire import NEW_SUFFIX, check_socket_path

BACKLOG = 128


@contextmanager
def listening(path: Path, group: str = "") -> Iterator[socket.socket]:
    """A socket that listens at `path`, for this user, or for a group of users too; removed at the end.

    Args:
        path: its folder is made when missing, for this user alone.
        group: whose members may use the service besides; nobody's when empty.

    Raises: ConfigError when another service has it, something else stands there, or the path is too long.
    """
    check_socket_path(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"{path} exists and is no socket", "Name another path with --socket.")
        fresh = path.with_name(path.name + NEW_SUFFIX)
        fresh.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(str(fresh))
        finally:
            os.umask(before)
        if group:
            os.chown(fresh, -1, _group_id(group))
            fresh.chmod(0o660)
        listener.listen(BACKLOG)
        fresh.replace(path)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    place, flags = path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        handle = os.open(place, flags, 0o600)  # whoever can open it can lock it
    except OSError as error:
        text = f"the lock {place} of the hashing service cannot be opened: {error.strerror}"
        raise ConfigError(text, "Name a path with --socket in a folder of your own.") from error
    with os.fdopen(handle, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(32).strip() or "unknown"
            text = f"a hashing service already serves {path}, the process {holder}"
            raise ConfigError(text, f"One is enough for a machine; stop it first: kill {holder}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _group_id(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigError(f"there is no group {group} on this machine", "Name one of `getent group`.") from None
