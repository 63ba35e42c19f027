"""`ledger-node restore`: put a backup back, after all of it was verified."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.backup import as_plain
from ledger_node.cli.backup_options import opened, opening
from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import progress_on_terminal, translated
from ledger_node.errors import BadRequest

if TYPE_CHECKING:
    from ledger_node.backup.restoring import Read, Restored


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--to",
    "base",
    type=click.Path(path_type=Path, file_okay=False),
    help="Below which folder; where it was if left out.",
)
@click.option("--replace", is_flag=True, help="Move aside what is in the way and differs, instead of refusing.")
@click.option("--documents-only", is_flag=True, help="Only documents that are missing or damaged; the node may run.")
@click.option("--sha256", default="", metavar="HEX", help="Refuse another file than the one that `backup` told of.")
@opened
@json_option
@translated
def command(
    file: Path,
    base: Path | None,
    replace: bool,
    documents_only: bool,
    sha256: str,
    password_file: Path | None,
    key: Path | None,
    as_json: bool,
) -> None:
    """Put a backup of a node or of a network back, after all of it was verified.

    What exists and differs is never overwritten: the command refuses and changes nothing, or with --replace moves it
    aside into a folder `replaced-TIME`. Killed in the middle, nothing can be started; run it again. Run twice, it
    changes nothing. To verify only: ledger-node backup verify.

    A backup that is locked to a certificate could have been made by everybody who has that certificate: give the
    SHA-256 that `backup` printed.

    \b
    Examples:
      ledger-node restore supplier.backup --password-file secret.txt
      ledger-node restore supplier.backup --to /srv/scf --key officer.key --sha256 4f0c...
      ledger-node restore supplier.backup --documents-only --password-file secret.txt
    """
    from ledger_node.backup.restoring import Wanted, restore_backup

    if documents_only and replace:
        raise BadRequest("--documents-only and --replace do not go together", "Leave one of them out.")
    wanted = Wanted(None if base is None else base.absolute(), replace, documents_only, sha256)
    with progress_on_terminal() as progress:
        read, restored = restore_backup(file, opening(password_file, key), wanted, progress, dt.datetime.now(dt.UTC))
    emit({**as_plain(read), **dataclasses.asdict(restored)}, as_json, _told(read, restored, documents_only))


def _told(read: Read, restored: Restored, documents_only: bool) -> str:
    contents = read.contents
    lines = [
        f"{contents.kind} of {', '.join(contents.organisations)}, {contents.made_at}, below {restored.base}",
        f"{restored.placed} files put in place, {restored.there_already} were there already",
    ]
    if restored.moved_aside:
        lines.append(f"What was there is in {restored.moved_aside}; look for what was written since the backup.")
    if read.documents_damaged:
        lines.append(f"Left out, since damaged before the backup: {', '.join(read.documents_damaged)}")
    last = Path(restored.base) / contents.last
    if documents_only:
        lines.append(f"Next: ledger-node hash scrub --node {last.parent}")
    elif contents.kind == "node":
        lines.append(
            f"Next: ledger-node node serve --node {last.parent}, then: ledger-node db check --node {last.parent}"
        )
    else:
        lines.append(f"Next: ledger-node network up --network {last}")
        if not contents.ledgers:
            lines.append("Peers and orderers join the channel anew and fetch its blocks from the other organisations.")
    return "\n".join(lines)
