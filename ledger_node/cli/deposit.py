"""`ledger-node deposit`: bank money as tokens, issued against booked credits."""

from __future__ import annotations

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.rest import Writer, emit_submission, writes
from ledger_node.cli.steps import AGAIN, AMOUNT, BOOKED_ON, DEPOSIT, REASON, Option, Step, add_steps


@click.group()
def command() -> None:
    """Deposits: issue bank money as tokens; transfer, redeem, confirm, reject, reverse, cover."""


ONE = ("redemption_id",)
add_steps(
    command,
    "deposit",
    (
        Step(
            "transfer",
            "/v1/deposits/transfers",
            "Move own money to another party.",
            [DEPOSIT, AMOUNT, Option("to", "Who gets it.")],
        ),
        Step("redeem", "/v1/redemptions", "Ask the issuer to pay own money out.", [DEPOSIT, AMOUNT]),
        Step(
            "confirm",
            "/v1/redemptions/{redemption_id}/confirmation",
            "Say that a redemption is paid out, as the issuer; a payment counts once, also with another date.",
            [Option("payment_reference", "The payment's own reference."), BOOKED_ON, AGAIN],
            ONE,
        ),
        Step("reject", "/v1/redemptions/{redemption_id}/rejection", "Give it back, as the issuer.", [REASON], ONE),
        Step(
            "reverse",
            "/v1/deposits/reversals",
            "Take back what was issued against a booked credit, as the issuer.",
            [Option("credit_reference", "As it was issued against."), BOOKED_ON, REASON],
        ),
        Step("cover", "/v1/deposits/covers", "Pay what a reversal left short.", [DEPOSIT, AMOUNT]),
    ),
)


@command.command()
@json_option
@writes
@click.option("--deposit", required=True, metavar="CURRENCY@MSP", help="The own deposit money.")
@click.option("--to", required=True, metavar="MSP", help="Who gets it.")
@click.option("--amount", required=True, help="How much, such as 1234.50.")
@click.option("--credit-reference", required=True, help="The account servicer's reference of the booked credit.")
@click.option("--booked-on", required=True, metavar="YYYY-MM-DD", help="The credit's booking date.")
@click.option("--again", is_flag=True, help=AGAIN.help)
def issue(
    deposit: str,
    to: str,
    amount: str,
    credit_reference: str,
    booked_on: str,
    again: bool,
    writer: Writer,
    as_json: bool,
) -> None:
    """Issue deposit money against one booked credit, as its issuer; each credit counts once.

    The same reference, receiver and amount booked within 30 days look like the same credit: it is refused as
    CREDIT_LOOKS_ISSUED unless somebody says --again.

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
        "again": again,
    }
    emit_submission(writer.post("/v1/deposits", body), as_json)
