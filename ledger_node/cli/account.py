"""`ledger-node account`: balances and movements of both books."""

from __future__ import annotations

import click

from ledger_node.cli.lists import add_lists


@click.group()
def command() -> None:
    """Accounts: list balances, list entries."""


add_lists(command, "account")
