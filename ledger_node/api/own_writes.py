"""Reads after an own write are never stale: who was told that a block has its write is shown it, or told why not.

What each principal was told is remembered in this process, the only one that tells them; the first time after a start
the latest commands of the outbox stand in for it.
"""

from __future__ import annotations

import threading

from flask import Flask, current_app

from ledger_node.api.auth import current_token
from ledger_node.api.context import await_shown, current_node
from ledger_node.api.problem import Problem

READ_WAIT_SECONDS_MAX = 2.0  # nobody asked to wait, and a wait holds a thread
WRITE_WAIT_SECONDS_MAX = 2.0
_EXTENSION = "ledger_node_own_writes"


class OwnWrites:
    """The last block that each principal was told of; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: dict[str, int] = {}

    def told(self, principal: str, block_number: int) -> None:
        """A principal has learnt that a write is in that block."""
        with self._lock:
            self._blocks[principal] = max(block_number, self._blocks.get(principal, -1))

    def block_of(self, principal: str) -> int:
        """The last block that a principal was told of; -1 for none."""
        with self._lock:
            known = self._blocks.get(principal)
        if known is None:
            self.told(principal, current_node().work_list.last_block())
            return self.block_of(principal)
        return known


def install(app: Flask) -> None:
    """Make `app` remember."""
    app.extensions[_EXTENSION] = OwnWrites()


def tell(block_number: int | None) -> None:
    """The caller of this request is being told of a block."""
    if block_number is not None:
        _own_writes().told(current_token().principal, block_number)


def await_own_writes() -> None:
    """Before a read: wait until the read model shows what the caller was told of.

    Raises: Problem 503 when it does not in time.
    """
    await_shown(_own_writes().block_of(current_token().principal), READ_WAIT_SECONDS_MAX)


def await_own_writes_a_while() -> None:
    """Before a write, which may be computed from the read model: the same, but one that stands holds up no write."""
    try:
        await_shown(_own_writes().block_of(current_token().principal), WRITE_WAIT_SECONDS_MAX)
    except Problem as behind:
        if behind.code != "READ_MODEL_BEHIND":
            raise


def _own_writes() -> OwnWrites:
    own_writes = current_app.extensions[_EXTENSION]
    assert isinstance(own_writes, OwnWrites)
    return own_writes
