"""Thousands of transactions in flight at once through one gateway peer; prints one JSON document.

Two organisations with Raft, the twin contract on our shim, our client in one process. The peer's own metrics are the
witness of how many calls it had open at once; what committed is counted from the blocks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _load import CHAINCODE, drive, gateway_of, keys_written, load_average, twin_network

from network.components import GATEWAY_REQUESTS_MAX, metrics
from network.topology import Topology

VALUE = "v" * 100
SAMPLE_SECONDS = 0.1
CALLS = re.compile(
    r'^grpc_server_unary_requests_(received|completed)\{[^}]*service="gateway_Gateway"[^}]*\} (\S+)$', re.M
)


def open_calls(topology: Topology) -> int:
    """How many calls of the Gateway service the first organisation's peer has open, by its own metrics."""
    text = metrics(topology.organisations[0].ports.peer_operations)
    counts = {"received": 0.0, "completed": 0.0}
    for what, value in CALLS.findall(text):
        counts[what] += float(value)
    return int(counts["received"] - counts["completed"])


async def measure(topology: Topology, count: int, in_flight: int) -> dict[str, Any]:
    """Submit, while a second task asks the peer how much it has at once."""
    open_most = 0

    async def watch() -> None:
        nonlocal open_most
        while True:
            open_most = max(open_most, await asyncio.to_thread(open_calls, topology))
            await asyncio.sleep(SAMPLE_SECONDS)

    seconds: list[float] = []
    async with gateway_of(topology) as gateway:
        network = gateway.network(topology.channel)
        contract = network.contract(CHAINCODE)
        prefix, first_block = secrets.token_hex(4), await network.height()

        async def one(number: int) -> None:
            began = time.perf_counter()
            await contract.submit("put", f"{prefix}{number}", VALUE)
            seconds.append(time.perf_counter() - began)

        watching = asyncio.create_task(watch())
        elapsed, failures = await drive(count, in_flight, one)
        watching.cancel()
        found = await keys_written(network, first_block, prefix)
    return {
        "transactions": count,
        "in_flight": in_flight,
        "failed": len(failures),
        "committed": found,
        "committed_per_second": round(found / elapsed, 1),
        "latency_seconds_median": round(statistics.median(seconds), 2),
        "latency_seconds_max": round(max(seconds), 2),
        "gateway_calls_open_at_once_by_the_peer": open_most,
        "gateway_calls_allowed": GATEWAY_REQUESTS_MAX,
        "failures": failures[:5],
        "load": load_average(),
    }


def main() -> int:
    """Print the figures; the exit code is 1 when a transaction failed or was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=6000)
    parser.add_argument("--in-flight", type=int, default=2000)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, twin_network(Path(folder)) as topology:
        figures = asyncio.run(measure(topology, options.transactions, options.in_flight))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(figures["failed"] > 0 or figures["committed"] != options.transactions)


if __name__ == "__main__":
    sys.exit(main())
