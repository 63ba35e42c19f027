"""`ledger-node network watch` and `findings`: the supervisor in the foreground, and what supervisors have done."""

from __future__ import annotations

import dataclasses
import signal
from threading import Event
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import network_option, translated

if TYPE_CHECKING:
    from network.topology import Topology


@click.command()
@click.argument("organisation")
@translated
@network_option
def watch(topology: Topology, organisation: str) -> None:
    """Watch over ORGANISATION's processes: start what died, restart its orderer when ordering stands.

    `up` starts one for each organisation by itself. Run this command where another program starts what a machine runs
    (systemd, say), with `watch: {enabled: false}` in network.yaml. It obeys `up` and `down`, and ends at SIGTERM.

    \b
    Examples:
      ledger-node network watch supplier
      ledger-node network watch supplier --network /srv/scf/network.yaml
    """
    from network.watch import supervisor

    topology.organisation(organisation)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    supervisor.run(topology.data, organisation, click.echo, stopping)


@click.command()
@json_option
@translated
@network_option
def findings(topology: Topology, as_json: bool) -> None:
    """Show what supervisors started or restarted, and why; each line names the folder of its evidence.

    \b
    Examples:
      ledger-node network findings
      ledger-node network findings --json
    """
    from network.watch import findings as kept

    interventions = kept.read(topology.data)
    lines = [f"{act.at}  {act.reason:<6}  {act.text}\n    {act.folder}" for act in interventions]
    rows = [dataclasses.asdict(act) | {"folder": str(act.folder)} for act in interventions]
    emit(rows, as_json, "\n".join(lines) or "nothing had to be started or restarted")
