"""`ledger-node submission`: what became of writes, what is to do about them, and trying one again."""

from __future__ import annotations

import click

from ledger_node.cli.common import emit, json_option
from ledger_node.cli.lists import add_lists
from ledger_node.cli.rest import Writer, emit_submission, fields, reads, writes
from ledger_node.client import Client, segment

FIELDS = ("id", "type", "status", "code", "text", "to_do", "record_id", "resource", "principal", "created_at")


@click.group()
def command() -> None:
    """Submissions: list, show, retry, withdraw."""


@command.command()
@json_option
@reads
@click.argument("submission_id")
def show(submission_id: str, client: Client, as_json: bool) -> None:
    """Show what became of a write, and what is to do about it.

    \b
    Examples:
      ledger-node submission show 9b2f6c1d4e8a47f0a1c3d5e7f9081726
    """
    submission = client.get(f"/v1/submissions/{segment(submission_id)}")
    emit(submission, as_json, fields(submission, FIELDS))


@command.command()
@json_option
@writes
@click.argument("submission_id")
def retry(submission_id: str, writer: Writer, as_json: bool) -> None:
    """Let a command that failed or was refused go again; it has one effect at most, however often it goes.

    \b
    Examples:
      ledger-node submission retry 9b2f6c1d4e8a47f0a1c3d5e7f9081726
    """
    emit_submission(writer.post(f"/v1/submissions/{segment(submission_id)}/retry"), as_json)


@command.command()
@json_option
@writes
@click.argument("submission_id")
def withdraw(submission_id: str, writer: Writer, as_json: bool) -> None:
    """Take back a command that awaits persons: it is never sent, and nobody can sign it.

    \b
    Examples:
      ledger-node submission withdraw 9b2f6c1d4e8a47f0a1c3d5e7f9081726
    """
    emit_submission(writer.post(f"/v1/submissions/{segment(submission_id)}/withdrawal"), as_json)


add_lists(command, "submission")
