"""`ledger-node document certificate` and `invoice certificate`: evidence that others check without us."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.files import write_file
from ledger_node.cli.rest import identify, reads
from ledger_node.client import Client, segment

FILE = click.Path(path_type=Path, dir_okay=False)
ES256_PLACE = 0  # of its signature in a bundle


def certificate(kind: str) -> click.Command:
    """The command of a kind, "document" or "invoice"."""

    @click.command("certificate")
    @json_option
    @reads
    @click.argument("record_id", metavar=f"{kind.upper()}_ID")
    @click.option("--out", required=True, type=FILE, help="Where to write the bundle.")
    @click.option(
        "--blocks",
        type=click.Choice(["own", "all", "none"]),
        default="own",
        show_default=True,
        help="Whose content goes in: of blocks without others' transactions, of all, of none.",
    )
    @click.option("--es256", type=FILE, help="Also write it with the ES256 signature alone, for partners' JOSE tools.")
    def command(record_id: str, out: Path, blocks: str, es256: Path | None, client: Client, as_json: bool) -> None:
        found = identify(client, f"{kind}_id", record_id)
        bundle = client.fetch(f"/v1/{kind}s/{segment(found)}/certificate", {"blocks": blocks})
        write_file(out, bundle)
        if es256 is not None:
            write_file(es256, flattened(bundle))
        shown = disclosed(bundle)
        result = {"file": str(out), "size_bytes": len(bundle), **shown}
        emit(result, as_json, "\n".join([f"{out}: {len(bundle)} bytes", *_warnings(shown)]))

    command.help = _help(kind)
    return command


def _help(kind: str) -> str:
    what = (
        "Write the evidence of an own document, and of what was attested of it."
        if kind == "document"
        else "Write the evidence of an invoice: its life and money, its documents and shipments, who said what."
    )
    return f"""{what}

    Whoever has the bundle, the files and a trust file of the channel checks it off line: ledger-node verify. The
    salts of own documents are in it: give it to nobody who must not know that a file is this one.

    \b
    Examples:
      ledger-node {kind} certificate 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c --out {kind}.bundle.json
      ledger-node {kind} certificate INV-2026-17 --out {kind}.bundle.json --blocks all
    """


def flattened(bundle: bytes) -> bytes:
    """The bundle as a flattened JWS with its ES256 signature alone (RFC 7515 section 7.2.2)."""
    jws = json.loads(bundle)
    return json.dumps({"payload": jws["payload"], **jws["signatures"][ES256_PLACE]}).encode()


def disclosed(bundle: bytes) -> dict[str, Any]:
    """What a bundle shows of others, and what it cannot show without: numbers of transactions and of blocks."""
    payload = json.loads(bundle)["payload"]
    content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    own = {each["envelope"] for each in content["transactions"]}
    told = {each["key"] for each in content["records"]}
    shown = [each for each in content["blocks"] if each["data"] is not None]
    return {
        "others_transactions": sum(envelope not in own for each in shown for envelope in each["data"]),
        "other_records": sum(key not in told for envelope in own for key in _written(envelope)),
        "blocks": len(content["blocks"]),
        "blocks_left_out": len(content["blocks"]) - len(shown),
    }


def _written(envelope: str) -> list[str]:
    """The keys that a transaction has written; none when it cannot be read, which verify says."""
    from network.proofs.messages import UnreadableError
    from network.proofs.transactions import read_transaction

    try:
        return list(read_transaction(base64.b64decode(envelope)).writes)
    except UnreadableError:
        return []


def _warnings(shown: dict[str, Any]) -> list[str]:
    lines = []
    if records := shown["other_records"]:
        lines.append(f"warning: its transactions have also written {records} records that it is not about")
    if others := shown["others_transactions"]:
        lines.append(f"warning: it shows {others} transactions of others that stand in the same blocks")
    if left_out := shown["blocks_left_out"]:
        lines.append(
            f"the content of {left_out} of {shown['blocks']} blocks is left out, since others' transactions stand in "
            "it: verify will say SKIPPED there. With --blocks all it goes in"
        )
    return lines
