"""Hosts of their own on one machine: network namespaces behind one bridge, each of which sees its own folder alone.

Each host has an address, a name that all of them know (`supplier.example`), and its folder; the others' folders are not
there for it. What travels between hosts lies in one more folder, `post`, which all of them see. No root is needed where
users may make namespaces.
Source: unshare(1), nsenter(1), ip-link(8), network_namespaces(7), mount_namespaces(7).
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

COMMAND_SECONDS_MAX = 900.0
"""Far more than any command takes on a busy machine: what hangs has limits of its own."""
_AS_USER = os.geteuid() != 0
_UNSHARE = ["unshare", *(["--user", "--map-root-user"] if _AS_USER else []), "--net", "--mount"]
_WITHIN = ["unshare", "--net", "--mount"]
_SWITCH = "set -e; ip link set lo up; ip link add name switch type bridge; ip link set switch up; echo ready; exec cat"
_HOST = """set -e
mount --bind "$1/hosts/$2" "$1/stash/$2"
mount -t tmpfs none "$1/hosts"
mkdir "$1/hosts/$2"
mount --move "$1/stash/$2" "$1/hosts/$2"
mount --bind "$1/names" /etc/hosts
ip link set lo up
echo ready
exec cat"""


class Hosts:
    """Running hosts by name.

    Args:
        home: the folder above all of theirs.
        pids: of the process that holds each host's namespaces.
    """

    def __init__(self, home: Path, pids: dict[str, int]) -> None:
        self._home = home
        self._pids = pids

    @property
    def names(self) -> list[str]:
        return list(self._pids)

    @property
    def post(self) -> Path:
        """What travels."""
        return self._home / "post"

    def folder(self, name: str) -> Path:
        """A host's own folder."""
        return self._home / "hosts" / name

    def popen(self, name: str, script: str) -> subprocess.Popen[str]:
        """Start a shell script at a host, in its folder."""
        programs = Path(sys.executable).parent
        text = f'cd {shlex.quote(str(self.folder(name)))}; export PATH={shlex.quote(str(programs))}:"$PATH"\n{script}'
        command = [*_entered(self._pids[name]), "bash", "-e", "-o", "pipefail", "-c", text]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("LEDGER_NODE_")}
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=kept
        )

    def run(self, name: str, script: str, *, fails: int = 0) -> str:
        """Run a shell script at a host to its end.

        Args:
            name: of the host.
            script: bash, which ends at the first command that fails.
            fails: the exit code that it has to end with.

        Returns: its standard output; of one that fails its standard error.
        """
        return self._ended(name, script, self.popen(name, script), fails)

    def run_at_once(self, scripts: dict[str, str]) -> dict[str, str]:
        """Run a script at each of several hosts at the same time; their outputs."""
        started = {name: self.popen(name, script) for name, script in scripts.items()}
        return {name: self._ended(name, scripts[name], each, 0) for name, each in started.items()}

    def _ended(self, name: str, script: str, process: subprocess.Popen[str], fails: int) -> str:
        out, error = process.communicate(timeout=COMMAND_SECONDS_MAX)
        said = f"at {name}: {script}\nended with {process.returncode}\n{out}\n{error}"
        assert process.returncode == fails, said
        return error if fails else out


@contextmanager
def running_hosts(home: Path, names: Sequence[str]) -> Iterator[Hosts]:
    """Hosts for as long as the block lasts; whatever still runs there is for the block to stop.

    Args:
        home: an empty folder.
        names: of the hosts; their addresses are 10.77.0.1 and on, in this order.
    """
    for folder in ("post", *(f"{kind}/{name}" for kind in ("hosts", "stash") for name in names)):
        (home / folder).mkdir(parents=True)
    known = [f"10.77.0.{number} {name}.example" for number, name in enumerate(names, 1)]
    (home / "names").write_text("\n".join(["127.0.0.1 localhost", *known, ""]))
    with ExitStack() as stack:
        switch = stack.enter_context(_holder([*_UNSHARE, "sh", "-c", _SWITCH]))
        pids = {}
        for number, name in enumerate(names, 1):
            command = [*_entered(switch), *_WITHIN, "sh", "-c", _HOST, "sh", str(home), name]
            pids[name] = stack.enter_context(_holder(command))
            cable = f"ip link add port{number} type veth peer name eth0 netns {pids[name]}"
            _sh(switch, f"{cable} && ip link set port{number} master switch up")
            _sh(pids[name], f"ip addr add 10.77.0.{number}/24 dev eth0 && ip link set eth0 up")
        yield Hosts(home, pids)


def lacking(home: Path) -> str:
    """Why this machine cannot have such hosts; empty where it can.

    Args:
        home: an empty folder.
    """
    try:
        with running_hosts(home, ("tried",)):
            return ""
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        return str(error)


@contextmanager
def _holder(command: list[str]) -> Iterator[int]:
    """A process that holds namespaces, and ends when this one closes its standard input or ends itself."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n", f"no namespaces can be made here: {shlex.join(command)}"
        yield process.pid
        process.stdin.close()


def _entered(pid: int) -> list[str]:
    user = ["--user", "--preserve-credentials"] if _AS_USER else []
    return ["nsenter", "--target", str(pid), *user, "--net", "--mount"]


def _sh(pid: int, script: str) -> None:
    subprocess.run([*_entered(pid), "sh", "-c", script], check=True)
