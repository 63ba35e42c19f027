"""Mutants of the contract's rules: one small change of the code each, and the tests that have to notice it.

    python tests/chaincode/mutate.py [--sample N] [FILE ...]

prints one JSON document: of each file how many mutants there are and how many were killed, and the survivors. A mutant
that runs into the time bound counts as killed; one that no test notices as survived, whatever the reason. The tests run
in a process of their own for each mutant, with the changed module put in the place of the real one before anything
imports it, those that fail soonest first.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "chaincode" / "money.py", *sorted((ROOT / "chaincode" / "rules").glob("[a-z]*.py"))]
TESTS = [
    *("test_money.py", "test_rules.py", "test_boundaries.py", "test_life.py", "test_life_money.py"),
    *("test_money_attacks.py", "test_release_classes.py"),
    *("test_release.py", "test_membership.py", "test_persons.py", "test_taken_back.py", "test_story.py"),
    "test_refusals.py",
    *(f"test_invariants.py::test_a_seeded_life_keeps_all_invariants[{seed}]" for seed in (0, 1)),
]
SECONDS_MAX = 300

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
Place = tuple[int, int]
"""The number of a node in the order of `ast.walk`, and which of its changes."""


def changes(node: ast.AST) -> list[ast.AST]:
    """The nodes that may stand in the place of this one, each a mutant."""
    if isinstance(node, ast.Compare):
        return list(other_comparisons(node))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return [ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)]
    if isinstance(node, ast.BoolOp):
        fewer = [ast.BoolOp(node.op, node.values[:one] + node.values[one + 1 :]) for one in range(len(node.values))]
        return [ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values), *fewer]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [node.operand]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.Constant):
        return [ast.Constant(value) for value in other_values(node.value)]
    return [ast.Pass()] if isinstance(node, ast.Raise) else other_returns(node)


def other_returns(node: ast.AST) -> list[ast.AST]:
    """None in the place of what a function returns."""
    return [ast.Return(ast.Constant(None))] if isinstance(node, ast.Return) and node.value is not None else []


def other_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    """The comparison with each of its operators changed."""
    for number, operator in enumerate(node.ops):
        if type(operator) in COMPARISONS:
            changed = copy.deepcopy(node)
            changed.ops[number] = COMPARISONS[type(operator)]()
            yield changed


def other_values(value: object) -> list[bool | int | str]:
    """What a constant may be changed to; strings only where a rule could compare them, not in sentences."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, str) and value and " " not in value:
        return [f"{value}x"]
    return []


def skipped(tree: ast.AST) -> set[int]:
    """Nodes that do nothing a test could see: docstrings, annotations, the sentences of refusals and of findings."""
    found: set[int] = set()
    for node in ast.walk(tree):
        hidden: list[ast.AST | None] = []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            hidden.append(node)
        if isinstance(node, ast.FunctionDef):
            hidden += [node.returns, *(argument.annotation for argument in node.args.args), node.args.vararg]
        if isinstance(node, ast.AnnAssign):
            hidden.append(node.annotation)
        if isinstance(node, ast.JoinedStr):
            hidden.append(node)
        if isinstance(node, ast.Assert) or is_name(node, "dataclass"):
            hidden.append(node)
        for one in hidden:
            found |= {id(inner) for inner in ast.walk(one)} if one else set()
    return found


def is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def places(source: str) -> Iterator[Place]:
    """Every mutant of a file."""
    tree = ast.parse(source)
    hidden = skipped(tree)
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in hidden:
            yield from ((number, which) for which in range(len(changes(node))))


def mutant(source: str, place: Place) -> tuple[str, str]:
    """The source with one change, and the change for people."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[place[0]]
    changed = ast.copy_location(changes(node)[place[1]], node)
    line = getattr(node, "lineno", 0)
    text = f"line {line}: {ast.unparse(node)} -> {ast.unparse(ast.fix_missing_locations(changed))}"
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, field, changed)
            elif isinstance(value, list) and any(one is node for one in value):
                setattr(parent, field, [changed if one is node else one for one in value])
    return ast.unparse(ast.fix_missing_locations(tree)), text


def survives(path: Path, source: str) -> bool:
    """Whether all tests pass with this source in the place of the file's."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    tests = [str(ROOT / "tests" / "chaincode" / name) for name in TESTS]
    ran = [sys.executable, str(Path(__file__).with_name("mutant_run.py")), module, str(path), *tests]
    try:
        return subprocess.run(ran, input=source, text=True, capture_output=True, timeout=SECONDS_MAX).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def measure(path: Path, sample: int) -> dict[str, object]:
    """How many of a file's mutants, or of a sample of them, are killed."""
    source = path.read_text()
    all_places = list(places(source))
    chosen = random.Random(1).sample(all_places, min(sample or len(all_places), len(all_places)))
    alive = [text for changed, text in (mutant(source, place) for place in sorted(chosen)) if survives(path, changed)]
    killed = len(chosen) - len(alive)
    return {"mutants": len(all_places), "run": len(chosen), "killed": killed, "survivors": alive}


def main() -> int:
    """Print the figures; the exit code is 1 when fewer than 95 in 100 were killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="run so many mutants of each file, 0 for all")
    parser.add_argument("files", nargs="*", type=Path)
    asked = parser.parse_args()
    figures: dict[str, dict[str, object]] = {}
    run = killed = 0
    for path in [one.resolve() for one in asked.files] or FILES:
        figures[path.name] = found = measure(path, asked.sample)
        run, killed = run + int(str(found["run"])), killed + int(str(found["killed"]))
        sys.stderr.write(f"{path.name}: {found['killed']} of {found['run']} killed, survivors {found['survivors']}\n")
    sys.stdout.write(json.dumps({"run": run, "killed": killed, "files": figures}, indent=2) + "\n")
    return int(killed < 0.95 * run)


if __name__ == "__main__":
    sys.exit(main())
