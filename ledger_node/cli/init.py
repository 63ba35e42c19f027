"""`ledger-node init`: settings, keys and certificates of four organisations on this machine. It starts nothing.

What exists is kept: running it again changes nothing, and settings that say something else are never overwritten. Each
node's settings are written last, so a kill in between leaves what the next run completes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.errors import BadRequest, ConfigError

if TYPE_CHECKING:
    from ledger_node.config import Settings
    from network.topology import Organisation, Topology

USER_PORT_OFFSET, PEER_PORT_OFFSET = 8, 9  # in each organisation's block of ten; the network takes the first seven
NETWORK_FILE = "network.yaml"
KEY_FILE = "fingerprint.key"


@click.command()
@json_option
@click.option("--demo", is_flag=True, help="Four organisations on this machine: supplier, buyer, financier, carrier.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to write; the current folder when left out.",
)
@click.option("--base-port", type=click.IntRange(1024, 65496), help="First of forty ports; a free block when left out.")
@click.option(
    "--ledger", type=click.Choice(["fabric", "embedded"]), default="fabric", show_default=True, help="Which ledger."
)
def command(demo: bool, directory: Path, base_port: int | None, ledger: str, as_json: bool) -> None:
    """Write network.yaml (for Fabric) and one folder of settings, keys and certificates per organisation.

    \b
    Examples:
      ledger-node init --demo
      ledger-node init --demo --dir /srv/scf --base-port 20000
      ledger-node init --demo --ledger embedded
    """
    from network.errors import NetworkError

    if not demo:
        raise BadRequest("say what to write", "Four organisations on this machine: ledger-node init --demo")
    try:
        settings = write_demo(directory.resolve(), base_port, ledger)
    except NetworkError as error:
        raise ConfigError(error.text, error.remedy) from error
    nodes = {name: directory / "nodes" / name for name in settings}
    result = {
        "ledger": ledger,
        "network": str(directory / NETWORK_FILE) if ledger == "fabric" else None,
        "nodes": {
            name: {"directory": str(nodes[name]), "user_port": node.user_port, "peer_port": node.peer_port}
            for name, node in settings.items()
        },
    }
    emit(result, as_json, _next_steps(result))


def write_demo(directory: Path, base_port: int | None, ledger: str) -> dict[str, Settings]:
    """Write everything that four organisations need, or keep what is there.

    Args:
        directory: absolute.
        base_port: first of forty ports; None keeps those written before, or takes a free block.
        ledger: "fabric" or "embedded".

    Returns: each organisation's settings.

    Raises: ConfigError when something else is there; NetworkError.
    """
    from ledger_node.agreement import load_keys, make_key
    from ledger_node.config import save_settings
    from network.identities import ensure_identities

    topology = _topology(directory, base_port)
    settings = {
        organisation.name: node_settings(directory / "nodes" / organisation.name, topology, organisation, ledger)
        for organisation in topology.organisations
    }
    for name, wanted in settings.items():
        refuse_other(directory / "nodes" / name, wanted)
    if ledger == "fabric":
        topology.save(directory / NETWORK_FILE)
    ensure_identities(topology)
    _share_key([directory / "nodes" / name / KEY_FILE for name in settings])
    for name, wanted in settings.items():
        folder = directory / "nodes" / name
        save_settings(wanted, folder)
        if not load_keys(folder / wanted.agreement_key_file):
            make_key(folder / wanted.agreement_key_file)
    return settings


def _topology(directory: Path, base_port: int | None) -> Topology:
    """The network as written before, else a fresh one."""
    from network.topology import Topology, demo_topology

    path = directory / NETWORK_FILE
    before = _base_port_before(directory)
    if None not in (base_port, before) and base_port != before:
        text = f"{directory} was set up with the base port {before}, not {base_port}"
        raise ConfigError(text, "Leave --base-port out, or name another folder with --dir.")
    if path.exists():
        return Topology.load(path)
    return demo_topology(directory, base_port or before)


def _base_port_before(directory: Path) -> int | None:
    from ledger_node.config import FILE_NAME, load_settings
    from network.topology import Topology, demo_topology

    if (directory / NETWORK_FILE).exists():
        return Topology.load(directory / NETWORK_FILE).organisations[0].ports.orderer
    for folder in sorted((directory / "nodes").glob(f"*/{FILE_NAME}")):
        settings = load_settings(folder.parent)
        names = [organisation.name for organisation in demo_topology(directory, 1024).organisations]
        if settings.organisation in names:
            return settings.user_port - USER_PORT_OFFSET - 10 * names.index(settings.organisation)
    return None


def node_settings(home: Path, topology: Topology, organisation: Organisation, ledger: str) -> Settings:
    """The settings of an organisation's node, with its own keys and everybody's TLS root.

    Args:
        home: the node's folder, absolute.
        topology: the network, which says where keys and roots are.
        organisation: whose node.
        ledger: "fabric", or "embedded": then the database that it shares lies two folders above its own.
    """
    from ledger_node.config import Settings

    folders = topology.folders(organisation.name)
    roots = {member.msp_id: topology.folders(member.name).tls_ca for member in topology.organisations}
    roots |= {other.msp_id: topology.root_of(other) for other in topology.others}

    def near(path: Path) -> Path:
        return Path(os.path.relpath(path, home))

    content: dict[str, Any] = {
        "organisation": organisation.name,
        "msp_id": organisation.msp_id,
        "user_port": organisation.ports.orderer + USER_PORT_OFFSET,
        "peer_port": organisation.ports.orderer + PEER_PORT_OFFSET,
        "ledger": ledger,
        "fingerprint_key_file": KEY_FILE,
        "tls": {
            "certificate": near(folders.node_tls.certificate),
            "private_key": near(folders.node_tls.key),
            "roots": {msp_id: near(root) for msp_id, root in roots.items()},
        },
    }
    if ledger == "embedded":
        own = near(folders.user.certificate)
        return Settings(**content, certificate=own, embedded_database=near(home.parent.parent / "ledger.db"))
    content["fabric"] = {
        "peer_endpoint": organisation.peer_endpoint,
        "tls_root": near(folders.tls_ca),
        "certificate": near(folders.user.certificate),
        "private_key": near(folders.user.key),
        "channel": topology.channel,
        "chaincode": topology.chaincode,
    }
    return Settings(**content)


def refuse_other(folder: Path, wanted: Settings) -> None:
    """Settings that a person changed, or of another ledger, stay."""
    from ledger_node.config import FILE_NAME, load_settings

    if not (folder / FILE_NAME).exists():
        return
    written = load_settings(folder).model_dump(mode="json")
    differing = sorted(name for name, value in wanted.model_dump(mode="json").items() if written[name] != value)
    if differing:
        text = f"{folder / FILE_NAME} exists and says something else about {', '.join(differing)}"
        raise ConfigError(text, "Keep it, or name another folder with --dir.")


def _share_key(paths: list[Path]) -> None:
    """One key for all: made once, copied to whoever has none."""

    from ledger_node.formats import fingerprints

    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    having = [path for path in paths if path.exists()]
    key = fingerprints.load_key(having[0]) if having else fingerprints.create_key(paths[0])
    for path in paths:
        if not path.exists():
            fingerprints.save_key(path, key)
        elif fingerprints.load_key(path) != key:
            text = f"{path} and {having[0]} are different keys: no duplicate would be found between them"
            raise ConfigError(text, "Copy the one that the ledger's fingerprints were made with to the other nodes.")


def _next_steps(result: dict[str, Any]) -> str:
    lines = [f"Written for the {result['ledger']} ledger:"]
    if result["network"]:
        lines.append(f"  {result['network']}")
    for node in result["nodes"].values():
        lines.append(f"  {node['directory']}: API on port {node['user_port']}, peer door on port {node['peer_port']}")
    lines.append("Next:")
    if result["network"]:
        lines.append(f"  ledger-node network up --network {result['network']}")
    first = next(iter(result["nodes"].values()))["directory"]
    lines.append(f"  ledger-node token create --node {first} --role operator")
    lines.append(f"  ledger-node node serve --node {first}      (and so for the others)")
    return "\n".join(lines)
