"""Messages of the hashing service: what is none is refused, and a client with nothing to ask asks nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from hash_backends import digests, digests_of

from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.hasher import Hasher
from ledger_node.hashing.service.client import ServiceHasher
from ledger_node.hashing.service.wire import Kind, WireError, decode, decode_queued, encode, encode_queued


def test_a_message_of_another_version_or_program_is_refused() -> None:
    message = encode(Kind.STATUS, 7)
    assert decode(message).number == 7
    for place in range(5):  # four letters, and the version
        changed = bytearray(message)
        changed[place] ^= 1
        with pytest.raises(WireError, match="not a message of the hashing service, version"):
            decode(bytes(changed))


def test_a_place_in_the_queue_of_the_wrong_length_is_refused() -> None:
    assert decode_queued(decode(encode_queued(1, 4_711))) == 4_711
    with pytest.raises(WireError, match="wrong length"):
        decode_queued(decode(encode(Kind.QUEUED, 1, body=b"\x00")))


def test_without_a_service_there_is_no_status_of_one() -> None:
    assert hasher_of(None).service_status() is None


def test_what_is_in_memory_is_hashed_here_and_no_service_is_asked(tmp_path: Path) -> None:
    contents = [b"one", b"two"]
    hasher = hasher_of(tmp_path / "no such socket")
    assert digests(hasher.hash_batch(contents)) == digests_of(contents)
    assert hasher.status()["service"]["state"] == "not asked yet"


def hasher_of(path: Path | None) -> ServiceHasher:
    return ServiceHasher(path, Hasher(HashlibBackend()))
