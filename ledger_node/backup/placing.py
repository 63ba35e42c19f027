"""Moving files so that a kill leaves the old or the new, never a half, and a power failure what was there last."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import IO

BUFFER_BYTES = 1024 * 1024


def sync_folder(folder: Path) -> None:
    """Flush to the disk which names a folder has."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for the owner only; each name is flushed to the disk."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        sync_folder(each.parent)


def digest(content: IO[bytes]) -> str:
    """SHA-256 of what is left to read, 64 hex characters."""
    sha256 = hashlib.sha256()
    while piece := content.read(BUFFER_BYTES):
        sha256.update(piece)
    return sha256.hexdigest()


def write_file(path: Path, content: IO[bytes], mode: int) -> str:
    """Write a new file and flush it to the disk; its permissions are there from the first byte.

    Returns: SHA-256 of the content, 64 hex characters.
    """
    sha256 = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as target:
        while piece := content.read(BUFFER_BYTES):
            target.write(piece)
            sha256.update(piece)
        target.flush()
        os.fsync(target.fileno())
    return sha256.hexdigest()


def move(source: Path, target: Path) -> None:
    """Move a file, or a folder, to a place of which the folder is made; onto another disk too, in one step there."""
    make_folder(target.parent)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_across(source, target)
    sync_folder(target.parent)


def _move_across(source: Path, target: Path) -> None:
    fresh = target.with_name(f".{target.name}.moving")
    if source.is_dir():
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(source, fresh, symlinks=True)
        fresh.replace(target)
        shutil.rmtree(source)
        return
    fresh.unlink(missing_ok=True)
    with source.open("rb") as content:
        write_file(fresh, content, source.stat().st_mode & 0o777)
    fresh.replace(target)
    source.unlink()


def same(one: Path, other: Path) -> bool:
    """Whether two files, or two folders with all in them, have the same content."""
    if one.is_dir():
        alike = other.is_dir() and _names(one) == _names(other)
        return alike and all(same(each, other / each.name) for each in one.iterdir())
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while piece := left.read(BUFFER_BYTES):
            if piece != right.read(BUFFER_BYTES):
                return False
    return True


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}
