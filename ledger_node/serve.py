"""Serving one node: a supervisor that forks the user API, the peer door and the workers, and keeps them alive.

Everything is imported once, before the first fork, and no thread and no connection exists then. The supervisor holds
the lock of the node's folder and both listening sockets, so a taken port or a second server is told at once, and a
child that dies is forked again without losing a connection that waits. Whatever ends the supervisor ends its children:
the kernel kills them when their parent dies. It does no work of the node itself.
Source: prctl(2) PR_SET_PDEATHSIG, sigtimedwait(2).
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn
from wsgiref.types import WSGIApplication

import structlog

from ledger_node.api.app import create_peer_app
from ledger_node.api.peer import tls_context
from ledger_node.background import Background
from ledger_node.config import Settings
from ledger_node.door.bounds import Bounds
from ledger_node.door.server import run_door
from ledger_node.errors import ConfigError, NodeError
from ledger_node.node import Node, open_node
from ledger_node.web.app import UserPort

LOCK_NAME = "serve.lock"
BACKLOG = 512
STOP_SECONDS_MAX = 8.0
BACKOFF_SECONDS_MAX = 10.0
STEADY_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1
_FLOCK = "hhqqi"  # struct flock of 64-bit Linux: type, whence, start, length, pid
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}

_log = structlog.get_logger("serve")


@dataclass
class Child:
    """One forked process: what it runs, its pid (0 while it waits to be started again), and its recent failures."""

    name: str
    run: Callable[[], None]
    pid: int = 0
    started_at: float = 0.0
    failures: int = 0
    start_at: float = 0.0


def serve(settings: Settings) -> None:
    """Serve a node until SIGTERM or SIGINT.

    Args:
        settings: of the node.

    Raises: ConfigError when the node cannot start: another server has its folder, a port is taken, a key is missing.
    """
    with (
        only_server(settings.directory),
        _listen(settings.host, settings.user_port) as user,
        _listen(settings.peer_host or settings.host, settings.peer_port) as peer,
    ):
        tls_context(settings)
        _look_at(open_node(settings))  # migrates, and says what is missing, before anything is forked
        children = [
            Child("user API", lambda: _serve_http("user API", settings, user, UserPort, tls=False)),
            Child("peer door", lambda: _serve_http("peer door", settings, peer, create_peer_app, tls=True)),
            Child("workers", lambda: _serve_workers(settings)),
        ]
        gc.freeze()  # what is imported stays shared memory after the forks
        _supervise(settings, children)


def _look_at(node: Node) -> None:
    with closing(node):
        if not node.logins.list():
            _log.info("nobody can sign in with a browser yet", remedy="ledger-node invite NAME --role admin")


def serving_pid(directory: Path) -> int:
    """The pid of the supervisor that serves the node in this folder; 0 when there is none."""
    try:
        with (directory / LOCK_NAME).open("r") as file:
            return _holder(file)
    except FileNotFoundError:
        return 0


@contextmanager
def only_server(directory: Path) -> Iterator[None]:
    """The lock that one server of a folder holds; the kernel releases it however the process ends.

    Raises: ConfigError naming the process that has it.
    """
    with (directory / LOCK_NAME).open("a+") as file:
        try:
            # A record lock: children do not inherit it, and the kernel tells who has it.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = _holder(file)
            text = f"the node in {directory} is served already, by the process {pid}"
            raise ConfigError(text, f"Stop it first: kill {pid}") from None
        yield


def _holder(file: IO[str]) -> int:
    """The pid of the process that has the lock; 0 when nobody has."""
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    return 0 if kind == fcntl.F_UNLCK else int(pid)


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            text = f"the port {port} on {host} cannot be used: {error.strerror}"
            raise ConfigError(text, "Stop what listens there, or change the port in node.toml.") from error
        yield listener


def _supervise(settings: Settings, children: list[Child]) -> None:
    """Fork, wait for signals, fork again what died; end all when told to."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        for child in children:
            _start(child)
        _log.info("serving", organisation=settings.organisation, user_port=settings.user_port, pid=os.getpid())
        while True:
            due = [child.start_at for child in children if not child.pid]
            timeout = max(0.0, min(due) - time.monotonic()) if due else 3600.0
            received = signal.sigtimedwait(_SIGNALS, timeout)
            if received is not None and received.si_signo != signal.SIGCHLD:
                _log.info("stopping", signal=signal.Signals(received.si_signo).name)
                return
            _reap(children)
            for child in children:
                if not child.pid and child.start_at <= time.monotonic():
                    _start(child)
    finally:
        _stop(children)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(child: Child) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _in_child(child, parent)
    child.pid, child.started_at = pid, time.monotonic()


def _in_child(child: Child, parent: int) -> NoReturn:
    """The life of a forked child; it never returns into the supervisor's code."""
    code = 1
    try:
        die_with_parent(parent)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        child.run()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except NodeError as error:
        _log.error("child failed", child=child.name, text=error.text, remedy=error.remedy)
    except BaseException:  # noqa: BLE001 - the last line of the process: it is logged, and it ends here
        _log.exception("child broke", child=child.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(children: list[Child]) -> None:
    """Note who has died, and when to start it again: at once after a long life, later and later after short ones."""
    for child in children:
        if not child.pid or os.waitpid(child.pid, os.WNOHANG)[0] == 0:
            continue
        now = time.monotonic()
        child.failures = 0 if now - child.started_at > STEADY_SECONDS else child.failures + 1
        pause = min(0.1 * 2**child.failures, BACKOFF_SECONDS_MAX) if child.failures else 0.0
        _log.warning("child ended", child=child.name, pid=child.pid, again_in_seconds=pause)
        child.pid, child.start_at = 0, now + pause


def _stop(children: list[Child]) -> None:
    """End all children: politely, then, when the time is over, not."""
    alive = {child.pid for child in children if child.pid}
    for pid in alive:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while alive:
        alive = {pid for pid in alive if os.waitpid(pid, os.WNOHANG)[0] == 0}
        left = deadline - time.monotonic()
        if alive and left <= 0:
            for pid in alive:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            return
        if alive:
            signal.sigtimedwait({signal.SIGCHLD}, left)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended in between
        os._exit(1)


def _serve_http(
    name: str, settings: Settings, listener: socket.socket, create: Callable[[Node], WSGIApplication], *, tls: bool
) -> None:
    limits = settings.limits
    bounds = Bounds(
        connections_max=limits.connections_max,
        connections_per_address_max=limits.connections_per_address_max,
        handshake_seconds_max=limits.handshake_seconds_max,
        header_seconds_max=limits.header_seconds_max,
        body_bytes_per_second_min=limits.body_bytes_per_second_min,
    )
    with closing(open_node(settings)) as node:
        run_door(name, listener, create(node), tls_context(settings) if tls else None, bounds)


def _serve_workers(settings: Settings) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor says when
    with closing(open_node(settings)) as node, closing(Background(node, stop)):
        stop.wait()
