"""What the `ledger-node network` commands share: which network is meant, its errors, progress on a terminal."""

from __future__ import annotations

import errno
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from ledger_node.errors import ConfigError, NodeError

if TYPE_CHECKING:
    from network.topology import Topology

F = TypeVar("F", bound=Callable[..., Any])

HERE = Path("network.yaml")
VARIABLE = "LEDGER_NODE_NETWORK"


def translated(function: F) -> F:
    """Turn the network's errors into the node's, which know their exit codes."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from network.errors import NetworkError, SetupError

        try:
            return function(*args, **kwargs)
        except SetupError as error:
            raise ConfigError(error.text, error.remedy) from error
        except NetworkError as error:
            raise NodeError(error.text, error.remedy) from error

    return wrapped  # type: ignore[return-value]


def network_option(function: F) -> F:
    """Add `--network FILE`, passed on as the loaded `topology`; a full disk is told with its path and room."""

    @file_option("The network's description.")
    @functools.wraps(function)
    def wrapped(*args: Any, network_file: Path, **kwargs: Any) -> Any:
        from network import disk
        from network.topology import Topology

        topology = Topology.load(only_network(network_file))
        try:
            return function(*args, topology=topology, **kwargs)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            where = error.filename or topology.data
            remedy = "Make room there, then run: ledger-node network up. It repairs what was cut off."
            raise NodeError(f"no room is left to write {where}: {disk.room(topology.data)}", remedy) from error

    return wrapped  # type: ignore[return-value]


def file_option(help_text: str) -> Callable[[F], F]:
    """Add `--network FILE`, passed on as `network_file`."""
    return click.option(
        "--network",
        "network_file",
        type=click.Path(path_type=Path, dir_okay=False),
        default=HERE,
        envvar=VARIABLE,
        show_default=True,
        show_envvar=True,
        help=help_text,
    )


def only_network(network_file: Path) -> Path:
    """The file itself, unless the environment names it while another one lies here: then neither is meant for sure.

    Raises: ConfigError naming both.
    """
    source = click.get_current_context().get_parameter_source("network_file")
    if source is ParameterSource.ENVIRONMENT and HERE.exists() and HERE.resolve() != network_file.resolve():
        text = f"{VARIABLE} names {network_file}, and there is another network in {HERE.resolve()}"
        raise ConfigError(text, f"Say which one is meant: --network {network_file} or --network {HERE}")
    return network_file


def say_network(topology: Topology) -> None:
    """Tell people which network a command works on."""
    names = ", ".join(organisation.name for organisation in topology.organisations)
    if topology.others:
        names += f"; elsewhere: {', '.join(other.name for other in topology.others)}"
    click.echo(f"network {topology.file} ({names}), data in {topology.data}", err=True)


@contextmanager
def progress_on_terminal() -> Iterator[Callable[[str], None]]:
    """A function that shows steps: a spinner on a terminal, plain lines on standard error otherwise."""
    from rich.console import Console

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
