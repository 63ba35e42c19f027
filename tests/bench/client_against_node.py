"""Our client and the official Node client on one network and contract; prints one JSON document.

Two organisations with Raft, the twin contract on our shim. Each client submits and evaluates at every number in flight;
the Node client's best is what counts. What committed is counted from the blocks. CPU is that of the client alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

from _load import CHAINCODE, drive, gateway_of, keys_written, load_average, own_cpu_seconds, twin_network
from _rivals import node_client, run_node

from network.topology import Topology

VALUE = "v" * 100
WIDTHS = (1, 50, 200, 400)
ALONE_COUNT = 50  # one at a time waits for a block each, so fewer of them are measured
EVALUATES_AT_ONCE_MAX = 200  # of the Node program
INDEX = "idx~"  # the contract writes one such key for each transaction


async def our_run(topology: Topology, count: int, in_flight: int) -> dict[str, float]:
    """Submit and evaluate with our client."""
    async with gateway_of(topology) as gateway:
        contract = gateway.network(topology.channel).contract(CHAINCODE)
        await drive(20, 20, lambda number: contract.evaluate("get", str(number)))
        prefix, cpu = secrets.token_hex(4), own_cpu_seconds()
        seconds, failures = await drive(
            count, in_flight, lambda number: contract.submit("put", f"{prefix}{number}", VALUE)
        )
        width = min(in_flight, EVALUATES_AT_ONCE_MAX)
        read_seconds, unread = await drive(count, width, lambda number: contract.evaluate("get", f"{prefix}{number}"))
        return {
            "seconds": seconds,
            "evaluates_per_second": count / read_seconds,
            "cpu_seconds": own_cpu_seconds() - cpu,
            "failed": len(failures) + len(unread),
        }


def their_run(program: Path, topology: Topology, count: int, in_flight: int) -> dict[str, float]:
    """Submit and evaluate with the Node client, in a process of its own."""
    printed = run_node(program, topology, CHAINCODE, count, in_flight)
    submit, evaluate = printed["submit"], printed["evaluate"]
    return {
        "seconds": count / submit["per_second"],
        "evaluates_per_second": evaluate["per_second"],
        "cpu_seconds": submit["cpu_seconds"] + evaluate["cpu_seconds"],
        "failed": submit["errors"] + evaluate["errors"],
    }


async def counted(topology: Topology, first_block: int) -> int:
    async with gateway_of(topology) as gateway:
        return await keys_written(gateway.network(topology.channel), first_block, INDEX)


async def height(topology: Topology) -> int:
    async with gateway_of(topology) as gateway:
        return await gateway.network(topology.channel).height()


def runs(topology: Topology, program: Path, count: int) -> dict[str, dict[int, dict[str, float]]]:
    """Every number in flight with both clients, in turns."""
    found: dict[str, dict[int, dict[str, float]]] = {"ours": {}, "node": {}}
    for in_flight in WIDTHS:
        some = ALONE_COUNT if in_flight == 1 else count
        for name in found:
            first_block = asyncio.run(height(topology))
            if name == "ours":
                run = asyncio.run(our_run(topology, some, in_flight))
            else:
                run = their_run(program, topology, some, in_flight)
            run["committed"] = asyncio.run(counted(topology, first_block))
            run["committed_per_second"] = run["committed"] / run.pop("seconds")
            found[name][in_flight] = {what: round(value, 2) for what, value in run.items()}
            sys.stderr.write(f"{name}, {in_flight} in flight: {found[name][in_flight]} (load {load_average()})\n")
    return found


def summary(found: dict[str, dict[int, dict[str, float]]]) -> dict[str, Any]:
    """Both clients where they commit most, and the least CPU that each took for all submits and evaluates."""
    fastest, least = {}, {}
    for name, each in found.items():
        fastest[name] = max(each, key=lambda in_flight: each[in_flight]["committed_per_second"])
        least[name] = min(run["cpu_seconds"] for in_flight, run in each.items() if in_flight > 1)
    rates = {name: found[name][fastest[name]]["committed_per_second"] for name in found}
    return {
        "client_cpu_ratio": round(least["ours"] / least["node"], 2),
        "committed_per_second_ratio": round(rates["ours"] / rates["node"], 2),
        "fastest_in_flight": fastest,
        **found,
        "load": load_average(),
    }


def main() -> int:
    """Print the figures; the exit code is 1 when something of ours failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=4000, help="submits, and as many evaluates, in each run")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        program = node_client(Path(folder) / "node")
        home = Path(folder) / "network"
        home.mkdir()
        with twin_network(home) as topology:
            figures = summary(runs(topology, program, options.transactions))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(any(run["failed"] for run in figures["ours"].values()))


if __name__ == "__main__":
    sys.exit(main())
