"""What could make two peers decide differently, found in a source: clocks, chance, floats, files, the order of sets.

Every peer runs the contract for itself and all must write the same bytes. A set of strings has another order in every
process, so it may be asked and counted, and walked only where the order does not show.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from imports import imported

FORBIDDEN_IMPORTS = frozenset(
    {"asyncio", "io", "math", "os", "pathlib", "random", "secrets"}
    | {"socket", "subprocess", "tempfile", "threading", "time", "uuid"}
)
CLOCKS = frozenset({"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"})
FORBIDDEN_NAMES = frozenset(
    {"float", "complex", "hash", "id", "open", "eval", "exec", "input", "__import__", "globals"},
)
ORDER_FREE = frozenset({"sorted", "set", "frozenset", "len", "any", "all", "sum", "min", "max", "bool"})
"""Calls whose answer does not depend on the order of what they are given."""
WALKS = frozenset({"list", "tuple", "iter", "next", "enumerate", "zip", "map", "filter", "reversed", "dict"})
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
_SET_TYPES = frozenset({"set", "frozenset", "Set", "AbstractSet"})


def offences(source: str) -> list[str]:
    """What of a module is not the same on every peer, each as `line: what`."""
    tree = ast.parse(source)
    found = [f"1: imports {name}" for name in sorted(imported(source)) if name.split(".")[0] in FORBIDDEN_IMPORTS]
    sets, free = _set_names(tree), _order_free(tree)
    for node in ast.walk(tree):
        found += [f"{getattr(node, 'lineno', 0)}: {text}" for text in _faults(node, sets, free)]
    return found


def _faults(node: ast.AST, sets: set[str], free: set[ast.AST]) -> Iterator[str]:
    match node:
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield "divides into a float"
        case ast.Constant(value=float() | complex()):
            yield "a float"
        case ast.Name(id=name) if name in FORBIDDEN_NAMES:
            yield f"uses {name}"
        case ast.Attribute(attr=name) if name in CLOCKS:
            yield f"asks a clock: {name}"
        case ast.For(iter=walked) | ast.Starred(value=walked) if node not in free and _is_set(walked, sets):
            yield "walks a set"
        case ast.ListComp() | ast.GeneratorExp() | ast.DictComp() if node not in free:
            yield from ("walks a set" for part in node.generators if _is_set(part.iter, sets))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in WALKS and node not in free:
            yield from ("walks a set" for argument in arguments if _is_set(argument, sets))
        case ast.Call(func=ast.Attribute(attr="join" | "extend" | "fromkeys"), args=arguments):
            yield from ("walks a set" for argument in arguments if _is_set(argument, sets))
        case ast.Call(func=ast.Attribute(value=owner, attr="pop"), args=[]) if _is_set(owner, sets):
            yield "takes any of a set"


def _order_free(tree: ast.Module) -> set[ast.AST]:
    """What is handed directly to a call whose answer does not depend on the order, or put into another set."""
    return {part for node in ast.walk(tree) if isinstance(node, ast.Set) for part in node.elts} | {
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_FREE
        for argument in node.args
    }


def _set_names(tree: ast.Module) -> set[str]:
    """Names of variables, fields, parameters and functions of a module that are sets or give one."""
    names: set[str] = set()
    for _ in range(3):  # a set that is made of a name that is known to be one
        for node in ast.walk(tree):
            match node:
                case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=hint):
                    names |= {name} if _is_set_type(hint) else set()
                case ast.arg(arg=name, annotation=ast.expr() as hint):
                    names |= {name} if _is_set_type(hint) else set()
                case ast.FunctionDef(name=name, returns=ast.expr() as hint):
                    names |= {name} if _is_set_type(hint) else set()
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_set(value, names):
                    names.add(name)
    return names


def _is_set_type(hint: ast.expr) -> bool:
    base = hint.value if isinstance(hint, ast.Subscript) else hint
    return isinstance(base, ast.Name) and base.id in _SET_TYPES


def _is_set(node: ast.expr, names: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in names
        case ast.Call(func=ast.Name(id=name)):
            return name in names | {"set", "frozenset"}
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in names | SET_METHODS
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
            keys = any(isinstance(side, ast.Call) and _called(side) in {"keys", "items"} for side in (left, right))
            return keys or _is_set(left, names) or _is_set(right, names)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_set(body, names) or _is_set(orelse, names)
    return False


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""
