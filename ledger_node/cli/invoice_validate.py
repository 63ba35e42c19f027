"""`ledger-node invoice validate`: files checked by the public rules, off line, before anything is uploaded."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import json_option
from ledger_node.errors import VerificationError

if TYPE_CHECKING:
    from ledger_node.rules import Checked

_TAG = re.compile(r"^\[[\w-]+\]\s*-\s*")  # official texts begin with their rule's id
NOT_CHECKABLE = 4
"""The exit code when none is invalid, and not all could be checked: the answer is still open."""


@click.command()
@json_option
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--rules",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    show_default="~/.cache/ledger-node/rules",
    help="The folder of packs of rules.",
)
def validate(files: tuple[Path, ...], folder: Path | None, as_json: bool) -> None:
    """Check invoices by the rules of EN 16931 and of the packs for what they claim to be. Needs no node.

    The verdict is valid, invalid (a rule that is fatal does not hold) or indeterminate (it could not be checked).
    Exit codes: 0 all are valid, 6 one is invalid, 4 none is invalid and one could not be checked.

    \b
    Examples:
      ledger-node invoice validate invoice.xml
      ledger-node invoice validate *.pdf --json
      ledger-node invoice validate invoice.xml --rules /srv/ledger-node/rules
    """
    from ledger_node.rules import Checker, Verdict, default_folder, find_packs

    folder = folder or default_folder()
    find_packs(folder)  # a broken pack is an error of its own, not one of each file
    checker, shown = Checker(folder), []
    verdicts: set[Verdict] = set()
    try:
        for file in files:
            checked = checker.check(file.read_bytes())
            verdicts.add(checked.verdict)
            shown.append(checked.shown(str(file)))
            if not as_json:
                click.echo("\n".join(_lines(str(file), checked)))
    finally:
        checker.close()
    if as_json:
        click.echo(json.dumps({"ok": verdicts == {Verdict.VALID}, "result": shown}, indent=2))
    if Verdict.INVALID in verdicts:
        sys.exit(VerificationError.exit_code)
    sys.exit(NOT_CHECKABLE if Verdict.INDETERMINATE in verdicts else 0)


def _lines(file: str, checked: Checked) -> Iterator[str]:
    from ledger_node.rules import Severity

    by = f" by {', '.join(checked.packs)} ({checked.model})" if checked.packs else ""
    yield f"{file}: {checked.verdict.value}{by}"
    if checked.format:
        yield f"  {checked.format}, {checked.profile or 'without specification identifier (BT-24)'}"
    for each in checked.findings:
        terms = f" ({', '.join(each.terms)})" if each.terms else ""
        yield f"  {each.severity.value:<11} {each.rule}{terms}: {_TAG.sub('', each.text)}"
        if each.location:
            yield f"  {'':<11} at {each.location}"
    if any(each.severity is Severity.WARNING for each in checked.findings):
        yield "  a warning does not make an invoice invalid"
