"""`ledger-node person`: who acts for the organisation, and signing on a person's own machine.

`sign` reads the private key here, on the machine that it is called on; only the signature is sent.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations, post
from ledger_node.cli.rest import Writer, emit_submission, writes
from ledger_node.client import segment
from ledger_node.errors import BadRequest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec


@click.group()
def command() -> None:
    """Persons and four eyes: enrol, retire, threshold, list, sign, withdraw."""


@command.command()
@json_option
@writes
@click.argument("name")
@click.option("--certificate", required=True, type=click.Path(path_type=Path, exists=True), help="PEM file.")
def enrol(name: str, certificate: Path, writer: Writer, as_json: bool) -> None:
    """Let a person act for the organisation; with the second one it is under four eyes, for ever.

    \b
    Examples:
      ledger-node person enrol anna --certificate anna.pem
    """
    body = {"name": name, "certificate": certificate.read_text(errors="replace")}
    post("person enrol", writer, as_json, {}, body)


@command.command()
@json_option
@writes
@click.argument("submission_id")
@click.option("--key", required=True, type=click.Path(path_type=Path, exists=True), help="The own private key, PEM.")
@click.option("--yes", is_flag=True, help="Sign without showing and asking.")
def sign(submission_id: str, key: Path, yes: bool, writer: Writer, as_json: bool) -> None:
    """Stand behind a command that awaits persons; the key stays on this machine.

    \b
    Examples:
      ledger-node person sign 9b2f6c1d4e8a47f0a1c3d5e7f9081726 --key anna.key
    """
    from ledger_node.people.persons import sign as signature_of

    path = f"/v1/submissions/{segment(submission_id)}"
    signing = writer.client.get(path)["signing"]
    if signing is None:
        raise BadRequest(f"the submission {submission_id} awaits no signature", "Look at it: it may be done.")
    if not yes:
        click.confirm(f"{signing['message']}\n\nSign this?", abort=True, err=True)
    signature = signature_of(_private_key(key), signing["message"].encode())
    emit_submission(writer.client.post(f"{path}/signatures", {"signature": signature}, wait_seconds=0), as_json)


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise BadRequest(f"{path} is no private key in PEM form without a password", "Give the own key.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadRequest(f"{path} holds no key on the curve P-256", "Give the key of the enrolled certificate.")
    return key


@command.command()
@json_option
@writes
@click.argument("submission_id")
def withdraw(submission_id: str, writer: Writer, as_json: bool) -> None:
    """Take back a command that awaits persons: it is never sent, and nobody can sign it.

    \b
    Examples:
      ledger-node person withdraw 9b2f6c1d4e8a47f0a1c3d5e7f9081726
    """
    emit_submission(writer.post(f"/v1/submissions/{segment(submission_id)}/withdrawal"), as_json)


add_operations(command, "person")
add_lists(command, "person")
