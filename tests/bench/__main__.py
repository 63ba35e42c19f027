"""Runs the programs of this folder one after the other; their figures as one JSON document, and the issue's table."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SKIPPED = 77


def run(program: Path) -> tuple[int, Any]:
    """One program in a process of its own; its exit code, and its figures if it has any."""
    began = time.monotonic()
    ran = subprocess.run([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(f"{program.stem}: exit code {ran.returncode} after {time.monotonic() - began:.0f} s\n")
    return ran.returncode, json.loads(ran.stdout) if ran.stdout else None


def main() -> int:
    """Print all figures; the exit code is 1 when a program failed, and 77 when one could only be skipped."""
    known = {program.stem: program for program in sorted(FOLDER.glob("[a-z]*.py"))}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"which (default all): {', '.join(known)}")
    chosen = parser.parse_args().programs or list(known)
    if unknown := sorted(set(chosen) - known.keys()):
        parser.error(f"there is no program {', '.join(unknown)}")
    ran = {name: run(known[name]) for name in chosen}
    sys.stdout.write(json.dumps({name: figures for name, (_, figures) in ran.items()}, indent=2) + "\n")
    codes = {code for code, _ in ran.values()}
    return 1 if codes - {0, SKIPPED} else max(codes)


if __name__ == "__main__":
    sys.exit(main())
