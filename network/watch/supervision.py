"""Supervisors, one for each organisation: they start again what died, and restart their own orderer when it hangs.

`up` writes what each organisation is to run into `watch/wanted.json` and starts the supervisors; `down` deletes it and
stops them. A supervisor that finds the file does what it says, also after a reboot or after being killed itself at any
moment: nothing that it has to remember lies in its memory alone. One that finds no file waits for it.
This room holds what others may call; `decision` decides, `sight` looks, `supervisor` acts, `findings` keeps evidence.
"""

from __future__ import annotations

import fcntl
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from network import processes
from network.errors import SetupError
from network.processes import Component
from network.topology import Organisation, Topology


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `up` left running: the network, and its components by name."""

    topology: Topology
    components: dict[str, Component]


def begin(topology: Topology, components: Iterable[Component]) -> None:
    """Write down what is to run, and start each organisation's supervisor where none works yet.

    The caller holds the network's lock.
    """
    content = {
        "topology": topology.model_dump(mode="json", exclude_none=True) | {"data_dir": str(topology.data)},
        "components": [_plain(each) for each in components],
    }
    path = _wanted_path(topology.data)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content), "utf-8")
    fresh.replace(path)
    for organisation in topology.organisations:
        known = processes.running(topology.data, supervisor_name(organisation)) is not None  # it may still be starting
        if topology.watch.enabled and not known and not is_watched(topology.data, organisation):
            processes.start(topology.data, supervisor_process(topology, organisation))


def end(topology: Topology) -> None:
    """Let the supervisors end, and forget what was to run: whatever is stopped afterwards stays stopped.

    The caller holds the network's lock.
    """
    _wanted_path(topology.data).unlink(missing_ok=True)
    names = [supervisor_name(each) for each in topology.organisations]
    processes.adopt_strays(topology.data)
    processes.stop(topology.data, names)


def wanted(data: Path) -> Wanted | None:
    """What is to run; None after `down`, or before the first `up`.

    Raises: SetupError when the file is damaged.
    """
    try:
        content = json.loads(_wanted_path(data).read_text("utf-8"))
        topology = Topology.model_validate(content["topology"])
        return Wanted(topology, {each["name"]: _component(each) for each in content["components"]})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError) as error:
        remedy = "Write it anew: ledger-node network up"
        raise SetupError(f"{_wanted_path(data)} is damaged: {error}", remedy) from error


def supervisor_process(topology: Topology, organisation: Organisation) -> Component:
    """The process that watches over one organisation."""
    return Component(
        name=supervisor_name(organisation),
        command=(sys.executable, "-m", "network.watch", str(topology.data), organisation.name),
        settings={"PYTHONUNBUFFERED": "1"},
        ports=(),
        endpoint="",
        certificate=Path(),
        healthy=lambda: is_watched(topology.data, organisation),
        hint=f"Start it by hand: ledger-node network watch {organisation.name}",
    )


def supervisor_name(organisation: Organisation) -> str:
    """The supervisor's name among the processes."""
    return f"{organisation.name}.watch"


def is_watched(data: Path, organisation: Organisation) -> bool:
    """Whether a supervisor of the organisation works, however it was started."""
    with watching(data, organisation.name) as alone:
        return not alone


@contextmanager
def watching(data: Path, organisation: str) -> Iterator[bool]:
    """Hold the right to watch over an organisation; yields False when another process has it."""
    path = lock_path(data, organisation)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def lock_path(data: Path, organisation: str) -> Path:
    """The file that an organisation's supervisor holds."""
    return data / "watch" / f"{organisation}.lock"


def _wanted_path(data: Path) -> Path:
    return data / "watch" / "wanted.json"


def _plain(component: Component) -> dict[str, Any]:
    return {
        "name": component.name,
        "command": list(component.command),
        "settings": dict(component.settings),
        "ports": list(component.ports),
        "endpoint": component.endpoint,
        "certificate": str(component.certificate),
        "hint": component.hint,
    }


def _component(plain: dict[str, Any]) -> Component:
    return Component(
        name=plain["name"],
        command=tuple(plain["command"]),
        settings=plain["settings"],
        ports=tuple(plain["ports"]),
        endpoint=plain["endpoint"],
        certificate=Path(plain["certificate"]),
        healthy=lambda: True,  # a supervisor asks more than that, see `sight`
        hint=plain["hint"],
    )
