"""`ledger-node document`: upload documents, see what was attested of them, fetch own files back, seal."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.document_seal import seal, seal_status
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations
from ledger_node.cli.rest import Writer, emit_submission, fields, reads, writes
from ledger_node.client import Client, segment
from ledger_node.errors import BadRequest

MEDIA_TYPES = {".xml": "application/xml", ".pdf": "application/pdf", ".json": "application/json"}
FIELDS = ("document_id", "kind", "submitter", "media_type", "size_bytes", "commitment", "entitled", "day")


KINDS = ("invoice", "credit_note", "proof_of_delivery", "transport_events")  # those of `formats`, which reads them


@click.group()
def command() -> None:
    """Documents: upload, list, show, fetch, seal."""


command.add_command(seal)
command.add_command(seal_status)


@command.command()
@json_option
@writes
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kind", required=True, type=click.Choice(KINDS), help="What it is.")
@click.option("--entitled", required=True, multiple=True, metavar="MSP", help="Who may fetch and attest it; repeat.")
@click.option("--media-type", default="", help="Of the content; by the file's ending when left out.")
def upload(file: Path, kind: str, entitled: tuple[str, ...], media_type: str, writer: Writer, as_json: bool) -> None:
    """Upload a document and register it on the ledger.

    \b
    Examples:
      ledger-node document upload invoice.xml --kind invoice --entitled BuyerMSP --entitled FinancierMSP
      ledger-node document upload pod.pdf --kind proof_of_delivery --entitled BuyerMSP,FinancierMSP,CarrierMSP
    """
    media_type = media_type or MEDIA_TYPES.get(file.suffix.lower(), "")
    if not media_type:
        raise BadRequest(f"the ending of {file.name} does not say its media type", "Give --media-type.")
    submission = writer.client.upload(
        file,
        kind=kind,
        media_type=media_type,
        entitled=list(entitled),
        wait_seconds=writer.wait_seconds,
        idempotency_key=writer.idempotency_key,
    )
    emit_submission(submission, as_json)


@command.command()
@json_option
@reads
@click.argument("document_id")
def show(document_id: str, client: Client, as_json: bool) -> None:
    """Show a document's record and what the others attested of it.

    \b
    Examples:
      ledger-node document show 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c
    """
    document = client.get(f"/v1/documents/{segment(document_id)}")
    attested = table(document["attestations"], ("party", "verdict", "day"))
    emit(document, as_json, f"{fields(document, FIELDS)}\n\n{attested}")


@command.command()
@json_option
@reads
@click.argument("document_id")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write it.")
def fetch(document_id: str, out: Path, client: Client, as_json: bool) -> None:
    """Fetch the file of an own document; an existing file is not overwritten.

    \b
    Examples:
      ledger-node document fetch 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c --out invoice.xml
    """
    if out.exists():
        raise BadRequest(f"{out} exists", "Name another file.")
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as sink:
            size_bytes = client.download(document_id, sink)
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    emit({"file": str(out), "size_bytes": size_bytes}, as_json, f"{out}: {size_bytes} bytes")


add_operations(command, "document")
add_lists(command, "document")
