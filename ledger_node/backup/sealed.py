"""The encrypted file of a backup: a header that everybody can read, then the content in sealed pieces.

    "ledger-node backup\\n", length of the header (4 bytes, big end first), header (JSON), its SHA-256 (32 bytes),
    pieces of `piece_bytes` plus 16 bytes, of which the last may be shorter.

Each piece is sealed by AES-256-GCM under a key that is used for this file only; its nonce is its number (11 bytes) and
whether it is the last (1 byte), and it answers for the header, so a piece that was changed, moved, left out, put in or
taken from another file is found, and so is an end that is missing. Memory holds two pieces, however long the file is.
Source: the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015), as age uses it.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger_node.backup.locks import KEY_BYTES, Hex, Locking, Locks, Opening
from ledger_node.errors import BadRequest, VerificationError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAGIC = b"ledger-node backup\n"
PIECE_BYTES = 1024 * 1024
TAG_BYTES = 16
HEADER_BYTES_MAX = 64 * 1024
_LENGTH = struct.Struct(">I")
_PURPOSE = b"ledger-node backup 1 content"


class Damaged(VerificationError):
    """The file is not what was written: cut off, changed, or put together from others."""


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    salt: Hex
    piece_bytes: int = Field(default=PIECE_BYTES, ge=1024, le=16 * PIECE_BYTES)
    locks: Locks


class SealedWriter(io.RawIOBase):
    """Writes a sealed file. What is not closed by `finish` is recognised as cut off.

    Args:
        target: where to; at its start.
        lockings: make the locks, at least one.
        piece_bytes: how much is sealed at once.
    """

    def __init__(self, target: BinaryIO, lockings: Sequence[Locking], piece_bytes: int = PIECE_BYTES) -> None:
        super().__init__()
        key, salt = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(16)
        header = _Header(salt=salt.hex(), piece_bytes=piece_bytes, locks=tuple(lock(key) for lock in lockings))
        text = header.model_dump_json().encode()
        start = MAGIC + _LENGTH.pack(len(text)) + text
        self._sealing = _Sealing(key, salt, start)
        self._target = target
        self._piece_bytes = piece_bytes
        self._waiting = bytearray()
        self._number = 0
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0
        self._put(start + hashlib.sha256(start).digest())

    @property
    def digest(self) -> str:
        """SHA-256 of all that was written, 64 hex characters."""
        return self._sha256.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, content: ReadableBuffer, /) -> int:
        """Take more content; whole pieces are sealed and written."""
        view = memoryview(content)
        self._waiting += view
        # The last piece has a mark, so one is held back until more is there.
        while len(self._waiting) > self._piece_bytes:
            self._seal(bytes(self._waiting[: self._piece_bytes]), last=False)
            del self._waiting[: self._piece_bytes]
        return view.nbytes

    def finish(self) -> None:
        """Write what is left, marked as the end."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._put(self._sealing.seal(self._number, piece, last))
        self._number += 1

    def _put(self, content: bytes) -> None:
        self._target.write(content)
        self._sha256.update(content)
        self.size_bytes += len(content)


class SealedReader(io.RawIOBase):
    """Reads a sealed file; gives nothing that has not been found to be whole.

    Args:
        source: at its start.
        opening: finds the key.

    Raises: BadRequest when it is no backup, or one of another version; WrongKey; Damaged, also while it is read.
    """

    def __init__(self, source: BinaryIO, opening: Opening) -> None:
        super().__init__()
        self._source = source
        self._sha256 = hashlib.sha256()
        start, header = self._read_header()
        self._sealing = _Sealing(opening(header.locks), bytes.fromhex(header.salt), start)
        self._sealed_bytes = header.piece_bytes + TAG_BYTES
        self._next = self._take(self._sealed_bytes)
        self._piece = memoryview(b"")
        self._number = 0
        self._ended = False

    @property
    def digest(self) -> str:
        """SHA-256 of what was read of the file, 64 hex characters; of all of it after `finish`."""
        return self._sha256.hexdigest()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer as far as the piece at hand goes; 0 at the end."""
        if not self._piece and not self._ended:
            self._open_next()
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._piece))
        view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count

    def finish(self) -> None:
        """Read to the end, so that it is known to be there."""
        while not self._ended:
            self._open_next()

    def _open_next(self) -> None:
        sealed, self._next = self._next, self._take(self._sealed_bytes)
        last = not self._next
        piece = self._sealing.open(self._number, sealed, last)
        if piece is None:
            raise self._fault(sealed, last)
        self._piece, self._number, self._ended = memoryview(piece), self._number + 1, last

    def _fault(self, sealed: bytes, last: bool) -> Damaged:
        """What is wrong with a piece that does not open."""
        place = f"piece {self._number + 1}, of {self._sealed_bytes} bytes each"
        if self._sealing.open(self._number, sealed, not last) is not None:
            text = f"the backup was cut off after {place}" if last else f"the backup goes on after its end, {place}"
        elif last:
            text = f"the backup was cut off or changed in its last piece, {place}"
        else:
            text = f"the backup was changed in {place}"
        return Damaged(text, "Take another copy of it.")

    def _read_header(self) -> tuple[bytes, _Header]:
        start = self._take(len(MAGIC) + _LENGTH.size)
        if not start.startswith(MAGIC):
            raise BadRequest("the file is no backup of this program", "Give a file that `ledger-node backup` wrote.")
        length = min(_LENGTH.unpack(start[len(MAGIC) :].ljust(_LENGTH.size))[0], HEADER_BYTES_MAX)
        text = self._take(length)
        if self._take(hashlib.sha256().digest_size) != hashlib.sha256(start + text).digest():
            raise Damaged("the backup is damaged, or cut off, in its header", "Take another copy of it.")
        try:
            return start + text, _Header.model_validate_json(text)
        except ValidationError as error:
            text_ = f"the backup's header is of another version: {error.errors()[0]['msg']}"
            raise BadRequest(
                text_, "Restore it with the version of the program that wrote it, or a newer one."
            ) from None

    def _take(self, count: int) -> bytes:
        """So many bytes of the file, fewer at its end only."""
        content = self._source.read(count)
        self._sha256.update(content)
        return content


class _Sealing:
    """The cipher of one file. `start` is all that stands before the header's digest."""

    def __init__(self, key: bytes, salt: bytes, start: bytes) -> None:
        self._cipher = AESGCM(HKDF(hashes.SHA256(), KEY_BYTES, salt, _PURPOSE).derive(key))
        self._start = hashlib.sha256(start).digest()

    def seal(self, number: int, piece: bytes, last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, last), piece, self._start)

    def open(self, number: int, sealed: bytes, last: bool) -> bytes | None:
        """The piece; None when it is not that piece."""
        try:
            return self._cipher.decrypt(_nonce(number, last), sealed, self._start)
        except InvalidTag:
            return None


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
