"""How the network is, in truth: each component, and whether ordering goes on. It asks and changes nothing.

A process that answers is not yet well: an orderer may follow in silence or hang in a change of the leader, a peer may
have lost its channel or stand still. What is not settled at the first look (blocks missing, transactions waiting,
orderers that disagree about their leader or want another) is looked at again for some seconds; what has not moved by
then stands.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil

from network import certificates, components, disk, lifecycle, orderers, processes, tools
from network.errors import NetworkError
from network.orderers import CONSENTER, FOLLOWER, OTHER_CERTIFICATE, REMOVED, Consenter, OrdererSight
from network.processes import Component
from network.tools import Tools
from network.topology import Topology

SETTLE_SECONDS_MAX = 6.0
"""A leader that is gone is replaced within four seconds; what stands longer is told."""
POLL_SECONDS = 0.3
LAG_BLOCKS_MAX = 20
WORDS = {
    FOLLOWER: "is a follower: it orders nothing",
    REMOVED: "was removed from the channel's consenters and does not know it",
    OTHER_CERTIFICATE: "shows another certificate than the channel's configuration holds: it orders nothing",
}


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One line of the status table.

    Args:
        component: its name.
        endpoint: host:port; empty for one that the topology does not name.
        pid: None when it does not run.
        state: "healthy", "stopped", "unhealthy", "no channel", "lagging", "expired" (a certificate), "orphan" (it runs,
            and the topology does not name it), or an orderer's relation when that is not consenter.
        detail: what is wrong, in words; empty when healthy.
        height: blocks it has; None for a chaincode process or when it does not say.
        lag: how many blocks others have more; None as above.
        relation: of an orderer to the channel, by the channel's configuration; None for others.
        leader: the organisation that an orderer takes for the leader; None for others, or when it does not say.
        view: of an orderer with BFT; None for others.
        certificate_expires: of the certificate that it shows, RFC 3339 in UTC; empty when there is none yet.
    """

    component: str
    endpoint: str
    pid: int | None
    state: str
    detail: str
    height: int | None
    lag: int | None
    relation: str | None
    leader: str | None
    view: int | None
    certificate_expires: str


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """The whole network at one moment.

    Args:
        healthy: whether nothing was found.
        leader: the organisation whose orderer leads, when the consenters agree; None otherwise.
        height: blocks of the longest chain seen; None when nobody says.
        components: one line each.
        findings: what is wrong, in words.
        certificates: by name, when each ends, RFC 3339 in UTC.
        disk_free_bytes: where the network's data is.
        disk_total_bytes: the same disk.
    """

    healthy: bool
    leader: str | None
    height: int | None
    components: tuple[ComponentStatus, ...]
    findings: tuple[str, ...]
    certificates: dict[str, str]
    disk_free_bytes: int
    disk_total_bytes: int


@dataclass(frozen=True, slots=True)
class _Sight:
    """A component at one moment: its process, what it lacks, its height, and what it says as an orderer."""

    pid: int | None
    lacking: str
    height: int | None
    orderer: OrdererSight | None


@dataclass(frozen=True, slots=True)
class _Look:
    """All components, in order, at one moment; `whole` is whether those are all of the channel."""

    at: float
    sights: dict[str, _Sight]
    whole: bool = True

    @property
    def height(self) -> int | None:
        return max((each.height for each in self.sights.values() if each.height is not None), default=None)

    def consenting(self) -> dict[str, OrdererSight]:
        """The orderers that answer and take themselves for consenters, by component."""
        asked = {name: each.orderer for name, each in self.sights.items() if each.orderer and not each.lacking}
        return {name: each for name, each in asked.items() if each.relation == CONSENTER}

    def waiting(self) -> dict[str, int]:
        """Who knows of how many transactions that are in no block yet."""
        return {name: each.waiting for name, each in self.consenting().items() if each.waiting}

    def deserters(self) -> list[str]:
        """Who asks for another leader, when so many do that they cannot all be the faulty ones."""
        found = self.consenting()
        wishing = [name for name, each in found.items() if each.wishes]
        return wishing if len(wishing) > (len(found) - 1) // 3 else []

    def agrees(self) -> bool:
        """Whether the consenters name one leader, and that one says so itself where it is one of those seen here."""
        found = self.consenting().values()
        one = len({(each.leader, each.view) for each in found}) <= 1
        leading = sum(each.leads for each in found)
        return one and (not found or leading == 1 or (not self.whole and leading == 0))

    def is_settled(self) -> bool:
        heights = {each.height for each in self.sights.values() if each.height is not None}
        return len(heights) <= 1 and not self.waiting() and not self.deserters() and self.agrees()


def rows(topology: Topology) -> list[ComponentStatus]:
    """Every component and how it is."""
    return list(look(topology).components)


def look(topology: Topology) -> NetworkStatus:
    """Look at the whole network, for some seconds where it is not settled."""
    wanted = _known_components(topology)
    strays = processes.strays(topology.data)
    known = _known_consenters(topology, wanted, strays)
    first = last = _look_at(topology, wanted, strays, known)
    while not last.is_settled() and last.at - first.at < SETTLE_SECONDS_MAX:
        time.sleep(POLL_SECONDS)
        last = _look_at(topology, wanted, strays, known)
    found = [*(_row(topology, each, first, last, known) for each in wanted), *_orphans(topology, strays)]
    certified, dated = _certified(topology)
    room = disk.room(topology.data)
    findings = [f"{row.component} {row.detail}" for row in found if row.detail]
    findings += [*_standing(topology, first, last, known), *certified, *([f"only {room}"] if room.is_low else [])]
    return NetworkStatus(
        healthy=not findings,
        leader=_leader(topology, last, known) if last.agrees() else None,
        height=last.height,
        components=tuple(found),
        findings=tuple(findings),
        certificates=dated,
        disk_free_bytes=room.free_bytes,
        disk_total_bytes=room.total_bytes,
    )


def _known_components(topology: Topology) -> list[Component]:
    """The components, also when the tools are not built yet."""
    folder = tools.cache_folder()
    binaries = tools.find(topology.fabric_folder) or Tools(folder, folder)
    return components.components(topology, binaries, lifecycle.read_contract(topology))


def _known_consenters(
    topology: Topology, wanted: Sequence[Component], strays: dict[str, psutil.Process]
) -> tuple[Consenter, ...]:
    """Who orders, by what the peers say that answer."""
    peers = [each for each in wanted if each.name.endswith(".peer")]
    lacking = {each.name: processes.lacks(each, _process(topology, each, strays)) for each in peers}
    with_peer = [each for each in topology.organisations if not lacking[f"{each.name}.peer"]]
    return orderers.consenters(topology, with_peer) if with_peer else ()


def _process(topology: Topology, component: Component, strays: dict[str, psutil.Process]) -> psutil.Process | None:
    return processes.running(topology.data, component.name) or strays.get(component.name)


def _look_at(
    topology: Topology, wanted: Sequence[Component], strays: dict[str, psutil.Process], known: Sequence[Consenter]
) -> _Look:
    at = time.monotonic()
    with ThreadPoolExecutor(len(wanted)) as pool:
        sights = pool.map(lambda each: _sight(topology, each, _process(topology, each, strays), known), wanted)
        seen = {each.name: sight for each, sight in zip(wanted, sights, strict=True)}
        return _Look(at, seen, whole=not topology.others)


def _sight(
    topology: Topology, component: Component, process: psutil.Process | None, known: Sequence[Consenter]
) -> _Sight:
    lacking = processes.lacks(component, process)
    name, kind = component.name.rsplit(".", 1)
    organisation = topology.organisation(name)
    pid = None if process is None else process.pid
    if lacking or kind == "chaincode":
        return _Sight(pid, lacking, None, None)
    if kind == "peer":
        return _Sight(pid, lacking, components.peer_height(topology, organisation), None)
    said = orderers.sight(topology, organisation, known)
    return _Sight(pid, lacking, said.height, said)


def _row(
    topology: Topology, component: Component, first: _Look, last: _Look, known: Sequence[Consenter]
) -> ComponentStatus:
    sight, said = last.sights[component.name], last.sights[component.name].orderer
    organisation = topology.organisation(component.name.rsplit(".", 1)[0])
    lag = None if sight.height is None or last.height is None else last.height - sight.height
    relation = None if said is None else orderers.relation(topology, organisation, known, said.relation)
    ends = certificates.expiry(component.certificate) if component.certificate.exists() else None
    moved = sight.height != first.sights[component.name].height
    state, detail = "healthy", ""
    if sight.lacking:
        state, detail = ("stopped" if sight.pid is None else "unhealthy"), sight.lacking
    elif ends is not None and ends <= dt.datetime.now(dt.UTC):
        state, detail = "expired", f"shows a certificate that ended on {ends:%Y-%m-%d %H:%M} UTC"
    elif not component.name.endswith(".chaincode") and sight.height is None:
        state, detail = "no channel", f"runs without the channel {topology.channel}"
    elif relation in WORDS:
        state, detail = str(relation), WORDS[relation]
    elif lag and (lag > LAG_BLOCKS_MAX or (not moved and last.at - first.at >= SETTLE_SECONDS_MAX)):
        state, detail = "lagging", f"lacks {lag} of {last.height} blocks"
    return ComponentStatus(
        component=component.name,
        endpoint=component.endpoint,
        pid=sight.pid,
        state=state,
        detail=detail,
        height=sight.height,
        lag=lag,
        relation=relation,
        leader=None if said is None else _followed(topology, organisation.name, said, known),
        view=None if said is None else said.view,
        certificate_expires="" if ends is None else _rfc3339(ends),
    )


def _followed(topology: Topology, own: str, said: OrdererSight, known: Sequence[Consenter]) -> str | None:
    """Whom an orderer takes for the leader."""
    return own if said.leads else orderers.leader_name(topology, known, said.leader)


def _leader(topology: Topology, last: _Look, known: Sequence[Consenter]) -> str | None:
    followed = (_followed(topology, name.rsplit(".", 1)[0], each, known) for name, each in last.consenting().items())
    return next(filter(None, followed), None)  # with Raft only the leader itself says who leads


def _orphans(topology: Topology, strays: dict[str, psutil.Process]) -> list[ComponentStatus]:
    """What runs in this network's folder for an organisation that the topology does not name."""
    organisations = {each.name for each in topology.organisations}
    recorded = {name: processes.running(topology.data, name) for name in processes.recorded_names(topology.data)}
    found = (strays | recorded).items()
    running = {name: each for name, each in found if each and name.rpartition(".")[0] not in organisations}
    detail = "runs, but network.yaml does not name it: ledger-node network down stops it too"
    nothing: dict[str, Any] = dict.fromkeys(("height", "lag", "relation", "leader", "view"))
    return [
        ComponentStatus(name, "", running[name].pid, state="orphan", detail=detail, certificate_expires="", **nothing)
        for name in sorted(running)
    ]


def _standing(topology: Topology, first: _Look, last: _Look, known: Sequence[Consenter]) -> list[str]:
    """Whether ordering stands, as far as some seconds show it."""
    if last.is_settled() or last.at - first.at < SETTLE_SECONDS_MAX:
        return []
    findings = []
    seconds = last.at - first.at
    if first.waiting() and last.waiting() and first.height == last.height:
        where = ", ".join(f"{count} at {name}" for name, count in last.waiting().items())
        findings.append(f"ordering stands: transactions wait ({where}) and no block came for {seconds:.0f} s")
    if first.deserters() and last.deserters() and first.height == last.height:
        who = ", ".join(last.deserters())
        findings.append(f"ordering stands: {who} ask for another leader and do not get one; too few reach each other")
    if not last.agrees():
        said = ", ".join(
            f"{name} follows {_followed(topology, name.rsplit('.', 1)[0], each, known) or 'nobody known'}"
            + (f" in view {each.view}" if each.view is not None else "")
            for name, each in last.consenting().items()
        )
        findings.append(f"the orderers have no leader that all of them follow: {said}")
    return findings


def _certified(topology: Topology) -> tuple[list[str], dict[str, str]]:
    """What is wrong with certificates, or will be soon, and when each of them ends."""
    try:
        found = certificates.dated(topology)
    except NetworkError as error:
        return [error.text], {}
    now = dt.datetime.now(dt.UTC)
    findings = []
    for each in found:
        days = each.days_left(now)
        if days < certificates.DAYS_WARNED:
            when = "ended" if each.ends <= now else f"ends in {days} days,"
            findings.append(f"{each.name} {when} on {each.ends:%Y-%m-%d} ({each.path}). {certificates.renewal(each)}")
    for organisation, folders in topology.all_folders():
        for name, path, fault in certificates.unfit_files(folders):
            findings.append(f"{organisation.name}.{name} cannot be used ({path}): {fault}")
    return findings, {each.name: _rfc3339(each.ends) for each in found}


def _rfc3339(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
