"""`ledger-node invoice`: an invoice's life from registration to settlement."""

from __future__ import annotations

from pathlib import Path

import click

from ledger_node.cli.bulk import in_bulk
from ledger_node.cli.certificate import certificate
from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.invoice_approvals import approvals
from ledger_node.cli.invoice_create import create
from ledger_node.cli.invoice_match import match
from ledger_node.cli.invoice_quote import quote
from ledger_node.cli.invoice_response import response, responses
from ledger_node.cli.invoice_submit import submit
from ledger_node.cli.invoice_validate import validate
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations, post
from ledger_node.cli.rest import Writer, emit_submission, fields, identify, reads, writes
from ledger_node.client import JSON, Client
from ledger_node.errors import BadRequest

FIELDS = (
    "invoice_id",
    "status",
    "supplier",
    "buyer",
    "holder",
    "amount",
    "currency",
    "due_date",
    "open_face",
    "duplicate_of",
)


@click.group()
def command() -> None:
    """Invoices: register, list, show, approve, request, fund, settle, and what can happen besides."""


command.add_command(certificate("invoice"))
command.add_command(quote)
command.add_command(match)
command.add_command(validate)
command.add_command(create)
command.add_command(response)
command.add_command(responses)
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
    body = {"parts": [{"amount": amount, "shipment_ids": _shipments(writer.client, ids)} for amount, _, ids in cut]}
    post("invoice split", writer, as_json, {"invoice_id": invoice_id}, body)


@command.command()
@json_option
@reads
@click.argument("invoice_id")
def show(invoice_id: str, client: Client, as_json: bool) -> None:
    """Show an invoice: what it is, what happened and why, which evidence is missing, what early payment would cost.

    \b
    Examples:
      ledger-node invoice show INV-2026-17
      ledger-node invoice show 5f0c8b2e
    """
    path = f"/v1/invoices/{identify(client, 'invoice_id', invoice_id)}"
    invoice = client.get(path)
    invoice["reasons"] = client.get(f"{path}/reasons")
    emit(invoice, as_json, _as_text(invoice))


@command.command()
@json_option
@writes
@click.argument("invoice_id", required=False)
@click.option("--amount", help="How much, such as 1234.50.")
@click.option("--currency", help="Such as EUR.")
@click.option("--due-date", help="When it is owed, YYYY-MM-DD.")
@click.option("--reference", "buyer_reference", help="The buyer's own number for it; one approval each.")
@click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="CSV with many of them.")
def approve(invoice_id: str | None, file: Path | None, writer: Writer, as_json: bool, **said: str | None) -> None:
    """Undertake to pay the holder that the ledger shows, as the invoice's buyer.

    A CSV file has a line of the names invoice, amount, currency, due_date and reference, then one invoice a line; each
    gets an answer, and typed again the command repeats nothing that was taken.

    \b
    Examples:
      ledger-node invoice approve INV-2026-17 --amount 1234.50 --currency EUR --due-date 2027-03-31 \\
        --reference AP-2026-0815
      ledger-node invoice approve --file approvals.csv
    """
    if file is not None:
        if invoice_id or any(said.values()):
            raise BadRequest("a file says all of it", "Leave out everything but --file.")
        in_bulk(approvals(file, writer), writer, as_json)
        return
    missing = [name for name, value in {"INVOICE_ID": invoice_id, **said}.items() if not value]
    if missing:
        text = f"{', '.join(missing)} was not given"
        raise BadRequest(text, "Give all of it, or --file: ledger-node invoice approve --help shows both.")
    post("invoice approve", writer, as_json, {"invoice_id": invoice_id or ""}, said)


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
    path = "/v1/early-payment-requests"
    if invoice_id is not None:
        path = f"/v1/invoices/{identify(writer.client, 'invoice_id', invoice_id)}/early-payment-request"
    offered = [identify(writer.client, "facility_id", each) for each in facility_ids]
    body = {"facility_ids": offered, "net_min": net_min, "valid_until": valid_until}
    emit_submission(writer.post(path, body), as_json)


def _shipments(client: Client, typed: str) -> list[str]:
    return [identify(client, "shipment_id", each) for each in typed.split(",")] if typed else []


def _marked(invoice: JSON) -> JSON:
    """With a due date that only its supplier states told apart from one of the file."""
    stated = invoice["stated_due_date"]
    return invoice | {"due_date": f"{stated} (not from the file)"} if stated else invoice


def _said(reasons: JSON) -> list[str]:
    """What people gave as reasons, and whose node could not be asked."""
    lines = [f"{each['party']} ({each['type']}): {each['text']}" for each in reasons["items"]]
    lines += [f"the node of {msp_id} could not be asked for reasons" for msp_id in reasons["unreachable"]]
    lines += [f"{msp_id} tells more reasons than are kept" for msp_id in reasons["refused"]]
    return ["\n".join(lines)] if lines else []


def _waiting(invoice: JSON) -> list[str]:
    """For whom it waits, and which payment is next."""
    of_each = [(each["for"], each["since"], ", ".join(each["reasons"])) for each in invoice["waits"]]
    lines = [f"waits for {who} since {since}: {reasons}" for who, since, reasons in of_each]
    if paid := invoice["expected"]:
        amount = f"{paid['amount']} {invoice['currency']}"
        lines.append(f"expected on {paid['day']}: {paid['what']} of {amount} to {paid['to']}")
    return ["\n".join(lines)] if lines else []


def _as_text(invoice: JSON) -> str:
    parts = [fields(_marked(invoice) | invoice["names"], (FIELDS[0], *invoice["names"], *FIELDS[1:]))]
    if invoice["early_payment"]:
        paid = invoice["early_payment"]
        cost = f"discount {paid['discount']}, fee {paid['fee']}"
        by = f"by {paid['financier']} on {paid['day']}, maturity {paid['maturity']}"
        parts.append(f"paid early: net {paid['net']} of {invoice['face']}, {cost}, {by}")
    elif invoice["quote"]:
        quote = invoice["quote"]
        parts.append(f"early payment today: net {quote['net']}, discount {quote['discount']}, fee {quote['fee']}")
    if invoice["reservation"]:
        aside = invoice["reservation"]
        parts.append(f"set aside: net {aside['net']} by {aside['financier']}, to be paid until {aside['expires_on']}")
    if invoice["overdue_since"]:
        lost = f"written off {invoice['written_off']}, recovered {invoice['recovered']}"
        parts.append(f"overdue since {invoice['overdue_since']}: open {invoice['open_face']}, {lost}")
    parts += _waiting(invoice)
    parts.append(
        table(invoice["classes"], ("class", "verdict", "reason", "who")) if invoice["classes"] else invoice["warning"]
    )
    parts += _said(invoice["reasons"])
    parts.append(table(invoice["timeline"], ("timestamp", "block_number", "msp_id", "what")))
    return "\n\n".join(parts)


add_operations(command, "invoice")
add_lists(command, "invoice")
