"""`ledger-node contract`: each organisation says for itself which contract it takes part in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import network_option, progress_on_terminal, say_network, translated

if TYPE_CHECKING:
    from network.agreement import Standing
    from network.topology import Topology


@click.group()
def command() -> None:
    """The contract on the channel, by each organisation for itself: approve, status, commit.

    Which contract it is follows from the sources that are installed here: compare its package id with the others'. More
    than half of the organisations have to approve it; then any of them commits it, once for all.

    \b
    Examples:
      ledger-node contract approve
      ledger-node contract status
      ledger-node contract commit
    """


@command.command()
@json_option
@translated
@network_option
def approve(topology: Topology, as_json: bool) -> None:
    """Install this host's contract on the own peer, and approve it for the own organisation.

    The channel's first contract is served from now on; one that takes another's place is served once it is committed
    and `ledger-node network up` was run. Running it again changes nothing.

    \b
    Examples:
      ledger-node contract approve
    """
    from network import control

    say_network(topology)
    with progress_on_terminal() as progress:
        changed, standing = control.approve(topology, progress)
    verb = "approved" if changed else "approved already:"
    _emit(topology, changed, standing, f"{verb} {standing.version} for sequence {standing.sequence}", as_json)


@command.command()
@json_option
@translated
@network_option
def status(topology: Topology, as_json: bool) -> None:
    """Show which contract the channel has, which one this host has, and who has approved that.

    \b
    Examples:
      ledger-node contract status
      ledger-node contract status --json
    """
    from network import control

    standing = control.standing(topology)
    there = f"{standing.committed_version}, sequence {standing.committed_sequence}"
    _emit(topology, None, standing, f"the channel has {there if standing.committed_sequence else 'none yet'}", as_json)


@command.command()
@json_option
@translated
@network_option
def commit(topology: Topology, as_json: bool) -> None:
    """Commit the contract that more than half have approved, and serve it here; once for all organisations.

    \b
    Examples:
      ledger-node contract commit
    """
    from network import control

    say_network(topology)
    with progress_on_terminal() as progress:
        changed, standing = control.commit(topology, progress)
    verb = "committed" if changed else "committed already:"
    _emit(topology, changed, standing, f"{verb} {standing.version}, sequence {standing.sequence}", as_json)


def _emit(topology: Topology, changed: bool | None, standing: Standing, first: str, as_json: bool) -> None:
    lacking = sorted(set(standing.approvals) - set(standing.approvers))
    result: dict[str, Any] = {
        "chaincode": topology.chaincode,
        "version": standing.version,
        "package_id": standing.package_id,
        "sequence": standing.sequence,
        "committed": standing.committed,
        "committed_version": standing.committed_version,
        "committed_sequence": standing.committed_sequence,
        "approved_by": standing.approvers,
        "not_approved_by": lacking,
    }
    lines = [first, f"this host has {standing.version}: {standing.package_id}"]
    lines.append(f"approved by {', '.join(standing.approvers) or 'nobody'}; not by {', '.join(lacking) or 'nobody'}")
    if not standing.committed:
        ready = "ledger-node contract commit, by any one organisation"
        lines.append(
            f"Next: {ready if standing.is_approved else 'the others approve it: ledger-node contract approve'}"
        )
    emit(result if changed is None else result | {"changed": changed}, as_json, "\n".join(lines))
