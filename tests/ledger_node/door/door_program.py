"""A door with a small application behind it, as a process of its own: `door_program.py DESCRIPTOR BOUNDS`.

`/echo` answers with what it was sent, `/large` with 8 MB in pieces, `/hold` once somebody asked for `/health/release`,
`/health/held` with how many are held, and anything else with a word, without reading its body. SIGUSR1 releases, too.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse

from werkzeug.exceptions import HTTPException

from ledger_node.door.bounds import Bounds
from ledger_node.door.server import run_door

PIECES, PIECE = 128, b"x" * 65536
HELD, RELEASED = list[int](), threading.Event()


def pieces() -> Iterator[bytes]:
    for _ in range(PIECES):
        yield PIECE


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/large":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(PIECES * len(PIECE)))])
        return pieces()
    content = environ["wsgi.input"].read() if path == "/echo" else b"here"
    if path == "/hold":
        HELD.append(1)
        RELEASED.wait()
    if path == "/health/held":
        content = str(len(HELD)).encode()
    if path == "/health/release":
        RELEASED.set()
    if path == "/environ":
        content = json.dumps({name: value for name, value in environ.items() if isinstance(value, str)}).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))])
    return [content]


def guarded(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """As a framework does: what the body's stream raises is an answer."""
    try:
        return application(environ, start_response)
    except HTTPException as error:
        return error.get_response(environ)(environ, start_response)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: RELEASED.set())
    run_door("test", socket.socket(fileno=int(sys.argv[1])), guarded, None, Bounds(**json.loads(sys.argv[2])))
    os._exit(0)  # as a node's processes do: threads that still work for somebody are not waited for
