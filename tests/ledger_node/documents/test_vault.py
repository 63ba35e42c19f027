"""The vault keeps a document whole, under its content's name, or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consortium import kept

from ledger_node.documents.vault import EmptyFile, StoredDocument, TooLarge, Vault
from ledger_node.errors import NotFound

CONTENT = b"proof of delivery" * 100_000


def without_nameless_files(open_file: Callable[..., int]) -> Callable[..., int]:
    """`os.open` of a file system that has none."""

    def open_named(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no nameless files here")
        return open_file(path, flags, *arguments, **options)

    return open_named


@pytest.fixture(params=["nameless", "named"])
def vault(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Vault:
    if request.param == "named":
        monkeypatch.setattr(os, "open", without_nameless_files(os.open))
    return Vault(tmp_path / "vault", len(CONTENT))


def files(vault: Vault) -> list[Path]:
    return [path for path in vault.path(b"\0" * 32).parents[2].rglob("*") if path.is_file()]


def test_a_document_is_kept_under_its_digest(vault: Vault) -> None:
    expected = StoredDocument(hashlib.sha256(CONTENT).digest(), len(CONTENT))
    assert expected == kept(vault, CONTENT)
    with vault.open(expected.digest) as stream:
        assert stream.read() == CONTENT
    name = expected.digest.hex()
    assert vault.path(expected.digest).parts[-3:] == (name[:2], name[2:4], name)
    assert vault.path(expected.digest).stat().st_mode & 0o777 == 0o600
    assert files(vault) == [vault.path(expected.digest)]


def test_the_file_that_is_kept_is_the_one_into_which_it_was_spooled(vault: Vault) -> None:
    with vault.spool() as spooled:
        spooled.write(CONTENT)
        inode = os.fstat(spooled.fileno()).st_ino
        stored = vault.keep(spooled)
    assert vault.path(stored.digest).stat().st_ino == inode


def test_the_same_content_is_kept_once(vault: Vault) -> None:
    assert kept(vault, CONTENT) == kept(vault, CONTENT)
    assert len(files(vault)) == 1


def test_a_damaged_file_is_whole_again_when_its_document_is_kept_again(vault: Vault) -> None:
    stored = kept(vault, CONTENT)
    vault.path(stored.digest).write_bytes(b"damaged")
    kept(vault, CONTENT)
    assert vault.path(stored.digest).read_bytes() == CONTENT


def test_an_empty_document_is_refused_and_nothing_is_kept(vault: Vault) -> None:
    with pytest.raises(EmptyFile):
        kept(vault, b"")
    assert files(vault) == []


def test_a_document_of_one_byte_too_many_is_refused_and_nothing_is_kept(vault: Vault) -> None:
    with pytest.raises(TooLarge, match=f"larger than {len(CONTENT)} bytes"):
        kept(vault, CONTENT + b".")
    assert files(vault) == []


def test_a_document_that_is_closed_without_being_kept_leaves_nothing(vault: Vault) -> None:
    with vault.spool() as spooled:
        spooled.write(CONTENT[:10])
        spooled.seek(0)
        assert spooled.read() == CONTENT[:10]
    assert files(vault) == []


def test_what_was_written_cannot_be_changed_before_it_is_kept(vault: Vault) -> None:
    with vault.spool() as spooled:
        spooled.write(CONTENT)
        spooled.seek(0)
        with pytest.raises(io.UnsupportedOperation):
            spooled.write(b"x")
        assert vault.keep(spooled).digest == hashlib.sha256(CONTENT).digest()


def test_a_file_system_that_fails_otherwise_is_no_reason_to_use_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, open_file = Vault(tmp_path / "vault", 10), os.open

    def full(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.ENOSPC, "full")
        return open_file(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(OSError, match="full"):
        vault.spool()
    assert files(vault) == []


def test_a_document_that_is_not_there_is_not_found(vault: Vault) -> None:
    with pytest.raises(NotFound, match="does not have"):
        vault.open(b"\0" * 32)


def test_deleting_erases_and_may_be_repeated(vault: Vault) -> None:
    stored = kept(vault, CONTENT)
    vault.delete(stored.digest)
    vault.delete(stored.digest)
    assert files(vault) == []


def test_what_a_killed_upload_left_is_removed_once_it_is_old(vault: Vault) -> None:
    left = vault.path(b"\0" * 32).parents[2] / "incoming" / "tmp1"
    left.write_bytes(b"half")
    vault.clear_incoming(3600)
    assert files(vault) == [left]
    os.utime(left, (0, 0))
    vault.clear_incoming(3600)
    assert files(vault) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger_node.documents import vault as room
from test_vault import without_nameless_files

_, folder, kind, step = sys.argv
if kind == "named":
    os.open = without_nameless_files(os.open)

def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

vault = room.Vault(Path(folder), 100)
spooled = vault.spool()
spooled.write(b"the document")
spooled.flush()
if step == "written":
    killed()
elif step == "flushed":
    os.fsync = killed
elif step == "named":
    Path.replace = killed
elif step == "moved":
    room._sync_folder = killed
vault.keep(spooled)
"""


@pytest.mark.parametrize(
    ("kind", "step", "left"),
    [
        ("nameless", "written", 0),
        ("nameless", "flushed", 0),
        ("nameless", "named", 1),
        ("named", "written", 1),
        ("named", "named", 1),
    ],
)
def test_a_kill_before_it_is_in_its_place_leaves_nothing_that_is_not_cleared(
    tmp_path: Path, kind: str, step: str, left: int
) -> None:
    vault = killed(tmp_path, kind, step)
    assert len(files(vault)) == left
    assert list(vault.files()) == []
    vault.clear_incoming(0)
    assert files(vault) == []


@pytest.mark.parametrize("kind", ["nameless", "named"])
def test_a_kill_after_it_is_in_its_place_leaves_it_whole(tmp_path: Path, kind: str) -> None:
    vault = killed(tmp_path, kind, "moved")
    (path,) = files(vault)
    assert path == vault.path(hashlib.sha256(b"the document").digest())
    assert path.read_bytes() == b"the document"


def killed(folder: Path, kind: str, step: str) -> Vault:
    """A vault whose process was killed at that step of keeping a document."""
    # What is killed leaves no figures behind: counting them would only make it slower.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder / "vault"), kind, step],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    return Vault(folder / "vault", 100)
