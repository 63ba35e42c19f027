"""One contract on our shim and on the official Go shim, in turns on one network; prints one JSON document.

Two organisations with Raft, both endorse, mutual TLS between peer and contract for both. Load comes from our client.
What committed is counted from the blocks; CPU is that of the contract processes of both organisations.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import secrets
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from _load import (
    CHAINCODE,
    TWIN_COMMAND,
    contract_cpu_seconds,
    drive,
    gateway_of,
    keys_written,
    load_average,
    serve_with,
    twin_network,
    until_endorsed,
)
from _rivals import go_contract

from network.topology import Topology

VALUE = "v" * 100
WARM_UP = 200


async def measure(topology: Topology, transactions: int, evaluates: int, in_flight: int) -> dict[str, float]:
    """Submit and evaluate on whichever contract runs now."""
    async with gateway_of(topology) as gateway:
        network = gateway.network(topology.channel)
        contract = network.contract(CHAINCODE)
        await until_endorsed(network)
        await drive(WARM_UP, in_flight, lambda _: contract.submit("put", secrets.token_hex(8), VALUE))
        prefix, first_block = secrets.token_hex(4), await network.height()
        cpu = contract_cpu_seconds(topology)
        seconds, failures = await drive(
            transactions, in_flight, lambda number: contract.submit("put", f"{prefix}{number}", VALUE)
        )
        submit_cpu, cpu = contract_cpu_seconds(topology) - cpu, contract_cpu_seconds(topology)
        found = await keys_written(network, first_block, prefix)
        read_seconds, unread = await drive(
            evaluates, in_flight, lambda number: contract.evaluate("get", f"{prefix}{number % transactions}")
        )
        evaluate_cpu = contract_cpu_seconds(topology) - cpu
        return {
            "committed_per_second": found / seconds,
            "evaluates_per_second": (evaluates - len(unread)) / read_seconds,
            "contract_cpu_ms_per_transaction": submit_cpu / transactions * 1000,
            "contract_cpu_ms_per_evaluate": evaluate_cpu / evaluates * 1000,
            "failed": len(failures) + len(unread),
        }


def compare(topology: Topology, go: tuple[str, ...], options: argparse.Namespace) -> dict[str, Any]:
    """Rounds of ours and theirs in turns, each beginning with the other one; medians and their ratios."""
    sides = {"ours": TWIN_COMMAND, "go": go}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for number in range(options.rounds):
        for name in sorted(sides, reverse=number % 2 == 0):
            serve_with(topology, sides[name])
            run = asyncio.run(measure(topology, options.transactions, options.evaluates, options.in_flight))
            sys.stderr.write(f"{name}: {run} (load {load_average()})\n")
            runs[name].append(run)
    medians = {
        name: {what: round(statistics.median(run[what] for run in each), 2) for what in each[0]}
        for name, each in runs.items()
    }
    rates = ("committed_per_second", "evaluates_per_second")
    ratios = {f"{what}_ratio": round(medians["ours"][what] / medians["go"][what], 2) for what in rates}
    return {**ratios, **medians, "load": load_average(), **vars(options)}


def main() -> int:
    """Print the figures; the exit code is 1 when something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--transactions", type=int, default=2000)
    parser.add_argument("--evaluates", type=int, default=4000)
    parser.add_argument("--in-flight", type=int, default=400)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        go = go_contract(Path(folder) / "go")
        home = Path(folder) / "network"
        home.mkdir()
        with twin_network(home) as topology:
            figures = compare(topology, go, options)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(figures["ours"]["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
