"""Invoices parsed and checked by all EN 16931 rules: how many a second, on one core after warm-up.

Run it with `python tests/bench/rules_checked.py`; it prints one JSON document. Every file is another one (its number
differs). Each goes the whole way: over the pipe to the worker, hardened parser, XSD, facts, every rule of the core, the
report read, the findings back. Counted is the CPU of both processes; the clock is beside it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node" / "formats"))

from trade_papers import cii, ubl

from ledger_node.rules import Checker, Verdict, default_folder

DOCUMENTS = 500
WARM_UP = 100


def measured(checker: Checker, files: list[bytes]) -> dict[str, float]:
    """Documents a second of CPU and of the clock, and the worker's memory in MB at the end."""
    for content in files[:WARM_UP]:
        checker.check(content)
    (worker,) = psutil.Process().children()
    began, cpu = time.monotonic(), _cpu_seconds(worker)
    for content in files[WARM_UP:]:
        checked = checker.check(content)
        assert checked.verdict is Verdict.VALID, checked
    count = len(files) - WARM_UP
    return {
        "per_cpu_second": round(count / (_cpu_seconds(worker) - cpu), 1),
        "per_second": round(count / (time.monotonic() - began), 1),
        "worker_memory_mb": round(worker.memory_info().rss / 1e6),
    }


def _cpu_seconds(worker: psutil.Process) -> float:
    times = worker.cpu_times()
    return float(times.user + times.system) + time.process_time()


def main() -> None:
    """Measure and print."""
    checker = Checker(default_folder())
    began = time.monotonic()
    if reason := checker.reason():
        sys.exit(reason)
    figures: dict[str, object] = {"start_seconds": round(time.monotonic() - began, 2)}
    figures["ubl"] = measured(checker, [ubl(f"INV-{number}") for number in range(DOCUMENTS)])
    figures["cii"] = measured(checker, [cii(f"C-{number}") for number in range(DOCUMENTS)])
    checker.close()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
