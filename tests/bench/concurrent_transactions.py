"""How many transactions at once the Python chaincode takes, on a network of four organisations with BFT ordering.

Run it with `python tests/bench/concurrent_transactions.py`: it starts a network of its own in a temporary folder and
prints one JSON document. What committed is counted by reading distinct keys back, never from what the client believes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from kv_network import CHAINCODE, gateway_of, running_network

from network.gateway import Contract, Deadlines, GatewayError
from network.topology import Topology

VALUE = "v" * 100
GROUP = 500
PATIENT = Deadlines(60.0, 60.0, 60.0, 60.0)  # what fails here is to fail by itself, not by our own clock


async def concurrent(contract: Contract, count: int, in_flight_max: int) -> dict[str, Any]:
    """Submit `count` transactions of one write each, `in_flight_max` at a time."""
    prefix = secrets.token_hex(4)
    turn = asyncio.Semaphore(in_flight_max)
    failures: list[str] = []
    seconds: list[float] = []

    async def one(number: int) -> None:
        async with turn:
            began = time.perf_counter()
            try:
                await contract.submit("put", f"{prefix}{number:06}", VALUE)
            except GatewayError as error:
                failures.append(str(error)[:300])
            seconds.append(time.perf_counter() - began)

    cpu, began = _cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(count)))
    elapsed = time.perf_counter() - began
    found = int(await contract.evaluate("count", prefix, prefix + ":"))
    return {
        "transactions": count,
        "in_flight_max": in_flight_max,
        "failed": len(failures),
        "found_by_reading": found,
        "transactions_per_second": round(count / elapsed, 1),
        "latency_seconds_median": round(statistics.median(seconds), 3),
        "latency_seconds_max": round(max(seconds), 3),
        "client_cpu_seconds": round(_cpu_seconds() - cpu, 2),
        "failures": failures[:5],
    }


async def grouped(contract: Contract, groups: int) -> dict[str, Any]:
    """Submit transactions of GROUP writes each, one after the other."""
    prefix = secrets.token_hex(4)
    began = time.perf_counter()
    for number in range(groups):
        await contract.submit("put_many", f"{prefix}{number:03}", str(GROUP))
    elapsed = time.perf_counter() - began
    found = int(await contract.evaluate("count", prefix, prefix + ":"))
    return {"writes_found_by_reading": found, "writes_per_second": round(groups * GROUP / elapsed)}


async def alone(contract: Contract, count: int) -> dict[str, Any]:
    """The latency of a transaction that has the network to itself."""
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        await contract.submit("put", secrets.token_hex(8), VALUE)
        seconds.append(time.perf_counter() - began)
    return {"latency_seconds_median": round(statistics.median(seconds), 3)}


async def evaluates(contract: Contract, count: int) -> dict[str, Any]:
    """Reads, 100 at a time."""
    turn = asyncio.Semaphore(100)

    async def one() -> None:
        async with turn:
            await contract.evaluate("get", "nothing")

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return {"evaluates_per_second": round(count / (time.perf_counter() - began))}


async def measure(topology: Topology, count: int) -> dict[str, Any]:
    """All figures, in one run on one network."""
    async with gateway_of(topology, deadlines=PATIENT) as gateway:
        contract = gateway.network(topology.channel).contract(CHAINCODE)
        return {
            "alone": await alone(contract, 20),
            "all_at_once": await concurrent(contract, count, count),
            "hundred_at_once": await concurrent(contract, count, 100),
            "grouped": await grouped(contract, 20),
            "evaluate": await evaluates(contract, 1000),
        }


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print the figures as JSON; the exit code is 1 when a transaction failed or was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=1000)
    count = parser.parse_args().transactions
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        with running_network(Path(home)) as topology:
            up_seconds = time.perf_counter() - began
            figures = {"network_up_seconds": round(up_seconds, 1), **asyncio.run(measure(topology, count))}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    runs = (figures["all_at_once"], figures["hundred_at_once"])
    return int(any(run["failed"] or run["found_by_reading"] != count for run in runs))


if __name__ == "__main__":
    sys.exit(main())
