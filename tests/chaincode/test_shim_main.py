"""The contract's process: its settings, its TLS, its end."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from shim_peer import connected

PEM = serialization.Encoding.PEM
LISTENS = "listens on port "


@dataclass
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def issue(name: str, issuer: Pair | None = None) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    return Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@pytest.fixture(scope="module")
def authority() -> Pair:
    return issue("tlsca")


@pytest.fixture
def settings(tmp_path: Path, authority: Pair) -> dict[str, str]:
    own = issue("chaincode", authority)
    files = {"CERT": own.pem, "KEY": own.key_pem, "CLIENT_CA": authority.pem}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = {f"CHAINCODE_TLS_{name}": str(tmp_path / name) for name in files}
    return {"CHAINCODE_ID": "scf:1", "CHAINCODE_ADDRESS": "localhost:0", **paths}


def start(settings: dict[str, str]) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CHAINCODE_")}
    command = [sys.executable, "-m", "chaincode.main"]
    return subprocess.Popen(command, env={**environment, **settings}, stderr=subprocess.PIPE, text=True)


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        if LISTENS in line:
            return int(line.partition(LISTENS)[2])
    raise AssertionError("the process ended before it listened")


def test_the_process_serves_the_contract_to_its_own_peer_and_ends_on_sigterm(
    settings: dict[str, str], authority: Pair
) -> None:
    process = start(settings)
    peer_pair = issue("peer", authority)
    own = grpc.ssl_channel_credentials(authority.pem, peer_pair.key_pem, peer_pair.pem)

    async def run() -> None:
        async with connected(port, credentials=own) as peer:
            assert peer.package_id == "scf:1"
            refused = await peer.invoke("t1", b"not JSON")
            assert (refused.status, '"code":"MALFORMED"' in refused.message) == (409, True)
            wrong = await peer.invoke("t2", b"two", b"arguments")
            assert wrong.status == 500
            assert wrong.message == "ValueError: the contract takes one argument, a JSON text, and got 2"
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(peer.ended.wait(), 5)

    try:
        port = port_of(process)
        asyncio.run(asyncio.wait_for(run(), 20))
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_peer_of_another_authority_or_without_a_certificate_gets_no_session(
    settings: dict[str, str], authority: Pair
) -> None:
    process = start(settings)
    stranger = issue("peer", issue("tlsca"))

    async def run() -> None:
        for credentials in (
            grpc.ssl_channel_credentials(authority.pem, stranger.key_pem, stranger.pem),
            grpc.ssl_channel_credentials(authority.pem),
            None,
        ):
            with pytest.raises(grpc.aio.AioRpcError):
                async with connected(port, credentials=credentials):
                    raise AssertionError("a stranger was registered")

    try:
        port = port_of(process)
        asyncio.run(asyncio.wait_for(run(), 30))
    finally:
        process.kill()
        process.communicate()


def assert_it_cannot_start(settings: dict[str, str], text: str) -> None:
    process = start(settings)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert error.startswith("Error: ") or "\nError: " in error
    assert text in error


def test_a_missing_setting_is_named(settings: dict[str, str]) -> None:
    assert_it_cannot_start({**settings, "CHAINCODE_ID": ""}, "CHAINCODE_ID not set")


def test_a_missing_file_is_named(settings: dict[str, str]) -> None:
    assert_it_cannot_start({**settings, "CHAINCODE_TLS_KEY": "/nowhere/key.pem"}, "/nowhere/key.pem")


def test_a_second_process_cannot_take_the_port_of_the_first(settings: dict[str, str]) -> None:
    first = start(settings)
    try:
        address = f"localhost:{port_of(first)}"
        assert_it_cannot_start({**settings, "CHAINCODE_ADDRESS": address}, f"cannot listen on {address}")
    finally:
        first.kill()
        first.communicate()
