"""One delivery: signed by Standard Webhooks, sent once, judged by its status.

No redirect is followed, no proxy of the environment asked; a little of the answer is read, and none of it kept.
Source: Standard Webhooks 1.0 (ids, timestamps, `v1,` signatures by HMAC-SHA-256, several while a secret is replaced).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import httpcore
import httpx

from ledger_node.config import WebhookSettings
from ledger_node.errors import BadRequest, ConfigError
from ledger_node.notifications.addresses import Backend, Resolve, checked_url
from ledger_node.notifications.events import MEDIA_TYPE

SECRET_PREFIX, SECRET_BYTES = "whsec_", 32
ANSWER_BYTES_MAX = 64 * 1024
KEEP_ALIVE_SECONDS = 20.0
GONE = 410
RETRY_AFTER_SECONDS_MAX = 6 * 3600


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try: the status of the answer (0: there was none), why it failed, when to come again."""

    status: int
    error: str = ""
    retry_after_seconds: float = 0.0

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no more, ever."""
        return self.status == GONE


def new_secret() -> str:
    """A fresh secret, as receivers are given it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The signature by one secret, `v1,` and base64."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Poster:
    """Sends to one receiver, over connections that are kept; may be used from any thread.

    Args:
        settings: whom it may reach, and how long one delivery may take.
        roots: of TLS, beside the system's; a PEM file.
        connections_max: at once.
        resolve: as `socket.getaddrinfo`.
    """

    def __init__(
        self, settings: WebhookSettings, roots: Path | None, connections_max: int, resolve: Resolve | None = None
    ) -> None:
        self._settings = settings
        self._own = threading.local()
        backend = Backend(settings.private_hosts, lambda: float(self._own.deadline), **_given(resolve))
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(roots),
            max_connections=connections_max,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=backend,
        )

    def post(self, url: str, keys: Sequence[str], webhook_id: str, body: str) -> Outcome:
        """Send once.

        Args:
            url: of the receiver, looked at again: settings change.
            keys: its secrets that are good now, the newest first.
            webhook_id: the same at each try.
            body: an event's JSON.
        """
        self._own.deadline = time.monotonic() + self._settings.seconds_max
        content, timestamp = body.encode(), int(time.time())
        headers = {
            "content-type": MEDIA_TYPE,
            "content-length": str(len(content)),
            "user-agent": "ledger-node",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(key, webhook_id, timestamp, content) for key in keys),
        }
        try:
            target = checked_url(url, self._settings.private_hosts)
            headers["host"] = target.netloc.decode("ascii")
            return self._sent(target, list(headers.items()), content)
        except BadRequest as error:
            return Outcome(0, error.text)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            return Outcome(0, f"{type(error).__name__}: {error}"[:200])

    def _sent(self, target: httpx.URL, headers: list[tuple[str, str]], content: bytes) -> Outcome:
        address = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
        timeout = {"pool": self._settings.seconds_max}
        with self._pool.stream(
            "POST", address, headers=headers, content=content, extensions={"timeout": timeout}
        ) as answer:
            read = 0
            for part in answer.iter_stream():
                read += len(part)
                if read > ANSWER_BYTES_MAX:  # the status is all that counts; the connection is not used again
                    break
            error = "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
            return Outcome(answer.status, error, _retry_after(answer.headers))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def _given(resolve: Resolve | None) -> dict[str, Resolve]:
    return {} if resolve is None else {"resolve": resolve}


@lru_cache(maxsize=4)
def _tls(roots: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if roots is not None:
        try:
            context.load_verify_locations(roots)
        except OSError as error:  # ssl.SSLError is one
            raise ConfigError(f"{roots} holds no certificates: {error}", "Mend webhooks.tls_roots.") from error
    return context


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> float:
    """Seconds that an answer asks to be left alone; 0 where it does not, or names a date."""
    text = next((value for name, value in headers if name.lower() == b"retry-after"), b"")
    return float(min(int(text), RETRY_AFTER_SECONDS_MAX)) if text.isdigit() and len(text) < 8 else 0.0
