"""Native processes: start, stop, health, logs, and telling our own processes from strangers.

A record `run/<component>.json` holds the process id *and* its creation time, so that a reused id (after a reboot, say)
is never mistaken for ours. Each process also carries a mark in its environment: one that was started just before a
crash, and so has no record, is recognised by it. This room knows nothing of Fabric.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from network.commands import clean_environment
from network.errors import SetupError, StartError
from network.logs import bound_logs, log_path, log_size, log_tail
from network.waiting import Patience

MARK = "LEDGER_NODE_COMPONENT"
CREATED_TOLERANCE_SECONDS = 1.0  # the system's boot time, which creation times are counted from, is in whole seconds
STOP_SECONDS_MAX = 15.0
POLL_SECONDS = 0.05
CLEARED_SECONDS_MAX = 5.0
"""How long a port may be nobody's and yet taken."""
LOCK_SECONDS_MAX = 180.0
FAILURE_LINES = 8

# Popen objects of this very process are kept, or the interpreter would warn that their children still run.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Component:
    """One process of the network.

    Args:
        name: for example "supplier.peer".
        command: absolute path and arguments.
        settings: environment variables on top of the cleaned environment.
        ports: the TCP ports it must listen on; the first is its endpoint's.
        endpoint: host:port, for people.
        certificate: the certificate that it shows, for its expiry.
        healthy: asks the running process; must return quickly and not raise OSError.
        hint: what to look at when it does not start.
    """

    name: str
    command: tuple[str, ...]
    settings: Mapping[str, str]
    ports: tuple[int, ...]
    endpoint: str
    certificate: Path
    healthy: Callable[[], bool]
    hint: str

    @property
    def fingerprint(self) -> str:
        """Changes when the command or a setting does, so that a process with old settings is noticed."""
        text = json.dumps([self.command, sorted(self.settings.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Record:
    """What is written about a started process: its id, creation time (Unix seconds) and component's fingerprint."""

    pid: int
    created: float
    fingerprint: str


@contextmanager
def locked(folder: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the network's lock: one command changes processes at a time, others wait for it while it works.

    Raises: SetupError naming the process that has the lock when it stays taken and that process does nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    patience = Patience(LOCK_SECONDS_MAX)
    told = False
    with path.open("a+") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = path.read_text("utf-8").strip()
                if patience.is_over((holder, _work_of(holder))):
                    text = f"{path} stays locked by process {holder or 'unknown'}: {patience.words}"
                    raise SetupError(text, "Another command works on this network; end it.") from None
            if not told:
                waiting("waiting for another command that works on this network")
                told = True
            time.sleep(POLL_SECONDS)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def _work_of(holder: str) -> float:
    """Seconds of processor that a process and its children have used; 0 when there is none."""
    with suppress(psutil.Error, ValueError):
        process = psutil.Process(int(holder))
        return sum(map(_used_seconds, (process, *process.children(recursive=True))))
    return 0.0


def _used_seconds(process: psutil.Process) -> float:
    """Seconds of processor, also of children that have ended; in tenths, since asking costs some as well."""
    try:
        return round(sum(process.cpu_times()[:4]), 1)
    except psutil.Error:
        return 0.0


def running(folder: Path, name: str) -> psutil.Process | None:
    """The component's process when it runs, by its record."""
    record = _record(folder, name)
    if record is None:
        return None
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.created) <= CREATED_TOLERANCE_SECONDS and _alive(process)
        if not same:
            return None
        environment = process.environ()  # empty for a moment while the kernel loads a fresh program
        return process if not environment or environment.get(MARK) == mark(folder, name) else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # another user's process is none of ours
        return None


def is_current(folder: Path, component: Component) -> bool:
    """Whether the recorded process was started with the component's present command and settings."""
    record = _record(folder, component.name)
    return record is not None and record.fingerprint == component.fingerprint


def adopt_strays(folder: Path) -> None:
    """Write records for processes of ours that have none, as a crash between start and record leaves them."""
    for name, process in strays(folder).items():
        with suppress(psutil.NoSuchProcess):
            _write_record(folder, name, process, "adopted")


def strays(folder: Path) -> dict[str, psutil.Process]:
    """Processes of this network that run and have no record, by the mark that they carry."""
    found: dict[str, psutil.Process] = {}
    beginning = mark(folder, "")
    recorded = {name for name in recorded_names(folder) if running(folder, name) is not None}
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            marked = process.environ().get(MARK, "")
            name = marked.removeprefix(beginning)
            if marked.startswith(beginning) and name not in recorded and _alive(process) and _leads_session(process):
                found.setdefault(name, process)
    return found


def recorded_names(folder: Path) -> list[str]:
    """The names of all components that have a record, whether they run or not, and whether anything names them."""
    return sorted(path.stem for path in (folder / "run").glob("*.json"))


def _leads_session(process: psutil.Process) -> bool:
    """Whether it was started by `start`; what a component starts itself inherits the mark, but not this."""
    return os.getsid(process.pid) == process.pid


def mark(folder: Path, name: str) -> str:
    """What a process of this network carries in its environment."""
    return f"{folder}:{name}"


def taken_ports(component: Component, is_free: Callable[[str, int], bool]) -> str:
    """The component's ports that something else listens on, with who it is where the system tells; empty if none.

    What was killed a moment ago keeps its ports until the kernel has cleared it away, on a busy machine for a while: a
    port that nobody seems to have is waited for.
    """
    patience = Patience(CLEARED_SECONDS_MAX)
    while taken := [port for port in component.ports if not is_free("127.0.0.1", port)]:
        owners = _listeners()
        if owners.keys() >= set(taken) or patience.is_over(taken):
            who = [f"{port} (for {component.name}) by {owners.get(port, 'an unknown process')}" for port in taken]
            return ", ".join(who)
        time.sleep(POLL_SECONDS)
    return ""


def start(folder: Path, component: Component) -> None:
    """Start a component in a session of its own, with its output appended to its log."""
    log = log_path(folder, component.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    bound_logs(folder)
    environment = clean_environment(component.settings) | {MARK: mark(folder, component.name)}
    with log.open("ab") as output:
        try:
            child = subprocess.Popen(
                component.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=folder,
            )
        except OSError as error:
            raise StartError(component.name, f"{component.name} cannot be started: {error}", component.hint) from error
    _children[:] = [each for each in _children if each.poll() is None]
    _children.append(child)
    with suppress(psutil.NoSuchProcess):  # already gone: the wait for its health tells why
        _write_record(folder, component.name, psutil.Process(child.pid), component.fingerprint)


def await_healthy(folder: Path, component: Component, quiet_seconds_max: float) -> None:
    """Wait until the component listens on its ports and answers, for as long as it is seen to work on it.

    Args:
        folder: of the network.
        component: which was started.
        quiet_seconds_max: how long it may do nothing: use no processor, write no log, open no port.

    Raises: StartError with what was last seen of it when it ends or is given up.
    """
    patience = Patience(quiet_seconds_max)
    while lacking := lacks(component, process := running(folder, component.name)):
        if process is None:
            raise failure(folder, component, "ended")
        if patience.is_over((lacking, log_size(log_path(folder, component.name)), _used_seconds(process))):
            raise failure(folder, component, f"{lacking}: {patience.words}")
        time.sleep(POLL_SECONDS)


def lacks(component: Component, process: psutil.Process | None) -> str:
    """What the component, which runs as that process, lacks to be healthy, in words; empty when it is."""
    if process is None:
        return "does not run"
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:
        return "does not show its ports"
    listening = {each.laddr.port for each in connections if each.laddr and each.status == psutil.CONN_LISTEN}
    closed = sorted(set(component.ports) - listening)
    if closed:
        return f"does not listen on {', '.join(map(str, closed))}"
    return "" if component.healthy() else "listens, but does not answer that it is well"


def failure(folder: Path, component: Component, what: str) -> StartError:
    """The error for a component that failed: what happened, its last log lines, the log, a hint."""
    log = log_path(folder, component.name)
    last = "\n".join(f"    {line}" for line in log_tail(log, FAILURE_LINES)) or "    (the log is empty)"
    return StartError(component.name, f"{component.name} {what}. The end of {log}:\n{last}", component.hint)


def stop(folder: Path, names: Sequence[str]) -> list[str]:
    """Stop components together: asked first, killed when they take too long.

    Returns: the names of those that ran.
    """
    alive = {name: process for name in names if (process := running(folder, name)) is not None}
    for process in alive.values():
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in _await_end(list(alive.values())):
        with suppress(psutil.NoSuchProcess):
            process.kill()
        _await_end([process])
    for name in names:
        _record_path(folder, name).unlink(missing_ok=True)
    return list(alive)


def _await_end(waited: list[psutil.Process]) -> list[psutil.Process]:
    """Wait until processes have ended; those that have not in time. One that its parent has not reaped has ended."""
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while (left := [each for each in waited if each.is_running() and _alive(each)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        waited = left
    return left


def _alive(process: psutil.Process) -> bool:
    """Whether it still works; a dead child of this very process is reaped on the way."""
    try:
        if process.status() != psutil.STATUS_ZOMBIE:
            return True
    except psutil.NoSuchProcess:
        return False
    with suppress(psutil.TimeoutExpired):
        process.wait(timeout=0)
    return False


def _listeners() -> dict[int, str]:
    """Listening ports and who has them, as far as the system tells."""
    owners: dict[int, str] = {}
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.pid is not None:
                with suppress(psutil.Error):
                    name = psutil.Process(connection.pid).name()
                    owners[connection.laddr.port] = f"{name} (pid {connection.pid})"
    return owners


def _record_path(folder: Path, name: str) -> Path:
    return folder / "run" / f"{name}.json"


def _record(folder: Path, name: str) -> _Record | None:
    """The record as written; None when there is none, or it was cut off."""
    try:
        return _Record(**json.loads(_record_path(folder, name).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write_record(folder: Path, name: str, process: psutil.Process, fingerprint: str) -> None:
    path = _record_path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = asdict(_Record(process.pid, process.create_time(), fingerprint))
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content), "utf-8")
    fresh.replace(path)
