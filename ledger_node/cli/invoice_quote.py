"""`ledger-node invoice quote`: what early payment would pay today."""

from __future__ import annotations

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.rest import fields, identify, reads
from ledger_node.client import JSON, Client

TERMS = (
    "face",
    "discount",
    "fee",
    "net",
    "payout_date",
    "maturity",
    "days",
    "rate_bps",
    "yield_bps",
    "yield_with_fees_bps",
)


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
    answer = client.get(
        f"/v1/invoices/{identify(client, 'invoice_id', invoice_id)}/quote",
        {"facility_id": identify(client, "facility_id", facility_id)},
    )
    emit(answer, as_json, _as_text(answer))


def _as_text(answer: JSON) -> str:
    if answer["quote"] is None:
        return f"nothing can be quoted: {answer['reason']}, {answer['text']}"
    shown = answer["quote"] | {"facility_id": answer["facility_id"], "deposit": answer["deposit"]}
    return fields(shown, ("facility_id", "deposit", *TERMS))
