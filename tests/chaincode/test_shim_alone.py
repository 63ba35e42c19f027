"""The shim without the rest of the project: its folder, grpcio and the Fabric messages serve a contract."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from shim_peer import connected
from shim_process import PEM_FILES, issue, port_of

ROOT = Path(__file__).parents[2]
CONTRACT = """
import asyncio, importlib.util, sys

sys.modules["cryptography"] = None  # may be missing, unless `identity` is wanted
from chaincode import shim

assert importlib.util.find_spec("chaincode.stub") is None, "the rest of the project is here"


async def end_the_process():
    sys.exit(1)


async def contract(stub):
    if stub.args == [b"exit"]:
        asyncio.create_task(end_the_process())
        await asyncio.sleep(0)
    if stub.args == [b"at home"]:
        return shim.get_msp_id().encode()
    if stub.args == [b"identity"]:
        import chaincode.shim.identity
    stub.put_state("k", b"v")
    return b"alone"


sys.exit(shim.main(contract))
"""


@contextmanager
def alone(folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """A process that sees the installed packages, and of this project the shim's folder only."""
    shutil.copytree(ROOT / "chaincode" / "shim", folder / "chaincode" / "shim")
    (folder / "main.py").write_text(CONTRACT)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    for package in packages:
        for each in ("hpack", "fabric_protos", "google", "typing_extensions.py"):
            if (Path(package) / each).exists():
                (folder / each).symlink_to(Path(package) / each)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("CHAINCODE_", "CORE_"))},
        **{"CHAINCODE_ID": "alone:1", "CHAINCODE_ADDRESS": "localhost:0"},
        **settings,
    }
    # -S leaves out site-packages, and with them the project's editable installation.
    command = [sys.executable, "-S", str(folder / "main.py")]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_shim_serves_a_contract_without_the_rest_of_the_project(tmp_path: Path) -> None:
    async def run(port: int) -> None:
        async with connected(port) as peer:
            assert peer.package_id == "alone:1"
            assert (await peer.invoke("t1")).payload == b"alone"
            assert peer.state == {"k": b"v"}
            missing = await peer.invoke("t2", b"identity")
            assert (missing.status, "cryptography" in missing.message) == (500, True)
            assert (await peer.invoke("t3", b"at home")).payload == b"SupplierMSP"

    with alone(tmp_path, CHAINCODE_TLS="off", CORE_PEER_LOCALMSPID="SupplierMSP") as process:
        asyncio.run(asyncio.wait_for(run(port_of(process)), 200))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_task_that_a_contract_left_behind_cannot_end_the_process(tmp_path: Path) -> None:
    async def run(port: int) -> None:
        async with connected(port) as peer:
            assert (await peer.invoke("t1", b"exit")).payload == b"alone"
            assert (await peer.invoke("t2")).payload == b"alone"
            unknown = await peer.invoke("t3", b"at home")
            assert unknown.message == "LookupError: CORE_PEER_LOCALMSPID is not set for this process"

    with alone(tmp_path, CHAINCODE_TLS="off") as process:
        asyncio.run(asyncio.wait_for(run(port_of(process)), 200))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_tls_without_client_certificates_lets_in_whoever_trusts_the_server(tmp_path: Path) -> None:
    authority = issue("tlsca")
    own = issue("chaincode", authority)
    files = dict(zip(PEM_FILES, (own.pem, own.key_pem), strict=False))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = {f"CHAINCODE_TLS_{name}": str(tmp_path / name) for name in files}

    async def run(port: int) -> None:
        async with connected(port, credentials=grpc.ssl_channel_credentials(authority.pem)) as peer:
            assert (await peer.invoke("t1")).payload == b"alone"
        with pytest.raises(grpc.aio.AioRpcError):
            async with connected(port):
                raise AssertionError("a peer without TLS was registered")

    with alone(tmp_path, CHAINCODE_TLS="server", **paths) as process:
        asyncio.run(asyncio.wait_for(run(port_of(process)), 200))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"CHAINCODE_TLS": "of"}, "CHAINCODE_TLS is 'of'; it may be mutual, server, off"),
        ({}, "CHAINCODE_TLS_CERT, CHAINCODE_TLS_KEY, CHAINCODE_TLS_CLIENT_CA not set"),
        ({"CHAINCODE_TLS": "server"}, "CHAINCODE_TLS_CERT, CHAINCODE_TLS_KEY not set"),
        ({"CHAINCODE_TLS": "off", "CHAINCODE_ID": ""}, "CHAINCODE_ID not set"),
    ],
)
def test_tls_is_only_left_out_on_purpose(tmp_path: Path, settings: dict[str, str], text: str) -> None:
    with alone(tmp_path, **settings) as process:
        _, error = process.communicate(timeout=200)
        assert process.returncode == 2
        assert f"Error: {text}\n" in error


def test_the_server_answers_the_standard_health_check(tmp_path: Path) -> None:
    async def run(port: int) -> None:
        async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            # HealthCheckRequest(service) and HealthCheckResponse(SERVING) of grpc.health.v1.
            for request in (b"", b"\x0a\x10protos.Chaincode"):
                assert await check(request, timeout=5) == b"\x08\x01"
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await check(b"\x0a\x05other", timeout=5)
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND

    with alone(tmp_path, CHAINCODE_TLS="off") as process:
        asyncio.run(asyncio.wait_for(run(port_of(process)), 200))
