"""`ledger-node shipment submit`: a file of transport events becomes a shipment, or what is reported of one."""

from __future__ import annotations

from pathlib import Path

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.rest import Writer, emit_submission, identify, writes
from ledger_node.cli.submitting import Form, submit_file
from ledger_node.errors import BadRequest


@click.command()
@json_option
@writes
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--buyer", default="", help="The buyer's MSP id, to register the shipment that the file names.")
@click.option("--carrier", default="", help="The carrier's MSP id, with --buyer.")
@click.option("--shipment", "shipment_id", default="", metavar="ID", help="To report what the file says of this one.")
@click.option("--entitled", multiple=True, metavar="MSP", help="Who else may fetch and attest the file; repeat.")
def submit(
    file: Path,
    buyer: str,
    carrier: str,
    shipment_id: str,
    entitled: tuple[str, ...],
    writer: Writer,
    as_json: bool,
) -> None:
    """Upload transport events and say what they say: as the supplier a shipment, else its events.

    What the file is, its content tells: EPCIS 2.0 (JSON or XML), DCSA Track & Trace 2.2 or 3.0, a DCSA eBL envelope, or
    a UBL despatch advice, which says that the goods left.

    With --buyer and --carrier the one shipment that the file names is registered. With --shipment its departures and
    deliveries are reported, all of them or none, but for those that were taken back or name other shipments; the file
    is their proof.

    \b
    Examples:
      ledger-node shipment submit events.json --buyer BuyerMSP --carrier CarrierMSP --entitled FinancierMSP
      ledger-node shipment submit events.json --shipment f9e8d7c6b5a493827160f5e4d3c2b1a0 --entitled BuyerMSP
    """
    if bool(shipment_id) == bool(buyer and carrier) or bool(buyer) != bool(carrier):
        raise BadRequest("say --buyer and --carrier, or --shipment", "ledger-node shipment submit --help shows both.")
    about = {"shipment_id": identify(writer.client, "shipment_id", shipment_id)} if shipment_id else {}
    form: Form = {"entitled": sorted({*entitled}), "buyer": buyer, "carrier": carrier, **about}
    emit_submission(submit_file(writer, "/v1/shipment-submissions", file, form), as_json)
