"""`ledger-node channel`: founding one together, and whom to believe when evidence is checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from ledger_node.cli.certificate import FILE
from ledger_node.cli.channel_founding import genesis, join, propose, sign
from ledger_node.cli.common import emit, json_option
from ledger_node.cli.files import write_file
from ledger_node.cli.rest import reads
from ledger_node.client import Client


@click.group()
def command() -> None:
    """The channel: founding it together with others, and whom to believe when evidence is checked."""


for step in (propose, sign, genesis, join):
    command.add_command(step)


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
        from ledger_node.evidence.trust import with_keys

        content = with_keys(content, [path.read_bytes() for path in others])
    write_file(out, content)
    digest = hashlib.sha256(content).hexdigest()
    emit({"file": str(out), "sha256": digest}, as_json, f"{out}: SHA-256 {digest}")
