"""`ledger-node invoice create`: facts become an invoice's file, UBL, CII or Factur-X. Needs no node."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.files import write_file
from ledger_node.errors import BadRequest, VerificationError

if TYPE_CHECKING:
    from ledger_node.issuing.writing import Form

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@json_option
@click.argument("facts", required=False, type=FILE)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to: a .xml, or a .pdf for Factur-X."
)
@click.option("--cii", is_flag=True, help="Write the XML as CII, not as UBL.")
@click.option("--number", help="The invoice's number, instead of that in FACTS.")
@click.option("--issue-date", metavar="YYYY-MM-DD", help="Likewise.")
@click.option("--due-date", metavar="YYYY-MM-DD", help="Likewise.")
@click.option("--order", "order_reference", help="The buyer's order, likewise.")
@click.option("--despatch", "despatch_reference", help="The despatch advice's number, likewise.")
@click.option("--account", help="To be paid to, likewise.")
@click.option("--line", "lines", multiple=True, metavar="JSON", help="A line, instead of those in FACTS; repeat.")
@click.option("--corrects", metavar="NUMBER", help="Make it a corrected invoice (384) of the one with this number.")
@click.option("--font", type=FILE, help="TrueType font for the page, where the one that comes along lacks letters.")
@click.option("--overwrite", is_flag=True, help="Replace the file if there is one.")
@click.option("--example", is_flag=True, help="Print facts to begin from, and do nothing else.")
def create(
    facts: Path | None,
    out: Path | None,
    cii: bool,
    lines: tuple[str, ...],
    corrects: str | None,
    font: Path | None,
    overwrite: bool,
    example: bool,
    as_json: bool,
    **said: str | None,
) -> None:
    """Write an invoice by EN 16931 from FACTS, a JSON file: UBL, CII, or a PDF with CII inside (Factur-X).

    Amounts are computed from the lines. What is written is checked by the public rules where they are installed
    (ledger-node rules fetch), and nothing is written that breaks one.

    \b
    Examples:
      ledger-node invoice create --example > facts.json
      ledger-node invoice create facts.json --out INV-2026-17.pdf
      ledger-node invoice create facts.json --number INV-2026-18 --issue-date 2026-12-01 --due-date 2027-01-30 \\
        --line '{"name": "Roller bearing", "quantity": "9", "price": "137.50", "vat_rate": "19"}' --out 18.xml
      ledger-node invoice create facts.json --number INV-2026-17C --corrects INV-2026-17 --out corrected.pdf
    """
    from ledger_node.issuing.draft import example as example_facts
    from ledger_node.issuing.writing import draft_of, facts_of, write

    if example:
        click.echo(json.dumps(example_facts(), indent=2, ensure_ascii=False))
        return
    if facts is None or out is None:
        raise BadRequest("say FACTS and --out", "ledger-node invoice create --example prints facts to begin from.")
    form = form_of(out, cii)
    typed = {name: text for name, text in said.items() if text is not None}
    known = facts_of(facts.read_bytes(), str(facts)) | typed
    if lines:
        known["lines"] = [facts_of(os.fsencode(line), "--line") for line in lines]
    if corrects is not None:  # an empty one, as of a variable that was not set, is refused: it would be claimed twice
        known |= {"type_code": "384", "preceding": [{"number": corrects}]}
    draft = draft_of(known, str(facts))
    content = write(draft, form, font)
    checked_by, why_not = require_valid(content)
    write_file(out, content, overwrite)
    by = f"valid by {', '.join(checked_by)}" if checked_by else f"not checked by rules: {why_not}"
    result = {"file": str(out), "form": form, "number": draft.number, "checked_by": checked_by}
    emit(result, as_json, f"{out}: invoice {draft.number} as {form}, {by}")


def form_of(out: Path, cii: bool) -> Form:
    """What a file is to hold, by its name.

    Raises: BadRequest.
    """
    forms: Mapping[str, Form] = {".xml": "cii" if cii else "ubl", ".pdf": "factur-x"}
    if out.suffix.lower() not in forms:
        raise BadRequest(f"{out} ends with neither .xml nor .pdf", "The name says what is written: XML, or Factur-X.")
    return forms[out.suffix.lower()]


def require_valid(content: bytes) -> tuple[list[str], str]:
    """By which rules it was found valid; else none, and why it could not be checked.

    Raises: VerificationError naming the rules that do not hold.
    """
    from ledger_node.rules import Checker, Severity, Verdict, default_folder

    checker = Checker(default_folder())
    try:
        checked = checker.check(content)
    finally:
        checker.close()
    if checked.verdict is Verdict.INVALID:
        texts = [each.text for each in checked.findings if each.severity is Severity.FATAL]
        raise VerificationError(f"it would break rules: {' '.join(texts)}", "Mend the facts; nothing was written.")
    if checked.verdict is Verdict.VALID:
        return list(checked.packs), ""
    return [], " ".join(each.text for each in checked.findings if each.severity is Severity.UNCHECKED)
