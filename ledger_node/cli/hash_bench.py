"""`ledger-node hash bench`: how fast this machine hashes, and from where on a GPU is worth it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.errors import ConfigError

if TYPE_CHECKING:
    from ledger_node.hashing.guard import HashBatch
    from ledger_node.hashing.hasher import Choice, Hasher

COLUMNS = ("case", "documents", "asked", "ran", "gb_per_second", "documents_per_second", "ratio_to_hashlib")
CHOICES: tuple[Choice, ...] = ("hashlib", "native", "gpu", "auto")
DEVICE_COLUMNS = (
    "device",
    "variant",
    "what",
    "gb_per_second",
    "percent_of_copy",
    "joules_per_gb",
    "joules_per_gb_above_idle",
)


@contextmanager
def opened() -> Iterator[tuple[dict[str, Hasher], dict[str, str]]]:
    """Every backend of this machine by name, and the reasons why the others are not here."""
    from ledger_node.hashing.hasher import open_hasher
    from ledger_node.hashing.kernel import GpuUnavailable

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
    Where there is a GPU: what its kernel does with bytes that are there already, what comes from pinned memory, and
    which share of the host-to-device rate of the same round that is.

    \b
    Examples:
      ledger-node hash bench
      ledger-node hash bench --rounds 21 --json
      ledger-node hash bench --megabytes 1024 --plot speed.png
    """
    from ledger_node.hashing import bench as figures

    total_bytes = megabytes * figures.MB
    with opened() as (hashers, reasons):
        backends: dict[str, HashBatch] = {name: hasher.hash_batch for name, hasher in hashers.items()}
        rows = [row.as_json() for row in figures.measure(figures.cases(total_bytes), backends, rounds, _say)]
        used = _energy(hashers.get("gpu"), total_bytes)
        if picture is not None:
            figures.plot(figures.grid(backends, total_bytes, _say), picture)
    device, no_device = _device(rounds)
    absent = [f"{name} is not here: {reason}" for name, reason in reasons.items()]
    notes = [f"{name}: {value:.2f} joules per GB" for name, value in used.items()]
    result = {"rows": rows, "absent": reasons, "energy": used, "device": device, "no_device": no_device}
    notes += [table(device, DEVICE_COLUMNS) if device else f"no device, so nothing resident or pinned: {no_device}"]
    emit(result, as_json, "\n".join([table(rows, COLUMNS), *notes, *absent]))


def _device(rounds: int) -> tuple[list[dict[str, Any]], str]:
    """The device's own figures, or why there is none."""
    from ledger_node.hashing.bench_gpu import device_rows
    from ledger_node.hashing.kernel import GpuUnavailable

    try:
        return [row.as_json() for row in device_rows(rounds)], ""
    except GpuUnavailable as error:
        return [], error.text


def _energy(gpu: Hasher | None, total_bytes: int) -> dict[str, float]:
    from ledger_node.hashing import bench as figures
    from ledger_node.hashing.telemetry import readings

    if gpu is None:
        return {}
    device = next(reading for reading in readings() if reading.name in gpu.status()["backend"])
    joules = figures.energy(gpu.hash_batch, device, total_bytes)
    return dict(zip(("gpu", "gpu without idle"), joules, strict=True)) if joules else {}


def _say(text: str) -> None:
    click.echo(text, err=True)
