"""The life of the contract on the channel: package, install, approve, commit. Running it again changes nothing.

The package holds the contract's sources, so its id commits to them; addresses and keys are not inside (the peer's
builder adds them), so all organisations can compare one id. The version is a digest of the same sources: a changed
contract is a new version, and gets the next sequence number. Source: Fabric's chaincode lifecycle (`_lifecycle`).
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import json
import sys
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from network import definitions
from network.commands import peer_environment, run_tool
from network.definitions import Collection
from network.errors import NetworkError, SetupError
from network.tools import Progress, Tools
from network.topology import Organisation, Topology

VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as it is deployed.

    Args:
        version: hex, the first digits of the digest of its sources.
        label: the chaincode's name with the version.
        package: the bytes to install (tar.gz).
        command: starts the process that serves it; it reads CHAINCODE_* from its environment.
        collections: the private data that its definition names.
    """

    version: str
    label: str
    package: bytes
    command: tuple[str, ...]
    collections: tuple[Collection, ...] = ()

    @property
    def package_id(self) -> str:
        return f"{self.label}:{hashlib.sha256(self.package).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is committed on the channel; `changed` says whether this call did anything."""

    name: str
    version: str
    sequence: int
    package_id: str
    changed: bool


def read_contract(
    topology: Topology,
    sources: Path | None = None,
    command: Sequence[str] = (),
    collections: tuple[Collection, ...] = (),
) -> Contract:
    """Package the contract that the topology names.

    Args:
        topology: says the Python package of the contract and the chaincode's name.
        sources: another folder of Python sources to package.
        command: another command that serves the contract; the default is `python -m <package>.main`.
        collections: the private data that the contract keeps; other ones make another version.

    Raises: SetupError when the sources cannot be found.
    """
    if sources is None:
        found = importlib.util.find_spec(topology.contract)
        if found is None or found.origin is None:
            raise SetupError(f"the contract {topology.contract!r} is not installed", "Install the project anew.")
        sources = Path(found.origin).parent
    files = {
        path.relative_to(sources).as_posix(): path.read_bytes()
        for path in sorted(sources.rglob("*.py"))
        if "__pycache__" not in path.parts
    }
    if not files:
        raise SetupError(f"there are no Python sources in {sources}", "Name the folder of the contract.")
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    if (package_of_collections := definitions.encode_collections(collections)) is not None:
        digest.update(package_of_collections.SerializeToString(deterministic=True))
    version = digest.hexdigest()[:VERSION_DIGITS]
    label = f"{topology.chaincode}-{version}"
    default = (sys.executable, "-m", f"{topology.contract}.main")
    return Contract(version, label, package(label, files), tuple(command) or default, collections)


def package(label: str, files: dict[str, bytes]) -> bytes:
    """A chaincode package: metadata.json beside code.tar.gz; the same input gives the same bytes.

    Args:
        label: the package's label.
        files: the content of code.tar.gz by relative path.
    """
    metadata = json.dumps({"type": "ccaas", "label": label}, separators=(",", ":")).encode()
    return _archive({"metadata.json": metadata, "code.tar.gz": _archive(files)})


def _archive(files: dict[str, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)  # time 0, owner 0: nothing of this machine gets in
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def deploy(topology: Topology, tools: Tools, contract: Contract, progress: Progress) -> Deployment:
    """Install, approve and commit the contract wherever that is not done yet.

    Every peer knows the definition afterwards; only then may processes that serve the contract be started.

    Raises: NetworkError when an organisation's peer refuses a step.
    """
    committed = _committed(topology, tools, topology.organisations[0])
    same = committed is not None and committed[0] == contract.version
    sequence = 1 if committed is None else committed[1] + (0 if same else 1)
    archive = topology.data / "channel" / f"{contract.label}.tar.gz"
    archive.write_bytes(contract.package)

    def prepare(organisation: Organisation) -> tuple[bool, bool]:
        installed = _install(topology, tools, organisation, contract, archive)
        approved = _approved(topology, tools, organisation, sequence) == (contract.version, contract.package_id)
        return installed, approved

    with ThreadPoolExecutor(len(topology.organisations)) as pool:
        found = list(pool.map(prepare, topology.organisations))
    pairs = zip(topology.organisations, found, strict=True)
    waiting = [organisation for organisation, (_, approved) in pairs if not approved]
    if waiting:
        definitions.approve(topology, waiting, contract.version, sequence, contract.package_id, contract.collections)
    if not same:
        progress(f"committing contract {contract.version} as sequence {sequence}")
        definitions.commit(topology, contract.version, sequence, contract.collections)
    changed = bool(waiting) or not same or any(installed for installed, _ in found)
    return Deployment(topology.chaincode, contract.version, sequence, contract.package_id, changed)


def _committed(topology: Topology, tools: Tools, organisation: Organisation) -> tuple[str, int] | None:
    """Version and sequence of the committed definition, as the organisation's peer knows it."""
    command = [tools.path("peer"), "lifecycle", "chaincode", "querycommitted"]
    command += ["--channelID", topology.channel, "--output", "json"]
    what = f"asking the peer of {organisation.name} for committed contracts"
    answer = json.loads(run_tool(command, peer_environment(topology, organisation), what))
    for definition in answer.get("chaincode_definitions", []):
        if definition["name"] == topology.chaincode:
            return str(definition["version"]), int(definition["sequence"])
    return None


def _install(topology: Topology, tools: Tools, organisation: Organisation, contract: Contract, archive: Path) -> bool:
    """Install the package on the organisation's peer unless it is there."""
    environment = peer_environment(topology, organisation)
    lifecycle = [tools.path("peer"), "lifecycle", "chaincode"]
    what = f"asking the peer of {organisation.name} for installed contracts"
    answer = json.loads(run_tool([*lifecycle, "queryinstalled", "--output", "json"], environment, what))
    installed = {each["package_id"] for each in answer.get("installed_chaincodes") or []}
    if contract.package_id in installed:
        return False
    run_tool([*lifecycle, "install", str(archive)], environment, f"installing on the peer of {organisation.name}")
    return True


def _approved(topology: Topology, tools: Tools, organisation: Organisation, sequence: int) -> tuple[str, str] | None:
    """Version and package id that the organisation approved for that sequence number."""
    command = [tools.path("peer"), "lifecycle", "chaincode", "queryapproved", "--channelID", topology.channel]
    command += ["--name", topology.chaincode, "--sequence", str(sequence), "--output", "json"]
    try:
        answer = json.loads(run_tool(command, peer_environment(topology, organisation), "asking for approvals"))
    except NetworkError as error:
        if "could not fetch approved chaincode definition" in error.text:
            return None
        raise
    package_id = answer.get("source", {}).get("Type", {}).get("LocalPackage", {}).get("package_id", "")
    return str(answer["version"]), str(package_id)
