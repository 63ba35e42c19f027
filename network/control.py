"""Bringing the network up and down, as a whole and again and again: what runs is kept, what is missing is started.

Whatever point a command is killed at, the next `up` carries on from there: identities, genesis block, joins and
lifecycle steps are each skipped when done. A command that fails stops what it had started itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from network import channel, components, identities, lifecycle, processes, readiness, tools, watch
from network.errors import SetupError
from network.lifecycle import Contract, Deployment
from network.processes import Component
from network.tools import Progress, Tools
from network.topology import Topology, port_is_free

HEALTHY_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class UpReport:
    """What `up` did: the components it started, in order, and the contract as it now is on the channel."""

    started: tuple[str, ...]
    deployment: Deployment


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One line of the status table.

    Args:
        component: its name.
        endpoint: host:port.
        pid: None when it does not run.
        state: "healthy", "unhealthy" or "stopped".
        height: blocks it has; None for a chaincode process or when it does not say.
        certificate_expires: RFC 3339 in UTC; empty when there is no certificate yet.
    """

    component: str
    endpoint: str
    pid: int | None
    state: str
    height: int | None
    certificate_expires: str


def up(topology: Topology, progress: Progress, contract: Contract | None = None) -> UpReport:
    """Start what does not run, join the channel, deploy the contract; with everything in place it changes nothing.

    Args:
        topology: the network.
        progress: is given one line per step.
        contract: the contract to deploy; the default is the one the topology names.

    Raises: SetupError when nothing could be started, StartError when a component fails, NetworkError otherwise.
    """
    with processes.locked(topology.data, progress):
        binaries = tools.find_or_build(progress, topology.fabric_folder)
        deployed = contract or lifecycle.read_contract(topology)
        _prepare_files(topology, binaries)
        wanted = components.components(topology, binaries, deployed)
        contracts = [each for each in wanted if each.name.endswith(".chaincode")]
        servers = [each for each in wanted if each not in contracts]
        processes.adopt_strays(topology.data, [each.name for each in wanted])
        processes.check_ports(_not_running(topology.data, wanted), port_is_free)
        with _starting(topology.data, servers, progress) as started:
            _join_all(topology, binaries, servers)
            readiness.await_ordering(topology)
            progress("checking the contract on the channel")
            deployment = _deploy(topology, binaries, deployed, contracts, progress)
            with _starting(topology.data, contracts, progress) as also_started:
                _all_at_once(lambda each: processes.await_healthy(topology.data, each, HEALTHY_SECONDS_MAX), contracts)
                progress("waiting until every peer reaches the contract")
                readiness.await_serving(topology)
        watch.begin(topology, wanted)
        return UpReport((*started, *also_started), deployment)


def _deploy(
    topology: Topology, binaries: Tools, contract: Contract, contracts: list[Component], progress: Progress
) -> Deployment:
    """Deploy while no process of another version runs, and before one of this version does.

    A peer that meets a process of another version than it looks for waits for its registration, and commits no block
    meanwhile; one that meets none goes on in a moment.
    """
    outdated = [each.name for each in contracts if not processes.is_current(topology.data, each)]
    processes.stop(topology.data, outdated)
    return lifecycle.deploy(topology, binaries, contract, progress)


def down(topology: Topology, purge: bool = False) -> list[str]:
    """Stop every process of the network.

    Args:
        topology: the network.
        purge: also delete everything the network has written: ledgers, identities, keys, logs.

    Returns: the names of the components that ran.
    """
    with processes.locked(topology.data, _silent):
        watch.end(topology)
        stopped = _stop_all(topology, components.component_names(topology))
        if purge:
            _purge(topology.data)
        return stopped


def restart(topology: Topology, progress: Progress, names: Iterable[str] = ()) -> UpReport:
    """Stop the named components (all when none is named) and bring the network up again.

    Raises: SetupError for an unknown name, and what `up` raises.
    """
    known = components.component_names(topology)
    chosen = list(names) or known
    for name in chosen:
        check_component(topology, name)
    with processes.locked(topology.data, progress):
        _stop_all(topology, chosen)
    return up(topology, progress)


def check_component(topology: Topology, name: str) -> str:
    """The name itself when there is such a component.

    Raises: SetupError naming those there are.
    """
    known = components.component_names(topology)
    if name not in known:
        raise SetupError(f"there is no component {name!r}", f"Known are: {', '.join(known)}.")
    return name


def status(topology: Topology) -> list[ComponentStatus]:
    """Every component and how it is; asks only, changes nothing."""
    wanted = _known_components(topology)
    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(lambda component: _status(topology, component), wanted))


def _known_components(topology: Topology) -> list[Component]:
    """The components, also when the tools are not built yet."""
    folder = tools.cache_folder()
    binaries = tools.find(topology.fabric_folder) or Tools(folder, folder)
    return components.components(topology, binaries, lifecycle.read_contract(topology))


def _status(topology: Topology, component: Component) -> ComponentStatus:
    process = processes.running(topology.data, component.name)
    healthy = process is not None and processes.is_healthy(topology.data, component)
    expires = ""
    if component.certificate.exists():
        expires = identities.expiry(component.certificate).isoformat().replace("+00:00", "Z")
    return ComponentStatus(
        component=component.name,
        endpoint=component.endpoint,
        pid=None if process is None else process.pid,
        state="stopped" if process is None else "healthy" if healthy else "unhealthy",
        height=_height(topology, component) if healthy else None,
        certificate_expires=expires,
    )


def _height(topology: Topology, component: Component) -> int | None:
    name, kind = component.name.rsplit(".", 1)
    organisation = topology.organisation(name)
    if kind == "peer":
        return components.peer_height(topology, organisation)
    if kind == "orderer":
        try:
            joined = channel.participation(topology, organisation)
        except OSError:
            return None
        return None if joined is None else joined.height
    return None


def _prepare_files(topology: Topology, binaries: Tools) -> None:
    """Everything on disk that processes need before they start."""
    identities.ensure_identities(topology)
    for organisation, folders in topology.all_folders():
        components.write_chaincode_connection(organisation, folders)
    topology.fabric_configuration.mkdir(parents=True, exist_ok=True)
    for name in tools.CONFIGURATION:
        shutil.copyfile(binaries.configuration / name, topology.fabric_configuration / name)
    scripts = topology.builder / "bin"
    scripts.mkdir(parents=True, exist_ok=True)
    for script in (Path(__file__).parent / "builder" / "bin").iterdir():
        target = scripts / script.name
        shutil.copyfile(script, target)
        target.chmod(0o755)  # an installed wheel may have lost the bit
    channel.write_genesis(topology, binaries)


@contextmanager
def _starting(folder: Path, wanted: list[Component], progress: Progress) -> Iterator[list[str]]:
    """Start what is missing or has old settings; when the work inside fails, stop it again."""
    outdated = [each for each in wanted if not processes.is_current(folder, each)]
    processes.stop(folder, [each.name for each in outdated])
    missing = _not_running(folder, wanted)
    if missing:
        progress(f"starting {len(missing)} processes")
    started: list[str] = []
    try:
        for component in missing:
            started.append(component.name)
            processes.start(folder, component)
        yield started
    except BaseException:  # an interrupt from the keyboard too
        processes.stop(folder, started)
        raise


def _not_running(folder: Path, wanted: list[Component]) -> list[Component]:
    return [each for each in wanted if processes.running(folder, each.name) is None]


def _join_all(topology: Topology, binaries: Tools, wanted: list[Component]) -> None:
    """Wait until all are healthy; join each orderer and peer to the channel as soon as it is."""

    def bring(component: Component) -> None:
        processes.await_healthy(topology.data, component, HEALTHY_SECONDS_MAX)
        name, kind = component.name.rsplit(".", 1)
        organisation = topology.organisation(name)
        if kind == "orderer":
            channel.join_orderer(topology, organisation)
        elif kind == "peer":
            channel.join_peer(topology, binaries, organisation)

    _all_at_once(bring, wanted)


def _all_at_once(job: Callable[[Component], None], wanted: list[Component]) -> None:
    """Run the job on each component in threads; the first failure is raised without waiting for the rest."""
    pool = ThreadPoolExecutor(len(wanted))
    futures: list[Future[None]] = [pool.submit(job, component) for component in wanted]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _stop_all(topology: Topology, names: list[str]) -> list[str]:
    """Stop components, also those of ours that have no record."""
    processes.adopt_strays(topology.data, names)
    return processes.stop(topology.data, names)


def _purge(folder: Path) -> None:
    """Delete what the network wrote, and nothing else that may lie in the folder; the lock stays, we hold it."""
    for name in ("organisations", "channel", "fabric", "builder", "logs", "run", "watch"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _silent(_: str) -> None:
    """Progress that nobody reads."""
