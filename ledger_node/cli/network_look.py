"""`ledger-node network status` and `logs`: how the network is, and what its processes say."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import network_option, translated
from ledger_node.errors import BadRequest

if TYPE_CHECKING:
    from network.status import ComponentStatus, NetworkStatus
    from network.topology import Topology

FOLLOW_SECONDS = 0.2
COLUMNS = ("component", "endpoint", "pid", "state", "height", "lag", "relation", "leader", "view", "certificate until")
EXIT_CODE_UNHEALTHY = 1


@click.command()
@click.option("--certificates", is_flag=True, help="Also list every certificate and revocation list with its end.")
@json_option
@translated
@network_option
def status(topology: Topology, certificates: bool, as_json: bool) -> None:
    """Show every component, and whether the network orders; exit code 1 when anything is wrong.

    An orderer's relation is what the channel's configuration says of it; leader and view are its own word. What does
    not move for some seconds is told: blocks that are missing, transactions that wait, orderers that disagree.

    \b
    Examples:
      ledger-node network status
      ledger-node network status --certificates
      ledger-node network status --json
    """
    from network.status import look

    network = look(topology)
    result = {"network": str(topology.file), **dataclasses.asdict(network)}
    emit(result, as_json, "" if as_json else _as_text(topology, network, certificates))
    if not network.healthy:
        sys.exit(EXIT_CODE_UNHEALTHY)


@click.command()
@click.argument("component")
@click.option("-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many last lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on showing new lines until interrupted.")
@json_option
@translated
@network_option
def logs(topology: Topology, component: str, lines: int, follow: bool, as_json: bool) -> None:
    """Show the log of COMPONENT, for example supplier.peer.

    \b
    Examples:
      ledger-node network logs supplier.peer -n 20
      ledger-node network logs buyer.chaincode -f
    """
    from network import control
    from network.logs import log_path, log_size, log_tail

    if as_json and follow:
        raise BadRequest("--json and --follow do not go together", "Leave one of them out.")
    log = log_path(topology.data, control.check_component(topology, component))
    end = log_size(log)
    last = log_tail(log, lines, end)
    emit({"component": component, "path": str(log), "lines": last}, as_json, "\n".join(last))
    if follow:
        _follow(log, end)


def _as_text(topology: Topology, network: NetworkStatus, certificates: bool) -> str:
    lines = [_table(network.components)]
    if certificates:
        width = max(map(len, network.certificates), default=0)
        lines += ["", *(f"{name:{width}}  {ends[:16]}" for name, ends in network.certificates.items())]
    elif network.certificates:
        name, ends = min(network.certificates.items(), key=lambda item: item[1])
        lines += ["", f"{len(network.certificates)} certificates; the first to end is {name}, on {ends[:10]}"]
    leader = f"led by {network.leader}" if network.leader else "without a leader"
    lines.append(f"{topology.file}: {network.height if network.height is not None else 'no'} blocks, {leader}")
    lines.append("healthy" if network.healthy else f"not healthy, {len(network.findings)} findings:")
    return "\n".join([*lines, *(f"- {finding}" for finding in network.findings)])


def _table(rows: tuple[ComponentStatus, ...]) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in COLUMNS:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        cells = (
            row.component,
            row.endpoint,
            row.pid,
            row.state,
            row.height,
            row.lag,
            row.relation,
            row.leader,
            row.view,
        )
        ends = row.certificate_expires[:10]
        table.add_row(*("-" if cell is None or cell == "" else str(cell) for cell in (*cells, ends)))
    console = Console(width=200, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _follow(log: Path, position: int) -> None:
    """Print what comes after the position until the keyboard interrupts; a log begun anew is read from its start."""
    from network.logs import log_size

    while True:
        size = log_size(log)
        if size < position:
            position = 0
        if size > position:
            with log.open("rb") as source:
                source.seek(position)
                fresh = source.read()
            position += len(fresh)
            click.echo(fresh.decode("utf-8", "replace"), nl=False)
        time.sleep(FOLLOW_SECONDS)
