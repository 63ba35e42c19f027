"""`ledger-node account`: balances and movements of both books."""

from __future__ import annotations

from typing import Any

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import reads
from ledger_node.client import Client


@click.group()
def command() -> None:
    """Accounts: list balances, list entries."""


@command.command(name="list")
@json_option
@reads
@click.option("--party", default="", metavar="MSP", help="Only those of this party.")
@click.option("--book", default="", type=click.Choice(["", "cash", "obligation"]), help="Only those of this book.")
@click.option("--invoice", "invoice_id", default="", help="Only those of this invoice.")
def list_accounts(client: Client, as_json: bool, **query: Any) -> None:
    """List balances: debit minus credit.

    \b
    Examples:
      ledger-node account list --party SupplierMSP --book cash
    """
    found = client.get("/v1/accounts", query)
    emit(found, as_json, table(found["items"], ("book", "unit", "name", "invoice_id", "balance")))


@command.command()
@json_option
@reads
@click.option("--invoice", "invoice_id", default="", help="Only those of this invoice.")
@click.option("--unit", default="", help="Only those of this currency or deposit kind.")
@click.option("--account", default="", help='Only those that touch this account, such as "cash:BuyerMSP".')
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
def entries(client: Client, as_json: bool, **query: Any) -> None:
    """List movements between accounts, in the order of the ledger.

    \b
    Examples:
      ledger-node account entries --invoice 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c
    """
    found = client.get("/v1/accounts/entries", query)
    emit(found, as_json, table(found["items"], ("day", "book", "step", "debit", "credit", "amount", "unit")))
