"""`ledger-node verify`: the room of that name, which needs none of the others."""

from __future__ import annotations

from ledger_node.verify.command import command

__all__ = ["command"]
