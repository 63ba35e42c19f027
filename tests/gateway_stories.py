"""What tests of the Gateway client do to a network: submit patiently, stop peers, kill them, let them go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from frozen import frozen
from kv_network import channel_of

from network import control
from network.gateway import Contract, EndorseError
from network.topology import Topology

PATIENCE_SECONDS = 120.0
T = TypeVar("T")


async def anew(step: Callable[[], Awaitable[T]]) -> T:
    """Do as callers do: peers that lag behind or have just started endorse nothing, and then it is tried anew.

    Args:
        step: makes a new transaction each time.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await step()
        except EndorseError as error:
            if error.chaincode_response is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


async def submitted(contract: Contract, *arguments: str | bytes, **options: Any) -> bytes:
    """Submit and wait for the commit, patiently."""
    return await anew(lambda: contract.submit(*arguments, **options))


async def level(topology: Topology) -> None:
    """Wait until every organisation's peer has as many blocks as the others."""
    async with contextlib.AsyncExitStack() as stack:
        names = [each.name for each in topology.organisations]
        networks = [await stack.enter_async_context(channel_of(topology, name)) for name in names]
        newest = max(await asyncio.gather(*(network.height() for network in networks))) - 1
        await asyncio.gather(*(network.wait_for_block(newest, PATIENCE_SECONDS) for network in networks))


def pid_of(topology: Topology, component: str) -> int:
    """The process id of a component that runs."""
    [pid] = [each.pid for each in control.status(topology) if each.component == component]
    assert pid is not None
    return pid


def kill_peer(topology: Topology, organisation: str) -> None:
    """Kill an organisation's peer; `kv_network.bring_up` starts it again."""
    os.kill(pid_of(topology, f"{organisation}.peer"), signal.SIGKILL)


@contextmanager
def stopped_peer(topology: Topology, organisation: str) -> Iterator[None]:
    """An organisation's peer hangs (SIGSTOP) inside, and goes on afterwards."""
    with frozen(pid_of(topology, f"{organisation}.peer")):
        yield
