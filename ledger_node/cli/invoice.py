"""`ledger-node invoice`: an invoice's life from registration to settlement."""

from __future__ import annotations

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.invoice_quote import quote
from ledger_node.cli.invoice_submit import submit
from ledger_node.cli.invoice_validate import validate
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations, post
from ledger_node.cli.rest import Writer, emit_submission, fields, reads, writes
from ledger_node.client import JSON, Client, segment
from ledger_node.errors import BadRequest

FIELDS = ("invoice_id", "status", "supplier", "buyer", "holder", "amount", "currency", "due_date", "duplicate_of")


@click.group()
def command() -> None:
    """Invoices: register, list, show, approve, request, fund, settle, and what can happen besides."""


command.add_command(quote)
command.add_command(validate)
command.add_command(submit)


@command.command()
@json_option
@writes
@click.argument("invoice_id")
@click.option(
    "--part", "parts", required=True, multiple=True, metavar="AMOUNT[:SHIPMENT,...]", help="Repeat for each part."
)
def split(invoice_id: str, parts: tuple[str, ...], writer: Writer, as_json: bool) -> None:
    """Split a registered invoice into parts, each with shipments of its own, as the supplier.

    \b
    Examples:
      ledger-node invoice split 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c --part 1000.00 --part 234.50
    """
    cut = [part.partition(":") for part in parts]
    body = {"parts": [{"amount": amount, "shipment_ids": ids.split(",") if ids else []} for amount, _, ids in cut]}
    post("invoice split", writer, as_json, {"invoice_id": invoice_id}, body)


@command.command()
@json_option
@reads
@click.argument("invoice_id")
def show(invoice_id: str, client: Client, as_json: bool) -> None:
    """Show an invoice: what it is, what happened, which evidence is missing and what early payment would cost.

    \b
    Examples:
      ledger-node invoice show 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c
    """
    invoice = client.get(f"/v1/invoices/{segment(invoice_id)}")
    emit(invoice, as_json, _as_text(invoice))


@command.command(name="request-early-payment")
@json_option
@writes
@click.argument("invoice_id", required=False)
@click.option("--standing", is_flag=True, help="All own invoices, those to come too.")
@click.option("--facility", "facility_ids", required=True, multiple=True, help="Id of a facility; repeat.")
@click.option("--net-min", required=True, help="The least to be paid out, such as 1200.00.")
@click.option("--valid-until", required=True, metavar="YYYY-MM-DD", help="The last day of the offer.")
def request(
    invoice_id: str | None,
    standing: bool,
    facility_ids: tuple[str, ...],
    net_min: str,
    valid_until: str,
    writer: Writer,
    as_json: bool,
) -> None:
    """Offer one invoice, or all, for early payment, as the supplier.

    \b
    Examples:
      ledger-node invoice request-early-payment 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c \\
        --facility c0ffee00c0ffee00c0ffee00c0ffee00 --net-min 1200.00 --valid-until 2027-01-31
      ledger-node invoice request-early-payment --standing \\
        --facility c0ffee00c0ffee00c0ffee00c0ffee00 --net-min 0 --valid-until 2027-01-31
    """
    if standing == (invoice_id is not None):
        raise BadRequest(
            "name one invoice, or say --standing", "ledger-node invoice request-early-payment --help shows both."
        )
    path = (
        "/v1/early-payment-requests" if standing else f"/v1/invoices/{segment(invoice_id or '')}/early-payment-request"
    )
    body = {"facility_ids": list(facility_ids), "net_min": net_min, "valid_until": valid_until}
    emit_submission(writer.post(path, body), as_json)


def _marked(invoice: JSON) -> JSON:
    """With a due date that only its supplier states told apart from one of the file."""
    stated = invoice["stated_due_date"]
    return invoice | {"due_date": f"{stated} (not from the file)"} if stated else invoice


def _as_text(invoice: JSON) -> str:
    parts = [fields(_marked(invoice), FIELDS)]
    if invoice["early_payment"]:
        paid = invoice["early_payment"]
        parts.append(f"paid early: net {paid['net']} of {invoice['face']} by {paid['financier']} on {paid['day']}")
    elif invoice["quote"]:
        quote = invoice["quote"]
        parts.append(f"early payment today: net {quote['net']}, discount {quote['discount']}, fee {quote['fee']}")
    if invoice["reservation"]:
        aside = invoice["reservation"]
        parts.append(f"set aside: net {aside['net']} by {aside['financier']}, to be paid until {aside['expires_on']}")
    if invoice["overdue_since"]:
        lost = f"written off {invoice['written_off']}, recovered {invoice['recovered']}"
        parts.append(f"overdue since {invoice['overdue_since']}: open {invoice['open_face']}, {lost}")
    parts.append(
        table(invoice["classes"], ("class", "verdict", "reason", "who")) if invoice["classes"] else invoice["warning"]
    )
    parts.append(table(invoice["timeline"], ("timestamp", "block_number", "msp_id", "what")))
    return "\n\n".join(parts)


add_operations(command, "invoice")
add_lists(command, "invoice")
