"""Reading Fabric's messages in their one spelling, so that no two readers can see two things in the same bytes.

Protocol Buffers let a field come twice, and readers differ on which counts; whoever sends a transaction writes its
envelope. What is not the spelling that its own content has is not read.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-not-found]  # no stubs


class UnreadableError(Exception):
    """Bytes are not the message that they should be."""


class SpellingError(UnreadableError):
    """Bytes are the message in a spelling that others read: it accuses nobody, and is not read here."""


def read(kind: Any, data: bytes) -> Any:
    """A message from its bytes.

    Args:
        kind: its class.
        data: what it was written as: fields in ascending order, none twice that may not repeat, none that says what
            leaving it out says, and none that this program does not know.

    Raises: UnreadableError; SpellingError.
    """
    try:
        message = kind.FromString(data)
    except DecodeError as error:
        raise UnreadableError(f"it is no {kind.DESCRIPTOR.name}") from error
    if message.SerializeToString(deterministic=True) != data or _has_unknown(message):
        raise SpellingError(f"it is no {kind.DESCRIPTOR.name} in its one spelling")
    return message


def _has_unknown(message: Any) -> bool:
    """Whether a field is there, or in a message within, that this program does not know: it is kept as it came."""
    if len(UnknownFieldSet(message)):
        return True
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if any(map(_has_unknown, value if field.label == FieldDescriptor.LABEL_REPEATED else [value])):
            return True
    return False
