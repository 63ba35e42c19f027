"""`ledger-node hash`: output and exit codes that scripts can rely on, the same as those of sha256sum."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger_node.cli import main
from ledger_node.hashing.bench import Case, crossovers, grid, measure
from ledger_node.hashing.cpu import HashlibBackend, best_cpu
from ledger_node.hashing.hasher import Hasher

NAMES = ("plain", "with space", "back\\slash", "line\nbreak", "ünïcode", "-dash")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of awkward names, and no hashing service."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEDGER_NODE_HASH_SOCKET", str(tmp_path / "none"))
    for name in NAMES:
        (tmp_path / name).write_text(f"content of {name}")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["hash", *arguments])


def digest(name: str) -> str:
    return hashlib.sha256(f"content of {name}".encode()).hexdigest()


def test_the_output_is_that_of_sha256sum(folder: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is not installed")
    theirs = subprocess.run(["sha256sum", "--", *NAMES], capture_output=True, check=True, text=True).stdout
    assert run("files", "--", *NAMES).stdout == theirs


@pytest.mark.parametrize("backend", ["auto", "hashlib"])
def test_a_manifest_made_by_files_is_verified(folder: Path, backend: str) -> None:
    (folder / "manifest").write_text(run("files", "--backend", backend, "--", *NAMES).stdout)
    checked = run("verify", "manifest")
    shown = ["plain", "with space", "\\back\\\\slash", "\\line\\nbreak", "ünïcode", "-dash"]
    assert (checked.exit_code, checked.stdout) == (0, "".join(f"{name}: OK\n" for name in shown))


def test_a_changed_file_ends_with_exit_code_6_and_its_evidence(folder: Path) -> None:
    (folder / "manifest").write_text(run("files", "plain", "with space").stdout)
    (folder / "plain").write_text("something else")
    checked = run("verify", "manifest", "--json")
    assert checked.exit_code == 6
    found = json.loads(checked.stdout)["result"]
    assert {name: found[name] for name in ("verified", "mismatch", "unavailable")} == {
        "verified": 1,
        "mismatch": 1,
        "unavailable": 0,
    }
    assert found["files"][0] == {
        "path": "plain",
        "verdict": "mismatch",
        "expected": digest("plain"),
        "sha256": hashlib.sha256(b"something else").hexdigest(),
        "size_bytes": 14,
        "backend": "hashlib",
    }


def test_a_missing_file_is_unavailable_and_ends_with_exit_code_1(folder: Path) -> None:
    (folder / "manifest").write_text(f"{'0' * 64}  missing\n{digest('plain')}  plain\n")
    checked = run("verify", "manifest")
    assert (checked.exit_code, checked.stdout) == (1, "missing: FAILED open or read\nplain: OK\n")


def test_one_file_is_checked_against_a_digest(folder: Path) -> None:
    assert run("verify", "plain", digest("plain").upper()).exit_code == 0
    assert run("verify", "plain", digest("with space")).exit_code == 6


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["verify", "plain"], "line 1 of plain is not of the form DIGEST  NAME"),
        (["verify", "plain", "abc"], "'abc' is no SHA-256 digest"),
        (["verify", "empty"], "empty names no file"),
    ],
)
def test_bad_input_is_named_and_ends_with_exit_code_2(folder: Path, arguments: list[str], text: str) -> None:
    (folder / "empty").write_text("\n")
    failed = run(*arguments)
    assert failed.exit_code == 2
    assert text in failed.stderr


def test_what_cannot_be_read_ends_with_exit_code_1_and_the_rest_is_printed(folder: Path) -> None:
    failed = run("files", "plain", "missing")
    assert (failed.exit_code, failed.stdout) == (1, f"{digest('plain')}  plain\n")
    assert "cannot read missing" in failed.stderr


def test_a_manifest_that_has_no_end_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger_node.cli.manifest.MANIFEST_BYTES_MAX", 1000)
    refused = run("verify", "/dev/zero")
    assert refused.exit_code == 2
    assert "/dev/zero is larger than 1000 bytes" in refused.stderr


def test_status_without_a_service_ends_with_exit_code_3_and_the_remedy(folder: Path) -> None:
    failed = run("status")
    assert failed.exit_code == 3
    assert "ledger-node hash serve" in failed.stderr


def test_the_gpu_is_refused_with_the_reason_where_there_is_none(folder: Path) -> None:
    failed = run("files", "--backend", "gpu", "plain")
    if failed.exit_code == 0:
        pytest.skip("this machine has a GPU")
    assert failed.exit_code == 1
    assert "Error: " in failed.stderr


def test_a_benchmark_names_what_really_ran() -> None:
    work = [Case("small", [10] * 20), Case("f", [9] * 3, files=True)]
    backends = {"hashlib": HashlibBackend().hash_batch, "auto": Hasher(best_cpu()).hash_batch}
    rows = measure(work, backends, 2, lambda _: None)
    assert [(row.case, row.asked) for row in rows if row.asked in backends] == [
        ("small", "hashlib"),
        ("small", "auto"),
        ("f", "hashlib"),
        ("f", "auto"),
    ]
    assert {row.ran for row in rows if row.asked == "hashlib"} == {"hashlib"}
    assert {row.ratio_to_hashlib for row in rows if row.asked == "hashlib"} == {1.0}


def test_the_crossover_is_where_another_backend_becomes_the_fastest() -> None:
    lines = {"cpu": {1: 2.0, 16: 4.0, 512: 4.0, 4096: 4.0}, "gpu": {1: 0.1, 16: 0.5, 512: 5.0, 4096: 50.0}}
    assert list(crossovers(lines)) == [(512, "gpu")]
    noise = {"auto": {1: 2.0, 16: 4.0, 512: 4.1}, "native": {1: 1.9, 16: 4.1, 512: 4.0}}
    assert list(crossovers(noise)) == []


def test_a_grid_is_drawn(tmp_path: Path) -> None:
    plotting = pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    assert plotting
    from ledger_node.hashing.bench import plot

    points = grid({"hashlib": HashlibBackend().hash_batch}, 20_000, lambda _: None)
    assert {(size, count) for size, count, _ in points["hashlib"]} >= {(1000, 1), (1000, 16), (10_000, 1)}
    plot(points, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
