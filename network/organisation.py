"""One organisation on a host of its own: its part of network.yaml and its keys, and never anybody else's.

Keys that are there are kept; what says something else than was asked is refused, and nothing is written then. The
description is written first, in one step, then key by key: whenever it is killed, the same call completes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from pydantic import ValidationError

from network import identities
from network.errors import SetupError
from network.faults import described, faults
from network.folders import MspFolder, OrganisationFolders, TlsFolder
from network.topology import FORMS, Consensus, Organisation, Ports, Topology

_OTHER = "Keep it, or name another file: --network FILE. Keys are never made anew in the place of others."


def begin(
    file: Path, name: str, host: str, msp_id: str, base_port: int, channel: str, consensus: str
) -> tuple[Topology, bool]:
    """Make what is missing of an organisation.

    Args:
        file: where its network.yaml is, or will be.
        name: in commands and paths.
        host: by which others reach it.
        msp_id: on the channel.
        base_port: first of its block of ten.
        channel: the channel's name.
        consensus: "bft" or "raft".

    Returns: its network, and whether anything was made.

    Raises: SetupError when something is wrong, or something else is there.
    """
    try:
        own = Organisation(name=name, msp_id=msp_id, host=host, ports=Ports.block(base_port))
        wanted = Topology(
            channel=channel, consensus=cast(Consensus, consensus), founding="together", organisations=(own,)
        )
    except ValidationError as error:
        raise SetupError(described(faults(error, FORMS)), "See: ledger-node org init --help") from error
    is_new = not file.exists()
    if is_new and (data := file.resolve().parent / wanted.data_dir / "organisations").exists():
        text = f"there are keys in {data}, and {file} that they belong to is gone"
        raise SetupError(text, "Restore the file from a backup, or name another folder.")
    if is_new:
        wanted.save(file)
    topology = Topology.load(file)
    differing = [
        what
        for what in ("channel", "consensus", "founding", "organisations")
        if getattr(topology, what) != getattr(wanted, what)
    ]
    if differing:
        raise SetupError(f"{file} exists and says something else about {', '.join(differing)}", _OTHER)
    folders = topology.folders(name)
    before = _missing(folders)
    if topology.genesis_block.exists() and before:
        text = f"{before[0]} is missing, and the channel {channel} was joined with it"
        raise SetupError(text, "Restore it from a backup: others would not know a new one.")
    identities.ensure_organisation(own, folders)
    if lost := _missing(folders):
        raise SetupError(f"{lost[0]} is missing, and its certificate is there", "Restore it from a backup.")
    return topology, is_new or bool(before)


def _missing(folders: OrganisationFolders) -> list[Path]:
    signing = (folders.peer, folders.orderer, folders.admin, folders.user)
    pairs: list[MspFolder | TlsFolder] = [*signing, *identities.tls_folders(folders)]
    return [path for pair in pairs for path in (pair.certificate, pair.key) if not path.exists()]
