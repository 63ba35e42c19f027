"""A WSGI application behind a door: which threads serve a request, its body by a least rate, its answer by deadlines.

A small body is read before a thread is taken, and a small answer is sent after it was given back. What is large, or
waits for the ledger, has threads of its own, so that it stands in nobody's way; so do health and metrics.
Source: PEP 3333 (WSGI), ASGI 3.0.
"""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from ledger_node.door.bounds import Bounds
from ledger_node.door.visit import VISIT, Visit

CLIENT_CERTIFICATE = "ledger_node.client_certificate"
"""Where an application finds the client's checked certificate: DER, or None."""
ENDING = "ledger_node.ending"
"""Where an application finds the event that is set when the door closes: what streams without an end looks there."""
THREADS = 32
HEALTH_THREADS = 4
HEALTH_PATHS = ("/health/", "/metrics")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SMALL_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 1024 * 1024
READ_BYTES = 64 * 1024

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = dict[str, str]


class Application:
    """An ASGI application that serves a WSGI one.

    Args:
        wsgi: called in threads.
        bounds: of the door.
    """

    def __init__(self, wsgi: WSGIApplication, bounds: Bounds) -> None:
        self._wsgi = wsgi
        self._bounds = bounds
        self.ending = threading.Event()
        self._health = ThreadPoolExecutor(HEALTH_THREADS, "health")
        self._plain = ThreadPoolExecutor(THREADS, "request")
        self._waiting = ThreadPoolExecutor(THREADS, "waiting")
        self._large = ThreadPoolExecutor(bounds.connections_max, "large")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        visit, headers = scope["state"][VISIT], _headers(scope)
        body = _Body(visit, receive, self._bounds)
        is_small = _is_small(headers)
        stream: io.BufferedIOBase = io.BytesIO(await body.whole()) if is_small else io.BufferedReader(body, READ_BYTES)
        environ = _environ(scope, headers, visit, body.failure(stream)) | {ENDING: self.ending}
        threads = self._large if not is_small else self._threads(scope, headers)
        loop = asyncio.get_running_loop()
        out, answer = _Out(visit, send, self._bounds.body_grace_seconds), None
        try:
            answer = await loop.run_in_executor(threads, self._answer, visit, environ)
            await out.send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if answer.content is None:
                await loop.run_in_executor(self._large, answer.stream, out, loop)
            await out.send({"type": "http.response.body", "body": answer.content or b""})
        except ClientDisconnected:
            visit.break_off()
        finally:
            if answer is not None and answer.content is None:
                await loop.run_in_executor(self._large, answer.close)

    def _answer(self, visit: Visit, environ: Any) -> _Answer:
        """In a thread. Raises: ClientDisconnected when the guest has gone before its turn came: nobody waits for it."""
        if visit.transport.is_closing():
            raise ClientDisconnected
        return _Answer(self._wsgi, environ)

    def _threads(self, scope: Scope, headers: Headers) -> ThreadPoolExecutor:
        if scope["path"].startswith(HEALTH_PATHS):
            return self._health
        is_form = scope["method"] == "POST" and headers.get("CONTENT_TYPE", "").startswith(FORMS)  # pages wait unasked
        waits = is_form or "HTTP_PREFER" in headers or "HTTP_LEDGER_BLOCK_MIN" in headers
        return self._waiting if waits else self._plain


class _Body(io.RawIOBase):
    """A request's body: read whole in the loop, or piece by piece by a thread; in both cases not too slowly."""

    def __init__(self, visit: Visit, receive: Receive, bounds: Bounds) -> None:
        self._visit, self._receive, self._bounds = visit, receive, bounds
        self._loop = asyncio.get_running_loop()
        self._waited_seconds = 0.0
        self._size_bytes = 0
        self._more = True
        self._rest = memoryview(b"")
        self._failed: Exception | None = None

    async def whole(self) -> bytes:
        """All of it, or what there is of it when it fails; see `failure`."""
        pieces = []
        try:
            while self._more:
                pieces.append(await self.piece())
        except (RequestTimeout, ClientDisconnected) as error:
            self._failed = error
        return b"".join(pieces)

    async def piece(self) -> bytes:
        """What has come since the last one; empty at the end. Raises: RequestTimeout, ClientDisconnected."""
        grace_seconds = self._bounds.body_grace_seconds
        left = grace_seconds + self._size_bytes / self._bounds.body_bytes_per_second_min - self._waited_seconds
        began = self._loop.time()
        self._visit.waited_for(True)
        try:
            async with asyncio.timeout(min(left, grace_seconds)):
                message = await self._receive()
        except TimeoutError:
            self._visit.offends("its body came too slowly")
            raise RequestTimeout("the body came too slowly") from None
        finally:
            self._visit.waited_for(False)
            self._waited_seconds += self._loop.time() - began
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        self._more = message["more_body"]
        content: bytes = message["body"]
        self._size_bytes += len(content)
        return content

    def failure(self, stream: io.BufferedIOBase) -> io.BufferedIOBase:
        """The stream, or one that raises what failed when it is read: whoever is unknown is told that first."""
        return stream if self._failed is None else io.BufferedReader(self, READ_BYTES)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for the next piece; only in a thread."""
        if self._failed is not None:
            raise self._failed
        while not self._rest and self._more:
            self._rest = memoryview(_await(self.piece(), self._loop))
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


class _Answer:
    """What the application answers. It is called here, in a thread, and so is whatever it does while it is iterated."""

    def __init__(self, wsgi: WSGIApplication, environ: dict[str, Any]) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self._pieces: Iterable[bytes] = wsgi(environ, self._start)
        length = next((int(value) for name, value in self.headers if name.lower() == b"content-length"), None)
        self.content: bytes | None = None
        if length is not None and length <= ANSWER_BYTES_MAX:
            try:
                self.content = b"".join(self._pieces)
            finally:
                self.close()

    def stream(self, out: _Out, loop: asyncio.AbstractEventLoop) -> None:
        """Send it piece by piece."""
        for piece in self._pieces:
            _await(out.send({"type": "http.response.body", "body": piece, "more_body": True}), loop)

    def close(self) -> None:
        """Release what the application holds for it."""
        if close := getattr(self._pieces, "close", None):
            close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.headers.append((b"Date", formatdate(usegmt=True).encode()))
        return _no_write


class _Out:
    """The way of an answer; a guest that does not read it is cut off."""

    def __init__(self, visit: Visit, send: Send, seconds_max: float) -> None:
        self._visit, self._send, self._seconds_max = visit, send, seconds_max

    async def send(self, message: dict[str, Any]) -> None:
        """Send a part of it, as soon as the parts before are on their way. Raises: ClientDisconnected."""
        self._visit.waited_for(True)
        try:
            async with asyncio.timeout(self._seconds_max):
                await self._send(message)
        except TimeoutError:
            self._visit.offends("it left its answer unread")
            raise ClientDisconnected from None
        finally:
            if not self._visit.header_is_waited_for:
                self._visit.waited_for(False)
        if self._visit.transport.is_closing() and message.get("more_body"):
            raise ClientDisconnected


def _await(step: Any, loop: asyncio.AbstractEventLoop) -> Any:
    """The result of a step of the loop, waited for in another thread."""
    future: Future[Any] = asyncio.run_coroutine_threadsafe(step, loop)
    return future.result()


ONCE = ("HTTP_AUTHORIZATION", "HTTP_HOST", "HTTP_IDEMPOTENCY_KEY", "HTTP_LEDGER_BLOCK_MIN", "CONTENT_TYPE")
"""Headers of one value each: of two, nobody can say which was meant."""
REPEATED = "ledger_node.repeated_headers"
"""In the environ: those of them that came twice."""


def _headers(scope: Scope) -> Headers:
    """Headers under their names in an environ. One with an underscore could pass for another and is left out."""
    found: Headers = {}
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        name = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        joint = "; " if name == "HTTP_COOKIE" else ","
        if name in found and name in ONCE:
            found[REPEATED] = f"{found.get(REPEATED, '')} {raw_name.decode('latin-1')}".lstrip()
        found[name] = f"{found[name]}{joint}{value}" if name in found else value
    return found


def _is_small(headers: Headers) -> bool:
    return "HTTP_TRANSFER_ENCODING" not in headers and int(headers.get("CONTENT_LENGTH", "0")) <= SMALL_BYTES_MAX


def _environ(scope: Scope, headers: Headers, visit: Visit, body: io.BufferedIOBase) -> dict[str, Any]:
    host, port = scope["server"] or ("", 0)
    return {
        **headers,
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": visit.guest.address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.input_terminated": True,  # the door knows where a body ends, of unknown length too
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        CLIENT_CERTIFICATE: visit.certificate(),
    }


def _no_write(_content: bytes) -> object:
    raise RuntimeError("WSGI's write() is not offered: an answer is iterated")
