"""`python -m ledger_node.verify`: needs no settings."""

from __future__ import annotations

from ledger_node.verify.command import command

if __name__ == "__main__":
    command(prog_name="python -m ledger_node.verify")
