"""`ledger-node hash`: digests of files, checking them, the hashing service of this machine, and how fast it all is."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.hash_bench import bench
from ledger_node.cli.hash_proof import verify_proof
from ledger_node.cli.hash_vault import close_finding, findings, scrub
from ledger_node.cli.manifest import Line, escaped, read_digest, read_manifest
from ledger_node.errors import NodeError, VerificationError

if TYPE_CHECKING:
    from ledger_node.hashing.guard import Answer, Checked
    from ledger_node.hashing.hasher import Choice
    from ledger_node.hashing.service.client import ServiceHasher

CHUNK_DOCUMENTS = 4096
CHUNK_BYTES = 512 << 20
FILE = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """SHA-256 digests: files, verify, the hashing service of this machine, and how fast it all is."""


def backend_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--backend`."""
    return click.option(
        "--backend",
        type=click.Choice(["auto", "gpu", "native", "hashlib"]),
        default="auto",
        show_default=True,
        help="What hashes; auto is the hashing service where it runs, else what is fastest here.",
    )(function)


def socket_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--socket`, passed on as `socket_path`."""
    return click.option(
        "--socket",
        "socket_path",
        type=FILE,
        default=None,
        envvar="LEDGER_NODE_HASH_SOCKET",
        show_envvar=True,
        help="The socket of the hashing service; ~/.cache/ledger-node/hash.sock when left out.",
    )(function)


@contextmanager
def opened(backend: Choice, socket_path: Path | None) -> Iterator[ServiceHasher]:
    """The hasher for a command: with `auto` the service's, or this process's own where none answers."""
    from ledger_node.hashing.hasher import open_hasher
    from ledger_node.hashing.service.client import ServiceHasher
    from ledger_node.hashing.service.wire import default_socket

    local = open_hasher(backend)
    hasher = ServiceHasher(socket_path or default_socket() if backend == "auto" else None, local)
    try:
        yield hasher
    finally:
        hasher.close()


def in_chunks(paths: Sequence[Path], work: Callable[[Sequence[int]], Sequence[Answer | Checked]]) -> None:
    """Hand the places of `paths` to `work` in portions, with a bar of bytes on standard error of a terminal."""
    from ledger_node.hashing.scheduler import size_of

    sizes = [max(0, size_of(path)) for path in paths]
    with click.progressbar(length=sum(sizes), label="hashing", file=sys.stderr) as bar:
        chunk: list[int] = []
        chunk_bytes = 0
        for place, size in enumerate(sizes):
            chunk.append(place)
            chunk_bytes += size
            if len(chunk) == CHUNK_DOCUMENTS or chunk_bytes >= CHUNK_BYTES or place + 1 == len(paths):
                work(chunk)
                bar.update(chunk_bytes)
                chunk, chunk_bytes = [], 0


@command.command()
@json_option
@backend_option
@socket_option
@click.argument("paths", nargs=-1, required=True, type=FILE)
def files(paths: tuple[Path, ...], backend: Choice, socket_path: Path | None, as_json: bool) -> None:
    """Print the SHA-256 digests of files, in the form of sha256sum; exit code 1 when one cannot be read.

    \b
    Examples:
      ledger-node hash files invoice.xml delivery.pdf
      ledger-node hash files vault/*/* > manifest
      ledger-node hash files --backend hashlib --json big.iso
    """
    from ledger_node.hashing import UnreadableError

    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    failed = False
    with opened(backend, socket_path) as hasher:

        def work(places: Sequence[int]) -> list[Answer]:
            nonlocal failed
            answers = hasher.hash_batch([paths[place] for place in places])
            for place, answer in zip(places, answers, strict=True):
                rows.append({"path": str(paths[place]), **_answer_row(answer)})
                if isinstance(answer, UnreadableError):
                    failed = True
                    click.echo(f"Error: {answer.text}", err=True)
                else:
                    lines.append(escaped(str(paths[place]), f"{answer.digest.hex()}  "))
            return answers

        in_chunks(paths, work)
    if as_json or lines:
        emit({"files": rows}, as_json, "\n".join(lines))
    if failed:
        sys.exit(NodeError.exit_code)


def _answer_row(answer: Answer) -> dict[str, Any]:
    from ledger_node.hashing import UnreadableError

    if isinstance(answer, UnreadableError):
        return {"error": answer.text}
    return {"sha256": answer.digest.hex(), "size_bytes": answer.size_bytes, "backend": answer.backend}


@command.command()
@json_option
@backend_option
@socket_option
@click.argument("path", type=FILE)
@click.argument("digest", required=False)
@click.option("--proof", type=FILE, help="Check the file against the proof that `document seal` wrote for it.")
@click.option("--root", default="", metavar="HEX", help="The root that the ledger holds, to compare the proof's with.")
def verify(
    path: Path,
    digest: str | None,
    proof: Path | None,
    root: str,
    backend: Choice,
    socket_path: Path | None,
    as_json: bool,
) -> None:
    """Check one file against its DIGEST or its PROOF, or all files that a manifest of sha256sum names.

    A proof is checked off line; that the ledger holds its root is checked when --root says what it holds. Exit code 6
    when a file is another one, 1 when one cannot be read. A mismatch is read again and hashed by the standard library
    before it is reported.

    \b
    Examples:
      ledger-node hash verify manifest
      ledger-node hash verify invoice.xml --proof invoice.xml.proof.json
      ledger-node hash verify invoice.xml 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
    """
    if proof is not None or root:
        verify_proof(path, digest, proof, root, as_json)
        return
    lines = read_manifest(path) if digest is None else [Line(read_digest(digest), path)]
    checks: list[Checked] = []
    with opened(backend, socket_path) as hasher:

        def work(places: Sequence[int]) -> list[Checked]:
            checks.extend(hasher.verify_batch([(lines[place].path, lines[place].digest) for place in places]))
            return checks

        in_chunks([line.path for line in lines], work)
    report_checks([str(line.path) for line in lines], checks, as_json)


def report_checks(names: Sequence[str], checks: Sequence[Checked], as_json: bool) -> None:
    """Print what was checked and end with the exit code that it deserves."""
    from ledger_node.hashing.guard import Verdict

    rows = [
        {"path": name, "verdict": str(check.verdict), "expected": check.expected.hex(), **_answer_row(check.answer)}
        for name, check in zip(names, checks, strict=True)
    ]
    words = {Verdict.VERIFIED: "OK", Verdict.MISMATCH: "FAILED", Verdict.UNAVAILABLE: "FAILED open or read"}
    text = "\n".join(f"{escaped(name)}: {words[check.verdict]}" for name, check in zip(names, checks, strict=True))
    counts = {str(verdict): sum(check.verdict is verdict for check in checks) for verdict in Verdict}
    emit({**counts, "files": rows}, as_json, text)
    if counts[Verdict.MISMATCH]:
        sys.exit(VerificationError.exit_code)
    if counts[Verdict.UNAVAILABLE]:
        sys.exit(NodeError.exit_code)


@command.command()
@json_option
@backend_option
@socket_option
@click.option("--group", default="", help="Let the members of this group of users use the service, too.")
def serve(backend: Choice, socket_path: Path | None, group: str, as_json: bool) -> None:
    """Hash for every node on this machine until SIGTERM or Ctrl-C; what runs then is finished.

    Nodes find the service at its socket by themselves and hash on their own cores without it. They pass it open
    files, never paths.

    \b
    Examples:
      ledger-node hash serve
      ledger-node hash serve --backend native --socket /run/scf/hash.sock --group scf
    """
    import structlog

    from ledger_node.hashing.hasher import open_hasher
    from ledger_node.hashing.service.endpoint import listening
    from ledger_node.hashing.service.server import Server, ServiceLimits
    from ledger_node.hashing.service.wire import default_socket
    from ledger_node.hashing.telemetry import shown

    path = (socket_path or default_socket()).absolute()
    with listening(path, group) as listener, closing(open_hasher(backend)) as hasher:
        server = Server(listener, hasher, ServiceLimits(), shown)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        structlog.get_logger("hash service").info(
            "serving", socket=str(path), pid=os.getpid(), **{"gpu": {}, **hasher.status()}
        )
        server.run()
    emit({"served": str(path)}, as_json, "stopped")


@command.command()
@json_option
@socket_option
def status(socket_path: Path | None, as_json: bool) -> None:
    """Say what the hashing service of this machine does; exit code 3 when there is none.

    \b
    Examples:
      ledger-node hash status
      ledger-node hash status --json
    """
    from ledger_node.hashing.service.client import service_status
    from ledger_node.hashing.service.wire import default_socket

    path = socket_path or default_socket()
    service = service_status(path)
    gpu = service["gpu"]
    rate = service["rate"]
    lines = [
        f"the hashing service, process {service['pid']}, at {path}, up for {service['up_seconds']} s",
        f"  backend  {service['backend']}",
        f"  gpu      {gpu.get('name') or 'none: ' + gpu['absent']}{' LOST: ' + gpu['lost'] if gpu.get('lost') else ''}",
        f"  hashed   {service['documents']} documents, {service['bytes']} bytes, {service['unreadable']} unreadable",
        f"  waiting  {service['queue']['documents']} documents, {service['queue']['bytes']} bytes",
        f"  rate     {rate['documents_per_second']:.0f} documents/s, {rate['bytes_per_second'] / 1e9:.2f} GB/s",
    ]
    clients = table(service["clients"], ["pid", "uid", "gid", "in_flight", "documents", "bytes"])
    emit(service, as_json, "\n".join([*lines, clients]))


command.add_command(bench)
command.add_command(scrub)
command.add_command(findings)
command.add_command(close_finding)
