"""`ledger-node backup`: what nobody else could give back, in one encrypted file."""

from __future__ import annotations

import dataclasses
import datetime as dt
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.backup_options import locked, lockings, opened, opening
from ledger_node.cli.common import emit, json_option, node_option
from ledger_node.cli.network_options import network_option, progress_on_terminal, translated
from ledger_node.errors import VerificationError

if TYPE_CHECKING:
    from ledger_node.backup.inventory import Inventory
    from ledger_node.backup.restoring import Read
    from ledger_node.backup.writing import Written
    from network.topology import Topology

NAMED_MAX = 10


@click.group()
def command() -> None:
    """What nobody else could give back, in one encrypted file: of a node, of a network's organisations.

    Blocks, the read model and peers' state databases come back from other organisations and are not in it.
    FILE may be a folder: then a name with the time is chosen. A file that is there is never overwritten.

    \b
    Examples:
      ledger-node backup node /backups --node nodes/supplier --password-file secret.txt
      ledger-node backup network /backups supplier --recipient officer.pem --recipient deputy.pem
      ledger-node backup verify /backups/supplier-node-20261130T120000Z.backup --password-file secret.txt
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--without-vault", is_flag=True, help="Leave the documents out; keep them by other means.")
@click.option("--database-apart", is_flag=True, help="The state database is on a server and dumped there.")
@locked
@json_option
@node_option
def node(
    file: Path,
    without_vault: bool,
    database_apart: bool,
    password_file: Path | None,
    recipients: tuple[Path, ...],
    directory: Path,
    as_json: bool,
) -> None:
    """Back up a node: settings, keys and certificates, state database, vault. The node may run.

    Ends with 6 when documents of the vault are missing or damaged: the backup is written and lacks them.

    \b
    Examples:
      ledger-node backup node /backups --node nodes/supplier --recipient officer.pem
      ledger-node backup node hourly.backup --without-vault --password-file secret.txt
    """
    from ledger_node.backup.inventory import of_node
    from ledger_node.config import load_settings

    inventory = of_node(load_settings(directory), vault=not without_vault, database_apart=database_apart)
    _write(inventory, file, password_file, recipients, as_json)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("organisations", nargs=-1, metavar="[ORGANISATION]...")
@click.option("--ledgers", is_flag=True, help="Also ledgers; of peers, and of orderers when all organisations go in.")
@locked
@json_option
@translated
@network_option
def network(
    file: Path,
    organisations: tuple[str, ...],
    ledgers: bool,
    password_file: Path | None,
    recipients: tuple[Path, ...],
    topology: Topology,
    as_json: bool,
) -> None:
    """Back up organisations of a network (all, when none is named): keys, certificates, authorities, genesis block.

    The network may run, but for --ledgers. Ledgers come back from other organisations without a backup; take them when
    this machine is all there is of the network, or for private data that no other peer was given. The ledger of a
    single orderer is never taken: restored alone it could sign twice.

    \b
    Examples:
      ledger-node backup network /backups supplier --network /srv/scf/network.yaml --recipient officer.pem
      ledger-node network down && ledger-node backup network /backups --ledgers --recipient officer.pem
    """
    from ledger_node.backup.inventory import of_network
    from network import processes

    still = processes.locked(topology.data, lambda step: click.echo(step, err=True)) if ledgers else nullcontext()
    with still:  # nothing of it is started while its ledgers are copied
        _write(of_network(topology, organisations, ledgers=ledgers), file, password_file, recipients, as_json)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@opened
@json_option
def verify(file: Path, password_file: Path | None, key: Path | None, as_json: bool) -> None:
    """Read a backup from its start to its end, and say what it holds; writes nothing.

    A wrong password or key, a file that was cut off or changed, and pieces that were moved are told. Ends with 6 when
    the file is damaged, or documents were damaged already when it was written.

    \b
    Examples:
      ledger-node backup verify supplier.backup --password-file secret.txt
      ledger-node backup verify supplier.backup --key officer.key --json
    """
    from ledger_node.backup.restoring import verify_backup

    with progress_on_terminal() as progress:
        read = verify_backup(file, opening(password_file, key), progress)
    contents = read.contents
    if read.documents_damaged:
        text = f"{file} is whole, and has {len(read.documents_damaged)} documents that were damaged when it was written"
        raise VerificationError(f"{text}: {_some(read.documents_damaged)}", "Take them from an earlier backup.")
    lines = [
        f"{contents.kind} of {', '.join(contents.organisations)}, {contents.made_at}, from {contents.base}",
        f"{read.files} files and {read.documents} documents, {read.size_bytes} bytes; all of it is whole",
        f"SHA-256 {read.sha256}",
    ]
    emit(as_plain(read), as_json, "\n".join(lines))


def as_plain(read: Read) -> dict[str, object]:
    """What a backup holds, for JSON."""
    figures = {name: value for name, value in vars(read).items() if name != "contents"}
    return {**read.contents.model_dump(mode="json"), **figures}


def _write(
    inventory: Inventory, file: Path, password_file: Path | None, recipients: tuple[Path, ...], as_json: bool
) -> None:
    from ledger_node.backup.writing import write_backup

    locks = lockings(password_file, recipients)
    with progress_on_terminal() as progress:
        written = write_backup(inventory, file, locks, progress, dt.datetime.now(dt.UTC))
    if lost := written.documents_missing + written.documents_damaged:
        text = (
            f"{written.path} was written, but {len(lost)} documents are missing in the vault or damaged: {_some(lost)}"
        )
        remedy = (
            "Restore those from an earlier backup: ledger-node restore FILE --documents-only. SHA-256 of this file: "
        )
        raise VerificationError(text, remedy + written.sha256)
    emit(dataclasses.asdict(written), as_json, _told(written))


def _told(written: Written) -> str:
    size = f"{written.files} files and {written.documents} documents in {written.size_bytes} bytes"
    return f"{written.path}\n{size}, taken from {written.base}\nSHA-256 {written.sha256}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED_MAX]) + (" ..." if len(names) > NAMED_MAX else "")
