"""How far a reader of events has come, kept in memory or in a file, so that it can go on from there.

A checkpoint is set after the event's effect. A reader that is killed between the two meets that event once more and
no other, so its effect must either bear that or be stored together with the checkpoint.
Source: fabric-gateway's checkpointers; the file has the form of theirs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from network.gateway.chaincode_event import ChaincodeEvent


class Checkpoint(Protocol):
    """A position in the stream of events; what a reader stores itself may be one too."""

    @property
    def block_number(self) -> int | None:
        """The block in which the next event is expected; None before the first."""
        ...

    @property
    def transaction_id(self) -> str:
        """The last transaction of that block that is done; empty when none of it is."""
        ...


class MemoryCheckpointer:
    """A checkpoint that lasts as long as the process."""

    def __init__(self) -> None:
        self.block_number: int | None = None
        self.transaction_id = ""

    def checkpoint_block(self, block_number: int) -> None:
        """A whole block is done: go on with the next one."""
        self.checkpoint_transaction(block_number + 1, "")

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """A transaction is done: go on after it, in the same block."""
        self.block_number, self.transaction_id = block_number, transaction_id

    def checkpoint_chaincode_event(self, event: ChaincodeEvent) -> None:
        """An event is done: go on after its transaction (which has no other)."""
        self.checkpoint_transaction(event.block_number, event.transaction_id)


class FileCheckpointer(MemoryCheckpointer):
    """A checkpoint in a file, for one reader at a time.

    The file is replaced as a whole and flushed to the disk before a method returns: whenever the process is killed,
    it holds the last checkpoint or the one before. Each one blocks for the time of a write to the disk.

    Args:
        path: the file; it need not exist yet, its folder must.

    Raises:
        ValueError: the file is no checkpoint.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        self.block_number, self.transaction_id = _decoded(content, path)

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """A transaction is done: go on after it, in the same block. Raises: OSError when it cannot be written."""
        content = json.dumps({"blockNumber": block_number, "transactionId": transaction_id})
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        super().checkpoint_transaction(block_number, transaction_id)


def _decoded(content: bytes, path: Path) -> tuple[int | None, str]:
    try:
        found = json.loads(content)
        if found == {}:  # the Node client's, before anything is done
            return None, ""
        number, transaction_id = found["blockNumber"], found.get("transactionId", "")
        if isinstance(number, str) and number.isdecimal():  # the Node client's: text, and no id behind a whole block
            number = int(number)
    except (ValueError, KeyError, TypeError, AttributeError):
        number = transaction_id = None
    if type(number) is not int or number < 0 or not isinstance(transaction_id, str):
        raise ValueError(f"{path} is no checkpoint: restore it, or delete it to begin anew")
    return number, transaction_id
