"""The stage: a folder with a network (or the embedded ledger) and four running nodes, and their orderly end."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

import psutil

from ledger_node.agreement import load_keys
from ledger_node.client import JSON, Client, StillOpen
from ledger_node.config import Settings, load_settings, save_settings
from ledger_node.demo import hash_service
from ledger_node.errors import ConfigError, NodeError
from ledger_node.node import open_node
from ledger_node.people.logins import LOGIN_ROLES
from ledger_node.people.roles import Role
from ledger_node.serve import serving_pid
from network.ports import held_base_port
from network.waiting import Patience

ORGANISATIONS = ("supplier", "buyer", "financier", "carrier")
READY_SECONDS_MAX = 60
LINK_HOURS = 24
QUIET_SECONDS_MAX = 120  # without any movement; a busy machine is slow, and nothing is broken
POLL_SECONDS = 0.05
STOP_SECONDS_MAX = 15
WAIT_SECONDS = 30
MARKER = "demo.json"  # says that the folder is a demo's, and may be emptied by the next one
PATIENCE_SECONDS = 60.0  # a node that is killed and started again in the middle of the story is waited for
Progress = Callable[[str], None]


@dataclass
class NodeProcess:
    """One organisation's running node: its folder, settings, token and operating-system process."""

    organisation: str
    directory: Path
    settings: Settings
    tokens: dict[str, str]
    sign_in: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.user_port}"

    @property
    def msp_id(self) -> str:
        return self.settings.msp_id

    @property
    def log(self) -> Path:
        return self.directory / "node.log"

    @property
    def peer_url(self) -> str:
        return f"https://{self.settings.host}:{self.settings.peer_port}"

    @property
    def agreement_key(self) -> str:
        """The public half of the key that it was set up with."""
        return next(iter(load_keys(self.settings.at(self.settings.agreement_key_file))))

    def start(self) -> None:
        """Start `ledger-node node serve`; the log is appended to `node.log`."""
        command = [sys.executable, "-m", "ledger_node", "node", "serve", "--node", str(self.directory)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def await_ready(self) -> None:
        """Wait until /health/ready says yes, for as long as the node or its ledger is seen to move.

        Raises: NodeError with what the node said last, and the end of its log, when it ends or is given up.
        """
        assert self.process is not None
        patience = Patience(READY_SECONDS_MAX)
        with Client(self.url, patience_seconds=0.1) as client:
            # Another node may answer at a port that was taken in between: this one must serve its own folder, too.
            while (lacking := client.unready()) or serving_pid(self.directory) != self.process.pid:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(POLL_SECONDS)
                lacking = lacking or "another node answers at its port"
                if self.process.returncode is not None or patience.is_over((lacking, self.log.stat().st_size)):
                    tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) or "(its log is empty)"
                    ended = self.process.returncode
                    how = f"ended with {ended}" if ended is not None else f"did not become ready: {patience.words}"
                    text = (
                        f"the node of the {self.organisation} {how}. Last seen: {lacking}. The end of its log:\n{tail}"
                    )
                    raise NodeError(text, f"Its log: {self.log}")

    def kill(self) -> None:
        """End the node's supervisor with SIGKILL, as a crash would; its children must follow by themselves."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Stage:
    """Four running nodes on one ledger."""

    directory: Path
    ledger: str
    nodes: dict[str, NodeProcess]
    begun: float
    timings_ms: dict[str, int] = field(default_factory=dict)
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)
    block_number: int = -1
    hashing: subprocess.Popen[bytes] | None = None

    @property
    def channel(self) -> str:
        """The Fabric channel; empty on the embedded ledger."""
        fabric = self.nodes["supplier"].settings.fabric
        return fabric.channel if fabric else ""

    @property
    def peers(self) -> list[str]:
        """The peers' endpoints; none on the embedded ledger."""
        settings = [node.settings.fabric for node in self.nodes.values()]
        return [fabric.peer_endpoint for fabric in settings if fabric]

    def client(self, organisation: str, role: str) -> Client:
        """A client of that organisation's node with a token of that role; connections are kept."""
        if (organisation, role) not in self.clients:
            node = self.nodes[organisation]
            self.clients[organisation, role] = Client(node.url, node.tokens[role], patience_seconds=PATIENCE_SECONDS)
        return self.clients[organisation, role]

    def send(self, organisation: str, role: str, path: str, body: JSON) -> JSON:
        """Post to an organisation's node and wait for the ledger, however long a node that was killed takes.

        The newest block that any node has shown goes along, so that the command is decided on what was seen.
        """
        client = self.client(organisation, role)
        try:
            submission = client.post(path, body, wait_seconds=WAIT_SECONDS, block_number_min=self.block_number)
        except StillOpen as still:
            submission = _applied(client, still.submission)
        self.block_number = max(self.block_number, submission["block_number"])
        return submission

    def msp_id(self, organisation: str) -> str:
        """The organisation's name on the ledger."""
        return self.nodes[organisation].msp_id


def command_line(*arguments: str) -> None:
    """Run `ledger-node ARGUMENTS` as a user would; its progress goes to standard error.

    Raises: NodeError with the command's exit code.
    """
    command = [sys.executable, "-m", "ledger_node", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        error = NodeError(f"`ledger-node {' '.join(arguments)}` ended with exit code {done.returncode}")
        error.exit_code = done.returncode
        raise error


@contextlib.contextmanager
def open_stage(directory: Path, ledger: str, keep: bool, progress: Progress) -> Iterator[Stage]:
    """Initialise `directory`, start the network and the nodes, and stop everything at the end unless `keep`.

    Args:
        directory: emptied first when an earlier demo left it; refused when that one still runs.
        ledger: "fabric" or "embedded".
        keep: leave everything running when the story has ended well.
        progress: called with one line of text at each step.
    """
    prepare(directory)
    # Between choosing ports and listening there, on a busy machine, another program would choose the same ones.
    with held_base_port() as base_port, _on_ports(base_port, directory, ledger, keep, progress) as stage:
        yield stage


@contextlib.contextmanager
def _on_ports(base_port: int, directory: Path, ledger: str, keep: bool, progress: Progress) -> Iterator[Stage]:
    begun = time.monotonic()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARKER).write_text("{}\n")
    progress("writing settings, keys and certificates of four organisations")
    command_line("init", "--demo", "--dir", str(directory), "--ledger", ledger, "--base-port", str(base_port))
    socket_path = hash_service.socket_of(directory)
    if socket_path is None:
        progress("the folder's path is too long for a socket: no hashing service, each node hashes by itself")
    nodes = {name: node_process(directory, name, socket_path) for name in ORGANISATIONS}
    stage = Stage(directory, ledger, nodes, begun)
    finished = False
    try:
        if socket_path is not None:
            stage.hashing = hash_service.start(socket_path)
        for node in stage.nodes.values():
            node.start()
        if ledger == "fabric":
            progress("starting the Fabric network: four orderers, four peers, four chaincode processes")
            command_line("network", "up", "--network", str(directory / "network.yaml"))
        stage.timings_ms["network_up"] = elapsed_ms(begun)
        progress("waiting for the four nodes")
        for node in stage.nodes.values():
            node.await_ready()
        yield stage
        finished = True
    finally:
        for client in stage.clients.values():
            client.close()
        if not (finished and keep):
            with undisturbed():
                started = [*(node.process for node in stage.nodes.values()), stage.hashing]
                alive = [psutil.Process(process.pid) for process in started if process and process.poll() is None]
                close_stage(directory, alive, progress)


def prepare(directory: Path) -> None:
    """Empty what an earlier demo left behind; never a folder that is something else, nor a demo that runs."""
    if not directory.exists():
        return
    if not (directory / MARKER).exists() and any(directory.iterdir()):
        raise ConfigError(f"{directory} exists and is not a demo's folder", "Name another one with --dir.")
    if running(directory):
        raise ConfigError(
            f"a demo is still running in {directory}", f"Stop it: ledger-node demo --stop --dir {directory}"
        )
    if (directory / "network.yaml").exists():  # a demo that was killed leaves its network running
        command_line("network", "down", "--network", str(directory / "network.yaml"))
    shutil.rmtree(directory)


def node_process(directory: Path, organisation: str, hash_socket: Path | None) -> NodeProcess:
    """The node's folder and settings, and a token of each role for the demo's one player."""
    folder = directory / "nodes" / organisation
    settings = load_settings(folder).model_copy(update={"hash_socket": hash_socket})
    save_settings(settings, folder)
    node = open_node(settings)
    tokens = {str(role): node.tokens.create(role, days=1)[0] for role in Role}
    secret = node.logins.invite("demo", f"Demo ({organisation})", LOGIN_ROLES, LINK_HOURS, "sign-in")
    node.close()
    return NodeProcess(organisation, folder, settings, tokens, f"{settings.web_url}/link/{secret}")


def running(directory: Path) -> list[psutil.Process]:
    """The supervisors of nodes, and the hashing service, that work in this folder, whoever started them."""
    found = hash_service.running(directory)
    for name in ORGANISATIONS:
        if pid := serving_pid(directory / "nodes" / name):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(pid))
    return found


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP end the story in order, as Ctrl-C does: what was started is stopped."""

    def leave(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Within, no signal interrupts: stopping everything is what it would ask for."""
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def close_stage(directory: Path, supervisors: Sequence[psutil.Process], progress: Progress) -> None:
    """Stop nodes and network of a folder; what has already ended is fine.

    Args:
        directory: the demo's.
        supervisors: of the nodes; their children end with them.
        progress: called with one line.
    """
    progress("stopping the nodes and the network")
    for process in supervisors:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(supervisors, timeout=STOP_SECONDS_MAX)
    for process in alive:
        process.kill()
    if (directory / "network.yaml").exists():
        command_line("network", "down", "--network", str(directory / "network.yaml"))


def await_true(what: str, condition: Callable[[], bool], seen: Callable[[], object] = lambda: None) -> None:
    """Ask until it holds: the state is another process's, so asking is all there is.

    Args:
        what: is waited for.
        condition: asked again and again.
        seen: what there is to see meanwhile; as long as it changes, the wait goes on.

    Raises: NodeError naming `what` when it does not come about.
    """
    patience, idle = Patience(QUIET_SECONDS_MAX), threading.Event()
    while not condition():
        if patience.is_over(seen()):
            raise NodeError(f"{what} did not come about: {patience.words}")
        idle.wait(POLL_SECONDS)


def _applied(client: Client, submission: JSON) -> JSON:
    """Wait for the ledger's answer to a write that is still open, as long as it is seen to get on.

    Raises: StillOpen, and what `Client.await_submission` raises.
    """
    patience = Patience(QUIET_SECONDS_MAX)
    while True:
        try:
            return client.await_submission(submission["id"], WAIT_SECONDS)
        except StillOpen as still:
            if patience.is_over(still.submission):
                raise


def elapsed_ms(begun: float) -> int:
    """Milliseconds since a `time.monotonic()`."""
    return round((time.monotonic() - begun) * 1000)


def stderr_progress(stream: IO[str]) -> Progress:
    """Progress as plain lines with seconds since the start."""
    begun = time.monotonic()

    def say(text: str) -> None:
        stream.write(f"[{time.monotonic() - begun:5.1f} s] {text}\n")
        stream.flush()

    return say
