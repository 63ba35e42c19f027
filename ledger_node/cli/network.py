"""`ledger-node network`: the Fabric network's processes and its contract, for whoever runs the machine."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_identities import env, person, renew
from ledger_node.cli.network_look import logs, status
from ledger_node.cli.network_options import network_option, progress_on_terminal, say_network, translated
from ledger_node.cli.network_watch import findings, watch
from ledger_node.errors import BadRequest

if TYPE_CHECKING:
    from network import control
    from network.topology import Topology


@click.group()
def command() -> None:
    """Run the Fabric network that network.yaml describes.

    \b
    Examples:
      ledger-node network up
      ledger-node network status
      ledger-node network logs supplier.peer -f
      ledger-node network down --purge
    """


@command.command()
@json_option
@translated
@network_option
def up(topology: Topology, as_json: bool) -> None:
    """Start what does not run, join the channel, deploy the contract.

    Where other organisations have hosts of their own, only one's own is started, and the contract is for each to
    approve: ledger-node contract.

    Running it again changes nothing; after a crash or a reboot it repairs what is missing.
    The first time, Fabric's tools are found or built. What cannot be brought up is named at the end (exit code 1);
    everything else stays up.

    \b
    Examples:
      ledger-node network up
      ledger-node network up --network /srv/scf/network.yaml --json
    """
    from network import control

    say_network(topology)
    with progress_on_terminal() as progress:
        report = control.up(topology, progress)
    _emit_report(topology, report, as_json)


@command.command()
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("--one-by-one", is_flag=True, help="Stop each only when the one before serves again.")
@json_option
@translated
@network_option
def restart(topology: Topology, components: tuple[str, ...], one_by_one: bool, as_json: bool) -> None:
    """Stop components (all, when none is named) and start them again.

    \b
    Examples:
      ledger-node network restart
      ledger-node network restart buyer.peer buyer.chaincode
      ledger-node network restart --one-by-one supplier.peer buyer.peer financier.peer carrier.peer
    """
    from network import control

    say_network(topology)
    with progress_on_terminal() as progress:
        report = control.restart(topology, progress, components, one_by_one)
    _emit_report(topology, report, as_json)


@command.command()
@click.option("--purge", is_flag=True, help="Also delete ledgers, identities, keys and logs. Asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@translated
@network_option
def down(topology: Topology, purge: bool, yes: bool, as_json: bool) -> None:
    """Stop every process of the network, also those of organisations that network.yaml names no more.

    \b
    Examples:
      ledger-node network down
      ledger-node network down --purge --yes
    """
    from network import control

    say_network(topology)
    if purge and not yes:
        if as_json:
            raise BadRequest("--purge deletes ledgers and keys for good", "Add --yes to confirm it in a script.")
        click.confirm(f"Delete the ledgers, identities and keys in {topology.data} for good?", abort=True, err=True)
    stopped = control.down(topology, purge)
    text = f"stopped {len(stopped)} processes" if stopped else "nothing was running"
    emit(
        {"network": str(topology.file), "stopped": stopped, "purged": purge},
        as_json,
        text + (f", purged {topology.data}" if purge else ""),
    )


for single in (status, logs, person, renew, env, watch, findings):
    command.add_command(single)


@command.group()
def chaincode() -> None:
    """The contract on the channel."""


@chaincode.command()
@json_option
@translated
@network_option
def deploy(topology: Topology, as_json: bool) -> None:
    """Deploy the installed contract; a changed contract gets the next sequence number.

    Running it again changes nothing. The network is started if it is not running.

    \b
    Examples:
      ledger-node network chaincode deploy
    """
    from network import control

    with progress_on_terminal() as progress:
        deployment = control.up(topology, progress).deployment
    verb = "deployed" if deployment.changed else "already deployed:" if deployment.committed else "not committed yet:"
    text = f"{verb} {deployment.name} {deployment.version}, sequence {deployment.sequence}\n{deployment.package_id}"
    emit(dataclasses.asdict(deployment), as_json, text)


def _emit_report(topology: Topology, report: control.UpReport, as_json: bool) -> None:
    deployment = report.deployment
    started = f"started {len(report.started)} processes" if report.started else "everything was running"
    text = f"{started}; contract {deployment.name} {deployment.version}, sequence {deployment.sequence}"
    if not deployment.committed:
        text += ", not committed on the channel yet\nNext: ledger-node contract approve"
    emit({"network": str(topology.file), **dataclasses.asdict(report)}, as_json, text)
