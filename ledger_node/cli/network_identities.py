"""`ledger-node network person`, `renew`, `env`: certificates, and acting as an organisation by the official tools."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import network_option, translated

if TYPE_CHECKING:
    from network.topology import Topology


@click.command()
@click.argument("organisation")
@click.argument("name")
@click.option(
    "--request",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certify the key of this request, which a browser made; no key is made then.",
)
@json_option
@translated
@network_option
def person(organisation: str, name: str, request: Path | None, topology: Topology, as_json: bool) -> None:
    """Make a certificate and a key for a person who acts for ORGANISATION; hand both to that person.

    \b
    Examples:
      ledger-node network person buyer anna
      ledger-node network person buyer anna --request anna.csr
    """
    from network import identities

    if request is not None:
        own = topology.organisation(organisation)
        issued = identities.certify_person(own, topology.folders(organisation), name, request.read_bytes())
        emit({"certificate": str(issued)}, as_json, str(issued))
        return
    made = identities.ensure_person(topology.organisation(organisation), topology.folders(organisation), name)
    files = {"certificate": str(made.certificate), "private_key": str(made.key)}
    emit(files, as_json, "\n".join(files.values()))


@click.command()
@click.argument("organisation")
@json_option
@translated
@network_option
def renew(organisation: str, topology: Topology, as_json: bool) -> None:
    """Issue ORGANISATION's certificates anew, under the same keys; processes show them once they are restarted.

    All but the orderer's signing certificate, which the channel's configuration holds a copy of.

    \b
    Examples:
      ledger-node network renew buyer
      ledger-node network restart --one-by-one buyer.orderer buyer.peer buyer.chaincode
    """
    from network import identities

    renewed = [str(path) for path in identities.renew(topology.folders(topology.organisation(organisation).name))]
    after = f"Then: ledger-node network restart --one-by-one {' '.join(f'{organisation}.{kind}' for kind in KINDS)}"
    emit({"renewed": renewed}, as_json, "\n".join([*renewed, after]))


KINDS = ("orderer", "peer", "chaincode")


@click.command()
@click.argument("organisation")
@json_option
@translated
@network_option
def env(organisation: str, topology: Topology, as_json: bool) -> None:
    """Print the variables with which Fabric's own `peer` acts as ORGANISATION's administrator on its peer.

    Also PATH with the folder of Fabric's programs, and ORDERER_ADDRESS and ORDERER_CA for `peer -o`.

    \b
    Examples:
      eval "$(ledger-node network env buyer)"; peer channel list
      peer lifecycle chaincode querycommitted -C scf
    """
    from network import tools
    from network.commands import peer_environment

    own, folders = topology.organisation(organisation), topology.folders(organisation)
    programs = tools.find_or_build(lambda step: click.echo(step, err=True), topology.fabric_folder)
    variables = peer_environment(topology, own) | {
        "ORDERER_ADDRESS": own.orderer_endpoint,
        "ORDERER_CA": str(folders.tls_ca),
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f'export PATH={shlex.quote(str(programs.folder))}:"$PATH"')
    emit({"variables": variables, "programs": str(programs.folder)}, as_json, "\n".join(lines))
