"""`ledger-node node init`: the settings of a node from the own organisation's keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.network_options import network_option, translated
from ledger_node.errors import ConfigError

if TYPE_CHECKING:
    from network.topology import Topology


@click.command()
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The node's folder; nodes/ORGANISATION beside network.yaml when left out.",
)
@json_option
@translated
@network_option
def init(directory: Path | None, topology: Topology, as_json: bool) -> None:
    """Write the settings of the own organisation's node; run it after `channel join`, which brings the others' roots.

    People reach the user port from this machine alone; other organisations' nodes reach the peer port by the
    organisation's host. What exists is kept: settings that say something else are never overwritten.

    \b
    Examples:
      ledger-node node init
      ledger-node node init --dir /srv/scf/node --network /srv/scf/network.yaml
    """
    from ledger_node.cli.init import node_settings, refuse_other
    from ledger_node.config import save_settings
    from network.cards import is_loopback

    own = topology.organisations[0]
    if len(topology.organisations) > 1:
        text = f"{topology.file} is of {len(topology.organisations)} organisations, whose nodes have folders already"
        raise ConfigError(text, "Serve one of them: ledger-node node serve --node nodes/supplier")
    if topology.founding == "together" and not topology.genesis_block.exists():
        raise ConfigError(
            "the other organisations are not known yet", "Join the channel first: ledger-node channel join"
        )
    home = (directory or topology.file.parent / "nodes" / own.name).resolve()
    settings = node_settings(home, topology, own, "fabric")
    if not is_loopback(own.host):
        settings = settings.model_copy(update={"peer_host": "0.0.0.0"})  # noqa: S104 - others' nodes have to reach it
    refuse_other(home, settings)
    save_settings(settings, home)
    peer_url = f"https://{own.host}:{settings.peer_port}"
    result = {"node": str(home), "msp_id": own.msp_id, "user_port": settings.user_port, "peer_url": peer_url}
    text = f"{home}: API on port {settings.user_port}, reached by other nodes at {peer_url}\n"
    text += "Next: ledger-node fingerprint-key create (one organisation) or take (all others)"
    emit(result, as_json, text)
