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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from network import definitions
from network.commands import peer_environment, run_tool
from network.definitions import Collection, Committed, Policy
from network.errors import Failure, NetworkError, SetupError
from network.tools import Progress, Tools
from network.topology import Organisation, Topology

VERSION_DIGITS = 12
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as it is deployed.

    Args:
        version: hex, the first digits of the digest of its sources.
        label: the chaincode's name with the version.
        package: the bytes to install (tar.gz).
        command: starts the process that serves it; it reads CHAINCODE_* from its environment.
        collections: the private data that its definition names.
        policy: who has to endorse what it writes; None for the channel's own policy, a majority.
    """

    version: str
    label: str
    package: bytes
    command: tuple[str, ...]
    collections: tuple[Collection, ...] = ()
    policy: Policy | None = None

    @property
    def package_id(self) -> str:
        return f"{self.label}:{hashlib.sha256(self.package).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contract on the channel; whether this call `changed` anything; the `failures` where it could not.

    Not `committed` yet is one that organisations on several hosts have to approve first, each for itself; it is the
    channel's first one when its `sequence` is 1.
    """

    name: str
    version: str
    sequence: int
    package_id: str
    changed: bool
    failures: tuple[Failure, ...] = ()
    committed: bool = True


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
        collections: the private data that the contract keeps, instead of what the topology names; other ones make
            another version, and so does another policy of the topology's.

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
    collections = collections or tuple(Collection(**each.model_dump()) for each in topology.collections)
    policy = None if topology.endorsement is None else Policy(**topology.endorsement.model_dump())
    if (package_of_collections := definitions.encode_collections(collections)) is not None:
        digest.update(package_of_collections.SerializeToString(deterministic=True))
    digest.update(definitions.encode_policy(policy))
    version = digest.hexdigest()[:VERSION_DIGITS]
    label = f"{topology.chaincode}-{version}"
    default = (sys.executable, "-m", f"{topology.contract}.main")
    return Contract(version, label, package(label, files), tuple(command) or default, collections, policy)


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


def deploy(
    topology: Topology,
    tools: Tools,
    contract: Contract,
    progress: Progress,
    organisations: Sequence[Organisation] | None = None,
) -> Deployment:
    """Install, approve and commit the contract wherever that is not done yet.

    Every peer asked knows the definition afterwards; only then may processes that serve the contract be started. Where
    others run elsewhere, only what the channel has committed already is installed and approved here: whether to approve
    another version is for people to say.

    Args:
        topology: the network.
        tools: Fabric's binaries.
        contract: what to deploy.
        progress: is given one line per step.
        organisations: those whose peers run; the default is all. One that cannot do its part is named in the answer.

    Raises: NetworkError when the peers do not answer, or the definition could not be committed.
    """
    asked = list(topology.organisations if organisations is None else organisations)
    newest, able, failed = newest_definition(topology, asked)
    same = newest is not None and newest.version == contract.version
    sequence = sequence_of(newest, contract)
    if topology.founding == "together" and not same:
        return Deployment(topology.chaincode, contract.version, sequence, contract.package_id, False, committed=False)
    able, changed = install_and_approve(topology, tools, contract, newest, able, failed)
    if not same:
        if not able:
            raise next(iter(failed.values()))
        progress(f"committing contract {contract.version} as sequence {sequence}")
        definitions.commit(topology, able, contract.version, sequence, contract.collections, contract.policy)
    failures = tuple(Failure(f"{name}.peer", error.text, error.remedy) for name, error in failed.items())
    return Deployment(
        topology.chaincode, contract.version, sequence, contract.package_id, changed or not same, failures
    )


def newest_definition(
    topology: Topology, asked: Sequence[Organisation]
) -> tuple[Committed | None, list[Organisation], dict[str, NetworkError]]:
    """The definition that the channel has, who answered, and the errors of the rest.

    Raises: NetworkError when nobody answers.
    """
    found, failed = _each(asked, lambda each: definitions.committed(topology, each))
    if not found:
        raise next(iter(failed.values()))
    # The newest counts: a peer that lost its ledger knows of none until it has caught up.
    newest = max((each for each in found.values() if each), key=lambda each: each.sequence, default=None)
    return newest, [each for each in asked if each.name in found], failed


def sequence_of(newest: Committed | None, contract: Contract) -> int:
    """What the contract has, or would have."""
    if newest is None:
        return 1
    return newest.sequence + (0 if newest.version == contract.version else 1)


def install_and_approve(
    topology: Topology,
    tools: Tools,
    contract: Contract,
    newest: Committed | None,
    able: list[Organisation],
    failed: dict[str, NetworkError],
) -> tuple[list[Organisation], bool]:
    """Both, wherever that is not done yet; who could not is added to `failed`.

    Returns: who could, and whether anything was to be done.
    """
    sequence = sequence_of(newest, contract)
    known = newest.approvals if newest and newest.version == contract.version else None
    archive = topology.data / "channel" / f"{contract.label}.tar.gz"
    archive.write_bytes(contract.package)
    installed, not_installed = _each(able, lambda each: _install(topology, tools, each, contract, archive))
    failed |= not_installed
    able = [each for each in able if each.name in installed]
    waiting = _not_approved(topology, contract, sequence, known, able)
    if waiting:
        failed |= definitions.approve(
            topology,
            waiting,
            contract.version,
            sequence,
            contract.package_id,
            contract.collections,
            contract.policy,
        )
    return [each for each in able if each.name not in failed], bool(waiting) or any(installed.values())


def _each(
    organisations: Sequence[Organisation], step: Callable[[Organisation], T]
) -> tuple[dict[str, T], dict[str, NetworkError]]:
    """Take a step for each organisation at once: what came of it, and the errors, by organisation."""
    with ThreadPoolExecutor(max(1, len(organisations))) as pool:
        futures = {each.name: pool.submit(step, each) for each in organisations}
    done: dict[str, T] = {}
    failed: dict[str, NetworkError] = {}
    for name, future in futures.items():
        try:
            done[name] = future.result()
        except NetworkError as error:
            failed[name] = error
    return done, failed


def _not_approved(
    topology: Topology,
    contract: Contract,
    sequence: int,
    known: Mapping[str, bool] | None,
    organisations: Sequence[Organisation],
) -> list[Organisation]:
    """Who of the organisations has yet to approve the contract for that sequence.

    Args:
        topology: the network.
        contract: what is deployed.
        sequence: the definition's.
        known: who has approved, where it is committed already; None asks.
        organisations: those asked about.

    Another package that was approved is noticed where the organisation's own peer still knows it.
    """
    if known is None and organisations:
        definition = contract.version, sequence, contract.collections, contract.policy
        known = definitions.approvals(topology, organisations[0], *definition)
    approvals = known or {}
    packages, _ = _each(organisations, lambda each: definitions.approved_package(topology, each, sequence))
    return [
        each
        for each in organisations
        if not approvals.get(each.msp_id) or packages.get(each.name) not in (None, contract.package_id)
    ]


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
