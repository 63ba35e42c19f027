"""`ledger-node audit`: who did what at a node, from its own file; read on the node's machine, and nowhere else."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ledger_node.cli.common import emit, json_option, node_option
from ledger_node.errors import NotFound, VerificationError
from ledger_node.people import audit

FAULTS_SHOWN = 20


@click.group()
def command() -> None:
    """The node's audit log: who did what; show, verify."""


@command.command()
@json_option
@node_option
@click.option("--token", default="", help="Only acts with this token, by its id.")
@click.option("--principal", default="", help="Only acts of this principal.")
@click.option("--person", default="", help="Only signatures of this person, by id.")
@click.option("--since", default="", help="Only acts from this time on, for example 2026-11-30 or 2026-11-30T09:00.")
@click.option("--failed", is_flag=True, help="Only acts that were answered with an error.")
def show(directory: Path, token: str, principal: str, person: str, since: str, failed: bool, as_json: bool) -> None:
    """Show acts, oldest first: when, who, what was asked for, and how it was answered.

    An act without an answer was begun, and its answer was not written down: the node was killed meanwhile, or its disk
    was full by then.

    \b
    Examples:
      ledger-node audit show --node nodes/supplier --principal erp --since 2026-11-30
      ledger-node audit show --node nodes/supplier --failed --json
    """
    wanted = {"token": token, "principal": principal, "person": person}
    acts = [
        act
        for act in _acts(_path(directory))
        if all(not value or act.get(name) == value for name, value in wanted.items())
        and str(act.get("at", "")) >= since
        and (not failed or int(act.get("status") or 0) >= 400)
    ]
    emit(acts, as_json, "\n".join(map(_line, acts)))


@command.command()
@json_option
@node_option
@click.option("--kept", default="", metavar="DIGEST", help="A newest digest of before: the file must have it still.")
def verify(directory: Path, kept: str, as_json: bool) -> None:
    """Follow the chain of the whole file; exit code 6 when a line does not continue the one before it.

    The digest that it prints names the file as it is now: kept elsewhere, it shows later that nothing before was
    changed. A file that was archived verifies by itself; the one after it begins anew.

    \b
    Examples:
      ledger-node audit verify --node nodes/supplier
      ledger-node audit verify --node nodes/supplier --kept 5f0c8b2e...
    """
    path = _path(directory)
    found = audit.verify(path, kept)
    faults = [f"line {each.line}: {each.text}" for each in found.broken]
    if not found.kept_found:
        faults.append("no line has the digest that was kept: the file was written anew, or another one was archived")
    if faults:
        more = f"; and {len(faults) - FAULTS_SHOWN} more" if len(faults) > FAULTS_SHOWN else ""
        text = f"{path}, {found.lines} lines, newest digest {found.digest}: {'; '.join(faults[:FAULTS_SHOWN])}{more}"
        raise VerificationError(text, "Compare with a backup that was made before.")
    result = dataclasses.asdict(found)
    emit(result, as_json, f"{found.lines} lines, each continues the one before; newest digest {found.digest}")


def _path(directory: Path) -> Path:
    from ledger_node.config import load_settings

    settings = load_settings(directory)
    path = settings.at(settings.audit_file)
    if not path.exists():
        raise NotFound(
            f"there is no audit log at {path}", "It begins with the first act; archived files lie elsewhere."
        )
    return path


def _acts(path: Path) -> Iterator[dict[str, Any]]:
    """Acts with their answers: what was asked, and how it ended, as one."""
    asked: dict[str, dict[str, Any]] = {}
    found: list[dict[str, Any]] = []
    for digest, act in audit.read(path):
        kind = act.pop("act", "")
        if kind == "answered":
            begun = asked.pop(str(act.pop("asked", "")), None)
            if begun is not None:
                begun.update({name: value for name, value in act.items() if name != "at"})
            continue
        found.append(act if kind == "asked" else {"at": act.pop("at", ""), "act": kind, **act})
        if kind == "asked":
            asked[digest] = act
    yield from found


def _line(act: dict[str, Any]) -> str:
    who = act.get("principal") or act.get("account", "")
    what = act.get("act") or f"{act.get('method')} {act.get('path')}"
    rest = {name: value for name, value in act.items() if name not in {"at", "principal", "act", "method", "path"}}
    line = f"{act.get('at', '')}  {who}  {what}  {json.dumps(rest, ensure_ascii=False) if rest else ''}".rstrip()
    # What somebody sent must neither look like another line nor speak to the terminal.
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
