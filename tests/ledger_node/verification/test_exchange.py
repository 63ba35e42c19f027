"""Fetching from another organisation: only from whom it should be, only what it should be, bounded in size and time."""

from __future__ import annotations

import datetime as dt
import io
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from consortium import organisations
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ledger_node.errors import ConfigError
from ledger_node.verification.exchange import Exchange, NotEntitled, Unavailable, load_roots, msp_of_certificate
from network.topology import Topology, demo_topology

SALT, CONTENT = b"\x07" * 32, b"invoice" * 50_000
Answer = Callable[[BaseHTTPRequestHandler], None]


def give(content: bytes = CONTENT, status: int = 200, salt: str = SALT.hex(), length: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.send_header("Document-Salt", salt)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Never ends, and is never silent for long."""
    handler.send_response(200)
    handler.send_header("Document-Salt", SALT.hex())
    handler.end_headers()
    pause = threading.Event()
    while not pause.wait(0.05):
        handler.wfile.write(b"x" * 70_000)


def trickle_head(handler: BaseHTTPRequestHandler) -> None:
    """A header that never ends, a byte at a time."""
    trickle(handler, b"HTTP/1.1 200 OK\r\nDocument-Salt: ")


def trickle_body(handler: BaseHTTPRequestHandler) -> None:
    """A body that has an end, which is years away."""
    trickle(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")


def trickle(handler: BaseHTTPRequestHandler, start: bytes) -> None:
    pause = threading.Event()
    handler.wfile.write(start)
    while not pause.wait(0.05):
        handler.wfile.write(b"x")


class Consortium:
    """Certificates of four organisations, and doors that answer what a test wants."""

    def __init__(self, home: Path) -> None:
        organisations(home)
        self.topology: Topology = demo_topology(home, 20000)
        self.roots = {each.msp_id: folders.authority / "tlsca.crt" for each, folders in self.topology.all_folders()}
        self.servers: list[ThreadingHTTPServer] = []

    def door(self, name: str, answer: Answer) -> str:
        """The URL of a door that shows the certificate of `name`."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Quiet: clients break off on purpose."""

        server, tls = Server(("127.0.0.1", 0), Handler), self.topology.folders(name).node_tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
        context.verify_mode = ssl.CERT_REQUIRED
        for root in self.roots.values():
            context.load_verify_locations(root)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.servers.append(server)
        return f"https://localhost:{server.server_address[1]}"

    def exchange(self, name: str = "buyer", seconds_max: float = 5) -> Exchange:
        tls = self.topology.folders(name).node_tls
        return Exchange(tls.certificate, tls.key, self.roots, seconds_max)


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    consortium = Consortium(tmp_path_factory.mktemp("exchange"))
    yield consortium
    for server in consortium.servers:
        server.shutdown()
        server.server_close()


def fetch(exchange: Exchange, url: str, msp_id: str = "SupplierMSP", size_bytes_max: int = len(CONTENT)) -> bytes:
    sink = io.BytesIO()
    assert exchange.fetch(url, msp_id, "d" * 32, sink, size_bytes_max).salt == SALT
    return sink.getvalue()


def test_a_document_comes_with_its_salt(consortium: Consortium) -> None:
    assert fetch(consortium.exchange(), consortium.door("supplier", give())) == CONTENT


def test_the_door_of_another_organisation_is_not_believed(consortium: Consortium) -> None:
    url = consortium.door("carrier", give())
    with pytest.raises(Unavailable, match="certificate"):
        fetch(consortium.exchange(), url)
    assert fetch(consortium.exchange(), url, "CarrierMSP") == CONTENT


def test_a_certificate_for_another_host_is_not_believed(consortium: Consortium) -> None:
    url = consortium.door("supplier", give()).replace("localhost", "127.0.0.2")
    with pytest.raises(Unavailable):
        fetch(consortium.exchange(), url)


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "https://", "ftp://localhost", "https://localhost:99999", "https://[", "x"]
)
def test_a_peer_url_that_is_none_is_unavailable(consortium: Consortium, url: str) -> None:
    with pytest.raises(Unavailable):
        fetch(consortium.exchange(), url)


def test_an_unknown_organisation_and_a_closed_door_are_unavailable(consortium: Consortium) -> None:
    with pytest.raises(Unavailable, match="no TLS root"):
        fetch(consortium.exchange(), "https://localhost:1", "StrangerMSP")
    with pytest.raises(Unavailable, match="did not give"):
        fetch(consortium.exchange(), "https://localhost:1")


@pytest.mark.parametrize(
    "answer",
    [
        give(status=404),
        give(status=500),
        give(CONTENT + b"."),
        give(length=len(CONTENT) + 1),
        give(salt=""),
        give(salt="07"),
        give(salt="nonsense"),
        lambda handler: handler.wfile.write(b"no HTTP at all\r\n\r\n"),
    ],
)
def test_whatever_is_not_the_whole_document_is_unavailable(consortium: Consortium, answer: Answer) -> None:
    with pytest.raises(Unavailable):
        fetch(consortium.exchange(seconds_max=1), consortium.door("supplier", answer))


def test_who_is_not_entitled_is_told_so(consortium: Consortium) -> None:
    with pytest.raises(NotEntitled):
        fetch(consortium.exchange(), consortium.door("supplier", give(status=403)))


def test_a_document_that_never_ends_is_cut_off_in_time_and_in_size(consortium: Consortium) -> None:
    url = consortium.door("supplier", drip)
    with pytest.raises(Unavailable, match="did not come in time"):
        fetch(consortium.exchange(seconds_max=0.5), url, size_bytes_max=1 << 40)
    with pytest.raises(Unavailable, match="was cut off"):
        fetch(consortium.exchange(), url, size_bytes_max=100_000)


@pytest.mark.parametrize("answer", [trickle_head, trickle_body])
def test_a_door_that_gives_a_byte_at_a_time_holds_a_fetch_no_longer_than_allowed(
    consortium: Consortium, answer: Answer
) -> None:
    url, exchange, fate = consortium.door("supplier", answer), consortium.exchange(seconds_max=0.5), []

    def attempt() -> None:
        with pytest.raises(Unavailable):
            fetch(exchange, url, size_bytes_max=1 << 40)
        fate.append("given up")

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(10)
    assert fate == ["given up"]


def test_missing_tls_files_are_named(consortium: Consortium, tmp_path: Path) -> None:
    tls = consortium.topology.folders("buyer").node_tls
    with pytest.raises(ConfigError, match="TLS cannot be set up"):
        Exchange(tls.certificate, tmp_path / "none.key", consortium.roots, 1)


# Who is calling


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def node_certificate(topology: Topology, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(topology.folders(name).node_tls.certificate.read_bytes())


def test_a_caller_is_who_issued_its_certificate(consortium: Consortium) -> None:
    roots, now = load_roots(consortium.roots), dt.datetime.now(dt.UTC)
    for name in ("supplier", "buyer", "financier", "carrier"):
        own = node_certificate(consortium.topology, name)
        assert msp_of_certificate(der(own), roots, now) == f"{name.capitalize()}MSP"


def test_a_borrowed_name_under_ones_own_root_is_nobody(consortium: Consortium, tmp_path: Path) -> None:
    organisations(tmp_path)  # the same names everywhere, but other keys
    impostor = node_certificate(demo_topology(tmp_path, 20000), "buyer")
    genuine = node_certificate(consortium.topology, "buyer")
    assert (impostor.subject, impostor.issuer) == (genuine.subject, genuine.issuer)
    roots, now = load_roots(consortium.roots), dt.datetime.now(dt.UTC)
    assert msp_of_certificate(der(impostor), roots, now) is None
    assert msp_of_certificate(der(genuine), roots, now) == "BuyerMSP"


def test_an_expired_certificate_and_nonsense_are_nobody(consortium: Consortium) -> None:
    own, roots = node_certificate(consortium.topology, "buyer"), load_roots(consortium.roots)
    assert msp_of_certificate(der(own), roots, own.not_valid_after_utc + dt.timedelta(seconds=1)) is None
    assert msp_of_certificate(b"nonsense", roots, dt.datetime.now(dt.UTC)) is None


def test_a_root_is_of_one_organisation_and_is_a_certificate(consortium: Consortium, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two organisations"):
        load_roots({"A": consortium.roots["BuyerMSP"], "B": consortium.roots["BuyerMSP"]})
    (tmp_path / "root.crt").write_text("nonsense")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_roots({"A": tmp_path / "root.crt"})
