"""Putting a backup back: everything is verified before anything is put in place, and nothing that exists is lost.

1. The whole backup is opened into a hidden folder beside its place. After that every piece is known to be authentic and
   the end to be there; documents were hashed again.
2. What is in the way is looked for: files that exist and differ. They are a reason to refuse, or with `replace` they
   are moved aside, never deleted.
3. Everything is moved into its place, `last` (node.toml, network.yaml) at the end: until then nothing can be started.
A kill before 3 leaves the hidden folder, which the next try removes; a kill in 3 leaves what the next try completes,
since what is in place already and the same is no reason to refuse.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ledger_node.backup.archive import Archive, Contents, Member
from ledger_node.backup.locks import Opening
from ledger_node.backup.placing import digest, make_folder, move, same, sync_folder, write_file
from ledger_node.backup.sealed import Damaged, SealedReader
from ledger_node.config import relocated
from ledger_node.errors import ConfigError
from ledger_node.serve import only_server
from ledger_node.workers.running import WorkersLock
from network import components, processes
from network.topology import Topology

STAGED = ".restore"
ASIDE = "replaced-"
LOGS_OF_DATABASES = ("-wal", "-shm", "-journal")
NAMED_MAX = 10

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a backup is wanted, and where.

    Args:
        base: the folder to restore below; None is where it was taken from.
        replace: move aside what is in the way, instead of refusing.
        documents_only: only documents of the vault that are missing or damaged; a node may run meanwhile.
        sha256: what the file is expected to be, 64 hex characters; empty takes any.
    """

    base: Path | None = None
    replace: bool = False
    documents_only: bool = False
    sha256: str = ""


@dataclass
class Read:
    """What a backup holds, all of it read and found whole; `sha256` is of the file, 64 hex characters.

    `documents_damaged` are digests of documents that were others already when the backup was written.
    """

    contents: Contents
    sha256: str = ""
    size_bytes: int = 0
    files: int = 0
    documents: int = 0
    documents_damaged: list[str] = field(default_factory=list)


@dataclass
class Restored:
    """What was put in place below `base`; `moved_aside` is the folder of what was there, empty when nothing was."""

    base: str
    placed: int = 0
    there_already: int = 0
    moved_aside: str = ""


def verify_backup(path: Path, opening: Opening, progress: Progress) -> Read:
    """Read a backup from its start to its end, and find it whole; nothing is written.

    Raises: BadRequest, WrongKey, Damaged.
    """
    with _opened(path, opening, progress) as (reader, archive):
        return _read(reader, archive, lambda member: digest(member.content))


def restore_backup(
    path: Path, opening: Opening, wanted: Wanted, progress: Progress, now: dt.datetime
) -> tuple[Read, Restored]:
    """Verify a backup and put it back.

    Args:
        path: the backup.
        opening: finds its key.
        wanted: what of it, and where.
        progress: is given one line per step.
        now: when it is; UTC.

    Raises: BadRequest, WrongKey, Damaged, and ConfigError when something is in the way or runs: nothing has been
        changed then.
    """
    with _opened(path, opening, progress) as (reader, archive):
        base = wanted.base or Path(archive.contents.base)
        folder = (base / archive.contents.last).parent
        make_folder(folder)
        with _alone(folder), _staging(folder) as staged:
            staging = _Staging(staged, archive.contents, base, wanted)
            read = _read(reader, archive, staging.take)
            if wanted.sha256 and read.sha256 != wanted.sha256.lower():
                raise Damaged(f"the file's SHA-256 is {read.sha256}", "It is not the backup that was expected.")
            aside = folder / f"{ASIDE}{now:%Y%m%dT%H%M%SZ}"
            return read, _Placing(staged, archive.contents, base, wanted, aside, progress).run()


def _read(reader: SealedReader, archive: Archive, take: Callable[[Member], str]) -> Read:
    """Read all of it. `take` gets each file and says the SHA-256 of its content."""
    read = Read(archive.contents)
    for member in archive.members():
        found = take(member)
        read.size_bytes += member.size_bytes
        if not archive.contents.is_document(member.name):
            read.files += 1
            continue
        read.documents += 1
        if found != Path(member.name).name:
            read.documents_damaged.append(Path(member.name).name)
    read.sha256 = reader.digest
    return read


class _Staging:
    """Takes the files of a backup into a folder from which they are moved into place."""

    def __init__(self, folder: Path, contents: Contents, base: Path, wanted: Wanted) -> None:
        self._folder = folder
        self._contents = contents
        self._base = base
        self._documents_only = wanted.documents_only

    def take(self, member: Member) -> str:
        """Keep a file if it is wanted. Returns: SHA-256 of its content, 64 hex characters."""
        is_document = self._contents.is_document(member.name)
        if self._documents_only and not (is_document and self._is_lost(member.name)):
            return digest(member.content)
        path = self._folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        found = write_file(path, member.content, member.mode)
        if is_document and found != path.name:
            path.unlink()  # a document that is another one than its name says is nowhere of use
        if self._contents.kind == "node" and member.name == self._contents.last:
            _relocate(path, Path(self._contents.base), self._base)
        return found

    def _is_lost(self, name: str) -> bool:
        """Whether a document is missing in its place, or another one."""
        try:
            with (self._base / name).open("rb") as content:
                return digest(content) != Path(name).name
        except FileNotFoundError:
            return True


def _relocate(path: Path, former: Path, base: Path) -> None:
    """Let settings that name absolute paths below the former place name those below the new one."""
    before = path.read_text("utf-8")
    after = relocated(before, former, base)
    if after != before:
        path.unlink()
        write_file(path, io.BytesIO(after.encode()), 0o600)


class _Placing:
    """One run of moving what is staged into its place."""

    def __init__(
        self, staged: Path, contents: Contents, base: Path, wanted: Wanted, aside: Path, progress: Progress
    ) -> None:
        self._staged = staged
        self._contents = contents
        self._base = base
        self._wanted = wanted
        self._aside = aside
        self._progress = progress
        self._restored = Restored(str(base))

    def run(self) -> Restored:
        """Move everything, or refuse and move nothing."""
        self._refuse_what_is_in_the_way()
        last = self._contents.last
        if not any(name != last for name in self._units()) and self._is_in_place(last):
            return self._restored
        with self._nothing_running():
            self._progress(f"moving everything into its place below {self._base}")
            if not self._wanted.documents_only:
                self._make_unstartable(last)
            for name in self._units():
                if name != last:
                    self._place(name)
            if not self._wanted.documents_only:
                self._place(last)
        return self._restored

    def _is_in_place(self, last: str) -> bool:
        return self._wanted.documents_only or same(self._staged / last, self._base / last)

    def _units(self) -> Iterator[str]:
        """What is staged: the names of files, and of ledgers as a whole."""
        for folder, _, names in os.walk(self._staged):
            inside = Path(folder).relative_to(self._staged)
            ledger = self._contents.ledger_of(f"{inside.as_posix()}/")
            if ledger is None:
                yield from ((inside / name).as_posix() for name in names)
            elif ledger == inside.as_posix():
                yield ledger

    def _refuse_what_is_in_the_way(self) -> None:
        """Look at everything, and forget what is in its place already. Raises: ConfigError."""
        differing = 0
        named: list[str] = []
        for name in list(self._units()):
            staged, place = self._staged / name, self._base / name
            if same(staged, place):
                self._restored.there_already += 1
                if name != self._contents.last:  # that one is moved aside while others are replaced
                    shutil.rmtree(staged) if staged.is_dir() else staged.unlink()
            elif place.exists() and not self._wanted.documents_only:
                differing += 1
                named += [name] if len(named) < NAMED_MAX else []
        if differing and not self._wanted.replace:
            text = f"{differing} of the backup's files exist in {self._base} and differ: {', '.join(named)}"
            remedy = "Restore elsewhere (--to DIR), or move what is there aside by --replace. Nothing was changed."
            raise ConfigError(text, remedy)

    def _place(self, name: str) -> None:
        self._move_aside(name)
        if name in self._contents.databases:
            # A log that is left of another database would be played into this one.
            for ending in LOGS_OF_DATABASES:
                self._move_aside(name + ending)
        move(self._staged / name, self._base / name)
        self._restored.placed += 1

    def _make_unstartable(self, last: str) -> None:
        """Take `last` away, until everything is in place."""
        place = self._base / last
        if same(self._staged / last, place):
            place.unlink()
            sync_folder(place.parent)
        self._move_aside(last)

    def _move_aside(self, name: str) -> None:
        place = self._base / name
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            move(place, self._aside / name)
            self._restored.moved_aside = str(self._aside)

    @contextmanager
    def _nothing_running(self) -> Iterator[None]:
        """While files are moved, nothing that reads them runs or starts. Raises: ConfigError, SetupError."""
        last = self._base / self._contents.last
        if self._wanted.documents_only or not last.exists():
            yield
        elif self._contents.kind == "node":
            with only_server(last.parent):
                lock = WorkersLock(last.parent)  # a program of their own may run them, without a server
                try:
                    yield
                finally:
                    lock.release()
        else:
            topology = Topology.load(last)
            with processes.locked(topology.data, self._progress):
                mine = [
                    name
                    for name in components.component_names(topology)
                    if name.rpartition(".")[0] in self._contents.organisations
                ]
                if running := [name for name in mine if processes.running(topology.data, name) is not None]:
                    remedy = f"Stop it first: ledger-node network down --network {last}"
                    raise ConfigError(f"the network runs: {', '.join(running)}", remedy)
                yield


@contextmanager
def _opened(path: Path, opening: Opening, progress: Progress) -> Iterator[tuple[SealedReader, Archive]]:
    with path.open("rb") as source:
        reader = SealedReader(source, opening)
        archive = Archive(reader)
        names = ", ".join(archive.contents.organisations)
        progress(f"reading {path}: {archive.contents.kind} of {names}, {archive.contents.made_at}")
        yield reader, archive


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One restore into a folder at a time; the kernel lets go however it ends."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError(f"another restore into {folder} is at work", "Wait until it has ended.") from None
    finally:
        os.close(handle)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    staged = folder / STAGED
    shutil.rmtree(staged, ignore_errors=True)  # a kill may have left it
    staged.mkdir(mode=0o700)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)
