"""What four nodes cost while nothing happens: CPU seconds a second and memory, after the main job was played.

Counted are the processes of each node (supervisor, user API, peer door, workers), by the kernel's own accounting. PSS
is what a process has for itself and its share of what it has together with others. Prints one JSON document.
`--tree DIR` takes another checkout with an environment of its own, to compare builds in turn.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TREE = Path(__file__).parents[2]


def cost(processes: list[Any]) -> tuple[float, dict[str, float]]:
    """CPU seconds so far, and megabytes (PSS) by what each process is."""
    cpu, memory = 0.0, {}
    for number, process in enumerate(processes):
        times = process.cpu_times()
        cpu += times.user + times.system
        memory[f"{number} {'supervisor' if number == 0 else 'child'}"] = process.memory_full_info().pss / 2**20
    return cpu, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledger", choices=["embedded", "fabric"], default="embedded")
    parser.add_argument("--seconds", type=float, default=30.0, help="How long they are watched.")
    parser.add_argument("--settle", type=float, default=10.0, help="How long they rest before.")
    parser.add_argument("--tree", type=Path, default=TREE)
    chosen = parser.parse_args()
    if chosen.tree.absolute() != TREE and not os.environ.get("IDLE_NODE_TREE"):
        python = chosen.tree / ".venv" / "bin" / "python"
        os.environ |= {"IDLE_NODE_TREE": str(chosen.tree)}
        os.execv(python, [str(python), __file__, *sys.argv[1:]])
    sys.path.insert(0, str(chosen.tree))
    import psutil

    from ledger_node.demo import papers, story
    from ledger_node.demo.stage import open_stage

    with (
        tempfile.TemporaryDirectory() as folder,
        open_stage(Path(folder) / "demo", chosen.ledger, keep=False, progress=lambda _: None) as stage,
    ):
        story.play(stage, papers.generate(dt.datetime.now(dt.UTC).date()), lambda _: None)
        time.sleep(chosen.settle)
        nodes = {}
        for name, node in stage.nodes.items():
            assert node.process is not None
            supervisor = psutil.Process(node.process.pid)
            nodes[name] = [supervisor, *supervisor.children(recursive=True)]
        before = {name: cost(processes)[0] for name, processes in nodes.items()}
        began = time.monotonic()
        time.sleep(chosen.seconds)
        elapsed = time.monotonic() - began
        after = {name: cost(processes) for name, processes in nodes.items()}
    figures = {
        name: {
            "cpu_seconds_a_second": round((cpu - before[name]) / elapsed, 4),
            "pss_mb": round(sum(memory.values()), 1),
            "pss_mb_by_process": {each: round(size, 1) for each, size in memory.items()},
        }
        for name, (cpu, memory) in after.items()
    }
    sys.stdout.write(json.dumps({"ledger": chosen.ledger, "load": os.getloadavg()[0], **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
