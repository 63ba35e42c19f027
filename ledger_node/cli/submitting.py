"""Submitting a file in one command: what `upload` and `register` do one after the other, with one effect however often.

The idempotency key follows from the file and the options, so the same command typed again goes on where it stopped and
writes nothing twice.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ledger_node.cli.rest import Writer
from ledger_node.client import JSON, Refused

GENERIC = "application/octet-stream"
Form = dict[str, str | list[str]]


def submit_file(writer: Writer, path: str, file: Path, form: Form) -> JSON:
    """Send a file with what is said of it; its media type is what its content says.

    Args:
        path: of the resource.

    Raises: Refused, whose remedy says how it goes on once it is mended; others as `Client.post_file`.
    """
    from ledger_node.formats.sniff import HEAD_BYTES, sniff  # loads the contract

    with file.open("rb") as stream:
        media_type = sniff(stream.read(HEAD_BYTES)) or GENERIC
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    asked = json.dumps([path, digest, form], sort_keys=True).encode()
    key = writer.idempotency_key or "submit-" + hashlib.sha256(asked).hexdigest()[:32]
    try:
        return writer.client.post_file(
            path, file, media_type, form, wait_seconds=writer.wait_seconds, idempotency_key=key
        )
    except Refused as error:
        if error.submission_id:  # under the same key the same refusal would be told again
            error.remedy = (
                f"{error.remedy} Once it is mended: ledger-node submission retry {error.submission_id}".strip()
            )
        raise
