"""Runs a contract as a process of its own: settings from the environment, as for every chaincode; ends on signals.

CHAINCODE_ID is the package id, CHAINCODE_ADDRESS the "host:port" to listen on. CHAINCODE_TLS is `mutual` (the default),
`server` (whoever reaches the port may connect) or `off`. CHAINCODE_TLS_CERT and CHAINCODE_TLS_KEY name PEM files with
our certificate and key, CHAINCODE_TLS_CLIENT_CA one with the roots that the peer's client certificate must come from.
Ends on SIGTERM or SIGINT after finishing what runs; exit code 2 says that a setting is missing or wrong.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from chaincode.shim.server import ChaincodeServer, Tls
from chaincode.shim.stub import Handler

SETTINGS = ("CHAINCODE_ID", "CHAINCODE_ADDRESS")
TLS_FILES = {
    "mutual": ("CHAINCODE_TLS_CERT", "CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CLIENT_CA"),
    "server": ("CHAINCODE_TLS_CERT", "CHAINCODE_TLS_KEY"),
    "off": (),
}
log = logging.getLogger(__name__)


def main(handler: Handler) -> int:
    """Serve a contract with the process's environment, until a signal asks to stop.

    Args:
        handler: runs one transaction.

    Returns:
        The exit code: 0 after a stop, 2 when it cannot start.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        _run(_serve(server_of(os.environ, handler)))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"Error: {error}\n  See the settings CHAINCODE_* of this process.\n")
        return 2
    return 0


def server_of(settings: Mapping[str, str], handler: Handler) -> ChaincodeServer:
    """Make the server, which does not listen yet.

    Args:
        settings: as the module's docstring says.
        handler: runs one transaction.

    Raises:
        ValueError: a setting is missing or wrong.
        OSError: a file cannot be read.
    """
    mode = settings.get("CHAINCODE_TLS", "mutual")
    if mode not in TLS_FILES:
        raise ValueError(f"CHAINCODE_TLS is {mode!r}; it may be {', '.join(TLS_FILES)}")
    missing = [name for name in (*SETTINGS, *TLS_FILES[mode]) if not settings.get(name)]
    if missing:
        raise ValueError(f"{', '.join(missing)} not set")
    files = [Path(settings[name]).read_bytes() for name in TLS_FILES[mode]]
    tls = Tls(*files) if files else None
    return ChaincodeServer(settings["CHAINCODE_ID"], settings["CHAINCODE_ADDRESS"], handler, tls)


def get_msp_id() -> str:
    """The MSP id of the peer's organisation, from CORE_PEER_LOCALMSPID, as Go's `shim.GetMSPID`.

    Raises:
        LookupError: the operator has not set it.
    """
    msp_id = os.environ.get("CORE_PEER_LOCALMSPID")
    if not msp_id:
        raise LookupError("CORE_PEER_LOCALMSPID is not set for this process")
    return msp_id


async def _serve(server: ChaincodeServer) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.start()
    await stopped.wait()
    log.info("stopping")
    await server.stop()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, whatever tasks that a contract left behind may raise.

    `asyncio.run` would end the process on SystemExit out of any task, and wait for ever for one that cannot be
    cancelled.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    while not task.done():
        try:
            loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt):
            log.exception("a task that a contract left behind wanted to end the process")
    task.result()
