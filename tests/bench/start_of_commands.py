"""How long commands take to start: CPU seconds of help, to those of Python that does nothing, each in turn.

Medians of `--rounds`. `--tree DIR` takes another checkout with an environment of its own beside this one, in the same
rounds. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).parents[2]
COMMANDS = (
    "--help",
    "token --help",
    "demo --help",
    "node serve --help",
    "network status --help",
    "hash files --help",
    "payment reconcile --help",
    "invoice show --help",
    "invoice approve --help",
)


def cpu_seconds(command: list[str], tree: Path) -> float:
    """User and system time of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd=tree)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tree", type=Path, action="append", default=[])
    chosen = parser.parse_args()
    trees = [TREE, *(tree.absolute() for tree in chosen.tree)]
    figures = {}
    for command in COMMANDS:
        taken: dict[str, list[float]] = {"bare": [], **{str(tree): [] for tree in trees}}
        for _ in range(chosen.rounds):
            taken["bare"].append(cpu_seconds([str(TREE / ".venv" / "bin" / "python"), "-c", ""], TREE))
            for tree in trees:
                program = str(tree / ".venv" / "bin" / "ledger-node")
                taken[str(tree)].append(cpu_seconds([program, *command.split()], tree))
        bare = statistics.median(taken.pop("bare"))
        figures[command] = {
            tree: {
                "cpu_seconds": round(statistics.median(each), 3),
                "to_bare": round(statistics.median(each) / bare, 1),
            }
            for tree, each in taken.items()
        }
    sys.stdout.write(json.dumps({"load": os.getloadavg()[0], "commands": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
