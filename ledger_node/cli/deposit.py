"""`ledger-node deposit`: bank money as tokens, issued against booked credits."""

from __future__ import annotations

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.rest import Writer, emit_submission, writes


@click.group()
def command() -> None:
    """Deposits: issue bank money as tokens."""


@command.command()
@json_option
@writes
@click.option("--deposit", required=True, metavar="CURRENCY@MSP", help="The own deposit money.")
@click.option("--to", required=True, metavar="MSP", help="Who gets it.")
@click.option("--amount", required=True, help="How much, such as 1234.50.")
@click.option("--credit-reference", required=True, help="The account servicer's reference of the booked credit.")
@click.option("--booked-on", required=True, metavar="YYYY-MM-DD", help="The credit's booking date.")
def issue(
    deposit: str, to: str, amount: str, credit_reference: str, booked_on: str, writer: Writer, as_json: bool
) -> None:
    """Issue deposit money against one booked credit, as its issuer; each credit counts once.

    \b
    Examples:
      ledger-node deposit issue --deposit EUR@FinancierMSP --to BuyerMSP --amount 1234.50 \\
        --credit-reference CAMT054-0001 --booked-on 2026-11-22
    """
    body = {
        "deposit": deposit,
        "to": to,
        "amount": amount,
        "credit_reference": credit_reference,
        "booked_on": booked_on,
    }
    emit_submission(writer.post("/v1/deposits", body), as_json)
