"""`ledger-node document`: upload documents, see what was attested of them, fetch own files back, seal."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from functools import partial
from pathlib import Path

import click

from ledger_node.cli.bulk import in_bulk
from ledger_node.cli.certificate import certificate
from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.document_seal import seal, seal_status
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations
from ledger_node.cli.rest import Writer, emit_submission, fields, identify, reads, writes
from ledger_node.client import JSON, Client
from ledger_node.errors import BadRequest

MEDIA_TYPES = {".xml": "application/xml", ".pdf": "application/pdf", ".json": "application/json"}
FIELDS = ("document_id", "kind", "submitter", "media_type", "size_bytes", "commitment", "entitled", "day")


KINDS = ("invoice", "credit_note", "proof_of_delivery", "transport_events")  # those of `formats`, which reads them


@click.group()
def command() -> None:
    """Documents: upload, list, show, fetch, seal."""


command.add_command(certificate("document"))
command.add_command(seal)
command.add_command(seal_status)


@command.command()
@json_option
@writes
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--kind", required=True, type=click.Choice(KINDS), help="What it is.")
@click.option("--entitled", required=True, multiple=True, metavar="MSP", help="Who may fetch and attest it; repeat.")
@click.option("--media-type", default="", help="Of the content; by the file's ending when left out.")
def upload(file: Path, kind: str, entitled: tuple[str, ...], media_type: str, writer: Writer, as_json: bool) -> None:
    """Upload a document and register it on the ledger; of a folder all files in it, with one answer a row.

    A folder's files are uploaded once: typed again, the command repeats nothing that was taken.

    \b
    Examples:
      ledger-node document upload invoice.xml --kind invoice --entitled BuyerMSP --entitled FinancierMSP
      ledger-node document upload pod.pdf --kind proof_of_delivery --entitled BuyerMSP,FinancierMSP,CarrierMSP
      ledger-node document upload invoices/ --kind invoice --entitled BuyerMSP,FinancierMSP
    """
    if file.is_dir():
        paths = sorted(path for path in file.iterdir() if path.is_file())
        if not paths:
            raise BadRequest(f"{file} has no files in it", "Name another folder.")
        rows = [(path.name, partial(_upload_once, path, kind, entitled, media_type, writer)) for path in paths]
        in_bulk(rows, writer, as_json)
        return
    emit_submission(_upload(file, kind, entitled, media_type, writer, writer.idempotency_key), as_json)


def _upload_once(path: Path, kind: str, entitled: tuple[str, ...], media_type: str, writer: Writer) -> JSON:
    """Under a key that follows from all that is said, so that the same file is uploaded once."""
    try:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}", "Make it readable.") from error
    said = json.dumps([digest, path.name, kind, sorted(entitled), media_type, writer.idempotency_key])
    key = hashlib.sha256(said.encode()).hexdigest()
    return _upload(path, kind, entitled, media_type, dataclasses.replace(writer, wait_seconds=0), key)


def _upload(file: Path, kind: str, entitled: tuple[str, ...], media_type: str, writer: Writer, key: str) -> JSON:
    media_type = media_type or MEDIA_TYPES.get(file.suffix.lower(), "")
    if not media_type:
        raise BadRequest(f"the ending of {file.name} does not say its media type", "Give --media-type.")
    return writer.client.upload(
        file,
        kind=kind,
        media_type=media_type,
        entitled=list(entitled),
        wait_seconds=writer.wait_seconds,
        idempotency_key=key,
    )


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
    document = client.get(f"/v1/documents/{identify(client, 'document_id', document_id)}")
    attested = table(document["attestations"], ("party", "verdict", "day"))
    emit(document, as_json, f"{_head(document)}\n\n{attested}")


@command.command()
@json_option
@reads
@click.argument("document_id")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write it.")
def fetch(document_id: str, out: Path, client: Client, as_json: bool) -> None:
    """Fetch the file of a document, an own one or one that the own organisation is entitled to.

    An existing file is not overwritten. What another organisation gives must be what the ledger commits to.

    \b
    Examples:
      ledger-node document fetch INV-2026-17 --out invoice.xml
    """
    if out.exists():
        raise BadRequest(f"{out} exists", "Name another file.")
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as sink:
            size_bytes = client.download(identify(client, "document_id", document_id), sink)
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    emit({"file": str(out), "size_bytes": size_bytes}, as_json, f"{out}: {size_bytes} bytes")


def _head(document: JSON) -> str:
    return fields(document | document["names"], (FIELDS[0], *document["names"], *FIELDS[1:]))


add_operations(command, "document")
add_lists(command, "document")
