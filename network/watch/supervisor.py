"""One organisation's supervisor at work: it looks once a second, starts what died, restarts its own orderer.

It acts under the network's lock and looks once more under it, so that it never works against `up`, `down` or another
supervisor of this machine; when the lock is taken it does nothing and looks again. Killed at any moment it leaves
nothing half done that its successor, or `up`, would not find: what is to run is in a file, what runs is seen.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import psutil

from network import components, logs, processes
from network.errors import SetupError, StartError
from network.topology import Organisation
from network.watch import findings, sight
from network.watch import supervision as watch
from network.watch.decision import Memory, Observation, Reason, Rules, decide, restarted
from network.watch.sight import look

POLL_SECONDS = 1.0
OTHERS_SECONDS = 10.0
TAKE_OVER_SECONDS_MAX = 5.0
STACKS_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 20.0
JITTER_SECONDS_MAX = 2.0
REVIVAL_SECONDS_MAX = 60.0
LOG_LINES = 200
TEXTS: dict[Reason, str] = {
    "stands": "it keeps transactions and orders none",
    "behind": "others have more blocks, and it fetches none",
    "view": "it is not in the others' view, or does not end a change of the view",
    "silent": "its metrics do not answer",
}


@dataclass
class Supervisor:
    """What one supervisor carries while it runs; all of it may be lost.

    Args:
        data: the network's folder.
        name: the organisation's.
        tell: is given a line for each intervention.
    """

    data: Path
    name: str
    tell: Callable[[str], None]
    memory: Memory = field(default_factory=Memory)
    jitter: float = field(default_factory=lambda: random.uniform(0.0, JITTER_SECONDS_MAX))
    others_at: float = 0.0
    revivals: dict[str, tuple[float, float]] = field(default_factory=dict)  # name: (last start, pause before the next)

    def step(self, stopping: Event) -> None:
        """Look once, and act when it has to be."""
        logs.bound_logs(self.data)
        wanted = watch.wanted(self.data)
        if wanted is None:
            self.memory = Memory()
            return
        self._revive(wanted)
        orderer = f"{self.name}.orderer"
        if orderer in wanted.components and processes.running(self.data, orderer) is not None:
            self._judge(wanted, wanted.topology.organisation(self.name), stopping)

    def _own(self, wanted: watch.Wanted) -> list[str]:
        return [name for name in wanted.components if name.rsplit(".", 1)[0] == self.name]

    def _revive(self, wanted: watch.Wanted) -> None:
        """Start what died; what dies again and again is started after a pause that doubles."""
        now = time.monotonic()
        dead = [each for each in self._own(wanted) if processes.running(self.data, each) is None]
        due = [each for each in dead if now >= sum(self.revivals.get(each, (0.0, 0.0)))]
        if not due:
            return
        with _lock_now(self.data) as free:
            again = watch.wanted(self.data) if free else None
            if again is None:
                return
            processes.adopt_strays(self.data)
            for name in due:
                if name in again.components and processes.running(self.data, name) is None:
                    self._start_dead(again.components[name], now)

    def _start_dead(self, component: processes.Component, now: float) -> None:
        last, pause = self.revivals.get(component.name, (0.0, 0.0))
        short_lived = now - last < REVIVAL_SECONDS_MAX
        self.revivals[component.name] = (now, min(max(1.0, 2 * pause), REVIVAL_SECONDS_MAX) if short_lived else 0.0)
        log = logs.log_path(self.data, component.name)
        evidence = {"log.txt": "\n".join(logs.log_tail(log, LOG_LINES))}
        self._note(component.name, "died", f"{component.name} had ended and was started again", evidence)
        try:
            processes.start(self.data, component)
        except StartError as error:
            self.tell(error.text)
        if component.name.endswith(".orderer"):
            self.memory = Memory()

    def _judge(self, wanted: watch.Wanted, organisation: Organisation, stopping: Event) -> None:
        """Decide on the own orderer."""
        rules = self._rules(wanted, organisation)
        self.memory, reason = decide(self.memory, self._look(wanted, organisation), rules)
        if reason is None:
            return
        with _lock_now(self.data) as free:
            if not free or watch.wanted(self.data) is None:
                return
            seen = look(wanted.topology, organisation, at_others=True)
            self.memory, reason = decide(self.memory, seen, rules)
            if reason is not None:
                self._restart(wanted, organisation, reason, seen)
                self._await_answer(wanted, organisation, stopping)

    def _rules(self, wanted: watch.Wanted, organisation: Organisation) -> Rules:
        topology = wanted.topology
        place, count = topology.place(organisation), len(topology.members)
        return Rules(topology.watch.stands_seconds, place, count, self.jitter)

    def _look(self, wanted: watch.Wanted, organisation: Organisation) -> Observation:
        """The others are asked when something is being waited for, and now and then."""
        at_others = self.memory.suspicious or time.monotonic() - self.others_at >= OTHERS_SECONDS
        if at_others:
            self.others_at = time.monotonic()
        return look(wanted.topology, organisation, at_others=at_others)

    def _restart(self, wanted: watch.Wanted, organisation: Organisation, reason: Reason, seen: Observation) -> None:
        """End the own orderer with its stacks as its last words, keep them, start it again."""
        component = wanted.components[f"{self.name}.orderer"]
        metrics = components.metrics(organisation.ports.orderer_operations)
        log = logs.log_path(self.data, component.name)
        before = logs.log_size(log)
        _end_with_stacks(processes.running(self.data, component.name))
        evidence = {
            "seen.json": json.dumps(dataclasses.asdict(seen), indent=2),
            "metrics.txt": metrics,
            "log.txt": "\n".join(logs.log_tail(log, LOG_LINES, before)),
            "stacks.txt": _since(log, before),
        }
        self._note(component.name, reason, f"{component.name} was restarted: {TEXTS[reason]}", evidence)
        processes.start(self.data, component)
        self.memory = restarted(self.memory, time.monotonic())
        self.jitter = random.uniform(0.0, JITTER_SECONDS_MAX)

    def _await_answer(self, wanted: watch.Wanted, organisation: Organisation, stopping: Event) -> None:
        """Keep the lock until the orderer answers: no other supervisor of this machine restarts its own meanwhile."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while sight.orderer_sight(wanted.topology, organisation) is None and time.monotonic() < deadline:
            if stopping.wait(POLL_SECONDS):
                return

    def _note(self, component: str, reason: str, text: str, evidence: dict[str, str]) -> None:
        """Keep a finding; a full disk must not keep the network from being healed."""
        try:
            kept = findings.record(self.data, component, reason, text, evidence)
            self.tell(f"{text}; evidence: {kept.folder}")
        except OSError as error:
            self.tell(f"{text}; its evidence cannot be kept: {error}")


def run(data: Path, name: str, tell: Callable[[str], None], stopping: Event) -> None:
    """Watch over an organisation until told to stop.

    Args:
        data: the network's folder.
        name: the organisation's.
        tell: is given a line for each intervention, and for each step that failed.
        stopping: is set to end it.

    Raises: SetupError when another supervisor works for the organisation, or the network is purged meanwhile.
    """
    deadline = time.monotonic() + TAKE_OVER_SECONDS_MAX
    while True:
        with watch.watching(data, name) as alone:
            if alone:
                tell(f"watching over {name}")
                _steps(Supervisor(data, name, tell), stopping)
                return
        if time.monotonic() > deadline:
            raise SetupError(
                f"{name} is watched by another process already", "One supervisor is enough; end the other."
            )
        if stopping.wait(POLL_SECONDS):
            return


def _steps(supervisor: Supervisor, stopping: Event) -> None:
    lock = watch.lock_path(supervisor.data, supervisor.name)
    ours = lock.stat().st_ino
    while not stopping.wait(POLL_SECONDS):
        if not lock.exists() or lock.stat().st_ino != ours:
            raise SetupError("the network's folder was deleted", "Start the supervisor again after: network up")
        try:
            supervisor.step(stopping)
        except (OSError, psutil.Error, SetupError) as error:  # a full disk, say: it may pass
            supervisor.tell(f"could not look or act, and will try again: {error}")


def _end_with_stacks(process: psutil.Process | None) -> None:
    """SIGQUIT lets a Go program write the stacks of all goroutines to its log and end; one that cannot is killed."""
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        os.kill(process.pid, signal.SIGQUIT)
        try:
            process.wait(STACKS_SECONDS_MAX)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STACKS_SECONDS_MAX)


def _since(log: Path, start: int) -> str:
    with log.open("rb") as source:
        source.seek(start)
        return source.read(findings.EVIDENCE_BYTES_MAX).decode("utf-8", "replace")


@contextmanager
def _lock_now(data: Path) -> Iterator[bool]:
    """Hold the network's lock when it is free; yields False when another command works on the network."""
    with (data / "lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
