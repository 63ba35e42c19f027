"""What client and service say to each other: messages over a Unix-domain socket that keeps their borders.

Every message begins with the same header; a message that is not exactly what it says ends the connection. The socket
is of the type SOCK_SEQPACKET, so a message comes whole or not at all, with its descriptors.

| kind | from | body |
|---|---|---|
| HASH | client | none; `count` descriptors of regular files opened for reading only come with it |
| STATUS | client | none; answered with STATUS and a JSON object |
| QUEUED | service | the bytes that will be hashed before this message's own |
| DONE | service | `count` answers, then the names of the backends, a line each |
| BUSY | service | none: nothing of that message was or will be hashed |
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ledger_node.errors import ConfigError, NodeError
from ledger_node.hashing.sources import Hashed

MESSAGE_DOCUMENTS_MAX = 128  # Linux passes at most 253 descriptors at once
MESSAGE_BYTES_MAX = 64 << 10
SOCKET_PATH_BYTES_MAX = 107  # sockaddr_un
NEW_SUFFIX = ".new"
_MAGIC = b"LNHS"
_VERSION = 1
_HEADER = struct.Struct("!4sBBHQ")
_QUEUED = struct.Struct("!Q")
_ANSWER = struct.Struct("!BQ32s")
_NO_DIGEST = 255


class Kind(enum.IntEnum):
    """What a message is."""

    HASH = 1
    STATUS = 2
    QUEUED = 3
    DONE = 4
    BUSY = 5


class WireError(NodeError):
    """The other side said what is no message."""


class Message(NamedTuple):
    """One message: what it is, how many documents it speaks of, which request it belongs to, and its body."""

    kind: Kind
    documents: int
    number: int
    body: bytes


def encode(kind: Kind, number: int, count: int = 0, body: bytes = b"") -> bytes:
    """The bytes of a message."""
    return _HEADER.pack(_MAGIC, _VERSION, kind, count, number) + body


def decode(content: bytes) -> Message:
    """The message in these bytes.

    Raises: WireError.
    """
    try:
        magic, version, kind, count, number = _HEADER.unpack_from(content)
        known = Kind(kind)
    except (struct.error, ValueError) as error:
        raise WireError(f"not a message of the hashing service: {error}") from error
    if (magic, version) != (_MAGIC, _VERSION):
        raise WireError(f"not a message of the hashing service, version {_VERSION}")
    return Message(known, count, number, content[_HEADER.size :])


def encode_queued(number: int, bytes_ahead: int) -> bytes:
    """A message is in the queue behind so many bytes."""
    return encode(Kind.QUEUED, number, body=_QUEUED.pack(bytes_ahead))


def decode_queued(message: Message) -> int:
    """The bytes ahead.

    Raises: WireError.
    """
    if len(message.body) != _QUEUED.size:
        raise WireError("a message QUEUED of the wrong length")
    return int(_QUEUED.unpack(message.body)[0])


def encode_done(number: int, answers: Sequence[Hashed | None]) -> bytes:
    """The answers to one message; None where there is no digest, which the client finds out about by itself."""
    names = sorted({answer.backend for answer in answers if answer})
    packed = [
        _ANSWER.pack(names.index(answer.backend), answer.size_bytes, answer.digest)
        if answer
        else _ANSWER.pack(_NO_DIGEST, 0, b"")
        for answer in answers
    ]
    return encode(Kind.DONE, number, len(answers), b"".join(packed) + "\n".join(names).encode())


def decode_done(message: Message) -> list[Hashed | None]:
    """The answers in a message, None where there is no digest.

    Raises: WireError.
    """
    length = message.documents * _ANSWER.size
    if len(message.body) < length:
        raise WireError("a message DONE that is too short")
    try:
        names = message.body[length:].decode().split("\n")
        return [
            None if index == _NO_DIGEST else Hashed(digest, size_bytes, names[index])
            for index, size_bytes, digest in _ANSWER.iter_unpack(message.body[:length])
        ]
    except (UnicodeDecodeError, IndexError) as error:
        raise WireError(f"a message DONE that makes no sense: {error}") from error


def default_socket() -> Path:
    """Where the service of this user listens unless told otherwise."""
    return Path.home() / ".cache" / "ledger-node" / "hash.sock"


def check_socket_path(path: Path) -> None:
    """Refuse a path that does not fit into a socket's address.

    Raises: ConfigError.
    """
    length = len(str(path).encode()) + len(NEW_SUFFIX)
    if length > SOCKET_PATH_BYTES_MAX:
        raise ConfigError(
            f"the socket's path {path} is longer than {SOCKET_PATH_BYTES_MAX - len(NEW_SUFFIX)} bytes",
            "Choose a shorter one with --socket, or hash_socket in node.toml.",
        )
