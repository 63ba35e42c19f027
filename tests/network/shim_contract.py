"""Puts the contract of docs/reference/shim.md on the running network, beside the contract that is there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from kv_network import gateway_of, report

from network import components, lifecycle, readiness, tools
from network.definitions import Collection
from network.folders import OrganisationFolders
from network.gateway import Contract, EndorseError, Transaction
from network.topology import Topology

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "shim.md"
CHAINCODE = "shim-page"
COLLECTION = "trade"
MEMBERS = ("SupplierMSP", "BuyerMSP")
LISTENS = "listens on port "
PEERS_DIFFER = "do not match"
AGREE_SECONDS_MAX = 60.0


@contextmanager
def deployed(network: Topology, folder: Path) -> Iterator[Topology]:
    """The page's contract, served to every peer and committed; its processes are stopped afterwards."""
    sources = write_sources(folder)
    topology = network.model_copy(update={"chaincode": CHAINCODE})
    command = (sys.executable, str(sources / "page.py"))
    collections = (Collection(COLLECTION, MEMBERS, endorsements_min=1, peers_min=1),)
    contract = lifecycle.read_contract(topology, sources, command, collections)
    binaries = tools.find(topology.fabric_folder)
    assert binaries is not None, "the network runs, so its tools are there"
    with ExitStack() as stack:
        for organisation, folders in topology.all_folders():
            settings = components.chaincode(contract, organisation, folders).settings
            port = stack.enter_context(served(command, {**settings, "CHAINCODE_ADDRESS": "127.0.0.1:0"}))
            stack.enter_context(connection_to(folders, port, folders.chaincode_tls.ca))
        lifecycle.deploy(topology, binaries, contract, report)
        assert readiness.unreached(topology, topology.organisations) == []
        yield topology


def write_sources(folder: Path) -> Path:
    """The page's pieces as one program, in a folder of its own."""
    sources = folder / "contract"
    sources.mkdir()
    (sources / "page.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)))
    return sources


@contextmanager
def served(command: Sequence[str], settings: dict[str, str]) -> Iterator[int]:
    """A process that serves the contract; its port."""
    process = subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        lines = iter(process.stderr)
        port = next((int(line.partition(LISTENS)[2]) for line in lines if LISTENS in line), None)
        assert port is not None, "the process ended before it listened"
        threading.Thread(target=deque, args=(lines, 0), daemon=True).start()  # a full pipe would block it
        yield port
    finally:
        process.terminate()
        assert process.wait(60) == 0


@contextmanager
def connection_to(folders: OrganisationFolders, port: int, root: Path) -> Iterator[None]:
    """What the peer's builder copies when a package is installed: for a while, another address and TLS root."""
    before = folders.chaincode_connection.read_text()
    changes = {"address": f"127.0.0.1:{port}", "root_cert": root.read_text("ascii")}
    folders.chaincode_connection.write_text(json.dumps(json.loads(before) | changes))
    try:
        yield
    finally:
        folders.chaincode_connection.write_text(before)


class Caller:
    """One organisation's client of the page's contract; each call stands for itself."""

    def __init__(self, topology: Topology, organisation: str) -> None:
        self._topology = topology
        self._organisation = organisation
        self.msp_id = topology.organisation(organisation).msp_id

    def ask(self, *arguments: str, on: str = "") -> Any:
        """Evaluate on the caller's own peer, or on that of the organisation named; the answer."""

        async def work(contract: Contract) -> bytes:
            return await contract.evaluate(*arguments, organisations=(on or self.msp_id,))

        return json.loads(self._run(work))

    def send(self, *arguments: str, **options: Any) -> Any:
        """Submit; the answer."""
        answer, commit = self._submitted(arguments, options)
        assert commit.code == "VALID"
        return json.loads(answer)

    def fate(self, *arguments: str, **options: Any) -> str:
        """Submit; the validation code."""
        return str(self._submitted(arguments, options)[1].code)

    def send_noting_block(self, *arguments: str, **options: Any) -> int:
        """Submit; the number of the block."""
        return int(self._submitted(arguments, options)[1].block_number)

    def _submitted(self, arguments: Sequence[str], options: dict[str, Any]) -> Any:
        async def work(contract: Contract) -> Any:
            transaction = await _endorsed(contract, arguments, options)
            return transaction.result, await (await transaction.submit()).status()

        return self._run(work)

    def _run(self, work: Any) -> Any:
        async def run() -> Any:
            async with gateway_of(self._topology, self._organisation) as gateway:
                return await work(gateway.network(self._topology.channel).contract(self._topology.chaincode))

        return asyncio.run(asyncio.wait_for(run(), 200))


async def _endorsed(contract: Contract, arguments: Sequence[str], options: dict[str, Any]) -> Transaction:
    """Peers at different heights disagree for a moment; every caller makes a new transaction then."""
    deadline = time.monotonic() + AGREE_SECONDS_MAX
    while True:
        try:
            return await contract.propose(*arguments, **options).endorse()
        except EndorseError as error:
            if PEERS_DIFFER not in str(error) or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
