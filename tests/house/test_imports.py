"""Who may import whom: the floor plan of the house, held against the code's own import statements."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from imports import ROOT, arrows, cycles, imported, modules, of_own_package
from rooms import FLOORS, PACKAGES, SAME_FLOOR, rank

MAY_USE = {"chaincode": {"chaincode"}, "network": {"network"}, "ledger_node": set(PACKAGES)}
ONLY_IN = {
    "flask": ("ledger_node/api/", "ledger_node/web/"),
    "apiflask": ("ledger_node/api/", "ledger_node/web/"),
    "grpc": ("network/gateway/", "network/channel.py", "network/lifecycle.py"),
    "hpack": ("chaincode/shim/",),
    "fabric_protos": ("network/", "chaincode/shim/"),
}
SOURCES = {name: path.read_text() for name, path in modules().items()}
GRAPH = arrows(SOURCES)


def room(name: str) -> tuple[str, str]:
    """`ledger_node.api.peer` -> `("ledger_node", "api")`; a package's own `__init__` has no room."""
    package, _, rest = name.partition(".")
    return package, rest.partition(".")[0]


def faults(name: str, uses: set[str]) -> Iterator[str]:
    """What a module imports and must not, in words."""
    package, own = room(name)
    own_rank = rank(package, own)
    if own and own_rank is None:
        yield f"{name} is in no room of the floor plan"
    for used in uses:
        other_package, other = room(used)
        if other_package not in MAY_USE[package]:
            yield f"{name} imports {used}: {package} knows nothing of {other_package}"
        if other_package != package or other in ("", own) or own_rank is None:
            continue
        other_rank = rank(package, other)
        level = other_rank == own_rank and (f"{package}.{own}", f"{package}.{other}") in SAME_FLOOR
        if other_rank is None or (other_rank >= own_rank and not level):
            yield f"{name} imports {used}, which does not stand below it"


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_a_room_imports_rooms_below_it_only(name: str) -> None:
    assert list(faults(name, GRAPH[name])) == []


@pytest.mark.parametrize(
    ("name", "uses"),
    [
        ("ledger_node.attic", set()),
        ("ledger_node.attic.box", {"ledger_node.errors"}),
        ("ledger_node.outbox.sender", {"ledger_node.api.app"}),
        ("ledger_node.outbox.sender", {"ledger_node.readmodel.queries"}),
        ("ledger_node.outbox.sender", {"ledger_node.attic"}),
        ("chaincode.rules.release", {"chaincode.batch"}),
        ("chaincode.shim.server", {"chaincode.records.codec"}),
        ("chaincode.rules.release", {"ledger_node.errors"}),
        ("network.control", {"ledger_node.errors"}),
        ("network.topology", {"chaincode.money"}),
    ],
)
def test_a_planted_import_upwards_or_from_no_room_is_caught(name: str, uses: set[str]) -> None:
    assert list(faults(name, uses))


def test_every_room_of_the_floor_plan_exists_and_stands_once() -> None:
    for package, floors in FLOORS.items():
        rooms = [name for floor in floors for name in floor]
        folder = ROOT / package
        assert [name for name in rooms if not (folder / name).is_dir() and not (folder / f"{name}.py").is_file()] == []
        assert len(rooms) == len(set(rooms))


def test_no_exception_of_the_floor_plan_is_without_use() -> None:
    used = {(".".join(room(name)), ".".join(room(other))) for name, uses in GRAPH.items() for other in uses}
    assert set(SAME_FLOOR) <= used


def test_no_imports_go_round_in_a_circle() -> None:
    assert cycles(GRAPH) == []


def test_no_module_imports_the_package_that_it_is_inside_of() -> None:
    assert of_own_package(GRAPH) == []


def test_a_planted_circle_and_a_planted_import_of_the_own_package_are_caught() -> None:
    sources = {
        "a": "",
        "a.one": "from a.two import x",
        "a.two": "import a.three",
        "a.three": "def late() -> None:\n    from a.one import y",
        "a.four": "from a import z",
    }
    graph = arrows(sources)
    assert cycles(graph) == ["a.one", "a.three", "a.two"]
    assert of_own_package(graph) == [("a.four", "a")]


def test_the_contract_uses_the_standard_library_only() -> None:
    for name, source in SOURCES.items():
        package, own = room(name)
        if package == "chaincode" and own not in {"shim", "main"}:
            outside = {used.split(".")[0] for used in imported(source)} - set(sys.stdlib_module_names) - {"chaincode"}
            assert outside == set(), f"{name} imports {outside}"


def test_only_the_composition_root_chooses_a_ledger() -> None:
    implementations = {"ledger_node.ledger.fabric", "ledger_node.ledger.embedded"}
    assert {name for name, uses in GRAPH.items() if uses & implementations} == {"ledger_node.node"}


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_stays_in_its_rooms(library: str) -> None:
    for name, path in modules().items():
        relative = str(path.relative_to(ROOT))
        if not relative.startswith(ONLY_IN[library]):
            assert library not in {used.split(".")[0] for used in imported(SOURCES[name])}, f"{name} imports {library}"


def test_blocks_can_be_decoded_without_grpc_and_settings() -> None:
    used = {name.split(".")[0] for name in imported(Path(ROOT / "network" / "blocks.py").read_text())}
    assert used <= set(sys.stdlib_module_names) | {"fabric_protos", "google", "cryptography", "network"}


def reached(start: str) -> set[str]:
    """The house's modules that a room's modules load, and what those load."""
    found = {name for name in GRAPH if name == start or name.startswith(f"{start}.")}
    waiting = list(found)
    while waiting:
        more = GRAPH[waiting.pop()] - found
        found |= more
        waiting += more
    return found


def test_evidence_is_checked_without_node_database_and_connection() -> None:
    rooms = {".".join(room(name)) for name in reached("ledger_node.verify")}
    assert rooms <= {"ledger_node.verify", "ledger_node.faults", "network.faults", "network.blocks", "network.proofs"}
    outside = {used.split(".")[0] for name in reached("ledger_node.verify") for used in imported(SOURCES[name])}
    known = {"click", "cryptography", "fabric_protos", "google", "ledger_node", "network", "pydantic", "pydantic_core", "yaml"}
    assert outside - set(sys.stdlib_module_names) <= known


def test_the_planted_import_of_a_node_would_be_seen() -> None:
    assert "ledger_node.node" in {".".join(room(name)) for name in reached("ledger_node.evidence")}
