"""The processor's backends against what is on every machine: a pool of hashlib threads, openssl, sha256sum.

Rounds are interleaved, every round has fresh random documents and its digests are compared; a figure is the median over
the rounds of the ratio within one round, so that a busy machine slows both sides. Prints one JSON document.
"""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ledger_node.hashing.cpu import HashlibBackend, NativeBackend, best_cpu, native_engines
from ledger_node.hashing.sources import Hashed, Source

T = TypeVar("T")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
CORES = len(os.sched_getaffinity(0))
SIZES = {
    "1 document of 20 MB": [20 << 20],
    "2 documents of 100 bytes": [100] * 2,
    "20 000 documents of 1 KB": [1 << 10] * 20_000,
    "16 384 documents of 10 KB": [10 << 10] * 16_384,
    "1 500 documents of 100 KB": [100 << 10] * 1500,
    "200 documents of 10 KB to 20 MB": [int((10 << 10) * 2048 ** (i / 200)) for i in range(200)],
    "1 document of 20 MB among 1 000 of 10 KB": [20 << 20, *[10 << 10] * 1000],
}
FILES, FILE_BYTES = 8000, 10 << 10


def seconds(run: Callable[[list[T]], object], batch: list[T]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    run(batch)
    return time.perf_counter() - began


def openssl_bytes_per_second() -> float:
    """What openssl itself says it does on all cores with long buffers."""
    command = ["openssl", "speed", "-multi", str(CORES), "-seconds", "1", "-bytes", str(256 << 10), "-evp", "sha256"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(re.findall(r"([\d.]+)k\s*$", ran.stdout, re.MULTILINE)[-1]) * 1000


def digests(answers: Sequence[object]) -> list[bytes]:
    """The digests of a batch in which nothing failed."""
    return [answer.digest for answer in answers if isinstance(answer, Hashed)]


def from_memory(sizes: Sequence[int]) -> dict[str, object]:
    """Every engine against hashlib's pool and against openssl, documents from memory."""
    backends = {backend.name: backend for backend in [best_cpu(), *map(NativeBackend, native_engines())]}
    pool = HashlibBackend()
    ratios: dict[str, list[float]] = {name: [] for name in backends}
    against_openssl: list[float] = []
    rates: list[float] = []
    for _ in range(ROUNDS):
        contents: list[Source] = [random.randbytes(size) for size in sizes]
        random.shuffle(contents)
        standard = seconds(pool.hash_batch, contents)
        expected = digests(pool.hash_batch(contents))
        for name, backend in backends.items():
            took = seconds(backend.hash_batch, contents)
            assert digests(backend.hash_batch(contents)) == expected, name
            ratios[name].append(standard / took)
            if name == best_cpu().name:
                rates.append(len(sizes) / took)
                against_openssl.append(sum(sizes) / took / openssl_bytes_per_second())
    return {
        "fastest": best_cpu().name,
        "times_hashlib_pool": {name: round(statistics.median(each), 2) for name, each in ratios.items()},
        "times_openssl_multi": round(statistics.median(against_openssl), 2),
        "documents_per_s": round(statistics.median(rates)),
        "gb_per_s": round(statistics.median(rates) * sum(sizes) / len(sizes) / 1e9, 2),
    }


def sha256sum(paths: Sequence[Path]) -> list[bytes]:
    """The digests by sha256sum, a process on every core."""
    parts = [paths[i::CORES] for i in range(CORES)]

    def run(part: Sequence[Path]) -> list[bytes]:
        ran = subprocess.run(["sha256sum", *map(str, part)], capture_output=True, check=True)
        return [bytes.fromhex(line[:64].decode()) for line in ran.stdout.splitlines()]

    found: list[bytes] = [b""] * len(paths)
    with ThreadPoolExecutor(CORES) as pool:
        for first, part in enumerate(pool.map(run, parts)):
            found[first::CORES] = part
    return found


def from_files() -> dict[str, object]:
    """Small files in a warm cache, against sha256sum and hashlib's pool."""
    ratios: dict[str, list[float]] = {"times_sha256sum": [], "times_hashlib_pool": []}
    rates = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / str(index) for index in range(FILES)]
            for path in paths:
                path.write_bytes(random.randbytes(FILE_BYTES))
            expected = sha256sum(paths)
            ours = seconds(best_cpu().hash_batch, paths)
            theirs = seconds(sha256sum, paths)
            pool = seconds(HashlibBackend().hash_batch, paths)
            assert digests(best_cpu().hash_batch(paths)) == expected
            ratios["times_sha256sum"].append(theirs / ours)
            ratios["times_hashlib_pool"].append(pool / ours)
            rates.append(FILES / ours)
    medians = {name: round(statistics.median(each), 2) for name, each in ratios.items()}
    return {"fastest": best_cpu().name, **medians, "documents_per_s": round(statistics.median(rates))}


def main() -> int:
    """Print all figures."""
    figures = {name: from_memory(sizes) for name, sizes in SIZES.items()}
    figures[f"{FILES} files of 10 KB, warm"] = from_files()
    sys.stdout.write(json.dumps({"cores": CORES, **figures}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
