"""The content of a backup: a tar stream whose first member says what the others are. Reading it trusts nothing.

A backup that is locked to a certificate can be made by everybody who has that certificate, so names, kinds and sizes
of members are checked as those of a stranger's archive: regular files with plain relative names below one folder.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from ledger_node.backup.sealed import Damaged, SealedReader

FIRST = "backup.json"
FILES = "files"
FIRST_BYTES_MAX = 1024 * 1024


class Readable(Protocol):
    """What a file is read from."""

    def read(self, count: int = -1, /) -> bytes:
        """So many bytes, fewer at the end; all that is left when nothing is said."""
        ...


class Contents(BaseModel):
    """What a backup says of itself; paths are relative to `base`, which is where it was taken from.

    `last` is the file that is put in place last; `ledgers` are folders that belong together with all in them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    kind: Literal["node", "network"]
    organisations: tuple[str, ...]
    made_at: str
    program: str
    base: str
    last: str
    databases: tuple[str, ...] = ()
    vault: str | None = None
    ledgers: tuple[str, ...] = ()

    def is_document(self, name: str) -> bool:
        """Whether a file is a document of the vault."""
        return self.vault is not None and name.startswith(f"{self.vault}/")

    def ledger_of(self, name: str) -> str | None:
        """The folder of `ledgers` that a file is in."""
        return next((folder for folder in self.ledgers if name.startswith(f"{folder}/")), None)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a backup: its name relative to the base, its permissions, its size in bytes, its content."""

    name: str
    mode: int
    size_bytes: int
    content: IO[bytes]


class Archive:
    """Reads the content of a backup, once, from its start to its end.

    Args:
        reader: of the sealed file.

    Raises: Damaged when it is not what this program writes.
    """

    def __init__(self, reader: SealedReader) -> None:
        self._reader = reader
        self._tar = self._opened()
        self._names: set[str] = set()
        self.contents = self._first()

    def members(self) -> Iterator[Member]:
        """Every file, in order; the content of each is there until the next one is asked for.

        Raises: Damaged, at the end too when that is missing.
        """
        while (entry := self._entry()) is not None:
            name = entry.name.removeprefix(f"{FILES}/")
            if name == entry.name or not is_plain(name) or name in self._names or not entry.isreg():
                raise Damaged(f"the backup holds what no backup holds: {entry.name!r}", "Do not restore it.")
            # The vault's documents are not remembered: there may be millions, and twice the same is the same.
            if not self.contents.is_document(name):
                self._names.add(name)
            content = self._tar.extractfile(entry)
            assert content is not None  # it is a regular file
            yield Member(name, entry.mode & 0o755, entry.size, content)
        self._reader.finish()
        if self.contents.last not in self._names:
            raise Damaged(f"the backup lacks {self.contents.last}", "Do not restore it.")

    def _opened(self) -> tarfile.TarFile:
        try:
            return tarfile.open(fileobj=self._reader, mode="r|", bufsize=tarfile.RECORDSIZE)
        except tarfile.TarError as error:
            raise Damaged(f"the backup's content cannot be read: {error}", "Do not restore it.") from error

    def _entry(self) -> tarfile.TarInfo | None:
        self._tar.members = []  # type: ignore[attr-defined]  # what has been read is not kept
        try:
            return self._tar.next()
        except tarfile.TarError as error:
            raise Damaged(f"the backup's content cannot be read: {error}", "Do not restore it.") from error

    def _first(self) -> Contents:
        entry = self._entry()
        if entry is None or entry.name != FIRST or not entry.isreg() or entry.size > FIRST_BYTES_MAX:
            raise Damaged("the backup does not say what it holds", "Do not restore it.")
        content = self._tar.extractfile(entry)
        assert content is not None  # it is a regular file
        try:
            contents = Contents.model_validate_json(content.read())
        except ValidationError as error:
            text = f"the backup says of itself what cannot be read: {error.errors()[0]['msg']}"
            raise Damaged(text, "Was it written by a newer version of the program?") from None
        vault = () if contents.vault is None else (contents.vault,)
        named = (contents.last, *contents.databases, *vault, *contents.ledgers)
        if not all(map(is_plain, named)) or not Path(contents.base).is_absolute():
            raise Damaged("the backup says of itself what no backup says", "Do not restore it.")
        return contents


def is_plain(name: str) -> bool:
    """Whether a name leads to somewhere below the folder that it is relative to."""
    parts = PurePosixPath(name).parts
    plain = name == "/".join(parts) and "\0" not in name and ".." not in parts
    return plain and bool(parts) and not name.startswith("/")


def add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    """Add a file of text."""
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


def add_file(tar: tarfile.TarFile, name: str, content: Readable, size_bytes: int, mode: int) -> None:
    """Add a file, read from its start to its size.

    Raises: OSError when it is shorter.
    """
    entry = tarfile.TarInfo(f"{FILES}/{name}")
    entry.size, entry.mode = size_bytes, mode & 0o755
    tar.addfile(entry, content)
