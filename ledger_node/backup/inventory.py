"""What is precious: of a node, and of the organisations of a network whose files are on this machine.

Precious is what nobody else could give back: keys and certificates, settings, the state database (commands that were
not sent yet, salts, texts, persons, tokens), the vault. What others have is left out: blocks, the read model, state
databases of peers, programs. Ledgers of peers and orderers are taken only when told, and only of ones that are stopped:

- A *peer* that goes on from an old copy fetches the blocks since. Its copy is worth taking for private data that no
  other organisation was given.
- An *orderer* must never go on from an old copy alone. Its write-ahead log is what keeps it from signing another block
  at a height for which it has signed one (SmartBFT restores from that log the proposal it voted for); an old log knows
  nothing of the votes since. So an orderer's ledger is taken only of a whole network, with all orderers stopped, since
  only then nobody is ahead of it.

This room finds; it copies nothing.
Source: SmartBFT v1.0.1, internal/bft/state.go (PersistedState) and view.go; docs/how-to/back-up-and-restore.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ledger_node.config import FILE_NAME, SQLITE_PREFIX, Settings, is_sqlite
from ledger_node.errors import ConfigError
from network import processes
from network.folders import MspFolder, OrganisationFolders
from network.topology import Topology

DATA = "data"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What goes into one backup; all paths absolute.

    `files` are copied as they are, `databases` are SQLite ones that may be written to meanwhile, `vault` is read as a
    vault, `ledgers` are folders that nobody writes to. `last` is one of the files: without it nothing can be started.
    """

    kind: Literal["node", "network"]
    organisations: tuple[str, ...]
    files: tuple[Path, ...]
    last: Path
    databases: tuple[Path, ...] = ()
    vault: Path | None = None
    ledgers: tuple[Path, ...] = ()

    @property
    def base(self) -> Path:
        """The folder that all of it is below."""
        vault = () if self.vault is None else (self.vault,)
        return Path(os.path.commonpath([*(each.parent for each in self.files), *self.databases, *vault, *self.ledgers]))


def of_node(settings: Settings, *, vault: bool = True, database_apart: bool = False) -> Inventory:
    """What is precious of a node.

    Args:
        settings: of the node.
        vault: whether its documents are taken.
        database_apart: the state database is on a server and backed up by the server's own tools.

    Raises: ConfigError when the database is on a server and that was not said, or a key or certificate is missing.
    """
    url = settings.database_url(settings.state_database)
    if not is_sqlite(url) and not database_apart:
        remedy = "Dump it first, by pg_dump say, then say so: --database-apart. Keep both together."
        raise ConfigError("the state database is on a server, and no part of this backup", remedy)
    named = {
        "fingerprint_key_file": settings.fingerprint_key_file,
        "tls.certificate": settings.tls.certificate,
        "tls.private_key": settings.tls.private_key,
        **{f"tls.roots.{msp_id}": path for msp_id, path in settings.tls.roots.items()},
    }
    if settings.certificate is not None:
        named["certificate"] = settings.certificate
    if settings.fabric is not None:
        named |= {
            f"fabric.{name}": getattr(settings.fabric, name) for name in ("tls_root", "certificate", "private_key")
        }
    files = {name: _plain(settings.at(path)) for name, path in named.items()}
    database = _plain(Path(url.removeprefix(SQLITE_PREFIX))) if is_sqlite(url) else None
    for name, path in {**files, **({} if database is None else {"state_database": database})}.items():
        if not path.is_file():
            raise ConfigError(
                f"{path} does not exist, which node.toml names as {name}",
                "Mend node.toml, or the file; a node makes its database when it starts.",
            )
    signing = files["fabric.certificate"] if settings.fabric is not None else files["certificate"]
    authority = MspFolder(signing.parent.parent).ca
    # A node in which nobody has acted has no audit log, one that has certified nothing no key for it, and so on.
    made_late = (settings.audit_file, settings.evidence_key_file, settings.agreement_key_file)
    there = [each for each in (authority, *(_plain(settings.at(path)) for path in made_late)) if each.is_file()]
    last = settings.directory / FILE_NAME
    return Inventory(
        kind="node",
        organisations=(settings.organisation,),
        files=_each_once([*files.values(), *there, last]),
        last=last,
        databases=() if database is None else (database,),
        vault=_plain(settings.at(settings.vault_dir)) if vault else None,
    )


def of_network(topology: Topology, names: Sequence[str] = (), *, ledgers: bool = False) -> Inventory:
    """What is precious of a network: keys and certificates of organisations, its description, its genesis block.

    Args:
        topology: the network.
        names: of the organisations; all when none is named.
        ledgers: also of the chosen organisations' peers, and of orderers when no organisation is left out.

    Raises: SetupError for an unknown name; ConfigError when a component whose ledger is taken runs, or a key is
        missing.
    """
    chosen = tuple(dict.fromkeys(topology.organisation(name).name for name in names))
    chosen = chosen or tuple(each.name for each in topology.organisations)
    public = (topology.genesis_block, *(topology.root_of(each) for each in topology.others))
    files: list[Path] = [each for each in public if each.exists()]
    for organisation, folders in topology.all_folders():
        if organisation.name not in chosen:
            files += _files(folders.msp.path)  # public: others' roots
            continue
        for key in (folders.user.key, folders.peer.key, folders.orderer.key):
            if not key.is_file():
                text = f"{key} does not exist: there is nothing of {organisation.name} to keep here"
                raise ConfigError(text, "Name the organisations whose keys this machine has.")
        files += [each for each in _files(folders.root) if folders.root / DATA not in each.parents]
    return Inventory(
        kind="network",
        organisations=chosen,
        files=_each_once([*files, topology.file]),
        last=topology.file,
        ledgers=_ledgers(topology, chosen) if ledgers else (),
    )


def _ledgers(topology: Topology, chosen: Sequence[str]) -> tuple[Path, ...]:
    kinds = ("peer", "orderer") if len(chosen) == len(topology.members) else ("peer",)
    names = [f"{name}.{kind}" for name in chosen for kind in kinds]
    running = [name for name in names if processes.running(topology.data, name) is not None]
    if running:
        text = f"the ledger of what runs cannot be copied: {', '.join(running)}"
        raise ConfigError(text, "Stop the network first (ledger-node network down), or leave out --ledgers.")
    parts = [topology.folders(name) for name in chosen]
    return tuple(folder for each in parts for folder in _data(each, kinds) if folder.is_dir())


def _data(folders: OrganisationFolders, kinds: Sequence[str]) -> list[Path]:
    return [folders.peer_data, *([folders.orderer_data] if "orderer" in kinds else [])]


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, but for halves that a kill left."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".new")


def _each_once(paths: Sequence[Path]) -> tuple[Path, ...]:
    """In the order of first mention, without what stands twice."""
    return tuple(dict.fromkeys(map(_plain, paths)))


def _plain(path: Path) -> Path:
    """Absolute and without `..`; links are left as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100
