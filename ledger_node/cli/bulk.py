"""Many writes by one command: all are sent, then the ledger's answer to each is waited for; one answer a row.

A row that cannot be sent, or is refused, keeps no other from its turn. Each row has an idempotency key of its own that
follows from what it says, so the same command typed again repeats nothing that was taken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from ledger_node.cli.common import emit, table
from ledger_node.cli.rest import Writer
from ledger_node.client import JSON, Refused, StillOpen
from ledger_node.errors import NodeError

COLUMNS = ("row", "status", "record_id", "submission", "text")


def in_bulk(rows: Iterable[tuple[str, Callable[[], JSON]]], writer: Writer, as_json: bool) -> None:
    """Send all, print one answer a row, and end with the exit code of the first row that was not applied.

    Args:
        rows: what each is called, and what sends it without waiting and gives the submission.
        writer: says how long the ledger's answer is waited for.
        as_json: print JSON.
    """
    sent = [(name, _tried(send)) for name, send in rows]
    answers, exit_code = [], 0
    for number, (name, submission) in enumerate(sent, 1):
        if not as_json and sys.stderr.isatty():
            click.echo(f"\r{number} of {len(sent)}", nl=number == len(sent), err=True)
        answer, code = _answer(writer, submission)
        answers.append({"row": name, **answer})
        exit_code = exit_code or code
    emit(answers, as_json, table(answers, COLUMNS))
    if exit_code:
        sys.exit(exit_code)


def _tried(send: Callable[[], JSON]) -> JSON | NodeError:
    try:
        return send()
    except NodeError as error:
        return error


def _answer(writer: Writer, submission: JSON | NodeError) -> tuple[dict[str, Any], int]:
    """The row that says what became of one, and its exit code."""
    if isinstance(submission, Refused):  # it was sent before
        return _refused(submission), submission.exit_code
    if isinstance(submission, NodeError):
        return _row("not sent", {}, submission.text), submission.exit_code
    try:
        done = writer.client.await_submission(submission["id"], max(writer.wait_seconds, 1))
    except StillOpen as still:
        return _row(still.submission["status"], submission, still.remedy), still.exit_code
    except Refused as error:
        return _refused(error) | {"record_id": submission["record_id"]}, error.exit_code
    except NodeError as error:
        return _row("failed", submission, error.text), error.exit_code
    return _row("applied", submission, f"block {done['block_number']}"), 0


def _refused(error: Refused) -> dict[str, Any]:
    text = f"{error.text}; once it is mended: ledger-node submission retry {error.submission_id}"
    return _row("refused", {"id": error.submission_id}, text)


def _row(status: str, submission: JSON, text: str) -> dict[str, Any]:
    named = {"record_id": submission.get("record_id", ""), "submission": submission.get("id", "")}
    return {"status": status, **named, "text": text}
