"""`ledger-node fingerprint-key`: the consortium's key, made once and handed over locked to each organisation's node."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option, node_option
from ledger_node.cli.network_options import translated
from ledger_node.errors import BadRequest, ConfigError

if TYPE_CHECKING:
    from ledger_node.config import Settings
    from network.founding import SignedFounding

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def command() -> None:
    """The key under which all organisations find duplicates: one makes it, the others take it; never on the ledger.

    \b
    Examples:
      ledger-node fingerprint-key create --node nodes/supplier
      ledger-node fingerprint-key give --founding founding.json --node nodes/supplier > fingerprint.sealed
      ledger-node fingerprint-key take fingerprint.sealed --founding founding.json --node nodes/buyer
    """


@command.command()
@json_option
@node_option
def create(directory: Path, as_json: bool) -> None:
    """Make the key, once for the whole consortium; one that is there is kept.

    \b
    Examples:
      ledger-node fingerprint-key create --node nodes/supplier
    """
    from ledger_node.config import load_settings
    from ledger_node.formats.fingerprints import create_key, load_key

    settings = load_settings(directory)
    path = settings.at(settings.fingerprint_key_file)
    is_new = not path.exists()
    create_key(path) if is_new else load_key(path)
    text = f"{path}: {'made' if is_new else 'there already'}\nNext: ledger-node fingerprint-key give"
    emit({"file": str(path), "made": is_new}, as_json, text)


@command.command()
@click.option(
    "--founding", "founding_file", required=True, type=FILE, help="What all have signed: it names the others."
)
@json_option
@translated
@node_option
def give(founding_file: Path, directory: Path, as_json: bool) -> None:
    """Print the key, locked to the nodes of all other founders and signed by the own one; only they can open it.

    \b
    Examples:
      ledger-node fingerprint-key give --founding founding.json --node nodes/supplier > fingerprint.sealed
    """
    from ledger_node.backup.handover import Identity
    from ledger_node.backup.handover import give as lock
    from ledger_node.config import load_settings
    from ledger_node.formats.fingerprints import load_key
    from network.cards import written

    settings = load_settings(directory)
    fabric = settings.fabric
    if fabric is None:
        raise ConfigError("a node of the embedded ledger has no founders to give to", "Copy the file on this machine.")
    certificate = settings.at(fabric.certificate).read_text("ascii")
    giver = Identity(settings.msp_id, certificate, settings.at(fabric.private_key).read_bytes())
    key, now = load_key(settings.at(settings.fingerprint_key_file)), dt.datetime.now(dt.UTC)
    signed = lock(key, settings.fingerprint_epoch, giver, _founding(founding_file).founding, now)
    click.echo(f"for {', '.join(signed.handover.takers)}", err=True)
    emit(signed.model_dump(mode="json"), as_json, written(signed))


@command.command()
@click.argument("file", type=click.File("rb"))
@click.option("--founding", "founding_file", required=True, type=FILE, help="What all have signed: it names the giver.")
@json_option
@translated
@node_option
def take(file: IO[bytes], founding_file: Path, directory: Path, as_json: bool) -> None:
    """Open the key in FILE with the own node's private key, and keep it; another one is never overwritten.

    It is refused unless a node of one of the founders has signed it.

    \b
    Examples:
      ledger-node fingerprint-key take fingerprint.sealed --founding founding.json --node nodes/buyer
    """
    from ledger_node.backup.handover import HANDOVER_BYTES_MAX, SignedHandover
    from ledger_node.backup.handover import take as open_
    from ledger_node.config import load_settings
    from network.cards import parsed

    settings = load_settings(directory)
    signed = parsed(file.read(), file.name, SignedHandover, HANDOVER_BYTES_MAX)
    founding, now = _founding(founding_file).founding, dt.datetime.now(dt.UTC)
    key = open_(signed, settings.msp_id, settings.at(settings.tls.private_key).read_bytes(), founding, now)
    path, taken = _keep(settings, key, signed.handover.epoch)
    text = f"{path}: {'taken from' if taken else 'the same as that of'} {signed.handover.giver}\n"
    text += f"Next: ledger-node node serve --node {settings.directory}"
    emit({"file": str(path), "taken": taken, "giver": signed.handover.giver}, as_json, text)


def _founding(file: Path) -> SignedFounding:
    """A founding that all have signed."""
    from network import founding

    signed = founding.read([(str(file), file.read_bytes())])
    if missing := signed.missing():
        raise BadRequest(f"{file} is not signed by {', '.join(missing)}", "Take the one that all have signed.")
    return signed


def _keep(settings: Settings, key: bytes, epoch: int) -> tuple[Path, bool]:
    """Where the key is, and whether it was not there before."""
    from ledger_node.formats.fingerprints import load_key, save_key

    path = settings.at(settings.fingerprint_key_file)
    if epoch != settings.fingerprint_epoch:
        text = f"the key is of epoch {epoch}, and node.toml says fingerprint_epoch = {settings.fingerprint_epoch}"
        raise ConfigError(text, "Ask the giver for that of your epoch.")
    if not path.exists():
        save_key(path, key)
        return path, True
    if load_key(path) != key:
        text = f"{path} is another key than the one that was given"
        raise ConfigError(text, "Find out which one the ledger's fingerprints were made with, before anything is sent.")
    return path, False
