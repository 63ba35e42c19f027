"""Our repair of the library by which orderers agree: what hung does not hang, and no other source is changed.

The Go tests beside this file provoke each fault in the pinned source. They pass with the repair and, as the control,
fail without it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from network import tools
from network.errors import SetupError
from network.tools import repair

GO_TESTS = Path(__file__).parent / "smartbft"
PLACES = {"consensus_repaired_test.go": "pkg/consensus"}
CONTROL_WAIT_MAX = "2s"  # what hangs without the repair is known to hang
RUN_SECONDS_MAX = 280


@pytest.fixture(scope="module")
def go() -> str:
    """A Go command; what built the tools is there to test them."""
    return tools.find_go(print)


@pytest.fixture
def library(go: str, tmp_path: Path) -> Path:
    """SmartBFT as it was released, with our Go tests in place of its own."""
    copy = tools.copy_sources(go, tmp_path / "source")
    for folder in ("internal/bft", "pkg/consensus"):
        for test in (copy / folder).glob("*_test.go"):
            test.unlink()
    for test in GO_TESTS.glob("*_test.go"):
        shutil.copyfile(test, copy / PLACES.get(test.name, "internal/bft") / test.name)
    return copy


def go_test(go: str, library: Path, wait_max: str = "") -> dict[str, str]:
    """Each Go test by name with its outcome, PASS or FAIL."""
    packages = [f"{repair.MODULE}/{folder}" for folder in ("internal/bft", "pkg/consensus")]
    environment = os.environ | {"REPAIRED_WAIT_MAX": wait_max, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    command = [go, "test", "-count=1", "-v", "-run=Repaired", *packages]
    done = subprocess.run(
        command, cwd=library.parent, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS_MAX
    )
    outcomes = {name: outcome for outcome, name in re.findall(r"^--- (\w+): Test(\w+)", done.stdout, re.MULTILINE)}
    assert outcomes, done.stdout + done.stderr
    return outcomes


def names() -> set[str]:
    return {
        name for test in GO_TESTS.glob("*_test.go") for name in re.findall(r"^func Test(\w+)", test.read_text(), re.M)
    }


def test_nothing_waits_for_ever_with_the_repair(go: str, library: Path) -> None:
    repair.apply(library)
    assert go_test(go, library) == dict.fromkeys(names(), "PASS")


def test_every_fault_is_there_without_the_repair(go: str, library: Path) -> None:
    assert go_test(go, library, CONTROL_WAIT_MAX) == dict.fromkeys(names(), "FAIL")


def test_a_source_that_differs_by_a_blank_is_refused_and_nothing_is_changed(library: Path) -> None:
    last = library / list(repair.SOURCES)[-1]
    last.write_text(last.read_text() + " ")
    before = {path: (library / path).read_bytes() for path in repair.SOURCES}
    with pytest.raises(
        SetupError, match=r"was written for v1\.0\.1, and this is another: consensus\.go has the digest"
    ):
        repair.apply(library)
    assert {path: (library / path).read_bytes() for path in repair.SOURCES} == before
    assert not (library / repair.ADDED).exists()


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"controller\.go cannot be read"):
        repair.apply(tmp_path)


def test_an_edit_without_its_one_place_is_refused(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, source = next(iter(repair.SOURCES.items()))
    edits = (*source.edits, ("no such text", ""))
    monkeypatch.setitem(repair.SOURCES, path, repair.Source(source.digest, edits))
    with pytest.raises(SetupError, match="'no such text' 0 times, not once"):
        repair.apply(library)
