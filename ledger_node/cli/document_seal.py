"""`ledger-node document seal` and `seal-status`: one root on the ledger for any number of files."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.hash import opened
from ledger_node.cli.rest import fields, reads
from ledger_node.client import JSON, Client, segment
from ledger_node.errors import VerificationError

SHOWN = ("seal_id", "submitter", "algorithm", "root", "size", "day")


@click.command()
@json_option
@reads
@click.option(
    "--wait",
    "wait_seconds",
    type=click.IntRange(1, 30),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the ledger; exit code 4 when it has not answered by then: run it again.",
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--proofs", type=click.Path(path_type=Path, file_okay=False), help="Instead of beside the files.")
def seal(folder: Path, proofs: Path | None, wait_seconds: int, client: Client, as_json: bool) -> None:
    """Seal the files of a folder: one root on the ledger, and beside each file a proof, FILE.proof.json.

    Files that have a proof are compared with it and not sealed again. Stopped anywhere, run it again: it goes on with
    what it had begun. A proof holds the file's salt: keep it with the file, and delete both to erase it. What cannot be
    sealed (a link, a folder that cannot be read, a name that is not UTF-8, a document that is called like a proof) is
    refused by name, and nothing is sealed then; a proof whose file is gone is named, with exit code 6.

    \b
    Examples:
      ledger-node document seal archive/2026-11
      ledger-node document seal archive/2026-11 --proofs proofs/2026-11
    """
    from ledger_node.documents.seals import seal_folder

    place = proofs or folder

    def submit(root: str, size: int, key: str) -> JSON:
        body = {"root": root, "size": size}
        return client.post("/v1/seals", body, wait_seconds=wait_seconds, idempotency_key=key)

    with opened("auto", None) as hasher:
        report = seal_folder(folder, place, hasher.hash_batch, submit)
    lines = [f"sealed {made['size']} files under {made['root']}: seal {made['seal_id']}" for made in report.seals]
    lines.append(f"{report.proved_before} files had a proof before, and fit it")
    lines += [f"the file of this proof is gone: {proof}" for proof in report.lost]
    emit(asdict(report), as_json, "\n".join(lines))
    if report.lost:
        sys.exit(VerificationError.exit_code)


@click.command(name="seal-status")
@json_option
@reads
@click.argument("seal_id")
def seal_status(seal_id: str, client: Client, as_json: bool) -> None:
    """Show a seal as the ledger holds it; compare its root with a proof's by `ledger-node hash verify --root`.

    \b
    Examples:
      ledger-node document seal-status 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c
    """
    record = client.get(f"/v1/seals/{segment(seal_id)}")
    written = f"block {record['written']['block_number']}, transaction {record['written']['transaction_id']}"
    emit(record, as_json, f"{fields(record, SHOWN)}\nwritten     {written}")
