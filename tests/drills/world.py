"""The network under fire: four organisations' processes, kept running as a service manager would keep them.

Fabric's processes are started again by the network's own supervisors; nodes, and supervisors that died, by the keeper
here. Who is switched off on purpose stays off until it is switched on again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ledger_node.client import Client
from ledger_node.demo.stage import NodeProcess, Stage, open_stage
from ledger_node.people.roles import Role
from network import components, control, processes
from network.errors import NetworkError
from network.status import look
from network.topology import Topology
from network.waiting import Patience
from network.watch import supervision

KEEP_SECONDS = 0.5
PATIENCE_SECONDS = 1200.0
"""How long a step of a trade tries again: longer than the longest fault."""
QUIET_SECONDS_MAX = 120.0
"""How long nothing at all may move before a network that should be whole again is given up."""
FABRIC_KINDS = ("orderer", "peer", "chaincode")
NODE_KINDS = ("node", "user API", "peer door", "workers")


@dataclass
class World:
    """Four nodes on a real network, with supervisors.

    Args:
        stage: the nodes, and clients with patience.
        topology: the network.
        off: organisations that are switched off.
        settings: environment for an organisation's node on top of the present one; another clock, say.
    """

    stage: Stage
    topology: Topology
    off: set[str] = field(default_factory=set)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    _guard: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def names(self) -> list[str]:
        """The organisations."""
        return list(self.stage.nodes)

    def node(self, name: str) -> NodeProcess:
        """An organisation's node."""
        return self.stage.nodes[name]

    def pids(self, name: str, kind: str) -> list[int]:
        """The processes of a kind: one of `FABRIC_KINDS` or `NODE_KINDS`, or "watch"; none when it is down."""
        if kind not in NODE_KINDS:
            process = processes.running(self.topology.data, f"{name}.{kind}")
            return [] if process is None else [process.pid]
        with suppress(psutil.NoSuchProcess):
            serving = self.node(name).process
            if serving is not None and serving.poll() is None:
                return self._parts(psutil.Process(serving.pid), kind)
        return []

    def _parts(self, serving: psutil.Process, kind: str) -> list[int]:
        """Of a node's children the workers alone have no child; of the two servers the user API was forked first."""
        children = serving.children()
        servers = sorted((each for each in children if each.children()), key=lambda each: each.create_time())
        chosen = {
            "node": [serving],
            "workers": [each for each in children if each not in servers],
            "user API": servers[:1],
            "peer door": servers[1:2],
        }[kind]
        return [each.pid for each in chosen]

    def children(self, pid: int) -> list[int]:
        """What a process has started, and what that has."""
        with suppress(psutil.NoSuchProcess):
            return [each.pid for each in psutil.Process(pid).children(recursive=True)]
        return []

    def all_pids(self, name: str) -> list[int]:
        """Every process of an organisation, its supervisor and its node's children included."""
        found = [pid for kind in (*FABRIC_KINDS, "watch") for pid in self.pids(name, kind)]
        for pid in self.pids(name, "node"):
            found += [pid, *self.children(pid)]
        return found

    def signal(self, name: str, kind: str, number: signal.Signals) -> list[int]:
        """Send a signal to the processes of a kind; which they were."""
        pids = self.pids(name, kind)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids

    def switch_off(self, name: str) -> None:
        """End everything of an organisation at once, as a power cut does; it stays off."""
        with self._guard:
            self.off.add(name)
            supervisor = self.pids(name, "watch")  # first, or it would start what ends
            for pid in supervisor + self.all_pids(name):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def switch_on(self, name: str) -> None:
        """The power is back: `network up` and the node, as at boot."""
        with self._guard:
            self.off.discard(name)
            self.keep()
        control.up(self.topology, lambda _: None)

    @contextmanager
    def without_node(self, name: str) -> Iterator[None]:
        """Within, the node has been killed and stays down."""
        with self._guard:
            self.node(name).kill()
            yield

    @contextmanager
    def without(self, name: str, kind: str) -> Iterator[None]:
        """Within, a Fabric process is stopped and stays so; its supervisor starts it again afterwards."""
        with processes.locked(self.topology.data, lambda _: None):
            processes.stop(self.topology.data, [f"{name}.{kind}"])
            yield

    def keep(self) -> None:
        """Start what should run and does not."""
        with self._guard:
            for name in self.names:
                process = self.node(name).process
                if name not in self.off and (process is None or process.poll() is not None):
                    self._start_node(name)
            if not self.off and not all(
                supervision.is_watched(self.topology.data, each) for each in self.topology.organisations
            ):
                with suppress(NetworkError), processes.locked(self.topology.data, lambda _: None):
                    self._watch_again()

    def _watch_again(self) -> None:
        wanted = supervision.wanted(self.topology.data)
        if wanted is not None:
            supervision.begin(self.topology, wanted.components.values())

    def _start_node(self, name: str) -> None:
        node = self.node(name)
        command = [sys.executable, "-m", "ledger_node", "node", "serve", "--node", str(node.directory)]
        environment = os.environ | self.settings.get(name, {})
        with node.log.open("ab") as log:
            node.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Within, the keeper works."""

        def run() -> None:
            while not self._over.wait(KEEP_SECONDS):
                self.keep()

        keeper = threading.Thread(target=run)
        keeper.start()
        try:
            yield
        finally:
            self._over.set()
            keeper.join()

    def await_whole(self) -> str:
        """Wait until every node is ready and the network's status finds nothing, for as long as anything moves.

        Returns: what was missing last; empty when it was whole at the first look.

        Raises: AssertionError with what is missing.
        """
        patience, missing = Patience(QUIET_SECONDS_MAX), ""
        while True:
            lacking = [f"{name}: {unready}" for name in self.names if (unready := self._unready(name))]
            found = look(self.topology)
            if found.healthy and not lacking:
                return missing
            missing = "; ".join([*lacking, *found.findings])
            assert not patience.is_over((missing, found.components)), f"{patience.words}: {missing}"

    def _unready(self, name: str) -> str:
        with Client(self.node(name).url, patience_seconds=0.1) as client:
            return client.unready()


@contextmanager
def open_world(directory: Path) -> Iterator[World]:
    """A running network with four nodes; everything is stopped afterwards."""
    with open_stage(directory, "fabric", keep=False, progress=lambda _: None) as stage:
        for name, node in stage.nodes.items():
            for role in Role:
                stage.clients[name, str(role)] = Client(
                    node.url, node.tokens[str(role)], patience_seconds=PATIENCE_SECONDS
                )
        world = World(stage, Topology.load(directory / "network.yaml"))
        assert len(components.component_names(world.topology)) == len(FABRIC_KINDS) * len(world.names)
        with world.kept():
            yield world
