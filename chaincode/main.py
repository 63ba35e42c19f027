"""Serves the contract to the organisation's peer; settings come from the environment, see `chaincode.shim.process`."""

from __future__ import annotations

import sys

from chaincode import shim
from chaincode.dispatch import dispatch
from chaincode.stub import Answer, Handler, Stub

STATUS_REFUSED = 409  # below 500, so that a client can tell a rule's refusal from a contract that broke


async def handle(stub: Stub, arguments: list[bytes]) -> Answer:
    """Run one transaction of the contract, whose one argument is a JSON text."""
    if len(arguments) != 1:
        raise ValueError(f"the contract takes one argument, a JSON text, and got {len(arguments)}")
    return await dispatch(stub, arguments[0])


def served(handler: Handler) -> shim.Handler:
    """A contract of the small protocol, as the shim takes it."""

    async def run(stub: shim.ChaincodeStub) -> shim.Response:
        answer = await handler(stub, stub.args)
        if answer.ok:
            return shim.success(answer.payload)
        return shim.Response(STATUS_REFUSED, answer.payload.decode())

    return run


def main(handler: Handler = handle) -> int:
    """Serve with the process's environment.

    Args:
        handler: runs one transaction; another contract than ours can be served the same way.

    Returns:
        The exit code: 0 after a stop, 2 when it cannot start.
    """
    return shim.main(served(handler))


if __name__ == "__main__":
    sys.exit(main())
