"""Digests: the same bytes as sha256sum, in order, and one unreadable document never spoils its batch."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from ledger_node.hashing import UnreadableError, commitment, digest, digest_batch, digest_json


def test_digest_of_abc_is_the_one_that_fips_180_publishes() -> None:
    expected = bytes.fromhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    assert expected == digest(b"abc")


def test_a_path_a_stream_and_bytes_of_one_document_have_one_digest(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000  # more than two reads, and not a whole number of them
    path = tmp_path / "document"
    path.write_bytes(content)
    expected = hashlib.sha256(content).digest()
    assert [expected] * 3 == digest_batch([path, content, io.BytesIO(content)])


def test_an_empty_batch_has_no_digests() -> None:
    assert digest_batch([]) == []


def test_one_missing_file_leaves_the_other_digests_of_the_batch_in_their_places(tmp_path: Path) -> None:
    first, missing, last = digest_batch([b"first", tmp_path / "missing", b"last"])
    assert hashlib.sha256(b"first").digest() == first
    assert isinstance(missing, UnreadableError)
    assert "missing" in missing.text
    assert hashlib.sha256(b"last").digest() == last


def test_a_closed_stream_is_an_unreadable_document_and_no_crash() -> None:
    stream = io.BytesIO(b"content")
    stream.close()
    (answer,) = digest_batch([stream])
    assert isinstance(answer, UnreadableError)


def test_a_folder_in_the_place_of_a_document_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        digest(tmp_path)


def test_json_is_hashed_in_its_canonical_form() -> None:
    expected = hashlib.sha256('{"a":[true,null],"b":"é","z":1}'.encode()).digest()
    assert expected == digest_json({"z": 1, "b": "é", "a": [True, None]})


@pytest.mark.parametrize("value", [1 << 53, float("nan"), "\ud800", {1: 2}])
def test_json_without_a_canonical_form_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError):
        digest_json(value)


def test_a_commitment_is_the_leaf_hash_of_salt_and_digest() -> None:
    salt, document = b"\x01" * 32, digest(b"abc")
    assert hashlib.sha256(b"\x00" + salt + document).digest() == commitment(salt, document)


@pytest.mark.parametrize(("salt", "document"), [(31, 33), (33, 31), (0, 32), (32, 0)])
def test_a_commitment_never_takes_bytes_that_could_be_cut_at_another_place(salt: int, document: int) -> None:
    with pytest.raises(ValueError, match="a commitment takes 32 and 32 bytes"):
        commitment(bytes(salt), bytes(document))
