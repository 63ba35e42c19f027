"""`ledger-node hash scrub`, `findings`, `close-finding`: is the vault still what the ledger says?

The node's rooms are imported when a command needs them, so that hashing a file does not load a ledger's client.
"""

from __future__ import annotations

import importlib.util
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option, node_option, table
from ledger_node.cli.rest import reads
from ledger_node.client import Client
from ledger_node.errors import NotFound, VerificationError

if TYPE_CHECKING:
    from ledger_node.hashing.hasher import Choice
    from ledger_node.hashing.past_cache import HashFiles

if TYPE_CHECKING:
    from ledger_node.documents.scrub import ScrubReport
    from ledger_node.node import Node

COLUMNS = ("id", "kind", "document_id", "file", "state", "raised_at", "closed_at")


@click.command()
@json_option
@node_option
@click.option("--bytes-max", type=click.IntRange(1), help="Read no more than this; the next scrub goes on from there.")
@click.option(
    "--backend",
    type=click.Choice(["auto", "gpu", "native", "hashlib"]),
    default="auto",
    show_default=True,
    help="What hashes; auto is what the node itself uses.",
)
@click.option("--cluster", metavar="ADDRESS", help="Use the Ray cluster at this address (extra `cluster`), or `auto`.")
def scrub(directory: Path, bytes_max: int | None, backend: Choice, cluster: str | None, as_json: bool) -> None:
    """Read own documents again from the disk and compare them with the ledger's commitments, oldest check first.

    The node may run. Stopped (Ctrl-C) or killed, the next scrub goes on with what was left. Damage is a finding,
    which closes when a later scrub finds the file right again. Exit code 6 when a document is damaged or missing.

    \b
    Examples:
      ledger-node hash scrub --node nodes/supplier
      ledger-node hash scrub --node nodes/supplier --bytes-max 1000000000 --json
      ledger-node hash scrub --node nodes/supplier --cluster 10.0.0.5:6379
    """
    from ledger_node.config import load_settings
    from ledger_node.node import open_node

    stop = threading.Event()
    node = open_node(load_settings(directory))
    with ExitStack() as stack:
        stack.callback(node.close)
        hash_files = stack.enter_context(_hash_files(node, backend, cluster))
        stack.enter_context(_stopped_by_signals(stop))
        _, left_bytes = node.scrubber.left()
        bar = click.progressbar(length=min(left_bytes, bytes_max or left_bytes), label="scrubbing", file=sys.stderr)
        with bar:
            report = node.scrubber.scrub(
                hash_files, stop, bytes_max, lambda so_far: bar.update(so_far.size_bytes - bar.pos)
            )
    _emit_report(report, as_json)


def _emit_report(report: ScrubReport, as_json: bool) -> None:
    rest = "the whole vault is checked" if report.round_finished else "the next scrub goes on with what is left"
    lines = [f"{report.documents} documents, {report.size_bytes} bytes: {len(report.damage)} damaged; {rest}"]
    lines += [f"{finding.kind.value}: document {finding.document_id}, file {finding.file}" for finding in report.damage]
    lines += [f"extra: {name} belongs to no document" for name in report.extra]
    if report.repaired:
        lines.append(f"{report.repaired} findings closed: the files are right again")
    if report.unconfirmed:
        lines.append(f"{report.unconfirmed} documents are not on the ledger (yet): compared with the node's own index")
    emit(asdict(report), as_json, "\n".join(lines))
    if report.damage:
        sys.exit(VerificationError.exit_code)


@click.command()
@json_option
@reads
@click.option("--state", type=click.Choice(["open", "closed"]), help="Only those.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
def findings(state: str | None, page: int, client: Client, as_json: bool) -> None:
    """List what the node checked and found false, the latest first; --json shows the evidence.

    \b
    Examples:
      ledger-node hash findings --state open
    """
    answer = client.get("/v1/findings", {"state": state or "", "page": page})
    emit(answer, as_json, table(answer["items"], COLUMNS))


@click.command(name="close-finding")
@json_option
@node_option
@click.argument("finding_id", type=click.IntRange(1))
def close_finding(directory: Path, finding_id: int, as_json: bool) -> None:
    """Close a finding after a person has looked, such as a mismatch that was settled with the other organisation.

    Damage of the vault closes by itself when the file is right again, and is found anew while it is not.

    \b
    Examples:
      ledger-node hash close-finding 7 --node nodes/buyer
    """
    from ledger_node.config import load_settings
    from ledger_node.database import Database
    from ledger_node.documents.findings import Findings
    from ledger_node.migrations import migrate_state
    from ledger_node.node import utc_now

    settings = load_settings(directory)
    state = Database(settings.database_url(settings.state_database))
    try:
        migrate_state(state)
        if not Findings(state, utc_now).close_one(finding_id):
            raise NotFound(f"there is no open finding {finding_id}", "List them: ledger-node hash findings")
    finally:
        state.close()
    emit({"id": finding_id, "state": "closed"}, as_json, f"finding {finding_id} is closed")


@contextmanager
def _hash_files(node: Node, backend: Choice, cluster: str | None) -> Iterator[HashFiles]:
    """What hashes: the cluster's machines when one is named and Ray is installed, else this one."""
    from ledger_node.hashing.hasher import open_hasher
    from ledger_node.hashing.past_cache import past_cache

    with ExitStack() as stack:
        hasher = node.hasher if backend == "auto" else stack.enter_context(closing(open_hasher(backend)))
        local = past_cache(hasher.hash_batch)
        if cluster is None:
            yield local
        elif importlib.util.find_spec("ray") is None:
            click.echo("Ray is not installed (pip install 'ledger-node[cluster]'): hashing on this machine", err=True)
            yield local
        else:
            from ledger_node.documents.cluster import Cluster

            machines = stack.enter_context(closing(Cluster(cluster, backend, local)))
            click.echo(f"hashing on {len(machines.where)} devices of the cluster", err=True)
            yield machines.hash_files


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
