"""The mutants of a source file: one small change of it each, such as `<` in the place of `<=`, or a check left out.

Left as they are: docstrings and annotations, which do nothing, and text with spaces in it, which is meant for people.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

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
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
TEXT_CHARACTERS_MAX = 120
FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    """One change of a file.

    `node` is the number of the changed node in the order of `ast.walk`, `change` which of its changes it is; `where`
    the class or function that it is in; `lines` those of the statement; `imported` says that the statement runs when
    the module is imported, and not when a function is called.
    """

    path: str
    node: int
    change: int
    where: str
    text: str
    lines: range
    imported: bool

    @property
    def name(self) -> str:
        """Where and what, as reports and the page call it."""
        return f"{self.where}: {self.text}" if self.where else self.text


@dataclass(frozen=True)
class Place:
    """Where a node stands, as a `Mutant` says it."""

    where: str
    lines: range
    imported: bool


def mutants(path: str, source: str) -> list[Mutant]:
    """Every mutant of a file."""
    tree = ast.parse(source)
    hidden = _hidden(tree)
    places = dict(_places(tree, Place("", range(0), True)))
    parents = _parents(tree)
    return [
        Mutant(path, number, which, place.where, _text(parents, node, changed), place.lines, place.imported)
        for number, node in enumerate(ast.walk(tree))
        if id(node) not in hidden
        for which, changed in enumerate(changes(node))
        if (place := places[id(node)])
    ]


def mutated(mutant: Mutant, source: str) -> ast.Module:
    """The file with the change; its lines keep their numbers."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[mutant.node]
    parent = _parents(tree)[id(node)]
    vars(parent).update(vars(_replaced(parent, node, ast.copy_location(changes(node)[mutant.change], node))))
    return ast.fix_missing_locations(tree)


def changes(node: ast.AST) -> list[ast.AST]:
    """The nodes that may stand in the place of this one, each a mutant."""
    if isinstance(node, ast.expr):
        return _other_expressions(node)
    if isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        return [ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value)]
    if isinstance(node, ast.Return):
        nothing = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
        return [] if nothing else [ast.Return(ast.Constant(None))]
    left_out = isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    return [ast.Pass()] if left_out else []


def _other_expressions(node: ast.expr) -> list[ast.AST]:
    if isinstance(node, ast.Compare):
        return list(_other_comparisons(node))
    if isinstance(node, ast.BoolOp):
        fewer = [node.values[:one] + node.values[one + 1 :] for one in range(len(node.values))]
        return [
            ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values),
            *(ast.BoolOp(node.op, left) if left[1:] else left[0] for left in fewer),
        ]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return [ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return [node.operand]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        return [ast.Call(ast.Name(FUNCTIONS[node.func.id], ast.Load()), node.args, node.keywords)]
    return list(_other_values(node.value)) if isinstance(node, ast.Constant) else []


def _other_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for number, operator in enumerate(node.ops):
        changed = copy.deepcopy(node)
        changed.ops[number] = COMPARISONS[type(operator)]()
        yield changed


def _other_values(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value and " " not in value:
        yield ast.Constant(f"{value}x")


def _hidden(tree: ast.AST) -> set[int]:
    """The nodes that are left as they are: docstrings, annotations, and the words between what a sentence names."""
    found: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.append(node)
        if isinstance(node, ast.FunctionDef):
            found.append(node.returns)
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        if isinstance(node, ast.JoinedStr):
            words = [part for part in node.values if isinstance(part, ast.Constant)]
            found += words if any(" " in str(part.value) for part in words) else []
    return {id(inner) for one in found if one for inner in ast.walk(one)}


def _places(node: ast.AST, place: Place) -> Iterator[tuple[int, Place]]:
    """Where each node stands, by its identity. The lines of a statement with a body are those before the body."""
    if isinstance(node, ast.stmt):
        body = getattr(node, "body", None)
        end = body[0].lineno if body else (node.end_lineno or node.lineno) + 1
        place = Place(place.where, range(node.lineno, max(end, node.lineno + 1)), place.imported)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        place = Place(f"{place.where}.{node.name}".strip("."), place.lines, place.imported)
    yield id(node), place
    for field, value in ast.iter_fields(node):
        called = isinstance(node, ast.FunctionDef) and field == "body"
        inner = Place(place.where, place.lines, place.imported and not called)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _places(child, inner)


def _parents(tree: ast.AST) -> dict[int, ast.AST]:
    return {id(child): parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}


def _replaced(parent: ast.AST, node: ast.AST, changed: ast.AST) -> ast.AST:
    """The parent with another node in the place of one of its children."""
    copied = copy.copy(parent)
    for field, value in ast.iter_fields(parent):
        if value is node:
            setattr(copied, field, changed)
        elif isinstance(value, list):
            setattr(copied, field, [changed if one is node else one for one in value])
    return copied


def _text(parents: dict[int, ast.AST], node: ast.AST, changed: ast.AST) -> str:
    """What changes, for people; of a constant alone one would not see what it is."""
    before, after = node, changed
    if isinstance(node, ast.Constant):
        before = parents[id(node)]
        after = _replaced(before, node, changed)
    return f"{_short(before)} -> {_short(after)}"


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())
    return text if len(text) <= TEXT_CHARACTERS_MAX else f"{text[: TEXT_CHARACTERS_MAX - 3]}..."
