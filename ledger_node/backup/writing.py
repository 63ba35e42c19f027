"""Writing a backup, while the node runs.

1. The state database is copied by SQLite's own online backup, in one step: a snapshot that no writer disturbs and that
   holds no writer up. The copy lies in the node's folder for so long, beside the original, and is checked.
2. The other files go in, then that copy, then the vault: a document that the database names is in the vault before the
   database names it. Each document is hashed on its way.
3. The sealed file is written beside its place, flushed to the disk, and put there in one step. A kill leaves a hidden
   file, which the next backup to that place removes.
Source: SQLite's online backup API, https://sqlite.org/backup.html.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import sqlite3
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from ledger_node.backup.archive import FIRST, Contents, Readable, add_file, add_text
from ledger_node.backup.inventory import Inventory
from ledger_node.backup.locks import Locking
from ledger_node.backup.placing import sync_folder
from ledger_node.backup.sealed import SealedWriter
from ledger_node.documents.vault import Vault
from ledger_node.errors import BadRequest, ConfigError, NodeError, VerificationError

COPIES = ".backup"
LOCK_NAME = "backup.lock"
SUFFIX = ".backup"
UNFINISHED = ".new"
TOLD_BYTES = 1024**3
BUFFER_BYTES = 1024 * 1024
LOCKED_SECONDS_MAX = 10.0

Progress = Callable[[str], None]


@dataclass
class Written:
    """What was written: where, how much, of what; `sha256` is of the whole file, 64 hex characters.

    `documents_missing` and `documents_damaged` are digests of documents that the database names and the vault does not
    have, and of documents whose files are others: what of the vault could not be kept, because it was lost before.
    """

    path: str
    base: str = ""
    sha256: str = ""
    size_bytes: int = 0
    files: int = 0
    documents: int = 0
    documents_missing: list[str] = field(default_factory=list)
    documents_damaged: list[str] = field(default_factory=list)


def write_backup(
    inventory: Inventory, target: Path, lockings: Sequence[Locking], progress: Progress, now: dt.datetime
) -> Written:
    """Write a backup.

    Args:
        inventory: what goes in.
        target: the file to write; in a folder that exists, a name with the time in it is chosen.
        lockings: who can open it; at least one.
        progress: is given one line per step.
        now: when it is; UTC.

    Raises: BadRequest when the file is there already; ConfigError while another backup of the same runs;
        VerificationError when the state database is damaged. Nothing is written then.
    """
    if target.is_dir():
        target = target / f"{_beginning(inventory)}{now:%Y%m%dT%H%M%SZ}{SUFFIX}"
    if target.exists():
        raise BadRequest(f"{target} is there already", "Name another file, or a folder: then a name is chosen.")
    written = Written(str(target), str(inventory.base))
    with _alone(inventory.last.parent):
        _clear(inventory, target.parent)
        with _copied(inventory, progress) as copies, _placed(target) as stream:
            sealed = SealedWriter(stream, lockings)
            _Filling(inventory, copies, sealed, written, progress, now).run()
            sealed.finish()
        written.sha256, written.size_bytes = sealed.digest, sealed.size_bytes
    return written


class _Filling:
    """One run of filling an archive."""

    def __init__(
        self,
        inventory: Inventory,
        copies: dict[Path, Path],
        sealed: SealedWriter,
        written: Written,
        progress: Progress,
        now: dt.datetime,
    ) -> None:
        self._inventory = inventory
        self._copies = copies
        self._written = written
        self._progress = progress
        self._now = now
        self._passed = self._told = 0
        self._tar = tarfile.open(fileobj=sealed, mode="w|", bufsize=BUFFER_BYTES)  # noqa: SIM115

    def run(self) -> None:
        """All of it, `last` last."""
        inventory = self._inventory
        with closing(self._tar):
            add_text(self._tar, FIRST, self._contents().model_dump_json(indent=1))
            self._progress("keys, certificates and settings")
            for path in inventory.files:
                if path != inventory.last:
                    self._add(path)
            for path, copy in self._copies.items():
                self._progress(f"the state database {path.name}")
                self._add(copy, self._name(path))
            if inventory.vault is not None:
                self._add_vault(inventory.vault)
            for folder in inventory.ledgers:
                self._progress(f"the ledger in {folder}")
                for path in sorted(each for each in folder.rglob("*") if each.is_file()):
                    self._add(path)
            self._add(inventory.last)
        self._look_for_missing()

    def _contents(self) -> Contents:
        inventory = self._inventory
        return Contents(
            kind=inventory.kind,
            organisations=inventory.organisations,
            made_at=self._now.isoformat(timespec="seconds"),
            program=importlib.metadata.version("ledger-node"),
            base=str(inventory.base),
            last=self._name(inventory.last),
            databases=tuple(map(self._name, inventory.databases)),
            vault=None if inventory.vault is None else self._name(inventory.vault),
            ledgers=tuple(map(self._name, inventory.ledgers)),
        )

    def _name(self, path: Path) -> str:
        return path.relative_to(self._inventory.base).as_posix()

    def _add(self, path: Path, name: str = "") -> None:
        with path.open("rb") as content:
            self._put(name or self._name(path), content)
        self._written.files += 1

    def _add_vault(self, folder: Path) -> None:
        self._progress(f"the documents in {folder}")
        for place in Vault(folder, 0).files():
            path = folder / place
            try:
                content = path.open("rb")
            except FileNotFoundError:  # erased since it was listed
                continue
            with content:
                hashed = _Hashing(content)
                self._put(self._name(path), hashed)
            self._written.documents += 1
            if hashed.digest != path.name:
                self._written.documents_damaged.append(path.name)

    def _put(self, name: str, content: _OnDisk) -> None:
        status = os.fstat(content.fileno())
        add_file(self._tar, name, content, status.st_size, status.st_mode)
        self._tar.members = []  # type: ignore[attr-defined]  # it would keep them all
        self._passed += status.st_size
        if self._passed - self._told >= TOLD_BYTES:
            self._told = self._passed
            self._progress(f"{self._passed / TOLD_BYTES:.1f} GiB, {self._written.documents} documents so far")

    def _look_for_missing(self) -> None:
        """Which documents the copied database names and the vault does not have."""
        if self._inventory.vault is None:
            return
        vault = Vault(self._inventory.vault, 0)
        for copy in self._copies.values():
            with closing(sqlite3.connect(copy)) as connection:
                for (digest,) in connection.execute("SELECT DISTINCT digest FROM own_document"):
                    if not vault.path(digest).exists():
                        self._written.documents_missing.append(digest.hex())


class _OnDisk(Readable, Protocol):
    def fileno(self) -> int: ...


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._sha256 = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()

    def fileno(self) -> int:
        return self._content.fileno()

    def read(self, count: int = -1) -> bytes:
        content = self._content.read(count)
        self._sha256.update(content)
        return content


def _beginning(inventory: Inventory) -> str:
    """How names begin that are chosen for backups of this."""
    return f"{'-'.join(inventory.organisations)}-{inventory.kind}-"


def _clear(inventory: Inventory, folder: Path) -> None:
    """Remove what a kill left of a backup whose name was chosen; for whoever is alone at it."""
    for left in folder.glob(f".{_beginning(inventory)}*{SUFFIX}{UNFINISHED}"):
        left.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One backup of the same at a time: it has a place for copies, and only one."""
    with (folder / LOCK_NAME).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another backup of {folder} is being written", "Wait until it has ended.") from None
        yield


@contextmanager
def _copied(inventory: Inventory, progress: Progress) -> Iterator[dict[Path, Path]]:
    """A snapshot of each database, in a hidden folder beside it; what a kill left there is removed first."""
    copies = {path: path.parent / COPIES / path.name for path in inventory.databases}
    folders = {copy.parent for copy in copies.values()}
    try:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        for path, copy in copies.items():
            progress(f"copying {path}")
            _copy(path, copy)
            copy.chmod(0o600)  # as it is restored
        yield copies
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


class _Unlocking:
    """Ends a copy of a database that somebody keeps locked, which would be tried for ever."""

    def __init__(self) -> None:
        self._deadline = time.monotonic() + LOCKED_SECONDS_MAX

    def __call__(self, status: int, _remaining: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() >= self._deadline:
            raise sqlite3.OperationalError("somebody keeps it locked")


def _copy(path: Path, copy: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(copy)) as snapshot,
        ):
            # In one step: in several it would begin anew whenever somebody writes.
            source.backup(snapshot, progress=_Unlocking())
            snapshot.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            faults = [fault for (fault,) in snapshot.execute("PRAGMA quick_check(5)") if fault != "ok"]
    except sqlite3.OperationalError as error:  # locked for too long, or no room
        raise NodeError(f"{path} cannot be copied: {error}", f"Is there room in {copy.parent}?") from error
    except sqlite3.DatabaseError as error:
        faults = [str(error)]
    if faults:
        text = f"the state database {path} is damaged: {'; '.join(faults)}"
        raise VerificationError(text, "Keep the backups there are, and restore the latest one that is whole.")


@contextmanager
def _placed(target: Path) -> Iterator[BinaryIO]:
    """A file that is there, whole and readable by its owner only, when the block ends; and not at all when it fails."""
    fresh = target.with_name(f".{target.name}{UNFINISHED}")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        error.filename = error.filename or str(fresh)  # a full disk is told with its place
        raise
    finally:
        fresh.unlink(missing_ok=True)
