"""Bringing the network up and down, as a whole and again and again: what runs is kept, what is missing is started.

Whatever point a command is killed at, the next `up` carries on from there: identities, genesis block, joins and
lifecycle steps are each skipped when done. One bad component stops no good one: `up` brings up what it can, and says
at the end what it could not.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from network import agreement, certificates, channel, components, identities, lifecycle, processes, readiness, tools
from network.agreement import Standing
from network.certificates import Dated
from network.errors import Failure, NetworkError, SetupError, StartError, UpError
from network.lifecycle import Contract, Deployment
from network.logs import bound_logs
from network.processes import Component
from network.status import ComponentStatus, rows
from network.tools import Progress, Tools
from network.topology import Organisation, Topology, port_is_free
from network.watch import supervision as watch

HEALTHY_SECONDS_MAX = 60.0
"""How long a process that starts may do nothing at all."""
CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class UpReport:
    """What `up` did: the components it started, in order, and the contract as it now is on the channel."""

    started: tuple[str, ...]
    deployment: Deployment


def up(topology: Topology, progress: Progress, contract: Contract | None = None) -> UpReport:
    """Start what does not run, join the channel, deploy the contract; with everything in place it changes nothing.

    Args:
        topology: the network.
        progress: is given one line per step.
        contract: the contract to deploy; the default is the one the topology names.

    Raises: SetupError when nothing could be started, UpError when some components are not up, NetworkError otherwise.
    """
    with processes.locked(topology.data, progress):
        return _up(topology, progress, contract)


def approve(topology: Topology, progress: Progress) -> tuple[bool, Standing]:
    """Approve this host's contract for the own organisations, and serve it from now on if it is the channel's first.

    Returns: whether anything was to be done, and how the contract stands then.

    Raises: what `up` raises.
    """
    contract = lifecycle.read_contract(topology)
    with processes.locked(topology.data, progress):
        _check_peers(topology)
        binaries = tools.find_or_build(progress, topology.fabric_folder)
        progress(f"approving contract {contract.version}")
        changed = agreement.approve(topology, binaries, contract)
        _up(topology, progress, contract)
        return changed, agreement.standing(topology, contract)


def commit(topology: Topology, progress: Progress) -> tuple[bool, Standing]:
    """Commit this host's contract, which a majority has approved, and serve it.

    Returns: whether it was to be done, and how the contract stands then.

    Raises: NetworkError when too few have approved it; what `up` raises.
    """
    contract = lifecycle.read_contract(topology)
    with processes.locked(topology.data, progress):
        _check_peers(topology)
        progress(f"committing contract {contract.version}")
        before = agreement.commit(topology, contract)
        _up(topology, progress, contract)
        return not before.committed, agreement.standing(topology, contract)


def standing(topology: Topology) -> Standing:
    """How this host's contract stands on the channel.

    Raises: SetupError when the own peer does not run; NetworkError when it does not answer.
    """
    _check_peers(topology)
    return agreement.standing(topology, lifecycle.read_contract(topology))


def _check_peers(topology: Topology) -> None:
    names = [f"{each.name}.peer" for each in topology.organisations]
    if stopped := [name for name in names if processes.running(topology.data, name) is None]:
        raise SetupError(f"{', '.join(stopped)} does not run", "Start it: ledger-node network up")


def down(topology: Topology, purge: bool = False) -> list[str]:
    """Stop every process of the network, also those of organisations that the topology names no more.

    Args:
        topology: the network.
        purge: also delete everything the network has written: ledgers, identities, keys, logs.

    Returns: the names of the components that ran.
    """
    with processes.locked(topology.data, _silent):
        watch.end(topology)
        processes.adopt_strays(topology.data)
        known = components.component_names(topology)
        others = [name for name in processes.recorded_names(topology.data) if name not in known]
        stopped = processes.stop(topology.data, [*others, *known])
        if purge:
            _purge(topology.data)
        return stopped


def restart(topology: Topology, progress: Progress, names: Iterable[str] = (), one_by_one: bool = False) -> UpReport:
    """Stop the named components (all when none is named) and bring the network up again; nothing comes in between.

    Args:
        topology: the network.
        progress: is given one line per step.
        names: of components.
        one_by_one: each is up again before the next one is stopped.

    Raises: SetupError for an unknown name, and what `up` raises.
    """
    chosen = [check_component(topology, name) for name in names] or components.component_names(topology)
    steps = [[name] for name in chosen] if one_by_one else [chosen]
    started: list[str] = []
    with processes.locked(topology.data, progress):
        for step in steps:
            processes.adopt_strays(topology.data)
            processes.stop(topology.data, step)
            report = _up(topology, progress, None)
            started += report.started
    return UpReport(tuple(started), report.deployment)


def check_component(topology: Topology, name: str) -> str:
    """The name itself when there is such a component.

    Raises: SetupError naming those there are.
    """
    known = components.component_names(topology)
    if name not in known:
        raise SetupError(f"there is no component {name!r}", f"Known are: {', '.join(known)}.")
    return name


def status(topology: Topology) -> list[ComponentStatus]:
    """Every component and how it is; see `network.status.look` for what that says of the whole network."""
    return rows(topology)


@dataclass
class _Bringing:
    """One run of `up`: what it works on, and what it could not bring up, by component."""

    topology: Topology
    binaries: Tools
    wanted: list[Component]
    progress: Progress
    failed: dict[str, Failure]

    @property
    def servers(self) -> list[Component]:
        """Orderers and peers."""
        return [each for each in self.wanted if not each.name.endswith(".chaincode")]

    @property
    def contracts(self) -> list[Component]:
        """The processes that serve the contract."""
        return [each for each in self.wanted if each.name.endswith(".chaincode")]

    def with_peer(self) -> list[Organisation]:
        """The organisations whose peer is up."""
        return [each for each in self.topology.organisations if f"{each.name}.peer" not in self.failed]

    def fail(self, component: str, error: Exception) -> None:
        """Note what went wrong with a component; the first word counts."""
        text, remedy = (error.text, error.remedy) if isinstance(error, NetworkError) else (f"{component}: {error}", "")
        for each in self._ended(component):
            text += f"\n{each.name} ended on {each.ends:%Y-%m-%d %H:%M} UTC ({each.path})"
            remedy = certificates.renewal(each)
        self.failed.setdefault(component, Failure(component, text, remedy))

    def _ended(self, component: str) -> list[Dated]:
        """The ended certificates of the component's organisation: whatever the error says, they are a cause."""
        name = component.rpartition(".")[0]
        return certificates.ended(self.topology, name, dt.datetime.now(dt.UTC)) if name else []

    def finish(self, started: Sequence[str], deployment: Deployment | None) -> UpReport:
        """The report, when everything is up.

        Raises: UpError otherwise.
        """
        if deployment is None or self.failed:
            order = [*(each.name for each in self.wanted), CONTRACT]
            failures = sorted(self.failed.values(), key=lambda failure: order.index(failure.component))
            good = {each.name for each in self.wanted if processes.running(self.topology.data, each.name)}
            raise UpError(failures, len(good - self.failed.keys()))
        return UpReport(tuple(started), deployment)


def _up(topology: Topology, progress: Progress, contract: Contract | None) -> UpReport:
    """`up`, by whoever holds the lock."""
    bound_logs(topology.data)
    binaries = tools.find_or_build(progress, topology.fabric_folder)
    wanted_contract = contract or lifecycle.read_contract(topology)
    is_new = not topology.genesis_block.exists()
    run = _Bringing(topology, binaries, components.components(topology, binaries, wanted_contract), progress, {})
    processes.adopt_strays(topology.data)
    _check_ports(run, is_new)
    _prepare_files(topology, binaries)
    _check_certificates(run)
    with _stopped_when_interrupted(topology.data) as started:
        _bring(run, run.servers, started)
        deployment = _deploy(run, wanted_contract)
        if deployment is not None and is_served(deployment):
            _bring(run, run.contracts, started)
        if deployment is not None and deployment.committed:
            progress("waiting until every peer reaches the contract")
            _await_serving(run)
    # One of another version would be started with the sources of this one, which only runs beside it until then.
    wanted = run.wanted if deployment is None or is_served(deployment) else run.servers
    watch.begin(topology, [each for each in wanted if each.name not in run.failed])
    return run.finish(started, deployment)


def is_served(deployment: Deployment) -> bool:
    """Whether processes serve it: what the channel has, and its first contract as soon as that is to be approved."""
    return deployment.committed or deployment.sequence == 1


def _check_ports(run: _Bringing, is_new: bool) -> None:
    """A component whose port is taken cannot start; in a network that does not exist yet, nothing is begun then.

    Raises: SetupError naming every taken port and, where the system tells, the process that has it.
    """
    missing = [each for each in run.wanted if processes.running(run.topology.data, each.name) is None]
    taken = {each.name: ports for each in missing if (ports := processes.taken_ports(each, port_is_free))}
    if taken and is_new:
        remedy = "Stop that process, or change the port in network.yaml."
        raise SetupError(f"ports are taken: {', '.join(taken.values())}", remedy)
    for name, ports in taken.items():
        run.fail(name, StartError(name, f"{name} cannot listen: ports are taken: {ports}", "Stop that process."))


def _check_certificates(run: _Bringing) -> None:
    """Nobody connects to a component whose TLS certificate has ended: it is not waited for."""
    now = dt.datetime.now(dt.UTC)
    for component in run.wanted:
        name = component.name.rpartition(".")[0]
        tls = {f"{component.name}.tls", f"{name}.authority.tls"}
        try:
            gone = {each.name for each in certificates.ended(run.topology, name, now)}
        except SetupError:  # a file that is no certificate is told by whoever cannot start with it
            continue
        if gone & tls:
            run.fail(component.name, StartError(component.name, f"nobody can connect to {component.name}"))


def _bring(run: _Bringing, wanted: list[Component], started: list[str]) -> None:
    """Start what is missing or has old settings, and wait for all; what does not become healthy is stopped again.

    What shows a certificate that has ended starts anew, too: who renewed it restarts components one by one, and none of
    them would reach the others before the last.
    """
    folder = run.topology.data
    able = [each for each in wanted if each.name not in run.failed]
    outdated = (each for each in able if not processes.is_current(folder, each) or components.shows_ended(each))
    processes.stop(folder, [each.name for each in outdated])
    missing = [each for each in able if processes.running(folder, each.name) is None]
    if missing:
        run.progress(f"starting {len(missing)} processes")
    for component in missing:
        started.append(component.name)
        try:
            processes.start(folder, component)
        except (NetworkError, OSError) as error:
            run.fail(component.name, error)

    def await_one(component: Component) -> None:
        try:
            processes.await_healthy(folder, component, HEALTHY_SECONDS_MAX)
            _join(run, component)
        except (NetworkError, OSError) as error:
            run.fail(component.name, error)
            if component in missing:
                processes.stop(folder, [component.name])

    _all_at_once(await_one, [each for each in wanted if each.name not in run.failed])


def _join(run: _Bringing, component: Component) -> None:
    """Let an orderer or a peer join the channel."""
    name, kind = component.name.rsplit(".", 1)
    organisation = run.topology.organisation(name)
    if kind == "orderer":
        channel.join_orderer(run.topology, organisation)
    elif kind == "peer":
        channel.join_peer(run.topology, run.binaries, organisation)


def _deploy(run: _Bringing, contract: Contract) -> Deployment | None:
    """Deploy while no process of another version runs, and before one of this version does; None when that failed.

    A peer that meets a process of another version than it looks for waits for its registration, and commits no block
    meanwhile; one that meets none goes on in a moment. A version that is not committed yet takes no other's place.
    """
    folder = run.topology.data
    if run.topology.founding == "alone":
        processes.stop(folder, [each.name for each in run.contracts if not processes.is_current(folder, each)])
    if not run.with_peer():
        run.fail(CONTRACT, NetworkError("no peer is up, so the contract was not looked at"))
        return None
    try:
        readiness.await_ordering(run.topology)
        run.progress("checking the contract on the channel")
        deployment = lifecycle.deploy(run.topology, run.binaries, contract, run.progress, run.with_peer())
    except NetworkError as error:
        run.fail(CONTRACT, error)
        return None
    for failure in deployment.failures:
        run.failed.setdefault(failure.component, failure)
    return deployment


def _await_serving(run: _Bringing) -> None:
    """Wait until the peers that are up reach the contracts that are."""
    good = [each for each in run.with_peer() if f"{each.name}.chaincode" not in run.failed]
    for failure in readiness.unreached(run.topology, good):
        run.failed.setdefault(failure.component, failure)


def _prepare_files(topology: Topology, binaries: Tools) -> None:
    """Everything on disk that processes need before they start."""
    if topology.founding == "alone":  # otherwise `org init` has made them: lost ones are restored, never made again
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
def _stopped_when_interrupted(folder: Path) -> Iterator[list[str]]:
    """Names of what is started within; stopped again when the work is interrupted, from the keyboard say."""
    started: list[str] = []
    try:
        yield started
    except BaseException:
        processes.stop(folder, started)
        raise


def _all_at_once(job: Callable[[Component], None], wanted: list[Component]) -> None:
    """Run the job on each component in threads; an interrupt does not wait for them."""
    pool = ThreadPoolExecutor(max(1, len(wanted)))
    try:
        list(pool.map(job, wanted))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _purge(folder: Path) -> None:
    """Delete what the network wrote, and nothing else that may lie in the folder; the lock stays, we hold it."""
    for name in ("organisations", "channel", "fabric", "builder", "logs", "run", "watch"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _silent(_: str) -> None:
    """Progress that nobody reads."""
