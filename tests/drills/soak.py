"""`make soak HOURS=n`: constant load, memory and descriptors of every process sampled, an end at the first loss.

Prints a line a minute and, at the end, a table: of each process the median, the growth an hour with its 95 % interval.
Ends with 1 when something grows, or was lost, or was there twice.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from threading import Event

from stamina.instrumentation import set_on_retry_hooks

from drills.checker import assert_paid_once, checked
from drills.measuring import BLOCKS, Sample, descriptor_slope, memory_slope, sample
from drills.trades import Trades
from drills.world import FABRIC_KINDS, NODE_KINDS, World, open_world

SAMPLE_SECONDS = 5.0
LOOK_SECONDS = 60.0
WARM_SHARE = 0.25
"""What of a run is left out: caches fill first."""
MIB = 1 << 20


def main() -> int:
    """Soak; 1 when it grows or loses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--streams", type=int, default=2, help="trades at once")
    chosen = parser.parse_args()
    set_on_retry_hooks([])  # clients that try again would say so on standard output
    with tempfile.TemporaryDirectory() as home, open_world(Path(home) / "soak") as world:
        with Trades(world, chosen.streams) as trades:
            samples = soak(world, trades, chosen.hours * 3600)
        world.await_whole()
        compared = checked(world, trades, [])
    sys.stdout.write(f"load of the machine {os.getloadavg()[0]:.1f}; {compared}\n")
    return int(table(samples))


def soak(world: World, trades: Trades, seconds: float) -> dict[str, list[Sample]]:
    """Sample until the time is over.

    Returns: samples by process, those of a process that was replaced left out.

    Raises: AssertionError at the first loss.
    """
    samples: dict[str, list[Sample]] = defaultdict(list)
    began, looked, idle = time.monotonic(), time.monotonic(), Event()
    while (now := time.monotonic()) - began < seconds:
        for name in world.names:
            for kind in (*FABRIC_KINDS, "watch", *NODE_KINDS):
                seen = sample(now, _tree(world, name, kind))
                if seen is not None and seen.pids:
                    before = samples[f"{name} {kind}"]
                    if before and before[-1].pids != seen.pids:
                        before.clear()
                    before.append(seen)
        if now - looked > LOOK_SECONDS:
            looked = now
            assert_paid_once(world, trades)
            assert not trades.broken, trades.broken
            memory = sum(each[-1].memory_bytes for each in samples.values()) / MIB
            sys.stderr.write(
                f"{(now - began) / 60:6.1f} min, {len(trades.paid)} trades paid, {memory:.0f} MiB in all\n"
            )
        idle.wait(SAMPLE_SECONDS)
    return samples


def _tree(world: World, name: str, kind: str) -> list[int]:
    """A process; of a node's servers with the worker that does their work."""
    pids = world.pids(name, kind)
    return pids if kind == "node" else [child for pid in pids for child in (pid, *world.children(pid))]


def table(samples: dict[str, list[Sample]]) -> bool:
    """Print the trends; whether anything grows."""
    any_grows = False
    sys.stdout.write("| process | PSS, MiB | MiB an hour | descriptors | an hour | measured, min | |\n")
    sys.stdout.write("|---|--:|--:|--:|--:|--:|---|\n")
    for name, found in sorted(samples.items()):
        warm = found[int(WARM_SHARE * len(found)) :]
        if len(warm) < BLOCKS:
            sys.stdout.write(f"| {name} | too few samples: {len(warm)} |\n")
            continue
        memory, files = memory_slope(warm), descriptor_slope(warm)
        grows = memory.grows or files.grows
        any_grows = any_grows or grows
        sys.stdout.write(
            f"| {name} | {memory.median / MIB:.1f} | {memory.an_hour / MIB:+.1f} ± {memory.error / MIB:.1f}"
            f" | {files.median:.0f} | {files.an_hour:+.1f} ± {files.error:.1f} | {memory.hours * 60:.0f}"
            f" | {'GROWS' if grows else 'flat'} |\n"
        )
    return any_grows


if __name__ == "__main__":
    sys.exit(main())
