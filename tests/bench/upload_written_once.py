"""What an upload costs on the disk: spooled and moved into the vault, against spooled and copied, as it was before.

Werkzeug's form parser reads one form with one file; its stream factory and what follows it are all that differs. Both
ways take turns in one folder. Bytes on the disk are what the kernel counted for this process (`/proc/self/io`): on a
file system in memory they are 0 and prove nothing. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from werkzeug.datastructures import FileStorage
from werkzeug.formparser import FormDataParser

from ledger_node.documents.spool import SpooledDocument
from ledger_node.documents.vault import Vault

MEGABYTE = 2**20
BOUNDARY = b"upload"
Keep = Callable[[FileStorage], Any]


def form(content: bytes) -> bytes:
    """A multipart body with one file."""
    head = b'Content-Disposition: form-data; name="file"; filename="f.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    return b"--%b\r\n%b%b\r\n--%b--\r\n" % (BOUNDARY, head, content, BOUNDARY)


def copied(folder: Path) -> tuple[Callable[..., IO[bytes]], Keep]:
    """A nameless spool whose bytes are read again, hashed and written into a second file, which is kept."""

    def keep(file: FileStorage) -> None:
        handle, name = tempfile.mkstemp(dir=folder)
        sha256 = hashlib.sha256()
        with os.fdopen(handle, "wb") as second:
            while piece := file.stream.read(MEGABYTE):
                sha256.update(piece)
                second.write(piece)
            second.flush()
            os.fsync(second.fileno())
        place = folder / sha256.hexdigest()
        Path(name).replace(place)
        _sync(folder)

    return (lambda *_, **__: tempfile.TemporaryFile(dir=folder)), keep


def moved(folder: Path) -> tuple[Callable[..., IO[bytes]], Keep]:
    """The vault's own spool, kept by the vault."""
    vault = Vault(folder / "vault", 2**40)

    def keep(file: FileStorage) -> None:
        assert isinstance(file.stream, SpooledDocument)
        vault.keep(file.stream)

    return (lambda *_, **__: vault.spool()), keep


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def disk_bytes() -> int:
    """What this process has had written to disks."""
    return int(dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())["write_bytes"])


def upload(way: tuple[Callable[..., IO[bytes]], Keep], content: bytes) -> dict[str, float]:
    """One upload: seconds, seconds of the processor, bytes on the disk."""
    factory, keep = way
    body = form(content)
    began, cpu, written = time.perf_counter(), time.process_time(), disk_bytes()
    parser = FormDataParser(stream_factory=factory, silent=False)
    options = {"boundary": BOUNDARY.decode()}
    _, _, files = parser.parse(io.BytesIO(body), "multipart/form-data", len(body), options)
    keep(files["file"])
    files["file"].close()
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "disk_bytes": float(disk_bytes() - written),
    }


def main() -> int:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--megabytes", type=int, default=100)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--folder", type=Path, help="on the disk that is measured (default: of temporary files)")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        ways = {"moved": moved(Path(name)), "copied": copied(Path(name))}
        measured: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(chosen.rounds):
            for way, how in ways.items():
                measured[way].append(upload(how, os.urandom(chosen.megabytes * MEGABYTE)))
    medians = {
        way: {figure: statistics.median(one_upload[figure] for one_upload in rounds) for figure in rounds[0]}
        for way, rounds in measured.items()
    }
    figures: dict[str, Any] = {
        "megabytes": chosen.megabytes,
        "rounds": chosen.rounds,
        **{way: {figure: round(value, 3) for figure, value in found.items()} for way, found in medians.items()},
        **{
            f"{figure}_moved_to_copied": round(medians["moved"][figure] / value, 2) if value else None
            for figure, value in medians["copied"].items()
        },
        "load": os.getloadavg()[0],
        "measured": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
