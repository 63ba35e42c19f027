"""Documents between organisations: fetching them over mutual TLS, and telling who is at the other end.

The server must prove, with a certificate from the TLS root of exactly the organisation that submitted the document,
that it is that organisation; a certificate of any other one is refused however it is named. What comes is bounded in
bytes and seconds. This room gives bytes and a salt and believes neither: the verifier compares. Source: RFC 5280 and
RFC 9525 as `ssl` and `cryptography` implement them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from ledger_node.errors import ConfigError, NodeError

DOCUMENT_PATH = "/peer/v1/documents/"
REASONS_PATH = "/peer/v1/invoices/{invoice_id}/reasons"
SALT_HEADER = "Document-Salt"
NAME_HEADER = "Document-Name"
SALT_BYTES = 32
READ_BYTES = 1 << 16
SOCKET_SECONDS_MAX = 10.0
CLOCK_SECONDS_MAX = 3.0
ANSWER_SECONDS_MAX = 3.0
NO_DOCUMENT = "0" * 32


class ExchangeError(NodeError):
    """A document could not be had from another organisation."""


class Unavailable(ExchangeError):
    """The other node did not answer, is not who it should be, or does not have the document: try again later."""


class NotEntitled(ExchangeError):
    """The other node says that this organisation may not have the document."""


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a document's bytes: its salt, 32 bytes, and what its submitter calls the file, if anything."""

    salt: bytes
    file_name: str = ""


class Exchange:
    """The fetching side, with the organisation's own TLS pair; may be used from any thread.

    Args:
        certificate: file with the node's TLS certificate, PEM.
        private_key: file with its key, PEM.
        roots: for each MSP id the file with that organisation's TLS root, PEM.
        seconds_max: how long one fetch may take in all.

    Raises: ConfigError when a file is missing or is not what it should be.
    """

    def __init__(self, certificate: Path, private_key: Path, roots: Mapping[str, Path], seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._contexts = {msp_id: _context(certificate, private_key, root) for msp_id, root in roots.items()}

    def fetch(self, peer_url: str, msp_id: str, document_id: str, sink: BinaryIO, size_bytes_max: int) -> Given:
        """Stream one document of another organisation.

        Args:
            peer_url: the other node's peer port, https.
            msp_id: whose node it must be.
            document_id: of a document that this organisation submitted.
            sink: where the bytes go.
            size_bytes_max: more than that is cut off and is an error.

        Returns: its salt and the name of its file.

        Raises: NotEntitled, Unavailable; what is in `sink` then is worth nothing.
        """
        context = self._context_of(msp_id)
        timeout = min(SOCKET_SECONDS_MAX, self._seconds_max)
        deadline = time.monotonic() + self._seconds_max
        try:
            host, port, path = _parts(peer_url)
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
            with contextlib.closing(connection), _cut_off(connection, deadline):
                connection.request("GET", f"{path}{DOCUMENT_PATH}{document_id}")
                response = connection.getresponse()
                _check_status(response.status, msp_id, document_id)
                _stream(response, sink, size_bytes_max, deadline)
                salt = _salt(response.getheader(SALT_HEADER, ""), msp_id)
                return Given(salt, _file_name(response.getheader(NAME_HEADER, "")))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"{msp_id} at {peer_url} did not give document {document_id}: {error}") from error

    def ask(self, peer_url: str, msp_id: str, path: str, size_bytes_max: int) -> bytes:
        """A short answer of another organisation's node, within ANSWER_SECONDS_MAX.

        Args:
            peer_url: the other node's peer port, https.
            msp_id: whose node it must be.
            path: what is asked.
            size_bytes_max: of the answer; more than that is an error.

        Raises: Unavailable, also when the other node says no.
        """
        context, deadline = self._context_of(msp_id), time.monotonic() + ANSWER_SECONDS_MAX
        sink = io.BytesIO()
        try:
            host, port, below = _parts(peer_url)
            connection = http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS_MAX, context=context)
            with contextlib.closing(connection), _cut_off(connection, deadline):
                connection.request("GET", f"{below}{path}")
                response = connection.getresponse()
                if response.status != http.HTTPStatus.OK:
                    raise Unavailable(f"{msp_id} answered {response.status} to {path}")
                _stream(response, sink, size_bytes_max, deadline)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"{msp_id} at {peer_url} did not answer {path}: {error}") from error
        return sink.getvalue()

    def clock(self, peer_url: str, msp_id: str) -> dt.datetime:
        """The time by another organisation's node, in whole seconds, UTC.

        Args:
            peer_url: the other node's peer port, https.
            msp_id: whose node it must be.

        Raises: Unavailable.
        """
        context = self._context_of(msp_id)
        try:
            host, port, path = _parts(peer_url)
            connection = http.client.HTTPSConnection(host, port, timeout=CLOCK_SECONDS_MAX, context=context)
            with contextlib.closing(connection), _cut_off(connection, time.monotonic() + CLOCK_SECONDS_MAX):
                connection.request("GET", f"{path}{DOCUMENT_PATH}{NO_DOCUMENT}")  # every answer has a date
                return email.utils.parsedate_to_datetime(connection.getresponse().getheader("Date", ""))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"{msp_id} at {peer_url} does not tell its time: {error}") from error

    def _context_of(self, msp_id: str) -> ssl.SSLContext:
        context = self._contexts.get(msp_id)
        if context is None:
            raise Unavailable(f"no TLS root of {msp_id} is known", "Add it to [tls.roots] in node.toml.")
        return context


def load_roots(roots: Mapping[str, Path]) -> dict[str, x509.Certificate]:
    """Read the organisations' TLS roots.

    Args:
        roots: for each MSP id the PEM file.

    Raises: ConfigError when a file is no certificate, or two organisations have the same one.
    """
    loaded: dict[str, x509.Certificate] = {}
    for msp_id, path in roots.items():
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError(f"the TLS root {path} of {msp_id} cannot be read: {error}", "Fetch it again.") from error
        if certificate in loaded.values():
            raise ConfigError(f"{path} is the TLS root of two organisations", "Each has its own; mend [tls.roots].")
        loaded[msp_id] = certificate
    return loaded


def msp_of_certificate(der: bytes, roots: Mapping[str, x509.Certificate], now: dt.datetime) -> str | None:
    """Which organisation a TLS client certificate belongs to: the one whose root issued it, whatever its subject says.

    Args:
        der: the certificate, DER.
        roots: of `load_roots`.
        now: the time to judge validity at; UTC.

    Returns: the MSP id; None when no root issued it, or it is not valid now, or not for TLS clients.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return None
    for msp_id, root in roots.items():
        verifier = PolicyBuilder().store(Store([root])).time(now).build_client_verifier()
        try:
            verifier.verify(certificate, [])
        except VerificationError:
            continue
        return msp_id
    return None


def _context(certificate: Path, private_key: Path, root: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, our pair shown, and one root trusted; host names are checked."""
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(root))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, private_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"TLS cannot be set up from {certificate}, {private_key} and {root}: {error}", "Look at [tls] in node.toml."
        ) from error
    return context


@contextlib.contextmanager
def _cut_off(connection: http.client.HTTPSConnection, deadline: float) -> Iterator[None]:
    """Connect, and end the connection at the deadline, in whatever it is.

    A socket's own time-out begins anew with every byte, and a stranger may send one now and then.
    """
    connection.connect()
    stream = connection.sock

    def cut() -> None:
        with contextlib.suppress(OSError):  # closed already
            stream.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _parts(peer_url: str) -> tuple[str, int, str]:
    """Host, port and path of a peer URL, which a stranger wrote. Raises: ValueError."""
    url = urlsplit(peer_url)
    if url.scheme != "https" or not url.hostname:
        raise ValueError("the peer URL is not https")
    return url.hostname, url.port or 443, url.path.rstrip("/")


def _check_status(status: int, msp_id: str, document_id: str) -> None:
    if status == http.HTTPStatus.FORBIDDEN:
        raise NotEntitled(f"{msp_id} does not give us document {document_id}")
    if status != http.HTTPStatus.OK:
        raise Unavailable(f"{msp_id} answered {status} for document {document_id}")


def _stream(response: http.client.HTTPResponse, sink: BinaryIO, size_bytes_max: int, deadline: float) -> None:
    size_bytes = 0
    while piece := response.read(READ_BYTES):
        size_bytes += len(piece)
        if size_bytes > size_bytes_max:
            raise Unavailable(f"more than {size_bytes_max} bytes came; the rest was cut off")
        if time.monotonic() > deadline:
            raise Unavailable(f"the document did not come in time; {size_bytes} bytes did")
        sink.write(piece)
    if time.monotonic() > deadline:  # where no length was announced, being cut off looks like the end
        raise Unavailable(f"the document did not come in time; {size_bytes} bytes did")
    if response.length:
        raise Unavailable(f"the connection broke off {response.length} bytes before the end")


def _file_name(text: str) -> str:
    return PurePath(unquote(text, errors="replace")).name


def _salt(text: str, msp_id: str) -> bytes:
    salt = bytes.fromhex(text)
    if len(salt) != SALT_BYTES:
        raise Unavailable(f"{msp_id} gave a salt of {len(salt)} bytes, not {SALT_BYTES}")
    return salt
