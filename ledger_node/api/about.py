"""What a submission is about, in the words of people: its record, where that is read, its names, and what to do now.

Derived from the rows of the operations and from the command's own body; nothing is kept for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ledger_node.api.context import current_node
from ledger_node.operations.evidence import DOCUMENT
from ledger_node.operations.fields import NAMED_KINDS
from ledger_node.operations.operation import UPLOADER, Operation
from ledger_node.operations.table import OPERATIONS
from ledger_node.outbox.submission import Submission, SubmissionStatus
from ledger_node.people.names import Named

UPLOAD = Operation(
    command="RegisterDocument",
    address="/v1/documents",
    roles=(UPLOADER,),
    text="Upload a document.",
    tag="Documents",
    record="document_id",
    resource=DOCUMENT,
)
"""The one request that is no row of a command: the upload of a file."""
_NAME_KEY = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")


def operation_of(submission: Submission) -> Operation | None:
    """The request that a submission was; None for what the node does by itself."""
    body = json.loads(submission.body)
    rows = [row for row in (*OPERATIONS, UPLOAD) if row.command == submission.type]
    fixed = [row for row in rows if row.fixed and all(body.get(name) == value for name, value in row.fixed.items())]
    return next(iter(fixed or [row for row in rows if not row.fixed]), None)


def record_of(submission: Submission) -> tuple[str, str]:
    """The id of the record that a submission makes or changes, and where it can be read; empty where there is none."""
    operation = operation_of(submission)
    if operation is None:
        return "", ""
    known = {"own": current_node().msp_id, **json.loads(submission.body)}
    record = operation.makes or operation.record
    missing = [name for name in re.findall(r"<(\w+)>", operation.resource) if name not in known]
    address = "" if missing else re.sub(r"<(\w+)>", lambda match: str(known[match[1]]), operation.resource)
    return str(known.get(record, "")), address


def names_of_each(submissions: Sequence[Submission]) -> list[Named]:
    """What is known of the names of all that each submission speaks of."""
    node = current_node()
    bodies = [json.loads(submission.body) for submission in submissions]
    own = [set(_hex_texts(body)) for body in bodies]
    records = [{f"{NAMED_KINDS[name]}/{body[name]}" for name in body if name in NAMED_KINDS} for body in bodies]
    linked = node.readmodel.name_keys({record for each in records for record in each if not record.endswith("/")})
    keys = [each | {key for of in mine for key in linked.get(of, ())} for each, mine in zip(own, records, strict=True)]
    known = node.names.of({key for each in keys for key in each})
    return [{field: text for key in sorted(each) for field, text in known.get(key, {}).items()} for each in keys]


def to_do(submission: Submission) -> str:
    """What people can do about it now; empty when there is nothing to do."""
    match submission.status:
        case SubmissionStatus.AWAITING_PERSONS:
            signed = f"{len(submission.signed_by)} of {submission.persons_needed} persons have signed"
            return f"{signed}: ledger-node person sign {submission.id} --key FILE"
        case SubmissionStatus.REFUSED:
            return f"Mend what {submission.code} names, then: ledger-node submission retry {submission.id}"
        case SubmissionStatus.FAILED:
            return f"Look at ledger-node doctor, then: ledger-node submission retry {submission.id}"
        case SubmissionStatus.WAITING | SubmissionStatus.SENT:
            return "Nothing: the node sends it by itself; if it stays so, look at ledger-node doctor"
    return ""


def _hex_texts(value: Any) -> Iterator[str]:
    """Texts in a command's body that may be keys of names: ids, fingerprints and commitments."""
    if isinstance(value, str) and _NAME_KEY.fullmatch(value):
        yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _hex_texts(part)
