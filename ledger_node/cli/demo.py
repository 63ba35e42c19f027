"""`ledger-node demo`: the main job from founding to settlement on this machine, with four attacks."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.errors import NotFound

if TYPE_CHECKING:
    from ledger_node.demo import story
    from ledger_node.demo.stage import Stage

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@json_option
@click.option(
    "--ledger", type=click.Choice(["fabric", "embedded"]), default="fabric", show_default=True, help="Which ledger."
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where settings, keys, data and logs go; emptied first.",
)
@click.option("--invoice", type=FILE, help="Play this invoice (UBL or CII XML, or a PDF with one inside).")
@click.option("--despatch", type=FILE, help="Play this despatch advice (UBL XML); none, when an own invoice has none.")
@click.option("--events", type=FILE, help="Play these transport events (EPCIS 2.0 and others).")
@click.option("--proof", type=FILE, help="Play this proof of delivery (PDF).")
@click.option("--keep", is_flag=True, help="Leave network and nodes running; print URLs and tokens.")
@click.option(
    "--papers",
    "papers_folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a fresh invoice, despatch advice, events and proof of delivery into this folder, and do nothing else.",
)
@click.option("--stop", is_flag=True, help="Stop what an earlier --keep left running, and do nothing else.")
def command(
    ledger: str,
    directory: Path,
    invoice: Path | None,
    despatch: Path | None,
    events: Path | None,
    proof: Path | None,
    keep: bool,
    papers_folder: Path | None,
    stop: bool,
    as_json: bool,
) -> None:
    """Play the main job from founding to settlement, then four attacks with their controls.

    Four organisations, each with its node (and on Fabric its orderer, peer and contract process), on this machine.
    Own files are played as they are: an invoice that is already past due is refused (exit code 5).

    \b
    Examples:
      ledger-node demo
      ledger-node demo --ledger embedded --json
      ledger-node demo --invoice invoice.xml --events events.json --proof pod.pdf
      ledger-node demo --keep; ledger-node demo --stop
      ledger-node demo --papers papers
    """
    from ledger_node.demo import outsiders, papers, story
    from ledger_node.demo.stage import elapsed_ms, ended_by_signals, open_stage, stderr_progress

    directory = directory.resolve()
    progress = stderr_progress(sys.stderr)
    if stop:
        stop_demo(directory)
        emit({"stopped": str(directory)}, as_json, f"Stopped what ran in {directory}.")
        return
    today = dt.datetime.now(dt.UTC).date()
    if papers_folder is not None:
        written = papers.write(papers.counted(today), papers_folder)
        emit({"written": written}, as_json, "\n".join(written))
        return
    own = papers.from_files(invoice, despatch, events, proof, today)
    with ended_by_signals(), open_stage(directory, ledger, keep, progress) as stage:
        played = story.play(stage, own, progress)
        stage.timings_ms["total"] = elapsed_ms(stage.begun)
        result = story.summary(played, stage)
    # What ran is stopped by now, unless it is kept: the evidence is checked without it.
    result["evidence"] = outsiders.checked(directory, played.evidence)
    tell(result, played, stage, as_json, keep)


def stop_demo(directory: Path) -> None:
    """Stop what an earlier demo left running.

    Raises: NotFound when there was no demo.
    """
    from ledger_node.demo.stage import MARKER, close_stage, running, stderr_progress

    if not (directory / MARKER).exists():
        raise NotFound(f"there is no demo in {directory}", "Name its folder with --dir.")
    close_stage(directory, running(directory), stderr_progress(sys.stderr))


def tell(result: dict[str, Any], played: story.Played, stage: Stage, as_json: bool, keep: bool) -> None:
    """The JSON document, or tables; with --keep the way in."""
    from rich.console import Console

    from ledger_node.demo import show

    nodes = stage.nodes if keep else {}
    access = {name: {"url": node.url, "sign_in": node.sign_in, "tokens": node.tokens} for name, node in nodes.items()}
    if as_json:
        warnings = [] if stage.ledger == "fabric" else ["embedded ledger: one file, no network, no endorsement"]
        document = {"ok": True, "result": result, "warnings": warnings} | ({"access": access} if keep else {})
        click.echo(json.dumps(document, indent=2))
        return
    console = Console(highlight=False)
    show.show(played, stage, console)
    if verdict := result["evidence"]["verdict"]:
        stopped = "while the network runs" if keep else "after the network was stopped"
        console.print(f"\nEvidence for outsiders, checked {stopped}: [bold]{verdict}[/bold]. Check it yourself:")
        console.print(f"  {result['evidence']['command']}", soft_wrap=True)
    for name, node in nodes.items():
        console.print(f"\n[bold]{name}[/bold] {node.url}", soft_wrap=True)
        console.print(f"  in a browser, once: {node.sign_in}", soft_wrap=True)
        for role, token in node.tokens.items():
            console.print(f"  {role:9} {token}", soft_wrap=True)
    if keep:
        console.print(f"\nLeft running. Stop it: ledger-node demo --stop --dir {stage.directory}", soft_wrap=True)
