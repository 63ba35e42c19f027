"""Serves the contract to the organisation's peer; settings come from the environment, as for every chaincode.

CHAINCODE_ID is the package id, CHAINCODE_ADDRESS the "host:port" to listen on; CHAINCODE_TLS_CERT and
CHAINCODE_TLS_KEY name PEM files with our certificate and key, CHAINCODE_TLS_CLIENT_CA one with the roots that the
peer's client certificate must come from. Ends on SIGTERM or SIGINT after finishing what runs; exit code 2 says that
a setting is missing or wrong.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from chaincode.dispatch import dispatch
from chaincode.shim import ChaincodeServer, Tls
from chaincode.stub import Answer, Handler, Stub

FILES = ("CHAINCODE_TLS_CERT", "CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CLIENT_CA")
SETTINGS = ("CHAINCODE_ID", "CHAINCODE_ADDRESS", *FILES)
log = logging.getLogger(__name__)


async def handle(stub: Stub, arguments: list[bytes]) -> Answer:
    """Run one transaction of the contract, whose one argument is a JSON text."""
    if len(arguments) != 1:
        raise ValueError(f"the contract takes one argument, a JSON text, and got {len(arguments)}")
    return await dispatch(stub, arguments[0])


def server_of(settings: Mapping[str, str], handler: Handler) -> ChaincodeServer:
    """Make the server, which does not listen yet.

    Args:
        settings: a value for each of SETTINGS.
        handler: runs one transaction.

    Raises:
        OSError: a file cannot be read.
    """
    certificate, key, client_roots = (Path(settings[name]).read_bytes() for name in FILES)
    tls = Tls(certificate, key, client_roots)
    return ChaincodeServer(settings["CHAINCODE_ID"], settings["CHAINCODE_ADDRESS"], handler, tls)


async def serve(server: ChaincodeServer) -> None:
    """Serve until a signal asks to stop.

    Raises:
        OSError: the address cannot be listened on.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.start()
    await stopped.wait()
    log.info("stopping")
    await server.stop()


def main(handler: Handler = handle) -> int:
    """Serve with the process's environment.

    Args:
        handler: runs one transaction; another contract than ours can be served the same way.

    Returns:
        The exit code: 0 after a stop, 2 when it cannot start.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    missing = [name for name in SETTINGS if not os.environ.get(name)]
    if missing:
        sys.stderr.write(f"Error: {', '.join(missing)} not set.\n  `ledger-node network up` sets them.\n")
        return 2
    try:
        asyncio.run(serve(server_of(os.environ, handler)))
    except OSError as error:
        sys.stderr.write(f"Error: {error}\n  Check the files and the address that CHAINCODE_* name.\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
