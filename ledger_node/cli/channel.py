"""`ledger-node channel`: whom to believe when evidence is checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from ledger_node.cli.certificate import FILE, write_new
from ledger_node.cli.common import emit, json_option
from ledger_node.cli.rest import reads
from ledger_node.client import Client
from ledger_node.errors import BadRequest


@click.group()
def command() -> None:
    """The channel: whom to believe when evidence is checked."""


@command.command()
@json_option
@reads
@click.option("--out", required=True, type=FILE, help="Where to write the trust file.")
@click.option(
    "--keys",
    "others",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Another organisation's trust file, to take its post-quantum key from; repeat.",
)
def trust(out: Path, others: tuple[Path, ...], client: Client, as_json: bool) -> None:
    """Write whom to believe on the channel, by the word of this organisation's own peer.

    That is the first block's hash, and of each configuration there has been: the organisations with their authorities
    and revoked certificates, the orderers that sign blocks and how many must, and the endorsement policy. Bundles are
    checked against it and supply nothing of it. Give it to auditors by a way that a forger does not control, and tell
    them the SHA-256 by another.

    \b
    Examples:
      ledger-node channel trust --out trust.json
      ledger-node channel trust --out trust.json --keys buyers-trust.json
    """
    content = client.fetch("/v1/channel/trust")
    if others:
        content = with_keys(content, others)
    write_new(out, content)
    digest = hashlib.sha256(content).hexdigest()
    emit({"file": str(out), "sha256": digest}, as_json, f"{out}: SHA-256 {digest}")


def with_keys(trust_file: bytes, others: tuple[Path, ...]) -> bytes:
    """The trust file, with the keys besides that other organisations name as their own in theirs.

    Of each file only the key of the organisation whose peer told it is taken.

    Raises: BadRequest when a file is no trust file, or one of another channel.
    """
    from ledger_node.verify.canonical import MalformedError
    from ledger_node.verify.format import Trust, read, write

    own = read(Trust, trust_file, "the trust file")
    keys = {(each.msp_id, each.public): each for each in own.keys}
    for path in others:
        try:
            other = read(Trust, path.read_bytes(), str(path))
        except MalformedError as error:
            raise BadRequest(str(error), "Ask the organisation for: ledger-node channel trust") from error
        if other.genesis != own.genesis:
            raise BadRequest(f"{path} is of another channel", "Ask for that of this channel.")
        keys |= {(each.msp_id, each.public): each for each in other.keys if each.msp_id == other.taken_by}
    return write(own.model_copy(update={"keys": [keys[place] for place in sorted(keys)]}))
