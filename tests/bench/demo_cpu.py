"""CPU seconds of a whole demo, of all processes that it starts, to those of another checkout in turn; JSON.

This program becomes the parent of whatever loses its own (`prctl(2)`, PR_SET_CHILD_SUBREAPER, Linux), so that the
kernel counts peers, orderers and nodes among its children once they have ended. `--tree DIR` is another checkout with
an environment of its own.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

TREE = Path(__file__).parents[2]
PR_SET_CHILD_SUBREAPER = 36


def played(tree: Path, ledger: str) -> tuple[float, float]:
    """One demo: seconds of CPU, and on the clock.

    Raises: CalledProcessError when it fails.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        # Sources are compiled before; where Python is told to write no bytecode, each process would do it again.
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        command = [str(tree / ".venv" / "bin" / "ledger-node"), "demo", "--ledger", ledger]
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    taken = time.monotonic() - began
    with suppress(ChildProcessError):  # none is left
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, taken


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledger", choices=["embedded", "fabric"], default="embedded")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tree", type=Path, action="append", default=[], help="Another checkout; repeat.")
    chosen = parser.parse_args()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this kernel lets no process adopt others'")
    trees = [TREE, *(tree.absolute() for tree in chosen.tree)]
    for tree in trees:  # compiled, and what is made once is made
        played(tree, chosen.ledger)
    rounds: dict[str, list[tuple[float, float]]] = {str(tree): [] for tree in trees}
    for _ in range(chosen.rounds):
        for tree in trees:
            rounds[str(tree)].append(played(tree, chosen.ledger))
    figures = {
        tree: {
            "cpu_seconds": [round(cpu, 1) for cpu, _ in of],
            "seconds": [round(taken, 1) for _, taken in of],
            "to_this_tree": round(statistics.median(cpu for cpu, _ in of) / medians, 2),
        }
        for medians in [statistics.median(cpu for cpu, _ in rounds[str(TREE)])]
        for tree, of in rounds.items()
    }
    sys.stdout.write(
        json.dumps({"ledger": chosen.ledger, **figures, "load": round(os.getloadavg()[0], 1)}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
