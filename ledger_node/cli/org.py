"""`ledger-node org`: one's own organisation on a host of its own: its keys, and what others have to know of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import file_option, network_option, translated
from ledger_node.errors import ConfigError

if TYPE_CHECKING:
    from network.cards import Card
    from network.topology import Topology

PORT = click.IntRange(1024, 65526)


@click.group()
def command() -> None:
    """One's own organisation on a host of its own: keys, and the card that others found a channel with.

    \b
    Examples:
      ledger-node org init buyer --host buyer.example --msp BuyerMSP
      ledger-node org card > buyer.card
      ledger-node org show supplier.card
    """


@command.command()
@click.argument("name")
@click.option("--host", required=True, help="Name or IPv4 address by which the others reach this machine.")
@click.option("--msp", "msp_id", required=True, help="What the organisation is called on the channel, as BuyerMSP.")
@click.option("--base-port", type=PORT, default=7050, show_default=True, help="First of ten ports.")
@click.option("--channel", default="scf", show_default=True, help="The channel's name, the same at all founders.")
@click.option(
    "--consensus",
    type=click.Choice(["bft", "raft"]),
    default="bft",
    show_default=True,
    help="How orderers agree, the same at all founders; raft for two or three that trust one another's orderers.",
)
@json_option
@translated
@file_option("Where to write the network's description; keys go into network-data beside it.")
def init(
    name: str, host: str, msp_id: str, base_port: int, channel: str, consensus: str, network_file: Path, as_json: bool
) -> None:
    """Make the keys and certificates of organisation NAME, and its part of network.yaml; nothing of anybody else.

    Keys that are there are kept, never made anew: the same line again completes what was cut off, and changes nothing
    otherwise. Others reach the first port (orderer) and the fourth (peer), and of the node the tenth; the rest stays on
    this machine.

    \b
    Examples:
      ledger-node org init buyer --host buyer.example --msp BuyerMSP
      ledger-node org init buyer --host 192.0.2.2 --msp BuyerMSP --base-port 17050 --network /srv/scf/network.yaml
    """
    from network.organisation import begin

    topology, made = begin(network_file, name, host, msp_id, base_port, channel, consensus)
    folder = topology.folders(name).root
    result = {"network": str(topology.file), "organisation": name, "msp_id": msp_id, "keys": str(folder), "made": made}
    text = f"{'made' if made else 'there already:'} keys of {name} in {folder}, described in {topology.file}"
    emit(result, as_json, f"{text}\nNext: ledger-node org card > {name}.card")


@command.command()
@json_option
@translated
@network_option
def card(topology: Topology, as_json: bool) -> None:
    """Print the own card: public certificates, host and ports, signed by the own authority. It holds nothing secret.

    Its fingerprint goes to standard error: tell it to the others by telephone, and have them compare.

    \b
    Examples:
      ledger-node org card > buyer.card
    """
    from network import cards

    own = topology.organisations[0]
    if len(topology.organisations) > 1:
        text = f"{topology.file} is of {len(topology.organisations)} organisations on one machine"
        raise ConfigError(text, "A card is of an organisation on its own host: ledger-node org init")
    signed = cards.make(own, topology.folders(own.name))
    click.echo(f"fingerprint of {own.msp_id}: {signed.card.fingerprint}", err=True)
    document = signed.model_dump(mode="json")
    emit({"card": document, "fingerprint": signed.card.fingerprint}, as_json, cards.written(signed))


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="CARD...")
@json_option
@translated
def show(files: tuple[Any, ...], as_json: bool) -> None:
    """Check cards, also against each other, and show what they say with their fingerprints.

    Compare each fingerprint with what its organisation says by telephone: a card only proves that its own authority
    signed it, and a forger would have an authority, too.

    \b
    Examples:
      ledger-node org show supplier.card buyer.card
    """
    from network import cards

    found = [cards.read(each.read(), each.name).card for each in files]
    cards.check_together(found)
    emit([described(each) for each in found], as_json, "\n".join(map(in_words, found)))


def described(shown: Card) -> dict[str, Any]:
    """A card for scripts, without its certificates."""
    fields = ("name", "msp_id", "host", "orderer_port", "peer_port", "fingerprint")
    return {name: getattr(shown, name) for name in fields}


def in_words(shown: Card) -> str:
    """A card for people."""
    where = f"{shown.host}, orderer at {shown.orderer_port}, peer at {shown.peer_port}"
    return f"{shown.msp_id} ({shown.name}) at {where}\n  fingerprint {shown.fingerprint}"
