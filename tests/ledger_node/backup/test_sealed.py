"""The encrypted file: who changes, cuts, moves or mixes its pieces is found out; only those it is locked to open it."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import NOW, PASSWORD, PIECE_BYTES, officer, opened, sealed, the_officer

from ledger_node.backup.locks import WrongKey, by_password, to_certificate, with_key, with_password
from ledger_node.backup.sealed import MAGIC, TAG_BYTES, Damaged, SealedReader, SealedWriter
from ledger_node.errors import BadRequest

CONTENT = bytes(range(256)) * 13  # three pieces and a part
SEALED_BYTES = PIECE_BYTES + TAG_BYTES


def pieces(file: bytes) -> tuple[bytes, list[bytes]]:
    """The header with its digest, and the sealed pieces."""
    length = int.from_bytes(file[len(MAGIC) : len(MAGIC) + 4])
    start = len(MAGIC) + 4 + length + 32
    return file[:start], [file[at : at + SEALED_BYTES] for at in range(start, len(file), SEALED_BYTES)]


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_was_sealed_comes_back(size: int) -> None:
    content = (CONTENT * 2)[:size]
    assert opened(sealed(content)) == content


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=3000), max_size=6), st.integers(1, 4000))
def test_it_does_not_matter_in_what_portions_it_is_written_and_read(portions: list[bytes], count: int) -> None:
    target = io.BytesIO()
    writer = SealedWriter(target, [the_officer().locking], PIECE_BYTES)
    for portion in portions:
        assert writer.write(portion) == len(portion)
    writer.finish()
    target.seek(0)
    reader = SealedReader(target, the_officer().opening)
    assert b"".join(iter(lambda: reader.read(count) or b"", b"")) == b"".join(portions)
    assert (reader.digest, writer.size_bytes) == (writer.digest, len(target.getvalue()))


def test_a_file_that_is_cut_off_anywhere_is_found_out() -> None:
    file = sealed(CONTENT)
    header, _ = pieces(file)
    for length in [*range(len(MAGIC) + 4, len(header), 50), *range(len(header), len(file), 97), len(file) - 1]:
        with pytest.raises(Damaged):
            opened(file[:length])


def test_a_file_that_is_cut_off_between_two_pieces_is_called_so() -> None:
    header, parts = pieces(sealed(CONTENT))
    with pytest.raises(Damaged, match="cut off after piece 2"):
        opened(header + b"".join(parts[:2]))


def test_a_byte_that_was_changed_anywhere_is_found_out() -> None:
    file = sealed(CONTENT)
    for at in range(0, len(file), 61):
        changed = bytearray(file)
        changed[at] ^= 1
        with pytest.raises((Damaged, BadRequest)):
            opened(bytes(changed))


@pytest.mark.parametrize(
    "attack",
    [
        lambda parts, others: [parts[1], parts[0], *parts[2:]],
        lambda parts, others: [parts[0], *parts[2:]],
        lambda parts, others: [parts[0], parts[0], *parts[1:]],
        lambda parts, others: [others[0], *parts[1:]],
        lambda parts, others: [*parts, parts[-1]],
        lambda parts, others: [*parts[:-1], *others[-1:]],
        lambda parts, others: others,
    ],
    ids=["swapped", "left out", "twice", "of another file", "behind the end", "another end", "all of another file"],
)
def test_pieces_that_were_moved_or_mixed_are_found_out(attack) -> None:  # type: ignore[no-untyped-def]
    (header, parts), (_, others) = pieces(sealed(CONTENT)), pieces(sealed(CONTENT))
    assert opened(header + b"".join(parts)) == CONTENT  # control
    with pytest.raises(Damaged):
        opened(header + b"".join(attack(parts, others)))


def test_what_follows_the_end_is_called_so() -> None:
    header, parts = pieces(sealed(CONTENT[: 2 * PIECE_BYTES]))
    with pytest.raises(Damaged, match="goes on after its end"):
        opened(header + b"".join(parts) + b"more")


def test_a_header_that_was_changed_is_damaged_and_not_a_wrong_password() -> None:
    file = sealed(CONTENT, by_password(PASSWORD))
    changed = file.replace(b'"salt":"', b'"salt":"00', 1)
    with pytest.raises(Damaged, match="header"):
        opened(changed, with_password(PASSWORD))


def test_a_wrong_password_is_called_so_and_the_right_one_opens() -> None:
    file = sealed(CONTENT, by_password(PASSWORD))
    with pytest.raises(WrongKey, match="password is wrong"):
        opened(file, with_password(PASSWORD + "r"))
    assert opened(file, with_password(PASSWORD)) == CONTENT


def test_a_password_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(BadRequest, match="fewer than 12"):
        by_password("hunter2hunt")


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-256", "P-384", "RSA"],
)
def test_the_owner_of_a_certificate_opens_it_and_nobody_else(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> None:
    owner = officer(key)
    file = sealed(CONTENT, owner.locking)
    assert opened(file, owner.opening) == CONTENT
    for stranger in (the_officer().opening, with_password(PASSWORD)):
        with pytest.raises(WrongKey, match="locked to"):
            opened(file, stranger)


def test_each_of_several_owners_opens_it() -> None:
    target, both = io.BytesIO(), (officer(), the_officer())
    writer = SealedWriter(target, [*(each.locking for each in both), by_password(PASSWORD)])
    writer.write(CONTENT)
    writer.finish()
    for opening in (*(each.opening for each in both), with_password(PASSWORD)):
        assert opened(target.getvalue(), opening) == CONTENT


def test_a_key_with_a_password_of_its_own_opens_with_it() -> None:
    owner = officer(password=b"of the key")
    file = sealed(CONTENT, owner.locking)
    assert opened(file, with_key(owner.key, "of the key")) == CONTENT
    for password in (None, "another"):
        with pytest.raises(BadRequest, match="private key cannot be read"):
            with_key(owner.key, password)


def test_a_lock_that_names_a_key_and_was_changed_does_not_open() -> None:
    header, parts = pieces(sealed(CONTENT))
    other, _ = pieces(sealed(CONTENT))
    forged = json.loads(header[len(MAGIC) + 4 : -32]) | {"locks": json.loads(other[len(MAGIC) + 4 : -32])["locks"]}
    with pytest.raises(Damaged):
        opened(_with_header(forged) + b"".join(parts))
    forged["locks"][0]["wrapped"] = "00" * 48
    with pytest.raises(WrongKey, match="does not open"):
        opened(_with_header(forged) + b"".join(parts))


def _with_header(header: dict[str, object]) -> bytes:
    text = json.dumps(header).encode()
    start = MAGIC + len(text).to_bytes(4) + text
    return start + hashlib.sha256(start).digest()


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("version", 2),
        ("piece_bytes", 2**40),
        ("locks", []),
        ("more", 1),
        ("locks", [{"type": "password", "cost": 2**40}]),
    ],
)
def test_a_header_that_this_program_does_not_write_is_refused_before_it_costs_anything(
    change: str, value: object
) -> None:
    header, parts = pieces(sealed(CONTENT))
    written = json.loads(header[len(MAGIC) + 4 : -32]) | {change: value}
    with pytest.raises(BadRequest, match="another version"):
        opened(_with_header(written) + b"".join(parts))


def test_a_header_longer_than_headers_are_is_not_read() -> None:
    file = MAGIC + (2**32 - 1).to_bytes(4) + bytes(200_000)
    with pytest.raises(Damaged, match="header"):
        opened(file)


@pytest.mark.parametrize("file", [b"", b"PK\3\4", b"ledger-node backup of another kind"])
def test_another_file_is_called_no_backup(file: bytes) -> None:
    with pytest.raises(BadRequest, match="no backup of this program"):
        opened(file)


def test_a_certificate_that_cannot_be_locked_to_is_refused() -> None:
    attacks = {
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----": "no certificate",
        officer(days=1).certificate: "is valid from",
        officer(ed25519.Ed25519PrivateKey.generate()).certificate: "cannot be locked to",
        officer(rsa.generate_private_key(65537, 1024)).certificate: "cannot be locked to",
    }
    to_certificate(officer().certificate, NOW)  # control
    for pem, fault in attacks.items():
        with pytest.raises(BadRequest, match=fault):
            to_certificate(pem, NOW)


def test_a_private_key_of_another_kind_is_refused() -> None:
    with pytest.raises(BadRequest, match="another kind"):
        with_key(officer(ed25519.Ed25519PrivateKey.generate()).key)


def test_the_header_names_nobody_and_two_backups_share_nothing() -> None:
    (one, parts), (other, others) = pieces(sealed(CONTENT)), pieces(sealed(CONTENT))
    assert b"officer" not in one
    assert one != other
    assert not set(parts) & set(others)
