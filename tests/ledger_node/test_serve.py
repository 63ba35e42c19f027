"""A node served as a user serves it: one supervisor, three children, mutual TLS on real sockets."""

from __future__ import annotations

import datetime as dt
import http.client
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from click.testing import CliRunner
from crowd import Crowd, half_hello
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ledger_node.cli import main
from ledger_node.cli.init import write_demo
from ledger_node.client import Client
from ledger_node.config import Settings, load_settings
from ledger_node.demo.samples import BUYER, SUPPLIER, proof_of_delivery_pdf
from ledger_node.node import open_node
from ledger_node.serve import serving_pid
from network.identities import load_authority
from network.ports import held_base_port
from network.topology import demo_topology

pytestmark = pytest.mark.alone

WAIT_SECONDS = 120.0
PROCESSES = 3  # the two doors and the node's workers
TODAY = dt.datetime.now(dt.UTC).date()


def eventually(check: Callable[[], object], what: str) -> None:
    deadline, idle = time.monotonic() + WAIT_SECONDS, threading.Event()
    while not check():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        idle.wait(0.05)


@dataclass
class Served:
    """A node's process and how to reach it."""

    folder: Path
    settings: Settings
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.user_port}"

    def client(self, role: str) -> Client:
        node = open_node(self.settings)
        token = node.tokens.create(role, 1)[0]
        node.close()
        return Client(self.url, token)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def start(folder: Path) -> Served:
    command = [sys.executable, "-m", "ledger_node", "node", "serve", "--node", str(folder)]
    with (folder / "node.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    served = Served(folder, load_settings(folder), process)
    with Client(served.url) as client:
        eventually(client.ready, (folder / "node.log").read_text())
    return served


def end(served: Served) -> None:
    served.process.terminate()
    served.process.wait(60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("served")
    with held_base_port(31010, 60000) as base_port:
        write_demo(folder, base_port, "embedded")
        yield folder


@pytest.fixture(scope="module")
def started() -> Iterator[list[Served]]:
    """The supplier's node each time that it was started, which takes long; the last one may still run."""
    served: list[Served] = []
    yield served
    for each in served:
        if each.process.poll() is None:
            end(each)


@pytest.fixture
def supplier(home: Path, started: list[Served]) -> Served:
    """The supplier's node, whoever has started it."""
    if not started or started[-1].process.poll() is not None:
        started.append(start(home / "nodes" / "supplier"))
    return started[-1]


def test_a_served_node_answers_and_ends_when_told_to(supplier: Served) -> None:
    with supplier.client("auditor") as client:
        assert client.get("/v1/parties")["items"] == []
    status = CliRunner().invoke(main, ["node", "status", "--node", str(supplier.folder)])
    assert (status.exit_code, "SupplierMSP" in status.stdout, "projector: running" in status.stdout) == (0, True, True)
    family = supplier.family()
    assert len(family) == PROCESSES
    supplier.process.terminate()
    assert supplier.process.wait(60) == 0
    assert psutil.wait_procs(family, timeout=60)[1] == []


def test_a_stream_of_blocks_and_a_page_hold_up_no_end(supplier: Served) -> None:
    invited = CliRunner().invoke(main, ["invite", "anna", "--node", str(supplier.folder), "--role", "admin"])
    assert invited.exit_code == 0, invited.output
    link = invited.output.strip().replace("http://localhost:", "http://127.0.0.1:")
    assert "Choose a password" in httpx.get(link).text
    assert httpx.get(supplier.url).headers["Location"] == "/sign-in"
    made = CliRunner().invoke(main, ["token", "create", "--node", str(supplier.folder), "--role", "auditor"])
    headers = {"Authorization": f"Bearer {made.output.strip()}"}
    with httpx.stream("GET", f"{supplier.url}/v1/events", headers=headers, timeout=WAIT_SECONDS) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        end(supplier)
        assert all(line.startswith(("id:", "event:", "data:", ":")) or not line for line in lines)
    assert "cut off" not in (supplier.folder / "node.log").read_text()


def test_a_child_that_is_killed_is_started_again(supplier: Served) -> None:
    victims = supplier.family()
    for victim in victims:
        victim.kill()
    gone = {victim.pid for victim in victims}
    eventually(lambda: len(pids(supplier)) == PROCESSES and not gone & pids(supplier), "three children again")
    with Client(supplier.url) as client:
        eventually(client.ready, "the node is ready again")


def pids(served: Served) -> set[int]:
    """The processes of a node that live; one may end while we look."""
    try:
        return {each.pid for each in served.family() if each.status() != psutil.STATUS_ZOMBIE}
    except psutil.NoSuchProcess:
        return set()


def test_nothing_outlives_a_supervisor_that_is_killed(supplier: Served, started: list[Served]) -> None:
    family = supplier.family()
    supplier.process.kill()
    supplier.process.wait()
    assert psutil.wait_procs(family, timeout=60)[1] == []
    started.append(start(supplier.folder))


def test_a_second_server_of_the_same_folder_is_refused_by_name(supplier: Served) -> None:
    assert serving_pid(supplier.folder) == supplier.process.pid
    done = subprocess.run(
        [sys.executable, "-m", "ledger_node", "node", "serve", "--node", str(supplier.folder)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    assert f"served already, by the process {supplier.process.pid}" in done.stderr
    with Client(supplier.url) as client:
        assert client.ready()


def test_a_taken_port_is_named(home: Path) -> None:
    folder = home / "nodes" / "carrier"
    port = load_settings(folder).peer_port
    with socket.create_server(("127.0.0.1", port)):
        command = [sys.executable, "-m", "ledger_node", "node", "serve", "--node", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, str(port) in done.stderr) == (2, True)
    assert serving_pid(folder) == 0


def test_an_upload_in_pieces_of_unknown_length_is_bounded(supplier: Served) -> None:
    """Without a Content-Length the server must count by itself."""
    limit = supplier.settings.limits.document_size_bytes_max

    def pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
        yield b"Content-Type: application/pdf\r\n\r\n"
        for _ in range(limit // (1 << 20) + 8):
            yield b"%PDF" * (1 << 18)

    with supplier.client("uploader") as client:
        headers = {**client._http.headers, "Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": "big"}
    try:
        answer = httpx.post(f"{supplier.url}/v1/documents", content=pieces(), headers=headers, timeout=60)
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server may close while we still send
    assert [path for path in (supplier.folder / "vault").rglob("*") if path.is_file()] == []
    with Client(supplier.url) as client:
        assert client.ready()


class Door:
    """The peer port as somebody with a certificate sees it."""

    def __init__(self, home: Path, served: Served) -> None:
        self.home, self.served = home, served
        self.topology = demo_topology(home, 20000)

    def pair(self, name: str) -> tuple[Path, Path]:
        folder = self.topology.folders(name).node_tls
        return folder.certificate, folder.key

    def ask(self, pair: tuple[Path, Path] | None, document_id: str) -> tuple[int, bytes, str]:
        """Status, body and salt."""
        root = self.topology.folders("supplier").tls_ca
        context = ssl.create_default_context(cafile=str(root))
        if pair is not None:
            context.load_cert_chain(*pair)
        port = self.served.settings.peer_port
        connection = http.client.HTTPSConnection("localhost", port, timeout=60, context=context)
        try:
            connection.request("GET", f"/peer/v1/documents/{document_id}")
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Document-Salt", "")
        finally:
            connection.close()

    def forged(self, folder: Path, issuer: str, subject: str) -> tuple[Path, Path]:
        """A pair that names itself `subject`: issued by the real authority of `issuer`, or by a made-up one."""
        key, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        real = x509.load_pem_x509_certificate(self.pair(subject)[0].read_bytes())
        if issuer:
            authority = self.topology.folders(issuer).authority
            loaded = load_authority(authority / "tlsca.crt", authority / "tlsca.key")
            issuer_name, signer = loaded.certificate.subject, loaded.key
        else:
            issuer_name, signer = real.issuer, own
        builder = (
            x509.CertificateBuilder()
            .subject_name(real.subject)
            .issuer_name(issuer_name)
            .public_key(key.public_key())
            .serial_number(real.serial_number)
            .not_valid_before(real.not_valid_before_utc)
            .not_valid_after(real.not_valid_after_utc)
        )
        for extension in real.extensions:
            if not isinstance(extension.value, x509.AuthorityKeyIdentifier | x509.SubjectKeyIdentifier):
                builder = builder.add_extension(extension.value, critical=extension.critical)
        signer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        certificate = builder.add_extension(signer_id, critical=False).sign(signer, hashes.SHA256())
        paths = folder / "forged.crt", folder / "forged.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return paths


def await_day(client: Client) -> None:
    eventually(lambda: client.get("/v1/days/current")["date"], "the day opens")


def found(served: list[Served]) -> None:
    parties = [
        {
            "msp_id": each.settings.msp_id,
            "name": each.settings.organisation,
            "roles": [each.settings.organisation],
            "group_id": each.settings.organisation,
            "peer_url": f"https://127.0.0.1:{each.settings.peer_port}",
            "legal_id": each.settings.organisation,
            "payout_account": each.settings.organisation,
        }
        for each in served
    ]
    with served[0].client("operator") as client:
        digest = client.post("/v1/parties", {"parties": parties}, wait_seconds=20)["result"]["digest"]
    for each in served:
        with each.client("operator") as client:
            client.post("/v1/parties/confirmation", {"digest": digest}, wait_seconds=20)
    for each in served:
        with each.client("auditor") as client:
            await_day(client)


def user_door_stays_open(served: Served) -> None:
    """Attacks: 500 uploads with a token that stall, 500 half headers without one. Control: an honest upload."""
    port, paper = served.settings.user_port, proof_of_delivery_pdf("SHIP 2", "PO 2", SUPPLIER, BUYER, TODAY, 3)
    kind, media_type = "proof_of_delivery", "application/pdf"
    with served.client("uploader") as client:
        token = client._http.headers["Authorization"]
        stalled = (
            f"POST /v1/documents HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nIdempotency-Key: k\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n--x\r\n"
        )
        for beginning in (stalled.encode(), b"GET /v1/parties HTTP/1.1\r\nX-Slow: "):
            with Crowd(port, beginning, b"x"):
                assert httpx.get(f"{served.url}/health/live", timeout=WAIT_SECONDS).status_code == 200
                sent = client.upload(paper, kind=kind, media_type=media_type, entitled=["BuyerMSP"], wait_seconds=20)
                assert client.get(f"/v1/documents/{sent['record_id']}", block_number_min=sent["block_number"])["own"]


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Path]:
    """Settings of nodes that no other test shares."""
    with held_base_port(31010, 60000) as base_port:
        write_demo(tmp_path, base_port, "embedded")
        yield tmp_path


def test_documents_go_to_the_entitled_only_whatever_a_certificate_says_of_itself(apart: Path) -> None:
    served = [start(apart / "nodes" / name) for name in ("supplier", "buyer")]
    try:
        found(served)
        paper = proof_of_delivery_pdf("SHIP 1", "PO 1", SUPPLIER, BUYER, TODAY, 3)
        with served[0].client("uploader") as client:
            uploaded = client.upload(
                paper, kind="proof_of_delivery", media_type="application/pdf", entitled=["BuyerMSP"], wait_seconds=20
            )
            document_id = uploaded["record_id"]
            client.get(f"/v1/documents/{document_id}", block_number_min=uploaded["block_number"])
        door = Door(apart, served[0])

        status, content, salt = door.ask(door.pair("buyer"), document_id)
        assert (status, content, len(salt)) == (200, paper, 64)
        assert door.ask(door.pair("buyer"), "0" * 32)[0] == 404
        assert door.ask(door.pair("carrier"), document_id)[0] == 403
        borrowed = door.forged(apart, "carrier", "buyer")  # the carrier's authority, the buyer's name
        assert door.ask(borrowed, document_id)[0] == 403
        with pytest.raises((ssl.SSLError, ConnectionError)):
            door.ask(door.forged(apart, "", "buyer"), document_id)  # an authority of the same name, made up
        with pytest.raises((ssl.SSLError, ConnectionError)):
            door.ask(None, document_id)
        # The control: the buyer's own authority under the buyer's name opens the door, beside 500 who stall.
        with Crowd(served[0].settings.peer_port, half_hello(), b"\x00"):
            assert door.ask(door.forged(apart, "buyer", "buyer"), document_id)[0] == 200
            with served[1].client("auditor") as client:
                eventually(
                    lambda: (
                        [each["verdict"] for each in client.get(f"/v1/documents/{document_id}")["attestations"]]
                        == ["verified"]
                    ),
                    "the buyer's verifier fetches and attests",
                )
            log = served[0].folder / "node.log"
            eventually(lambda: "no TLS connection came about" in log.read_text(), "those who stall are cut off")
        assert "Traceback" not in log.read_text()
        assert log.read_text().count("a connection was cut off") == 1
        user_door_stays_open(served[0])
    finally:
        for each in served:
            end(each)
