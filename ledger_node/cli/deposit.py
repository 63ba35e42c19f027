"""`ledger-node deposit`: bank money as tokens, issued against booked credits."""

from __future__ import annotations

import click

from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations


@click.group()
def command() -> None:
    """Deposits: issue bank money as tokens; transfer, redeem, confirm, reject, reverse, cover."""


add_operations(command, "deposit")
add_lists(command, "deposit")
