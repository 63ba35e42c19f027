"""The vault keeps a document whole, under its content's name, or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from ledger_node.documents.vault import EmptyFile, StoredDocument, TooLarge, Vault
from ledger_node.errors import NotFound

CONTENT = b"proof of delivery" * 100_000


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", len(CONTENT))


def files(vault: Vault) -> list[Path]:
    return [path for path in vault.path(b"\0" * 32).parents[2].rglob("*") if path.is_file()]


def test_a_document_is_kept_under_its_digest(vault: Vault) -> None:
    expected = StoredDocument(hashlib.sha256(CONTENT).digest(), len(CONTENT))
    assert expected == vault.store(io.BytesIO(CONTENT))
    with vault.open(expected.digest) as stream:
        assert stream.read() == CONTENT
    name = expected.digest.hex()
    assert vault.path(expected.digest).parts[-3:] == (name[:2], name[2:4], name)


def test_the_same_content_is_kept_once(vault: Vault) -> None:
    assert vault.store(io.BytesIO(CONTENT)) == vault.store(io.BytesIO(CONTENT))
    assert len(files(vault)) == 1


def test_an_empty_document_is_refused_and_nothing_is_kept(vault: Vault) -> None:
    with pytest.raises(EmptyFile):
        vault.store(io.BytesIO())
    assert files(vault) == []


def test_a_document_of_one_byte_too_many_is_refused_and_nothing_is_kept(vault: Vault) -> None:
    with pytest.raises(TooLarge, match=f"larger than {len(CONTENT)} bytes"):
        vault.store(io.BytesIO(CONTENT + b"."))
    assert files(vault) == []


def test_an_upload_that_breaks_off_leaves_nothing(vault: Vault) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionError("gone")
            return super().read(10)

    with pytest.raises(ConnectionError):
        vault.store(Breaking(CONTENT))
    assert files(vault) == []


def test_a_document_that_is_not_there_is_not_found(vault: Vault) -> None:
    with pytest.raises(NotFound, match="does not have"):
        vault.open(b"\0" * 32)


def test_deleting_erases_and_may_be_repeated(vault: Vault) -> None:
    stored = vault.store(io.BytesIO(CONTENT))
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
