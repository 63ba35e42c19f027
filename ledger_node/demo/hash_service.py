"""The demo's hashing service: one process that hashes for all four nodes, as one would run on a real machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from ledger_node.errors import ConfigError, NotFound
from ledger_node.hashing.service.client import service_status
from ledger_node.hashing.service.wire import check_socket_path

SOCKET_NAME = "hash.sock"
LOG_NAME = "hash.log"
STATUS_SECONDS_MAX = 1.0


def socket_of(directory: Path) -> Path | None:
    """Where the service of the demo in this folder listens; None when the path is too long for a socket."""
    try:
        check_socket_path(directory / SOCKET_NAME)
    except ConfigError:
        return None
    return directory / SOCKET_NAME


def start(socket_path: Path) -> subprocess.Popen[bytes]:
    """Start `ledger-node hash serve`; nodes hash by themselves until it is there."""
    command = [sys.executable, "-m", "ledger_node", "hash", "serve", "--socket", str(socket_path)]
    with socket_path.with_name(LOG_NAME).open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def running(directory: Path) -> list[psutil.Process]:
    """The process of the service in this folder, whoever started it; none when none answers."""
    service = status(directory)
    return [psutil.Process(service["pid"])] if service and psutil.pid_exists(service["pid"]) else []


def status(directory: Path) -> dict[str, Any] | None:
    """What the service of this folder says of itself; None when none answers."""
    try:
        return service_status(directory / SOCKET_NAME, STATUS_SECONDS_MAX)
    except (NotFound, ConfigError):
        return None


def used(directory: Path) -> dict[str, Any]:
    """What hashed the demo's documents: `{service, backend, documents}`; the nodes' own cores where no service ran."""
    service = status(directory)
    if service is None:
        return {"service": False, "backend": "the nodes' own cores", "documents": 0}
    return {"service": True, "backend": service["backend"], "documents": service["documents"]}
