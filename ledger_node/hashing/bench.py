"""How fast this machine hashes: every backend beside the standard library, in one process, round by round.

Each round makes fresh random documents, hands the same ones to every backend in turn, and compares all digests; ratios
are taken within a round, and their median is told, so that a busy machine slows both sides alike. A row names what
really ran. Programs of other people (openssl, sha256sum) take part where they are installed.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ledger_node.errors import ConfigError, VerificationError
from ledger_node.hashing.guard import Answer, HashBatch
from ledger_node.hashing.sources import Hashed, Source
from ledger_node.hashing.telemetry import Reading, joules_per_gb, readings

MB = 1_000_000
LOG_UNIFORM = (10_000, 20 * MB)
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
COUNTS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)
CROSSOVER_GAIN_MIN = 1.2
Progress = Callable[[str], None]
Points = dict[str, list[tuple[int, int, float]]]


@dataclass(frozen=True, slots=True)
class Case:
    """One shape of work: the sizes of its documents in bytes, and whether they are files."""

    name: str
    sizes: Sequence[int]
    files: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One backend on one case: medians over the rounds; ratios are against hashlib in the same round."""

    case: str
    documents: int
    bytes: int
    asked: str
    ran: str
    gb_per_second: float
    documents_per_second: float
    ratio_to_hashlib: float

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)


def cases(total_bytes: int) -> list[Case]:
    """The shapes of work, each of about so many bytes."""
    low, high = LOG_UNIFORM
    generator, mixed = random.Random(1), [high]
    while sum(mixed) < 2 * total_bytes:
        mixed.append(int(low * (high / low) ** generator.random()))
    many = [10_000] * (total_bytes // 10_000)
    return [
        Case("one document of 100 bytes", [100]),
        Case("one document of 20 MB", [20 * MB]),
        Case("1 KB", [1_000] * (total_bytes // 4_000)),
        Case("10 KB", many),
        Case("100 KB", [100_000] * (total_bytes // 100_000)),
        Case("1 MB", [MB] * (total_bytes // MB)),
        Case("mixed, 10 KB to 20 MB", mixed),
        Case("10 KB files, cached", many, files=True),
    ]


def measure(work: Sequence[Case], backends: dict[str, HashBatch], rounds: int, progress: Progress) -> list[Row]:
    """All rows.

    Args:
        work: the cases.
        backends: by the name they are asked for; `hashlib` is among them, the others are measured against it.
        rounds: of fresh documents for each case.
        progress: called with one line for each case.

    Raises: VerificationError when two backends disagree.
    """
    rows = []
    for case in work:
        progress(case.name)
        seconds: dict[str, list[float]] = {name: [] for name in backends}
        ran: dict[str, str] = {}
        with tempfile.TemporaryDirectory() as folder:
            extra = _programs(case)
            seconds |= {name: [] for name in extra}
            for _ in range(rounds):
                sources = _documents(case, Path(folder))
                digests = None
                for name, hash_batch in backends.items():
                    begun = time.perf_counter()
                    answers = hash_batch(sources)
                    seconds[name].append(time.perf_counter() - begun)
                    ran[name] = _who(answers)
                    computed = [answer.digest for answer in answers if isinstance(answer, Hashed)]
                    if len(computed) != len(sources) or computed != (digests := digests or computed):
                        raise VerificationError(f"{ran[name]} and {ran['hashlib']} disagree on {case.name}")
                for name, run in extra.items():
                    seconds[name].append(run(Path(folder), sum(case.sizes)))
                    ran[name] = name
        rows += [_row(case, name, ran[name], seconds) for name in seconds]
    return rows


def grid(backends: dict[str, HashBatch], total_bytes: int, progress: Progress) -> Points:
    """GB/s of every backend over document sizes and counts, for a picture: (size in bytes, documents, GB/s)."""
    points: Points = {name: [] for name in backends}
    for size in SIZES:
        progress(f"documents of {size} bytes")
        for count in COUNTS:
            if size * count > total_bytes:
                break
            for name, hash_batch in backends.items():
                best = 0.0
                for _ in range(3):
                    sources = _documents(Case("", [size] * count), Path())
                    begun = time.perf_counter()
                    hash_batch(sources)
                    best = max(best, size * count / 1e9 / (time.perf_counter() - begun))
                points[name].append((size, count, best))
    return points


def plot(points: Points, path: Path) -> None:
    """Draw the points: a panel for each document size, a line for each backend, and where another one gets faster.

    Raises: ConfigError without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("drawing needs matplotlib", "pip install 'ledger-node[plot]'") from error
    figure = Figure(figsize=(4 * len(SIZES), 4.5), layout="constrained")
    panels = figure.subplots(1, len(SIZES), sharey=True, squeeze=False)[0]
    for panel, size in zip(panels, SIZES, strict=True):
        lines = {name: {count: rate for at, count, rate in line if at == size} for name, line in points.items()}
        for name, line in lines.items():
            panel.plot(list(line), list(line.values()), marker="o", label=name)
        for count, name in crossovers(lines):
            panel.axvline(count, linestyle="--", color="grey")
            panel.annotate(f"{name} from {count}", (count, 0.02), xycoords=("data", "axes fraction"), rotation=90)
        panel.set(xscale="log", xlabel="documents in one batch", title=f"{size:,} bytes each")
    panels[0].set_ylabel("GB/s")
    panels[0].legend()
    figure.savefig(path)


def crossovers(lines: dict[str, dict[int, float]]) -> Iterator[tuple[int, str]]:
    """From which count on another backend is the fastest by more than noise, and which: (documents, name)."""
    before = ""
    for count in sorted({count for line in lines.values() for count in line}):
        rates = {name: line.get(count, 0.0) for name, line in lines.items()}
        fastest = max(rates, key=rates.__getitem__)
        if before and rates[fastest] < rates[before] * CROSSOVER_GAIN_MIN:
            continue
        if before and fastest != before:
            yield count, fastest
        before = fastest


def _row(case: Case, name: str, ran: str, seconds: dict[str, list[float]]) -> Row:
    typical = statistics.median(seconds[name])
    ratios = [reference / own for reference, own in zip(seconds["hashlib"], seconds[name], strict=True)]
    size_bytes, documents = sum(case.sizes), len(case.sizes)
    return Row(
        case=case.name,
        documents=documents,
        bytes=size_bytes,
        asked=name,
        ran=ran,
        gb_per_second=round(size_bytes / 1e9 / typical, 3),
        documents_per_second=round(documents / typical, 1),
        ratio_to_hashlib=round(statistics.median(ratios), 2),
    )


def _documents(case: Case, folder: Path) -> list[Source]:
    """Fresh random documents of a case; as files they are in the page cache."""
    if not case.files:
        return [os.urandom(size) for size in case.sizes]
    paths: list[Source] = []
    for number, size in enumerate(case.sizes):
        path = folder / str(number)
        path.write_bytes(os.urandom(size))
        paths.append(path)
    return paths


def _who(answers: Sequence[Answer]) -> str:
    """The backends that really ran, the busiest first."""
    counts = Counter(answer.backend for answer in answers if isinstance(answer, Hashed))
    return " + ".join(name for name, _ in counts.most_common())


def _programs(case: Case) -> dict[str, Callable[[Path, int], float]]:
    """Programs that can do a case, too: each takes the folder and the bytes, and gives its seconds."""
    cores = len(os.sched_getaffinity(0))
    if case.files and shutil.which("sha256sum") and shutil.which("xargs"):
        return {f"sha256sum in {cores} processes": lambda folder, _: _sha256sum(folder, cores, len(case.sizes))}
    if not case.files and min(case.sizes) >= 100_000 and len(case.sizes) > 1 and shutil.which("openssl"):
        return {f"openssl speed -multi {cores}": lambda _, size_bytes: size_bytes / _openssl(cores)}
    return {}


def _sha256sum(folder: Path, processes: int, count: int) -> float:
    names = "\0".join(str(folder / str(number)) for number in range(count))
    portion = -(-count // processes)
    command = ["xargs", "-0", "-P", str(processes), "-n", str(portion), "sha256sum"]
    begun = time.perf_counter()
    subprocess.run(command, input=names.encode(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def _openssl(processes: int) -> float:
    """Bytes a second of `openssl speed` with buffers of 16 KiB, for one second."""
    command = [
        "openssl",
        "speed",
        "-mr",
        "-seconds",
        "1",
        "-bytes",
        "16384",
        "-multi",
        str(processes),
        "-evp",
        "sha256",
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(next(line for line in output.splitlines() if line.startswith("+F:")).split(":")[-1])


def energy(
    hash_batch: HashBatch, device: Reading, total_bytes: int, seconds_min: float = 5.0
) -> tuple[float, float] | None:
    """Joules per GB of a GPU under steady work, with and without what the device uses when idle.

    Args:
        device: the reading of the idle device.
        total_bytes: of the documents of 10 KB that are hashed again and again.
        seconds_min: how long.
    """
    sources = _documents(Case("", [10_000] * (total_bytes // 10_000)), Path())
    before, hashed = _again(device), 0
    while _again(device).seconds - before.seconds < seconds_min:
        hash_batch(sources)
        hashed += total_bytes // 10_000 * 10_000
    return joules_per_gb(before, _again(device), hashed, device.power_watts or 0.0)


def _again(device: Reading) -> Reading:
    return next(reading for reading in readings() if reading.uuid == device.uuid)
