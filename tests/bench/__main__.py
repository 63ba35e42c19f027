"""Runs the programs of this folder one after the other; one JSON document, and a table of what is aimed at."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from _table import lines

FOLDER = Path(__file__).parent
SKIPPED = 77


def run(program: Path) -> tuple[int, Any]:
    """One program in a process of its own; its exit code, and its figures if it has any."""
    began = time.monotonic()
    ran = subprocess.run([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(f"{program.stem}: exit code {ran.returncode} after {time.monotonic() - began:.0f} s\n")
    return ran.returncode, _figures(ran.stdout)


def _figures(printed: str) -> Any:
    """JSON, or the lines of a program that prints a table; None when there is nothing."""
    try:
        return json.loads(printed)
    except ValueError:
        return printed.splitlines() or None


def main() -> int:
    """Print all figures; the exit code is 1 when a program failed, and 77 when one could only be skipped."""
    known = {program.stem: program for program in sorted(FOLDER.glob("[a-z]*.py"))}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"which (default all): {', '.join(known)}")
    chosen = parser.parse_args().programs or list(known)
    if unknown := sorted(set(chosen) - known.keys()):
        parser.error(f"there is no program {', '.join(unknown)}")
    ran = {name: run(known[name]) for name in chosen}
    figures = {name: printed for name, (_, printed) in ran.items()}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    sys.stderr.writelines(f"{line}\n" for line in lines(figures))
    codes = {code for code, _ in ran.values()}
    return 1 if codes - {0, SKIPPED} else max(codes)


if __name__ == "__main__":
    sys.exit(main())
