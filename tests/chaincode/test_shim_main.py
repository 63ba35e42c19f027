"""The contract's process: its settings, its TLS, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from shim_peer import connected
from shim_process import PEM_FILES, Pair, issue, port_of


@pytest.fixture(scope="module")
def authority() -> Pair:
    return issue("tlsca")


@pytest.fixture
def settings(tmp_path: Path, authority: Pair) -> dict[str, str]:
    own = issue("chaincode", authority)
    files = dict(zip(PEM_FILES, (own.pem, own.key_pem, authority.pem), strict=True))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = {f"CHAINCODE_TLS_{name}": str(tmp_path / name) for name in files}
    return {"CHAINCODE_ID": "scf:1", "CHAINCODE_ADDRESS": "localhost:0", **paths}


def start(settings: dict[str, str]) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CHAINCODE_")}
    command = [sys.executable, "-m", "chaincode.main"]
    return subprocess.Popen(command, env={**environment, **settings}, stderr=subprocess.PIPE, text=True)


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
            await asyncio.wait_for(peer.ended.wait(), 60)

    try:
        port = port_of(process)
        asyncio.run(asyncio.wait_for(run(), 200))
        assert process.wait(60) == 0
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
        asyncio.run(asyncio.wait_for(run(), 200))
    finally:
        process.kill()
        process.communicate()


def assert_it_cannot_start(settings: dict[str, str], text: str) -> None:
    process = start(settings)
    _, error = process.communicate(timeout=200)
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
