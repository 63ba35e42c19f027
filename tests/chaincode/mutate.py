"""Mutants of the contract's rules: one small change of the code each, and the tests that have to notice it.

    python tests/chaincode/mutate.py [--sample N] [--workers N] [FILE ...]

runs every mutant, or a sample drawn with a fixed seed, and prints one JSON document: of each file how many mutants
there are, how many ran and how many were killed, and the survivors. Whatever no test notices has survived, whatever the
reason. Results are kept as they come, so that a run that is stopped goes on where it was: a killed mutant is not run
again while its file stays as it is, a survivor while the tests stay as they are too.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mutant_run import Functions, Measured, Tests, collect, killer, measure
from mutants import Mutant, mutants

RULES = ("chaincode/money.py", "chaincode/words.py", "chaincode/rules/[a-z]*.py")
LEFT_OUT = ("test_shim", "test_same_everywhere", "test_duplicates", "test_invariants.py", "test_mutate")
"""What runs no rule, waits for sockets, or takes half a minute; of the seeded lives two take part."""
LIVES = [f"tests/chaincode/test_invariants.py::test_a_seeded_life_keeps_all_invariants[{seed}]" for seed in (0, 1)]
PAGE = Path("docs/reference/mutations.md")
KILLED_MIN_PERCENT = 95


@dataclass(frozen=True)
class Result:
    """What became of a mutant: `killer` is empty when it survived, `tests` the digest of the tests that ran."""

    mutant: str
    tests: str
    killer: str


class Results:
    """Results by mutant, one JSON object a line, appended by any number of processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()

    def add(self, result: Result) -> None:
        """Keep a result."""
        with self._path.open("a") as lines:
            lines.write(json.dumps(asdict(result)) + "\n")

    def known(self, tests: str) -> dict[str, str]:
        """What killed each mutant; survivors only of these very tests."""
        results = [Result(**json.loads(line)) for line in self._path.read_text().splitlines()]
        return {one.mutant: one.killer for one in results if one.killer or one.tests == tests}


def digest(paths: Iterable[Path], text: str = "") -> str:
    """A name for the contents of files, and a text."""
    found = hashlib.sha256(text.encode())
    for path in sorted(paths):
        found.update(f"{path}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def identity(mutant: Mutant) -> str:
    """A name for a mutant of this very file."""
    return f"{mutant.path} {digest([Path(mutant.path)])} {mutant.node}.{mutant.change} {mutant.name}"


def chosen(path: str, sample: int) -> list[Mutant]:
    """All mutants of a file, or so many of them."""
    everyone = mutants(path, Path(path).read_text())
    picked = random.Random(1).sample(everyone, min(sample or len(everyone), len(everyone)))
    return sorted(picked, key=lambda one: (one.node, one.change))


def measured(tests: Tests, paths: Sequence[str], name: str, folder: Path) -> Measured:
    """What `measure` found of these tests, now or before; tests that fail on the code as it is are named."""
    kept = folder / f"measured-{name}.json"
    if not kept.exists():
        sys.stderr.write(f"{len(tests.items)} tests are measured on the code as it is\n")
        kept.write_text(json.dumps(asdict(measure(tests, paths))))
    found = Measured(**json.loads(kept.read_text()))
    sys.stderr.write(
        f"{len(found.seconds)} tests pass, in {sum(found.seconds.values()):.0f} s; {found.failing} do not\n"
    )
    return found


def run(tests: Tests, todo: Sequence[Mutant], found: Measured, results: Results, name: str, workers: int) -> None:
    """Run mutants, so many at a time."""
    functions = Functions()
    gc.freeze()  # collecting garbage in the children would copy the pages that they share
    children = []
    for worker in range(workers):
        if child := os.fork():
            children.append(child)
            continue
        code = 1
        try:
            for number, mutant in enumerate(todo[worker::workers]):
                killed_by = killer(tests, functions, mutant, Path(mutant.path).read_text(), found)
                results.add(Result(identity(mutant), name, killed_by))
                what = f"{mutant.path}:{mutant.lines.start} {mutant.name}"
                sys.stderr.write(f"{number * workers + 1}/{len(todo)} {what}: {killed_by or 'SURVIVED'}\n")
            code = 0
        finally:
            os._exit(code)
    for child in children:
        if os.waitpid(child, 0)[1]:
            raise SystemExit("a worker has broken")


def report(every: Sequence[Mutant], picked: Sequence[Mutant], killers: dict[str, str]) -> dict[str, Any]:
    """The figures, of all and file by file; mutants that did not run count as survivors."""
    files: dict[str, dict[str, Any]] = {}
    for path in dict.fromkeys(one.path for one in every):
        ran = [one for one in picked if one.path == path]
        alive = [one for one in ran if not killers.get(identity(one))]
        files[path] = {
            "mutants": len([one for one in every if one.path == path]),
            "run": len(ran),
            "killed": len(ran) - len(alive),
            "survivors": [one.name for one in alive],
        }
    totals = {name: sum(one[name] for one in files.values()) for name in ("mutants", "run", "killed")}
    return {**totals, "files": files}


def unexplained(figures: dict[str, Any], page: str) -> list[str]:
    """The survivors that a page does not name."""
    return [one for file in figures["files"].values() for one in file["survivors"] if f"`{one}`" not in page]


def main() -> int:
    """Print the figures; the exit code is 1 when too few were killed or a survivor is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, help="run so many mutants of each file, 0 for all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many run at a time")
    parser.add_argument("--folder", type=Path, default=Path("build/mutants"), help="where results are kept")
    parser.add_argument("--tests", nargs="+", help="test files, in the place of the contract's")
    parser.add_argument("files", nargs="*", help="what to change, in the place of the rules")
    asked = parser.parse_args()
    paths = asked.files or sorted(str(path) for pattern in RULES for path in Path().glob(pattern))
    files = asked.tests or [
        *(
            str(path)
            for path in sorted(Path("tests/chaincode").glob("test_*.py"))
            if not path.name.startswith(LEFT_OUT)
        ),
        *LIVES,
    ]
    results = Results(asked.folder / "results.jsonl")
    name = digest({*Path(files[0]).parent.rglob("*.py"), *map(Path, paths)}, " ".join(files))
    every = [one for path in paths for one in chosen(path, 0)]
    picked = [one for path in paths for one in chosen(path, asked.sample)]

    def use(tests: Tests) -> None:
        known = results.known(name)
        todo = [one for one in picked if identity(one) not in known]
        run(tests, todo, measured(tests, paths, name, asked.folder), results, name, asked.workers)

    collect(files, use)
    figures = report(every, picked, results.known(name))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    missing = unexplained(figures, PAGE.read_text() if PAGE.exists() else "")
    sys.stderr.write("".join(f"not explained in {PAGE}: {one}\n" for one in missing))
    return int(bool(missing) or 100 * figures["killed"] < KILLED_MIN_PERCENT * figures["run"])


if __name__ == "__main__":
    sys.exit(main())
