"""Ids of commands: any 32 hexadecimal digits, or such as are made of what the command says.

An id that is made of its command proves itself: what the command has written proves that it was applied, so its digest
need not be kept in a record of its own, nor looked for in one. Two commands of one id can be made only by whoever tries
2^48 of them, and then only of its own; the second moves no money (`Context.post`).
"""

from __future__ import annotations

import hashlib
from typing import Any

from chaincode.records.codec import canonical

OF_CONTENT = "5e1fc0de"
"""How ids begin that are made of what their command says; an id that is drawn begins so once in 2^32 times."""


def command_digest(command_type: str, body: dict[str, Any]) -> str:
    """What makes two commands the same: SHA-256 of type and body in canonical JSON, 64 hexadecimal digits."""
    return hashlib.sha256(canonical({"type": command_type, "body": body})).hexdigest()


def id_of_content(digest: str) -> str:
    """The id that is made of a command, by its digest: 96 bits of that."""
    return OF_CONTENT + digest[:24]


def proves_itself(command_id: str) -> bool:
    """Whether an id begins as those do that are made of what their command says."""
    return command_id.startswith(OF_CONTENT)
