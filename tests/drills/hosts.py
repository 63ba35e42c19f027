"""What takes root: one machine made to look like four. A cut between organisations, a full disk, another clock.

Processes of an organisation carry a class of the kernel's `net_cls` control group, which reaches sockets that are open
already; nftables drops by it and by the ports of the others. All of it lives in name spaces of this process alone.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from drills.latency import delayed
from drills.world import World

NEW_NETWORK, NEW_MOUNTS = 0x40000000, 0x00020000  # CLONE_NEWNET, CLONE_NEWNS
CLASS = 0x100001
QUEUE = 7
QUEUE_MARKS = {"output": 0x64, "input": 0x65}  # loopback keeps a mark: what waited going out does not wait again
ADOPT_SECONDS = 0.5
SPARE_BYTES = 64 << 20
"""What a small disk has beyond its content before it is filled: write-ahead logs are laid out in advance."""
LEFT_BYTES = 64 << 10
CONTROL_GROUPS = Path(tempfile.gettempdir()) / f"drills-net-cls-{os.getpid()}"


def enter() -> None:
    """Go into a network and a mount name space of one's own, before any thread runs.

    Raises: OSError without the right to.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK | NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "name spaces of one's own take root")
    _run("mount", "--make-rprivate", "/")
    _run("ip", "link", "set", "lo", "up")
    # A peer does not start on a machine without an address besides loopback's.
    _run("ip", "link", "add", "drills0", "type", "veth", "peer", "name", "drills1")
    _run("ip", "addr", "add", "10.99.0.1/24", "dev", "drills0")
    for end in ("drills0", "drills1"):
        _run("ip", "link", "set", end, "up")
    CONTROL_GROUPS.mkdir()
    _run("mount", "-t", "cgroup", "-o", "net_cls", "none", str(CONTROL_GROUPS))


def missing() -> str:
    """The programs that are not there; empty when all are."""
    return ", ".join(name for name in ("nft", "iptables", "ip", "mount", "faketime") if shutil.which(name) is None)


def ports(world: World, name: str) -> list[int]:
    """Where an organisation's processes listen for others."""
    return [*world.topology.organisation(name).ports.model_dump().values(), world.node(name).settings.peer_port]


@contextmanager
def _classed(world: World) -> Iterator[dict[str, int]]:
    """Within, every process of an organisation, and whatever it starts, carries the organisation's class."""
    classes = {name: CLASS + number for number, name in enumerate(world.names)}
    for name, number in classes.items():
        group = CONTROL_GROUPS / name
        group.mkdir(exist_ok=True)
        (group / "net_cls.classid").write_text(str(number))
    over = threading.Event()

    def adopt() -> None:
        for name in world.names:
            for pid in world.all_pids(name):
                with suppress(OSError):  # it has ended
                    (CONTROL_GROUPS / name / "cgroup.procs").write_text(str(pid))

    def go_on() -> None:
        while not over.wait(ADOPT_SECONDS):
            adopt()

    adopt()
    adopting = threading.Thread(target=go_on)
    adopting.start()
    try:
        yield classes
    finally:
        over.set()
        adopting.join()


def cut(world: World, one: Sequence[str], other: Sequence[str]) -> Callable[[], None]:
    """Drop every packet between two groups of organisations, on open connections and new ones; what ends it."""
    return _between(world, [(one, other), (other, one)], {"output": ["drop"], "input": ["drop"]})


def far_apart(world: World, one_way_seconds: float, loss_percent: int) -> Callable[[], None]:
    """Let every packet between organisations take its time, and lose some of them.

    Args:
        world: whose processes.
        one_way_seconds: of each packet.
        loss_percent: how many of a hundred are dropped.

    Returns: what ends it.
    """
    pairs = [([name], [each for each in world.names if each != name]) for name in world.names]
    lose = f"numgen random mod 100 < {loss_percent} drop"
    marked = {hook: [lose, f"meta mark set {mark}"] for hook, mark in QUEUE_MARKS.items()}
    waiting = ExitStack()
    waiting.enter_context(delayed(QUEUE, one_way_seconds))
    for hook, mark in QUEUE_MARKS.items():
        rule = [hook.upper(), "-m", "mark", "--mark", str(mark), "-j", "NFQUEUE", "--queue-num", str(QUEUE)]
        _run("iptables", "-A", *rule, "--queue-bypass")
        waiting.callback(_run, "iptables", "-D", *rule, "--queue-bypass")
    waiting.callback(_between(world, pairs, marked))
    return waiting.close


def _between(
    world: World, pairs: Sequence[tuple[Sequence[str], Sequence[str]]], judged: Mapping[str, Sequence[str]]
) -> Callable[[], None]:
    """Let nftables judge the packets of connections that the first of a pair open to the second, both ways.

    Args:
        world: whose processes.
        pairs: who connects, to whom.
        judged: statements by hook: what goes out is judged there, what comes back at its arrival.

    Returns: what ends it.
    """
    kept = ExitStack()
    classes = kept.enter_context(_classed(world))
    rules = ["table inet drills {"]
    for hook, field in (("output", "dport"), ("input", "sport")):
        rules.append(f"chain {hook} {{ type filter hook {hook} priority -10;")
        for one, other in pairs:
            there = ", ".join(str(port) for each in other for port in ports(world, each))
            for name in one:
                of_them = f"meta cgroup {classes[name]} tcp {field} {{ {there} }}"
                rules += [f"{of_them} {statement}" for statement in judged[hook]]
        rules.append("}")
    _run("nft", "-f", "-", text="\n".join([*rules, "}"]))
    kept.callback(_run, "nft", "delete", "table", "inet", "drills")
    return kept.close


def fill(folder: Path) -> Callable[[], None]:
    """Put a folder that nobody uses at this moment on a small disk, and leave no room on it.

    Returns: what makes room again. `back_on_large_disk` ends it.
    """
    used = int(_run("du", "-sxB1", str(folder)).split()[0])
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={used + SPARE_BYTES}", "tmpfs", str(folder))
    _run("cp", "-a", f"{aside}/.", str(folder))
    shutil.rmtree(aside)
    ballast = folder / "ballast"

    def make_room() -> None:
        ballast.unlink(missing_ok=True)

    return make_room


def leave_no_room(folder: Path) -> None:
    """Take what room is left on a small disk, but for a little."""
    with (folder / "ballast").open("wb") as ballast, suppress(OSError):
        while True:
            free = os.statvfs(folder)
            left = free.f_bavail * free.f_frsize - LEFT_BYTES
            if left <= 0:
                return
            os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, left)


def back_on_large_disk(folder: Path) -> None:
    """Take a folder that nobody uses at this moment off its small disk."""
    aside = folder.with_name(f"{folder.name}.aside")
    shutil.copytree(folder, aside, symlinks=True)
    _run("umount", "--lazy", str(folder))
    folder.rmdir()
    aside.rename(folder)


def clock_settings(seconds: int) -> dict[str, str]:
    """The environment in which a program that uses the system's C library sees another time of day."""
    shown = _run("faketime", "-f", f"{seconds:+d}s", "env")
    wanted = ("LD_PRELOAD", "FAKETIME")
    found = dict(line.split("=", 1) for line in shown.splitlines() if line.startswith(wanted))
    return {name: value for name, value in found.items() if name in wanted} | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _run(*command: str, text: str | None = None) -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
