"""Where a node may connect to on behalf of a webhook: public addresses, and hosts that its settings name.

A name is looked up once, every address that it has is looked at, and the connection goes to one of those very
addresses: what a second look would say changes nothing. The name still decides whose certificate is wanted.
Source: IANA's special-purpose address registries; RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import httpcore
import httpx

from ledger_node.errors import BadRequest

URL_CHARACTERS_MAX, PORT_MAX, SCHEMES = 500, 65535, ("https", "http")
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is routed to; mapped, compatible and translated IPv4 (NAT64) are outside of it."""
TRANSLATED = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/32", "192.88.99.0/24")))
"""What carries IPv4 addresses inside, or leads to whoever does (6to4, Teredo)."""

Resolve = Callable[..., Iterable[tuple[Any, ...]]]
"""As `socket.getaddrinfo`."""


class NotAllowed(httpcore.ConnectError):
    """A host has an address that no webhook may lead to."""


def is_public(text: str) -> bool:
    """Whether an address, as the resolver wrote it, is one of the public network's and stands for no other."""
    address = ipaddress.ip_address(text)
    if not address.is_global or address.is_multicast or any(address in each for each in TRANSLATED):
        return False
    return address.version == 4 or address in GLOBAL_UNICAST


def checked_url(text: str, private_hosts: Collection[str]) -> httpx.URL:
    """The address of a receiver.

    Args:
        text: as somebody typed it.
        private_hosts: of the settings: these may be http, and anywhere.

    Raises: BadRequest.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise BadRequest(f"{text[:60]!r} is no URL", "Give it as https://HOST/PATH.") from error
    if len(text) > URL_CHARACTERS_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise BadRequest("the URL is too long, or not of visible ASCII characters", "Percent-encode what is not.")
    host = host_of(url)
    if not host or url.userinfo or url.fragment or url.scheme not in SCHEMES or not 0 < (url.port or 443) <= PORT_MAX:
        raise BadRequest(f"{text[:60]!r} is no address of a receiver", "Give https://HOST/PATH, no user, no #part.")
    if host in private_hosts:
        return url
    if url.scheme != "https":
        raise BadRequest("the receiver has to speak https", f"Or allow it: webhooks.private_hosts = [{host!r}]")
    if _is_address(host) and not is_public(host):
        raise BadRequest(f"{host} is no public address", f"Allow it: webhooks.private_hosts = [{host!r}]")
    return url


def host_of(url: httpx.URL) -> str:
    """The host as it is looked up and compared: ASCII, lower case, no brackets, no last dot."""
    return url.raw_host.decode("ascii").lower().strip("[]").rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Backend(httpcore.NetworkBackend):
    """Connections to allowed addresses, each use of which ends by a deadline, whatever the other side does.

    Args:
        private_hosts: may have any address.
        deadline: by the monotonic clock, of what the calling thread does now.
        resolve: as `socket.getaddrinfo`.
    """

    def __init__(
        self, private_hosts: Collection[str], deadline: Callable[[], float], resolve: Resolve = socket.getaddrinfo
    ) -> None:
        self._private_hosts = private_hosts
        self._deadline = deadline
        self._resolve = resolve
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Look the host up, and connect to the first of its addresses that answers.

        Raises: NotAllowed; httpcore.ConnectError, httpcore.ConnectTimeout.
        """
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._allowed(host.strip("[]"), port):
            try:
                stream = self._sockets.connect_tcp(address, port, self._seconds_left(), local_address, socket_options)
                return _Stream(stream, self._seconds_left)
            except httpcore.ConnectError as error:
                failed = error
        raise failed

    def _allowed(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be looked up: {error}") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if host.lower().rstrip(".") in self._private_hosts:
            return addresses
        if any("%" in each or not is_public(each) for each in addresses):
            raise NotAllowed(f"{host} has an address that is not public, and webhooks.private_hosts does not name it")
        return addresses

    def _seconds_left(self) -> float:
        left = self._deadline() - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it took too long")
        return left


class _Stream(httpcore.NetworkStream):
    """A stream of which each step has only the time that is left."""

    def __init__(self, stream: httpcore.NetworkStream, seconds_left: Callable[[], float]) -> None:
        self._stream = stream
        self._seconds_left = seconds_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._seconds_left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._seconds_left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._seconds_left()), self._seconds_left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
