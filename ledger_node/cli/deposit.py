"""`ledger-node deposit`: bank money as tokens, issued against booked credits."""

from __future__ import annotations

import click

from ledger_node.cli.operations import add_operations


@click.group()
def command() -> None:
    """Deposits: issue bank money as tokens; transfer, redeem, confirm, reject, reverse, cover."""


add_operations(command, "deposit")
