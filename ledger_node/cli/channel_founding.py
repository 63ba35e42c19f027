"""`ledger-node channel propose`, `sign`, `genesis`, `join`: organisations found a channel, each on its own host."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import network_option, progress_on_terminal, translated
from ledger_node.cli.org import described, in_words
from ledger_node.errors import BadRequest

if TYPE_CHECKING:
    from network.founding import SignedFounding
    from network.topology import Topology

FOUNDING = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.option("--cards", "first", required=True, multiple=True, type=click.File("rb"), help="A founder's card; repeat.")
@click.argument("more", nargs=-1, type=click.File("rb"), metavar="[CARD]...")
@json_option
@translated
@network_option
def propose(first: tuple[Any, ...], more: tuple[Any, ...], topology: Topology, as_json: bool) -> None:
    """Print the founding of a channel by the organisations of these cards: a file that each of them signs.

    Any founder may propose; the cards of all are needed, the own one included. What the channel is (name, contract,
    consensus) comes from the own network.yaml. Compare the fingerprints, shown on standard error, by telephone.

    \b
    Examples:
      ledger-node channel propose --cards *.card > founding.json
    """
    from network import cards, founding

    read = [cards.read(each.read(), each.name) for each in (*first, *more)]
    proposed = founding.propose(topology, read, dt.datetime.now(dt.UTC))
    click.echo(_in_words(proposed), err=True)
    emit({"founding": proposed.model_dump(mode="json"), **_described(proposed)}, as_json, cards.written(proposed))


@click.command()
@click.argument("file", type=FOUNDING)
@json_option
@translated
@network_option
def sign(file: Path, topology: Topology, as_json: bool) -> None:
    """Sign the founding in FILE for the own organisation, as its administrator; the signature goes into the file.

    By it the organisation agrees to every card in the file, so compare the fingerprints first. Then hand the file on;
    copies that are signed apart can be given to the next steps together.

    \b
    Examples:
      ledger-node channel sign founding.json
    """
    from network import cards, founding

    signed = founding.sign(topology, founding.read([(str(file), file.read_bytes())]))
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("w", encoding="utf-8") as stream:
        stream.write(cards.written(signed))
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
    emit({"file": str(file), **_described(signed)}, as_json, _in_words(signed))


@click.command()
@click.argument("files", nargs=-1, required=True, type=FOUNDING, metavar="FILE...")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write it, else standard output.")
@json_option
@translated
@network_option
def genesis(files: tuple[Path, ...], out: Path | None, topology: Topology, as_json: bool) -> None:
    """Make the channel's genesis block from the founding that all have signed: the same bytes on every host.

    Several FILEs are copies of one founding that were signed apart. The digest goes to standard error: compare it.

    \b
    Examples:
      ledger-node channel genesis founding.json > scf.block
      ledger-node channel genesis founding-*.json --out scf.block --json
    """
    from network import founding, tools

    if as_json and out is None:
        raise BadRequest("with --json the block needs a file", "Name it: --out scf.block")
    signed = founding.read([(str(each), each.read_bytes()) for each in files])
    with progress_on_terminal() as progress:
        block = founding.genesis(tools.find_or_build(progress, topology.fabric_folder), signed)
    digest = founding.digest(block)
    if out is None:
        click.echo(f"digest {digest}", err=True)
        click.echo(block, nl=False)
        return
    out.write_bytes(block)
    emit({"file": str(out), "digest": digest}, as_json, f"{out}: digest {digest}")


@click.command()
@click.argument("block", type=FOUNDING)
@click.option(
    "--founding", "files", required=True, multiple=True, type=FOUNDING, help="What all have signed; repeat for copies."
)
@json_option
@translated
@network_option
def join(block: Path, files: tuple[Path, ...], topology: Topology, as_json: bool) -> None:
    """Take BLOCK for the genesis block of the own channel, and the others' addresses into network.yaml.

    The block is made anew from the founding and compared byte for byte, so it may come from anybody. A founding in
    which the own card differs, or a signature is missing, is refused. It starts nothing: the orderer and the peer
    join as soon as they run (`ledger-node network up`). Compare the digest with the others'.

    \b
    Examples:
      ledger-node channel join scf.block --founding founding.json
    """
    from network import founding, tools

    signed = founding.read([(str(each), each.read_bytes()) for each in files])
    with progress_on_terminal() as progress:
        binaries = tools.find_or_build(progress, topology.fabric_folder)
        digest = founding.join(topology, binaries, signed, block.read_bytes())
    others = [each.card for each in signed.founding.cards if each.card.msp_id != topology.organisations[0].msp_id]
    result = {"channel": topology.channel, "digest": digest, "others": [described(each) for each in others]}
    text = f"{topology.channel}: digest {digest}, {len(others)} others\nNext: ledger-node network up"
    emit(result, as_json, text)


def _described(signed: SignedFounding) -> dict[str, Any]:
    founding = signed.founding
    return {
        "channel": founding.channel,
        "consensus": founding.consensus,
        "digest": founding.digest,
        "founders": [described(each.card) for each in founding.cards],
        "signed": sorted(signed.signatures),
        "missing": signed.missing(),
    }


def _in_words(signed: SignedFounding) -> str:
    founding, missing = signed.founding, signed.missing()
    lines = [f"channel {founding.channel}, {founding.consensus}, contract {founding.chaincode}, of"]
    lines += [in_words(each.card) for each in founding.cards]
    lines.append(f"digest of this founding: {founding.digest}")
    lines.append(f"not signed yet by {', '.join(missing)}" if missing else "signed by all")
    return "\n".join(lines)
