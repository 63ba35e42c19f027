"""Ports that are held from choosing to use: nobody else who chooses gets them meanwhile. Nothing listens here.

A socket that is bound and does not listen keeps a port from everybody who binds it without SO_REUSEADDR, which is how
ports are chosen here; servers set that option (Fabric's, and all of ours), and may listen there all the same.
Source: socket(7), ip(7), and the rules of Linux for bind conflicts.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from network.errors import SetupError
from network.topology import DEMO_ORGANISATIONS, PORTS_PER_ORGANISATION

WIDTH = PORTS_PER_ORGANISATION * len(DEMO_ORGANISATIONS)
HOST = "127.0.0.1"


@contextmanager
def held_base_port(first: int = 17050, last: int = 31000) -> Iterator[int]:
    """The first port of a block for the demo's four organisations, held until the end: start their servers within.

    Args:
        first: where to begin looking.
        last: where to end.

    Raises: SetupError when there is no such block.
    """
    for base in range(first, last, WIDTH):
        with ExitStack() as holding:
            try:
                for port in range(base, base + WIDTH):
                    holding.enter_context(_held(port))
            except OSError:
                continue
            yield base
            return
    raise SetupError(f"no {WIDTH} free ports in a row between {first} and {last}", "Stop what listens there.")


def _held(port: int) -> socket.socket:
    """A socket on the port.

    Raises: OSError when anybody has it.
    """
    holder = socket.socket()
    try:
        holder.bind((HOST, port))
    except OSError:
        holder.close()
        raise
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # from now on servers may listen there
    return holder
