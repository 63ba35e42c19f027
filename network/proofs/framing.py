"""Whether a piece of a block's content is one envelope: from its first byte to its last, no more and no less.

A block's data hash is over its envelopes one after the other, without anything between them. So the same bytes, cut at
other places, have the same hash, and a sender could let a piece begin within its own envelope. Go writes an envelope
with its payload first and once; what a neighbour has put behind it is of no concern here, as long as it has an end.
Source: fabric `protoutil/blockutils.go` (`ComputeBlockDataHash`), Protocol Buffers' encoding (groups included).
"""

from __future__ import annotations

PAYLOAD = 0x0A  # the tag of an envelope's first field, a text of bytes
VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32 = range(6)
FIELD_MAX = 2**29 - 1


class _BrokenError(Exception):
    """Bytes end within a field, or are none."""


def is_envelope(piece: bytes) -> bool:
    """Whether bytes are exactly one envelope: a payload that is not empty, first and once, and all fields whole."""
    if piece[:1] != bytes([PAYLOAD]):
        return False
    try:
        size, _ = _varint(piece, 1)
        return size > 0 and _payloads(piece) == 1
    except _BrokenError:
        return False


def _payloads(piece: bytes) -> int:
    """How often a payload is there, outside of groups. Raises: _BrokenError."""
    at, found, groups = 0, 0, list[int]()
    while at < len(piece):
        tag, at = _varint(piece, at)
        field, kind = tag >> 3, tag & 7
        if not 0 < field <= FIELD_MAX:
            raise _BrokenError
        found += tag == PAYLOAD and not groups
        if kind == GROUP:
            groups.append(field)
        elif kind == GROUP_END:
            if not groups or groups.pop() != field:
                raise _BrokenError
        else:
            at = _after(piece, at, kind)
    if at != len(piece) or groups:
        raise _BrokenError
    return found


def _after(piece: bytes, at: int, kind: int) -> int:
    """The place behind a value. Raises: _BrokenError."""
    if kind == VARINT:
        return _varint(piece, at)[1]
    if kind == BYTES:
        size, at = _varint(piece, at)
        return at + size
    if kind in (FIXED64, FIXED32):
        return at + (8 if kind == FIXED64 else 4)
    raise _BrokenError


def _varint(piece: bytes, at: int) -> tuple[int, int]:
    """A number and the place behind it. Raises: _BrokenError."""
    value = 0
    for place, byte in enumerate(piece[at : at + 10]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise _BrokenError
