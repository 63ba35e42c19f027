"""`ledger-node network`: the Fabric network's processes and its contract, for whoever runs the machine."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from ledger_node.cli.common import emit, json_option
from ledger_node.errors import BadRequest, ConfigError, NodeError
from network import control, processes
from network.control import ComponentStatus
from network.errors import NetworkError, SetupError
from network.identities import ensure_person
from network.topology import Topology

F = TypeVar("F", bound=Callable[..., Any])

FOLLOW_SECONDS = 0.2


def translated(function: F) -> F:
    """Turn the network's errors into the node's, which know their exit codes."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except SetupError as error:
            raise ConfigError(error.text, error.remedy) from error
        except NetworkError as error:
            raise NodeError(error.text, error.remedy) from error

    return wrapped  # type: ignore[return-value]


def network_option(function: F) -> F:
    """Add `--network FILE`, passed on as the loaded `topology`."""

    @click.option(
        "--network",
        "network_file",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("network.yaml"),
        envvar="LEDGER_NODE_NETWORK",
        show_default=True,
        show_envvar=True,
        help="The network's description.",
    )
    @functools.wraps(function)
    def wrapped(*args: Any, network_file: Path, **kwargs: Any) -> Any:
        return function(*args, topology=Topology.load(network_file), **kwargs)

    return wrapped  # type: ignore[return-value]


@contextmanager
def progress_on_terminal() -> Iterator[Callable[[str], None]]:
    """A function that shows steps: a spinner on a terminal, plain lines on standard error otherwise."""
    console = Console(stderr=True)
    began = time.monotonic()
    if not console.is_terminal:
        yield lambda step: click.echo(step, err=True)
        return
    with console.status("working") as spinner:

        def show(step: str) -> None:
            console.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim] {step}", highlight=False)
            spinner.update(step)

        yield show


@click.group()
def command() -> None:
    """Run the Fabric network that network.yaml describes.

    \b
    Examples:
      ledger-node network up
      ledger-node network status
      ledger-node network logs supplier.peer -f
      ledger-node network down --purge
    """


@command.command()
@json_option
@translated
@network_option
def up(topology: Topology, as_json: bool) -> None:
    """Start what does not run, join the channel, deploy the contract.

    Running it again changes nothing; after a crash or a reboot it repairs what is missing.
    The first time, Fabric's tools are found or built.

    \b
    Examples:
      ledger-node network up
      ledger-node network up --network /srv/scf/network.yaml --json
    """
    with progress_on_terminal() as progress:
        report = control.up(topology, progress)
    _tell(report, as_json)


@command.command()
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@json_option
@translated
@network_option
def restart(topology: Topology, components: tuple[str, ...], as_json: bool) -> None:
    """Stop components (all, when none is named) and start them again.

    \b
    Examples:
      ledger-node network restart
      ledger-node network restart buyer.peer buyer.chaincode
    """
    with progress_on_terminal() as progress:
        report = control.restart(topology, progress, components)
    _tell(report, as_json)


@command.command()
@click.option("--purge", is_flag=True, help="Also delete ledgers, identities, keys and logs. Asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@translated
@network_option
def down(topology: Topology, purge: bool, yes: bool, as_json: bool) -> None:
    """Stop every process of the network.

    \b
    Examples:
      ledger-node network down
      ledger-node network down --purge --yes
    """
    if purge and not yes:
        if as_json:
            raise BadRequest("--purge deletes ledgers and keys for good", "Add --yes to confirm it in a script.")
        click.confirm(f"Delete the ledgers, identities and keys in {topology.data} for good?", abort=True, err=True)
    stopped = control.down(topology, purge)
    text = f"stopped {len(stopped)} processes" if stopped else "nothing was running"
    emit({"stopped": stopped, "purged": purge}, as_json, text + (f", purged {topology.data}" if purge else ""))


@command.command()
@json_option
@translated
@network_option
def status(topology: Topology, as_json: bool) -> None:
    """Show every component: endpoint, pid, state, height, certificate expiry.

    \b
    Examples:
      ledger-node network status
      ledger-node network status --json
    """
    rows = control.status(topology)
    emit([dataclasses.asdict(row) for row in rows], as_json, "" if as_json else _table(rows))


@command.command()
@click.argument("component")
@click.option("-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many last lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on showing new lines until interrupted.")
@json_option
@translated
@network_option
def logs(topology: Topology, component: str, lines: int, follow: bool, as_json: bool) -> None:
    """Show the log of COMPONENT, for example supplier.peer.

    \b
    Examples:
      ledger-node network logs supplier.peer -n 20
      ledger-node network logs buyer.chaincode -f
    """
    if as_json and follow:
        raise BadRequest("--json and --follow do not go together", "Leave one of them out.")
    log = processes.log_path(topology.data, control.check_component(topology, component))
    end = processes.log_size(log)
    last = processes.log_tail(log, lines, end)
    emit({"component": component, "path": str(log), "lines": last}, as_json, "\n".join(last))
    if follow:
        _follow(log, end)


@command.command()
@click.argument("organisation")
@click.argument("name")
@json_option
@translated
@network_option
def person(organisation: str, name: str, topology: Topology, as_json: bool) -> None:
    """Make a certificate and a key for a person who acts for ORGANISATION; hand both to that person.

    \b
    Examples:
      ledger-node network person buyer anna
    """
    made = ensure_person(topology.organisation(organisation), topology.folders(organisation), name)
    files = {"certificate": str(made.certificate), "private_key": str(made.key)}
    emit(files, as_json, "\n".join(files.values()))


@command.group()
def chaincode() -> None:
    """The contract on the channel."""


@chaincode.command()
@json_option
@translated
@network_option
def deploy(topology: Topology, as_json: bool) -> None:
    """Deploy the installed contract; a changed contract gets the next sequence number.

    Running it again changes nothing. The network is started if it is not running.

    \b
    Examples:
      ledger-node network chaincode deploy
    """
    with progress_on_terminal() as progress:
        deployment = control.up(topology, progress).deployment
    verb = "deployed" if deployment.changed else "already deployed:"
    text = f"{verb} {deployment.name} {deployment.version}, sequence {deployment.sequence}\n{deployment.package_id}"
    emit(dataclasses.asdict(deployment), as_json, text)


def _tell(report: control.UpReport, as_json: bool) -> None:
    deployment = report.deployment
    started = f"started {len(report.started)} processes" if report.started else "everything was running"
    text = f"{started}; contract {deployment.name} {deployment.version}, sequence {deployment.sequence}"
    emit(dataclasses.asdict(report), as_json, text)


def _table(rows: list[ComponentStatus]) -> str:
    table = Table(box=None, pad_edge=False)
    for heading in ("component", "endpoint", "pid", "state", "height", "certificate until"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        pid, height = ("-" if value is None else str(value) for value in (row.pid, row.height))
        table.add_row(row.component, row.endpoint, pid, row.state, height, row.certificate_expires[:10] or "-")
    console = Console(width=120, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()


def _follow(log: Path, position: int) -> None:
    """Print what comes after the position until the keyboard interrupts; a log begun anew is read from its start."""
    while True:
        size = processes.log_size(log)
        if size < position:
            position = 0
        if size > position:
            with log.open("rb") as source:
                source.seek(position)
                fresh = source.read()
            position += len(fresh)
            click.echo(fresh.decode("utf-8", "replace"), nl=False)
        time.sleep(FOLLOW_SECONDS)


from ledger_node.cli import network_watch  # noqa: E402, F401 - adds its commands, which use this file's options
