"""Runs every program of this folder, one after the other, and prints one JSON document: program -> figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Print all figures; the exit code is 1 when a program failed."""
    figures: dict[str, object] = {}
    failed = False
    for program in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        ran = subprocess.run([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, check=False)
        failed = failed or ran.returncode != 0
        figures[program.stem] = json.loads(ran.stdout) if ran.stdout else None
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
