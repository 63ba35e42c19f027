"""`ledger-node doctor`: what this machine has and lacks. It looks only; it starts, builds and installs nothing."""

from __future__ import annotations

import ctypes
import datetime as dt
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option, node_option
from ledger_node.cli.network_options import file_option, only_network

if TYPE_CHECKING:
    from ledger_node.cli.clocks import Offset

PYTHON_OLDEST = (3, 11)
TIMEX_BYTES = 512  # more than struct timex has on any Linux
CLOCK_UNSYNCHRONISED = 5  # TIME_ERROR
DISK_BYTES_MIN = 2 * 1024**3  # building Fabric's tools once, and some days of ledger


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `state` is "ok", "absent" (fine without it) or "missing" (needed)."""

    name: str
    state: str
    detail: str
    remedy: str = ""


@click.command()
@file_option("The network's description to check.")
@node_option
@json_option
def command(network_file: Path, directory: Path, as_json: bool) -> None:
    """Say what this machine has and lacks; ends with 2 when something needed is missing.

    Clocks are compared with those of the network's orderers and peers on this machine and, from a node's folder, with
    those of the other organisations' nodes: one that is off by more than a minute is named.

    \b
    Examples:
      ledger-node doctor
      ledger-node doctor --network /srv/scf/network.yaml --node /srv/scf/nodes/supplier --json
    """
    checks = [*examine(only_network(network_file)), *_clocks(network_file, directory)]
    lines = []
    for check in checks:
        lines.append(f"{check.state:8}{check.name:14}{check.detail}")
        if check.remedy:
            lines.append(f"{'':22}{check.remedy}")
    healthy = all(check.state != "missing" for check in checks)
    emit({"healthy": healthy, "checks": [asdict(check) for check in checks]}, as_json, "\n".join(lines))
    if not healthy:
        sys.exit(2)


def examine(network_file: Path) -> Iterator[Check]:
    """Every check, in the order in which a newcomer would meet its subject."""
    yield _python()
    yield _fabric_tools()
    yield _compiler()
    yield _disk(network_file)
    yield _clock()
    yield _gpu()
    yield _rules()
    yield from _network(network_file)


def _python() -> Check:
    detail = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < PYTHON_OLDEST:
        return Check("python", "missing", detail, "Install Python 3.11 or newer.")
    return Check("python", "ok", detail)


def _fabric_tools() -> Check:
    from network import tools
    from network.errors import NetworkError

    try:
        programs = tools.find()
    except NetworkError as error:
        return Check("fabric tools", "missing", error.text, error.remedy)
    if programs is not None:
        return Check("fabric tools", "ok", f"in {programs.folder}")
    wanted = ".".join(str(part) for part in tools.go_version_wanted())
    go = shutil.which("go")
    if go is not None:
        return Check(
            "fabric tools", "ok", f"not built yet; {go} builds them (Go {wanted} or newer, else a wheel of it)"
        )
    if importlib.util.find_spec("pip") is not None:
        return Check("fabric tools", "ok", "not built yet; Go comes as a wheel and builds them")
    remedy = f"Install Go {wanted} or newer, or export LEDGER_NODE_FABRIC_BIN=/path/to/fabric/bin"
    return Check("fabric tools", "missing", "not built, and neither Go nor pip is here", remedy)


def _rules() -> Check:
    """Of the user's own folder; a node's settings may name another one."""
    from ledger_node.rules import PackError, default_folder, find_packs

    if importlib.util.find_spec("saxonche") is None:
        detail = "the extra `rules` is not installed: invoices are read, and not checked by EN 16931"
        return Check("rules", "absent", detail, "pip install 'ledger-node[rules]', then: ledger-node rules fetch")
    try:
        packs = find_packs(default_folder())
    except PackError as error:
        return Check("rules", "absent", error.text, error.remedy)
    if not packs:
        detail = "no pack is here: invoices are read, and not checked by EN 16931"
        return Check("rules", "absent", detail, "ledger-node rules fetch")
    return Check("rules", "ok", ", ".join(pack.label for pack in packs))


def _compiler() -> Check:
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if compiler is None:
        return Check("c compiler", "absent", "none: hashing uses the standard library")
    return Check("c compiler", "ok", compiler)


def _disk(network_file: Path) -> Check:
    from network import disk

    room = disk.room(network_file.absolute().parent)
    if room.free_bytes < DISK_BYTES_MIN:
        return Check("disk", "missing", str(room), f"Free at least {DISK_BYTES_MIN // 1024**3} GiB.")
    if room.is_low:
        return Check("disk", "absent", f"{room}: less than a tenth", "Make room before the ledger needs it.")
    return Check("disk", "ok", str(room))


def _clock() -> Check:
    """What the kernel says of its clock, adjtimex(2) without a change: whether something keeps it right."""
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    if state in (-1, CLOCK_UNSYNCHRONISED):
        remedy = "Run chrony or systemd-timesyncd: a peer refuses what is dated more than 15 minutes off its own clock."
        return Check("clock", "absent", f"{now}, and nothing here keeps it right", remedy)
    return Check("clock", "ok", f"{now}, kept right")


def _gpu() -> Check:
    import pynvml

    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        names = [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
        pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        names = []
    return Check("gpu", "ok", ", ".join(names)) if names else Check("gpu", "absent", "none: hashing runs on the CPU")


def _clocks(network_file: Path, directory: Path) -> Iterator[Check]:
    """How far other clocks are off; nothing when nobody tells the time."""
    from ledger_node.cli.clocks import CLOCK_SECONDS_MAX, of_components, of_nodes
    from ledger_node.config import FILE_NAME, load_settings
    from network.errors import NetworkError
    from network.topology import Topology

    offsets: list[Offset] = []
    with suppress(NetworkError):  # another check tells what is wrong with the file
        offsets += of_components(Topology.load(network_file))
    if (directory / FILE_NAME).exists():
        offsets += of_nodes(load_settings(directory))
    wrong = [each for each in offsets if abs(each.seconds) > CLOCK_SECONDS_MAX]
    if wrong:
        remedy = "Run NTP on every host: a peer takes nothing whose time is more than 15 minutes off its own clock."
        yield Check("clocks", "missing", "; ".join(map(str, wrong)), remedy)
    elif offsets:
        yield Check("clocks", "ok", f"{len(offsets)} others agree to a minute")


def _network(network_file: Path) -> Iterator[Check]:
    from network import components, processes
    from network.errors import NetworkError
    from network.topology import Topology, port_is_free

    if not network_file.exists():
        yield Check("network.yaml", "absent", f"{network_file} does not exist", "Write one: ledger-node init --demo")
        return
    try:
        topology = Topology.load(network_file)
        names = components.component_names(topology)
        stopped = {name for name in names if processes.running(topology.data, name) is None}
    except NetworkError as error:
        yield Check("network.yaml", "missing", error.text, error.remedy)
        return
    yield Check("network.yaml", "ok", f"{network_file}: {len(topology.organisations)} organisations")
    taken = [
        f"{port} ({organisation.name}.{name})"
        for organisation in topology.organisations
        for name, port in organisation.ports
        if f"{organisation.name}.{name.split('_')[0]}" in stopped and not port_is_free("127.0.0.1", port)
    ]
    if taken:
        remedy = "Stop what listens there, or change the ports in network.yaml."
        yield Check("ports", "missing", f"taken by others: {', '.join(taken)}", remedy)
    else:
        yield Check("ports", "ok", "free, or used by this network")
