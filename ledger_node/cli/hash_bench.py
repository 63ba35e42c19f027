"""`ledger-node hash bench`: how fast this machine hashes, and from where on a GPU is worth it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.errors import ConfigError
from ledger_node.hashing import bench as figures
from ledger_node.hashing.guard import HashBatch
from ledger_node.hashing.hasher import Choice, Hasher, open_hasher
from ledger_node.hashing.kernel import GpuUnavailable
from ledger_node.hashing.telemetry import readings

COLUMNS = ("case", "documents", "asked", "ran", "gb_per_second", "documents_per_second", "ratio_to_hashlib")
CHOICES: tuple[Choice, ...] = ("hashlib", "native", "gpu", "auto")


@contextmanager
def opened() -> Iterator[tuple[dict[str, Hasher], dict[str, str]]]:
    """Every backend of this machine by name, and the reasons why the others are not here."""
    backends: dict[str, Hasher] = {}
    reasons: dict[str, str] = {}
    with ExitStack() as stack:
        for choice in CHOICES:
            try:
                backends[choice] = stack.enter_context(closing(open_hasher(choice)))
            except (ConfigError, GpuUnavailable) as error:
                reasons[choice] = error.text
        yield backends, reasons


@click.command()
@json_option
@click.option(
    "--rounds", type=click.IntRange(1), default=7, show_default=True, help="Of fresh documents for each case."
)
@click.option("--megabytes", type=click.IntRange(1), default=128, show_default=True, help="Of a case, roughly.")
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw GB/s over size and number of documents into this file (png, svg, pdf); needs the extra `plot`.",
)
def bench(rounds: int, megabytes: int, picture: Path | None, as_json: bool) -> None:
    """Measure every backend beside the standard library, on the same fresh documents in turn, digests compared.

    Each row is a median over the rounds and names what really ran; ratios are against hashlib in the same round.

    \b
    Examples:
      ledger-node hash bench
      ledger-node hash bench --rounds 21 --json
      ledger-node hash bench --megabytes 1024 --plot speed.png
    """
    total_bytes = megabytes * figures.MB
    with opened() as (hashers, reasons):
        backends: dict[str, HashBatch] = {name: hasher.hash_batch for name, hasher in hashers.items()}
        rows = [row.as_json() for row in figures.measure(figures.cases(total_bytes), backends, rounds, _say)]
        used = _energy(hashers.get("gpu"), total_bytes)
        if picture is not None:
            figures.plot(figures.grid(backends, total_bytes, _say), picture)
    absent = [f"{name} is not here: {reason}" for name, reason in reasons.items()]
    told = [f"{name}: {value:.2f} joules per GB" for name, value in used.items()]
    emit({"rows": rows, "absent": reasons, "energy": used}, as_json, "\n".join([table(rows, COLUMNS), *told, *absent]))


def _energy(gpu: Hasher | None, total_bytes: int) -> dict[str, float]:
    if gpu is None:
        return {}
    device = next(reading for reading in readings() if reading.name in gpu.status()["backend"])
    found = figures.energy(gpu.hash_batch, device, total_bytes)
    return dict(zip(("gpu", "gpu without idle"), found, strict=True)) if found else {}


def _say(text: str) -> None:
    click.echo(text, err=True)
