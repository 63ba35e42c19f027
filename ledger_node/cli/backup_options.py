"""What the commands of backups share: who can open one, by password or by key."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ledger_node.errors import BadRequest

if TYPE_CHECKING:
    from ledger_node.backup.locks import Locking, Opening

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
PASSWORD_VARIABLE = "LEDGER_NODE_BACKUP_PASSWORD_FILE"  # noqa: S105
KEY_VARIABLE = "LEDGER_NODE_BACKUP_KEY"


def _password_option(function: F) -> F:
    return click.option(
        "--password-file",
        type=FILE,
        envvar=PASSWORD_VARIABLE,
        show_envvar=True,
        help="Its first line is the password; asked for on a terminal when nothing else is given.",
    )(function)


def locked(function: F) -> F:
    """Add `--password-file` and `--recipient`, passed on as `password_file` and `recipients`."""
    option = click.option(
        "--recipient",
        "recipients",
        type=FILE,
        multiple=True,
        metavar="CERTIFICATE",
        help="Only who has the key of this certificate can open it; may be given several times.",
    )
    return _password_option(option(function))


def opened(function: F) -> F:
    """Add `--password-file` and `--key`, passed on as `password_file` and `key`."""
    option = click.option(
        "--key",
        type=FILE,
        envvar=KEY_VARIABLE,
        show_envvar=True,
        help="The private key of a certificate that it is locked to; its own password is that of --password-file.",
    )
    return _password_option(option(function))


def lockings(password_file: Path | None, recipients: tuple[Path, ...]) -> list[Locking]:
    """Who can open a backup that is about to be written.

    Raises: BadRequest for a certificate that cannot be taken, a short password, or nobody at all.
    """
    from ledger_node.backup.locks import by_password, to_certificate

    now = dt.datetime.now(dt.UTC)
    locks = [to_certificate(path.read_bytes(), now) for path in recipients]
    if password_file is not None or not locks:
        locks.append(by_password(_password(password_file, confirm=True)))
    return locks


def opening(password_file: Path | None, key: Path | None) -> Opening:
    """How a backup is opened. Raises: BadRequest."""
    from ledger_node.backup.locks import with_key, with_password

    if key is None:
        return with_password(_password(password_file, confirm=False))
    return with_key(key.read_bytes(), None if password_file is None else _password(password_file, confirm=False))


def _password(file: Path | None, *, confirm: bool) -> str:
    if file is not None:
        return (file.read_text("utf-8").splitlines() or [""])[0]
    if not sys.stdin.isatty():
        remedy = f"Give --password-file (or {PASSWORD_VARIABLE}), a certificate to write, or a key to read."
        raise BadRequest("there is no terminal to ask for the password on", remedy)
    return str(click.prompt("Password of the backup", hide_input=True, confirmation_prompt=confirm, err=True))
