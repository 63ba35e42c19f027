"""The client serves any Fabric project: its folder, grpcio, the Fabric messages and cryptography are all it needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kv_network import CHAINCODE

from network.topology import Topology

SOURCE = Path(__file__).parents[2] / "network"
ALLOWED = ("grpc", "fabric_protos", "google", "cryptography", "cffi", "_cffi_backend", "typing_extensions", "network")
STRICT = f"""
import asyncio, sys

class OnlyWhatIsNeeded:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {ALLOWED!r}:
            raise ImportError(f"{{name}} is not part of what the client needs")

sys.meta_path.insert(0, OnlyWhatIsNeeded())
sys.path[:0] = [sys.argv[1]]
from network import gateway
assert gateway.__file__.startswith(sys.argv[1]), gateway.__file__
"""
CALLS = """
from pathlib import Path
_, _, endpoint, roots, user, channel, chaincode = sys.argv
identity, sign = gateway.read_msp_folder(Path(user), "SupplierMSP")

async def run():
    async with gateway.Gateway(endpoint, identity, sign, tls_roots=Path(roots).read_bytes()) as client:
        network = client.network(channel)
        checkpointer = gateway.FileCheckpointer(Path(sys.argv[1]) / "checkpoint")
        async for block in network.blocks(0, 1, checkpoint=checkpointer):
            checkpointer.checkpoint_block(block.header.number)
        print(checkpointer.block_number, await network.contract(chaincode).evaluate("put", "alone", "1"))

asyncio.run(run())
"""


def alone(folder: Path, code: str, *arguments: str) -> str:
    """Run code beside a copy of the package, in an interpreter that refuses to import anything else."""
    shutil.copytree(SOURCE, folder / "network", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-I", "-c", STRICT + code, str(folder), *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.network
def test_a_copy_of_the_package_works_without_anything_else_installed(kv: Topology, tmp_path: Path) -> None:
    folders = kv.folders("supplier")
    places = (kv.organisation("supplier").peer_endpoint, str(folders.tls_ca), str(folders.user.path))
    assert alone(tmp_path, CALLS, *places, kv.channel, CHAINCODE) == "2 b''\n"


def test_the_copy_is_refused_what_is_not_needed(tmp_path: Path) -> None:
    for name in ("pydantic", "yaml", "chaincode", "pkcs11"):
        folder = tmp_path / name
        folder.mkdir()
        code = f"try:\n    import {name}\nexcept ImportError as error:\n    print(error)\n"
        assert alone(folder, code) == f"{name} is not part of what the client needs\n"
