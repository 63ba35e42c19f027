"""`ledger-node invoice quote`: what early payment would pay today."""

from __future__ import annotations

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.rest import fields, reads
from ledger_node.client import JSON, Client, segment

TERMS = ("face", "discount", "fee", "net", "payout_date", "maturity", "days", "rate_bps", "yield_bps")


@click.command()
@json_option
@reads
@click.argument("invoice_id")
@click.option("--facility", "facility_id", default="", help="This facility, offered to or not; the best one otherwise.")
def quote(invoice_id: str, facility_id: str, client: Client, as_json: bool) -> None:
    """Say what early payment of an invoice would pay today, or why nothing can be quoted.

    \b
    Examples:
      ledger-node invoice quote 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c
    """
    found = client.get(f"/v1/invoices/{segment(invoice_id)}/quote", {"facility_id": facility_id})
    emit(found, as_json, _told(found))


def _told(found: JSON) -> str:
    if found["quote"] is None:
        return f"nothing can be quoted: {found['reason']}, {found['text']}"
    shown = found["quote"] | {"facility_id": found["facility_id"], "deposit": found["deposit"]}
    return fields(shown, ("facility_id", "deposit", *TERMS))
