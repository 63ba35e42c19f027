"""Who may import whom: the floor plan of the house, read from the code's own import statements."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chaincode", "network", "ledger_node")
CONTRACT_ORDER = ["errors", "money", "records", "rules", "contract", "batch", "dispatch", "main"]
LEAVES = {"ledger", "vault", "formats", "hashing", "readmodel", "exchange", "fingerprints"}
WORKERS = {"outbox", "projector", "verifier", "bundle", "reports", "webhooks"}
EDGES = {"api", "web", "cli"}
ONLY_IN = {
    "flask": ("ledger_node/api/", "ledger_node/web/"),
    "apiflask": ("ledger_node/api/", "ledger_node/web/"),
    "grpc": ("network/gateway/", "network/channel.py", "network/lifecycle.py"),
    "hpack": ("chaincode/shim/",),
    "fabric_protos": ("network/", "chaincode/shim/"),
}


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every absolute name a file imports, at any depth, as dotted module or module.attribute."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; write the whole name"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def room(name: str, package: str) -> str:
    """`ledger_node.api.peer` -> `api`; empty when the name is of another package."""
    parts = name.split(".")
    return parts[1] if parts[0] == package and len(parts) > 1 else ""


def rooms_used(path: Path, package: str) -> set[str]:
    own = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
    return {room(name, package) for name in imported(path)} - {"", own}


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_packages_depend_in_one_direction_only(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    allowed = {"chaincode": {"chaincode"}, "network": {"network"}, "ledger_node": set(PACKAGES)}[package]
    assert {name.split(".")[0] for name in imported(path)} & set(PACKAGES) <= allowed


def test_the_contract_uses_the_standard_library_only() -> None:
    for path in sorted((ROOT / "chaincode").rglob("*.py")):
        relative = path.relative_to(ROOT / "chaincode")
        if relative.parts[0] in {"shim", "main.py"}:
            continue
        outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - {"chaincode"}
        assert outside == set(), f"{relative} imports {outside}"


def test_the_contract_cannot_reach_a_clock_randomness_files_or_the_environment() -> None:
    forbidden = {
        "time",
        "datetime.datetime",
        "random",
        "secrets",
        "os",
        "pathlib",
        "socket",
        "uuid",
        "subprocess",
        "io",
    }
    for path in sorted((ROOT / "chaincode").rglob("*.py")):
        relative = path.relative_to(ROOT / "chaincode")
        if relative.parts[0] not in {"shim", "main.py"}:
            used = imported(path)
            assert not {name for name in used if name in forbidden or name.split(".")[0] in forbidden}, relative


def test_rooms_of_the_contract_import_downwards_only() -> None:
    for path in sorted((ROOT / "chaincode").rglob("*.py")):
        own = path.relative_to(ROOT / "chaincode").parts[0].removesuffix(".py")
        own_rank = rank(own)
        if own_rank is None:
            continue
        above = {used for used in rooms_used(path, "chaincode") if (rank(used) or 0) > own_rank}
        assert above == set(), f"{path.name} imports {above}, which stand above it"


def rank(name: str) -> int | None:
    """Place of a room of the contract; `commands` is the inside of contract, `records_x` of records."""
    name = {"commands": "contract"}.get(name, name)
    for place, known in enumerate(CONTRACT_ORDER):
        if name == known or name.startswith(known + "_"):
            return place
    return None


def test_the_shim_knows_no_rule() -> None:
    for path in sorted((ROOT / "chaincode" / "shim").rglob("*.py")):
        assert rooms_used(path, "chaincode") == set(), path.name


def test_leaves_of_the_node_know_no_neighbour() -> None:
    for path in sorted((ROOT / "ledger_node").rglob("*.py")):
        own = path.relative_to(ROOT / "ledger_node").parts[0].removesuffix(".py")
        used = rooms_used(path, "ledger_node")
        if own in LEAVES:
            assert used <= {"errors", "config", "database"} | ({"formats"} if own == "fingerprints" else set()), (
                path.name
            )
        if own in WORKERS:
            assert used & (WORKERS | EDGES | {"node", "fabric", "embedded"}) == set(), path.name


def test_only_the_composition_root_chooses_a_ledger() -> None:
    for path in sorted((ROOT / "ledger_node").rglob("*.py")):
        if path.name not in {"node.py", "fabric.py", "embedded.py"}:
            assert rooms_used(path, "ledger_node") & {"fabric", "embedded"} == set(), path.name


def test_nothing_below_the_edges_imports_an_edge() -> None:
    for path in sorted((ROOT / "ledger_node").rglob("*.py")):
        own = path.relative_to(ROOT / "ledger_node").parts[0].removesuffix(".py")
        if own not in EDGES | {"serve", "demo", "__main__"}:
            assert rooms_used(path, "ledger_node") & (EDGES | {"demo"}) == set(), path.name


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_stays_in_its_rooms(library: str) -> None:
    for path in modules():
        relative = str(path.relative_to(ROOT))
        if not relative.startswith(ONLY_IN[library]):
            assert library not in {name.split(".")[0] for name in imported(path)}, f"{relative} imports {library}"


def test_blocks_can_be_decoded_without_grpc_and_settings() -> None:
    used = {name.split(".")[0] for name in imported(ROOT / "network" / "blocks.py")}
    assert used <= set(sys.stdlib_module_names) | {"fabric_protos", "google", "cryptography", "network"}
