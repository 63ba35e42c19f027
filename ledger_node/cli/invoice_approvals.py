"""Approvals in a CSV file, as `ledger-node invoice approve --file` takes them."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ledger_node.cli.rest import Writer, identify
from ledger_node.client import JSON
from ledger_node.errors import BadRequest

COLUMNS = ("invoice", "amount", "currency", "due_date", "reference")
Row = dict[str, str]


def approvals(file: Path, writer: Writer) -> Iterator[tuple[str, Callable[[], JSON]]]:
    """What each line is called, and what sends it. Raises: BadRequest when the file is none of approvals."""
    for number, row in enumerate(_read(file), 2):
        yield f"line {number}: {row['invoice']}", partial(_send, row, writer)


def _send(row: Row, writer: Writer) -> JSON:
    invoice_id = identify(writer.client, "invoice_id", row["invoice"])
    body = {name: row[name] for name in ("amount", "currency", "due_date")} | {"buyer_reference": row["reference"]}
    said = json.dumps([invoice_id, body, writer.idempotency_key], sort_keys=True)
    key = hashlib.sha256(said.encode()).hexdigest()
    without_waiting = dataclasses.replace(writer, wait_seconds=0, idempotency_key=key)
    return without_waiting.post(f"/v1/invoices/{invoice_id}/approval", body)


def _read(file: Path) -> list[Row]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{file} is not UTF-8", "Save it as CSV in UTF-8.") from error
    header = text.partition("\n")[0]
    lines = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header else ",", strict=True)
    names = tuple(name.strip() for name in lines.fieldnames or ())
    if sorted(names) != sorted(COLUMNS):
        raise BadRequest(f"{file} has the columns {', '.join(names)}", f"Name its columns: {','.join(COLUMNS)}")
    lines.fieldnames = names
    try:
        rows = []
        for line in lines:
            if None in line:
                raise BadRequest(f"{file}, line {lines.line_num}: more cells than columns", "Mend the line.")
            rows.append({name: (value or "").strip() for name, value in line.items()})
    except csv.Error as error:
        raise BadRequest(f"{file}, line {lines.line_num}: {error}", "Mend the line.") from error
    if not rows:
        raise BadRequest(f"{file} names no invoice", "Write one line for each.")
    return rows
