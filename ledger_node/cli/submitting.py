"""Submitting a file in one command: what `upload` and `register` do one after the other, with one effect however often.

The idempotency keys of both steps follow from the file and the options, so the same command typed again goes on where
it stopped and writes nothing twice.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ledger_node.cli.rest import Writer
from ledger_node.client import JSON
from ledger_node.errors import NodeError

GENERIC = "application/octet-stream"


def base_key(writer: Writer, file: Path, said: dict[str, Any]) -> str:
    """The idempotency key that those of all steps are made of: what was typed, else from the file and the options."""
    if writer.idempotency_key:
        return writer.idempotency_key
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return "submit-" + hashlib.sha256(json.dumps([digest, said], sort_keys=True).encode()).hexdigest()[:32]


def upload(writer: Writer, key: str, file: Path, kind: str, entitled: tuple[str, ...]) -> JSON:
    """Upload the file; its media type is what its content says."""
    from ledger_node.formats.sniff import HEAD_BYTES, sniff

    with file.open("rb") as stream:
        media_type = sniff(stream.read(HEAD_BYTES)) or GENERIC
    return writer.client.upload(
        file,
        kind=kind,
        media_type=media_type,
        entitled=list(entitled),
        wait_seconds=writer.wait_seconds,
        idempotency_key=f"{key}/document",
    )


def post(writer: Writer, key: str, step: str, path: str, body: JSON, uploaded: JSON) -> JSON:
    """The next step; a refusal says what the step before has left.

    Raises: NodeError as `Client.post` does.
    """
    try:
        return writer.client.post(path, body, wait_seconds=writer.wait_seconds, idempotency_key=f"{key}/{step}")
    except NodeError as error:
        left = f"The file is uploaded as document {uploaded['record_id']}."
        error.remedy = f"{error.remedy}. {left}" if error.remedy else left
        raise
