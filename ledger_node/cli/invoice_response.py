"""`ledger-node invoice response` and `responses`: a buyer's answers, files for its network of electronic invoices."""

from __future__ import annotations

from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.files import write_file
from ledger_node.cli.rest import identify, reads
from ledger_node.client import Client

CODES = ("AB", "IP", "UQ", "CA", "RE", "AP", "PD")
REASONS = ("NON", "REF", "LEG", "REC", "QUA", "DEL", "PRI", "QTY", "ITM", "PAY", "UNR", "FIN", "PPD", "OTH")
"""Those of `ledger_node.issuing.response`, said here again: it loads the contract, and help needs none of it."""


COLUMNS = ("id", "invoice_id", "code", "made_on", "status", "written_at", "error")


@click.command()
@json_option
@reads
@click.option("--invoice", default="", help="Of this invoice: its id or its number.")
@click.option("--status", default="", type=click.Choice(("waiting", "written", "failed")), help="With this status.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
def responses(invoice: str, status: str, page: int, client: Client, as_json: bool) -> None:
    """List the answers that this node writes by itself, the latest first.

    Where `responses.folder` is set in node.toml, each change of an invoice's state that says something to its supplier
    is one file there, named by the answer's id. One that failed names no address: write it by `invoice response`.

    \b
    Examples:
      ledger-node invoice responses
      ledger-node invoice responses --invoice INV-2026-17 --json
      ledger-node invoice responses --status failed
    """
    said = {"invoice_id": invoice, "status": status}
    asked = {name: text for name, text in said.items() if text}
    found = client.get("/v1/invoice-responses", {**asked, "page": page})
    emit(found, as_json, table(found["items"], COLUMNS))


@click.command()
@json_option
@reads
@click.argument("invoice_id")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write it.")
@click.option("--code", type=click.Choice(CODES), help="Instead of what the invoice's state says.")
@click.option("--reason", type=click.Choice(REASONS), help="UQ, CA and RE need one; OTH with --text.")
@click.option("--text", help="Why, in words.")
@click.option("--sender", metavar="SCHEME:ID", help="Your electronic address, where the invoice names none (BT-49).")
@click.option("--receiver", metavar="SCHEME:ID", help="The supplier's, where the invoice names none (BT-34).")
@click.option("--overwrite", is_flag=True, help="Replace the file if there is one.")
def response(invoice_id: str, out: Path, overwrite: bool, client: Client, as_json: bool, **said: str | None) -> None:
    """Write the answer to an invoice, as its buyer: a Peppol Invoice Response (UBL ApplicationResponse).

    \b
    The code follows from the invoice's state on the ledger:
      AB  registered                   IP  registered, and checked by this node
      AP  approved, early-paid,        CA  approved less what was credited
          overdue, written-off         UQ  disputed
      PD  settled, recovered           RE  cancelled

    \b
    Examples:
      ledger-node invoice response INV-2026-17 --out response.xml
      ledger-node invoice response INV-2026-17 --code RE --reason REF --text "no such order" --out response.xml
    """
    found = identify(client, "invoice_id", invoice_id)
    asked = {name: text for name, text in said.items() if text}
    write_file(out, client.fetch(f"/v1/invoices/{found}/response", asked), overwrite)
    emit({"file": str(out), "invoice_id": found}, as_json, f"{out}: the answer to invoice {found}")
