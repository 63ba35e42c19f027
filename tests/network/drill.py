"""Breaks the orderers of a running network again and again, and measures how long until the next commit.

    make drill DRILL="--faults 120 --leader-kills 100 --seed 1"

A stream of transactions runs meanwhile, through all organisations' gateways. At the end every peer must have the same
blocks, each acknowledged transaction in them once, and no transaction valid twice. The order of faults follows from the
seed. It prints a line per fault and, at the end, the figures as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consenters import FIFTH, fifth_consenter, with_fifth
from drill_load import POLL_SECONDS, Load, check
from kv_network import report, running_network

from network import components, processes, tools
from network.topology import Topology, Watch
from network.watch import findings, sight

NEXT_COMMIT_SECONDS_MAX, MEDIAN_SECONDS_MAX = 30.0, 5.0  # what the drill demands
LEVEL_SECONDS_MAX = 120.0
FREEZE_SECONDS_MAX = 60.0
CLIENTS = 4
FAULTS = ("kill leader", "kill follower", "freeze leader", "freeze follower", "kill twice", "kill during start")


@dataclass(frozen=True, slots=True)
class Played:
    """One fault: what, on which orderer, with load or idle, and how long until the next commit, in seconds."""

    fault: str
    orderer: str
    consenters: int
    busy: bool
    seconds: float


@dataclass
class Drill:
    """The network under fire.

    Args:
        topology: the network, with a fifth orderer when there is one.
        load: the stream of transactions.
        choice: draws faults and their times.
        watched: whether supervisors start again what is killed; the drill does it otherwise.
        played: the faults so far.
    """

    topology: Topology
    load: Load
    choice: random.Random
    watched: bool
    played: list[Played] = field(default_factory=list)

    def play(self, fault: str, busy: bool) -> Played:
        """One fault, until the network is whole again."""
        (self.load.flowing.set if busy else self.load.flowing.clear)()
        self.load.probe()  # it flows
        leader = self.leader()
        others = [name for name in self.names() if name != leader]
        target = leader if "leader" in fault or fault == "kill twice" else self.choice.choice(others)
        act: dict[str, Callable[[str], float]] = {
            "kill": self._kill,
            "freeze": self._freeze,
            "kill twice": self._kill_twice,
            "kill during start": self._kill_during_start,
        }
        seconds = act.get(fault, act[fault.split()[0]])(target)
        done = Played(fault, target, len(self.names()), busy, round(seconds, 2))
        self.played.append(done)
        self.await_level()
        return done

    def names(self) -> list[str]:
        """The orderers that run, or should."""
        return [f"{each.name}.orderer" for each in self.topology.organisations]

    def leader(self) -> str:
        """The orderer that most say leads."""
        series = f'consensus_smartbft_view_leader_id{{channel="{self.topology.channel}"}}'
        said = [components.metric(each.ports.orderer_operations, series) for each in self.topology.organisations]
        [(number, _)] = Counter(int(each) for each in said if each).most_common(1)
        return self.names()[number - 1]

    def _kill(self, name: str) -> float:
        self._signal(name, signal.SIGKILL)
        seconds = self.load.probe()
        self._start(name)
        return seconds

    def _freeze(self, name: str) -> float:
        """Stop for a while, then go on; the slower of the next commits after either."""
        pid = self._signal(name, signal.SIGSTOP)
        until = time.monotonic() + self.choice.uniform(1.0, FREEZE_SECONDS_MAX)
        stopped = self.load.probe()
        while time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        with contextlib.suppress(ProcessLookupError):  # a supervisor has replaced it
            os.kill(pid, signal.SIGCONT)
        return max(stopped, self.load.probe())

    def _kill_twice(self, name: str) -> float:
        self._signal(name, signal.SIGKILL)
        return self._kill_again(name, self.choice.uniform(1.0, 4.0))

    def _kill_during_start(self, name: str) -> float:
        self._signal(name, signal.SIGKILL)
        return self._kill_again(name, self.choice.uniform(0.05, 1.0))

    def _kill_again(self, name: str, after_seconds: float) -> float:
        self._start(name)
        self._await_running(name)
        time.sleep(after_seconds)
        self._signal(name, signal.SIGKILL)
        seconds = self.load.probe()
        self._start(name)
        return seconds

    def _signal(self, name: str, number: signal.Signals) -> int:
        process = processes.running(self.topology.data, name)
        assert process is not None, f"{name} does not run"
        os.kill(process.pid, number)
        if number == signal.SIGKILL:
            while processes.running(self.topology.data, name) == process:  # a supervisor may be faster than a look
                time.sleep(POLL_SECONDS)
        return process.pid

    def _start(self, name: str) -> None:
        if self.watched and name != f"{FIFTH}.orderer":
            return  # its supervisor does it
        organisation = self.topology.organisation(name.rsplit(".", 1)[0])
        folders = self.topology.folders(organisation.name)
        made = components.orderer(self.topology, tools.find_or_build(report), organisation, folders)
        processes.start(self.topology.data, made)

    def _await_running(self, name: str) -> None:
        while processes.running(self.topology.data, name) is None:
            time.sleep(POLL_SECONDS)

    def await_level(self) -> None:
        """Wait until every orderer answers, has the blocks that any has now, and is in a view that others are in."""
        deadline = time.monotonic() + LEVEL_SECONDS_MAX
        target = 0
        while True:
            seen = [sight.orderer_sight(self.topology, each) for each in self.topology.organisations]
            known = [each for each in seen if each is not None]
            target = target or max(each.height for each in known)
            views = {each.view for each in known}
            if len(known) == len(seen) and min(each.height for each in known) >= target and len(views) == 1:
                return
            assert time.monotonic() < deadline, f"not level: {seen}"
            time.sleep(POLL_SECONDS)


@contextmanager
def busy_machine(hogs: int) -> Iterator[None]:
    """As many programs that only take time from the processor."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(hogs)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


def run(topology: Topology, faults: list[str], seed: int, hogs: int = 0) -> tuple[list[Played], dict[str, int]]:
    """Play the faults: half of them with four consenters, the rest with a fifth, which has gone again for the last two.

    Args:
        topology: a running network of the key-value contract.
        faults: which, in order; two in three under load.
        seed: of every choice.
        hogs: programs that keep the machine busy meanwhile.

    Returns: what was played, and what was compared at the end.
    """
    choice = random.Random(seed)
    watched = topology.watch.enabled
    half = max(1, len(faults) // 2)
    last = min(2, len(faults) - half)
    five = with_fifth(topology, max(each.ports.chaincode for each in topology.organisations) + 4)
    with busy_machine(hogs), Load(topology, CLIENTS) as load:
        drill = Drill(topology, load, choice, watched)

        def play(part: list[str]) -> None:
            for number, fault in enumerate(part):
                done = drill.play(fault, busy=number % 3 != 2)
                report(
                    f"{len(drill.played):4} {done.fault:18} {done.orderer:20} of {done.consenters}"
                    f" {'busy' if done.busy else 'idle'} {done.seconds:6.2f} s"
                )

        play(faults[:half])
        if len(faults) > half:
            with fifth_consenter(five):
                drill.topology = five
                play(faults[half : len(faults) - last])
                drill.await_level()
            drill.topology = topology
            play(faults[len(faults) - last :])
        load.flowing.clear()
        load.probe()
    return drill.played, check(topology, load.acknowledged)


def figures(played: list[Played]) -> dict[str, Any]:
    """Times to the next commit, in seconds."""
    seconds = sorted(each.seconds for each in played)
    by_fault = {fault: [each.seconds for each in played if each.fault == fault] for fault in dict.fromkeys(FAULTS)}
    return {
        "faults": len(seconds),
        "median": statistics.median(seconds),
        "p95": seconds[int(0.95 * (len(seconds) - 1))],
        "largest": seconds[-1],
        "by_fault": {
            fault: {"count": len(times), "median": statistics.median(times), "largest": max(times)}
            for fault, times in by_fault.items()
            if times
        },
    }


def schedule(faults: int, leader_kills: int, seed: int) -> list[str]:
    """So many kills of the leader, and other faults up to the whole number, in an order that the seed gives."""
    choice = random.Random(seed)
    others = [fault for fault in FAULTS if fault != "kill leader"]
    chosen = ["kill leader"] * leader_kills + [choice.choice(others) for _ in range(faults - leader_kills)]
    choice.shuffle(chosen)
    return chosen


@contextmanager
def _home(folder: Path | None) -> Iterator[Path]:
    """The network's folder, which goes again at the end unless it was named."""
    if folder is not None:
        folder.mkdir(parents=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory() as fresh:
            yield Path(fresh)


def main() -> int:
    """Play a whole drill on a network of its own; 1 when a next commit took too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=120)
    parser.add_argument("--leader-kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--hogs", type=int, default=0, help="programs that keep the machine busy")
    parser.add_argument("--unwatched", action="store_true", help="without supervisors: shows the repair alone")
    parser.add_argument("--folder", type=Path, help="where the network lies; it is kept, with its logs and findings")
    chosen = parser.parse_args()
    report(f"seed {chosen.seed}, load of the machine {os.getloadavg()[0]:.1f}")
    supervised = Watch(enabled=not chosen.unwatched)
    with _home(chosen.folder) as folder, running_network(folder, watch=supervised) as topology:
        faults = schedule(chosen.faults, min(chosen.leader_kills, chosen.faults), chosen.seed)
        played, compared = run(topology, faults, chosen.seed, chosen.hogs)
        acted = Counter(each.reason for each in findings.read(topology.data))
    result = {"seed": chosen.seed, "watched": not chosen.unwatched, "hogs": chosen.hogs, **figures(played)}
    sys.stdout.write(json.dumps(result | {"compared": compared, "supervisors": acted}, indent=1) + "\n")
    return int(result["largest"] > NEXT_COMMIT_SECONDS_MAX or result["median"] > MEDIAN_SECONDS_MAX)


if __name__ == "__main__":
    sys.exit(main())
