"""`ledger-node invoice submit`: a file becomes a registered invoice in one command."""

from __future__ import annotations

from pathlib import Path

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.rest import Writer, emit_submission, identify, writes
from ledger_node.cli.submitting import Form, submit_file


@click.command()
@json_option
@writes
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--buyer", required=True, help="The buyer's MSP id.")
@click.option("--entitled", multiple=True, metavar="MSP", help="Who else may fetch and attest it; repeat.")
@click.option("--proof", "proof_ids", multiple=True, metavar="ID", help="Id of an uploaded proof; repeat.")
@click.option("--shipment", "shipment_ids", multiple=True, metavar="ID", help="Id of a registered shipment; repeat.")
@click.option("--due-date", "stated", default="", metavar="YYYY-MM-DD", help="Only where the file names none.")
def submit(
    file: Path,
    buyer: str,
    entitled: tuple[str, ...],
    proof_ids: tuple[str, ...],
    shipment_ids: tuple[str, ...],
    stated: str,
    writer: Writer,
    as_json: bool,
) -> None:
    """Upload an invoice and register it, as its supplier. The buyer is entitled to it; name the financiers.

    The same file with the same options is the same submission, however often it is sent.

    \b
    Examples:
      ledger-node invoice submit invoice.xml --buyer BuyerMSP --entitled FinancierMSP \\
        --proof 0d1c2b3a495867768594a3b2c1d0e0ff --shipment f9e8d7c6b5a493827160f5e4d3c2b1a0
    """
    form: Form = {
        "buyer": buyer,
        "entitled": sorted({*entitled}),
        "proof_ids": [identify(writer.client, "document_id", each) for each in proof_ids],
        "shipment_ids": [identify(writer.client, "shipment_id", each) for each in shipment_ids],
        "stated_due_date": stated,
    }
    emit_submission(submit_file(writer, "/v1/invoice-submissions", file, form), as_json)
