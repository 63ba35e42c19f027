"""Evidence checked: from the start of an interpreter to the verdict, without blocks' content and with 500 neighbours.

Run it with `python tests/bench/evidence_verified.py`; it prints one JSON document. Each figure is the median of several
processes of `python -m ledger_node.verify`, less that of a process that does nothing; CPU seconds beside it, since the
machine may do other things meanwhile.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node" / "verify"))

from forge import NAMES, NOW, Consortium, unb64
from story import Story, tell, written

NEIGHBOURS = 499
RUNS = 9


def with_neighbours(story: Story) -> Story:
    """The first block holds as many transactions as a block may."""
    full, of = story.copy(), story.consortium.of
    own = unb64(full.payload["transactions"][0]["envelope"])
    peers = [of[name].peer for name in NAMES[:3]]
    others = [
        story.consortium.transaction({f"other/{number}": "x" * 2000}, of["BuyerMSP"].client, peers, at=NOW)
        for number in range(NEIGHBOURS)
    ]
    full.payload["blocks"][0] = story.consortium.block(5, [*others, own])
    full.payload["transactions"][0]["index"] = NEIGHBOURS
    return full


def without_content(story: Story) -> Story:
    """Only headers."""
    bare = story.copy()
    for block in bare.payload["blocks"]:
        block["data"] = None
    return bare


def seconds(arguments: list[str], exit_code: int) -> tuple[float, float]:
    """The medians of wall and CPU time of a process that ends with that code."""
    walls, cpus = [], []
    for _ in range(RUNS):
        began, before = time.monotonic(), os.times()
        done = subprocess.run([sys.executable, *arguments], stdout=subprocess.PIPE, check=False)
        after = os.times()
        assert done.returncode == exit_code, done.stdout
        walls.append(time.monotonic() - began)
        cpus.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return statistics.median(walls), statistics.median(cpus)


def main() -> None:
    """Measure and print."""
    true = tell(Consortium())
    bare_wall, bare_cpu = seconds(["-c", ""], 0)
    figures: dict[str, float] = {}
    for name, story, exit_code in (("headers", without_content(true), 4), ("full_block", with_neighbours(true), 0)):
        with tempfile.TemporaryDirectory(prefix="bench-evidence-") as folder:
            file, bundle, trust = map(str, written(Path(folder), story.bundle(), story.trust))
            size = Path(bundle).stat().st_size
            command = ["-m", "ledger_node.verify", file, "--bundle", bundle, "--trust", trust]
            wall, cpu = seconds(command, exit_code)
        figures |= {
            f"{name}_seconds": round(wall - bare_wall, 3),
            f"{name}_cpu_seconds": round(cpu - bare_cpu, 3),
            f"{name}_bundle_bytes": size,
        }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
