"""What the commands that speak with a node's REST API share: where it is, the token, waiting, and how to print.

These commands open no file of the node but node.toml, and that only for its address when `--node` is given.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from ledger_node.cli import profiles
from ledger_node.cli.common import emit
from ledger_node.cli.prompts import prompts
from ledger_node.client import JSON, Client, require_header_text
from ledger_node.errors import BadRequest

QUIET = "ledger_node.quiet"
ID = re.compile(r"[0-9a-f]{32}")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Writer:
    """A client, and how the user wants writes to be sent."""

    client: Client
    wait_seconds: int
    idempotency_key: str

    def post(self, path: str, body: JSON | None = None) -> JSON:
        """Write, waiting as long as the user wants."""
        return self.client.post(path, body, wait_seconds=self.wait_seconds, idempotency_key=self.idempotency_key)


def reads(function: F) -> F:
    """Add `--url`, `--node`, `--token` and `--block-min`; the command gets a `client`."""

    @click.option("--url", envvar="LEDGER_NODE_URL", show_envvar=True, help="The node's address, http://HOST:PORT.")
    @click.option(
        "--node",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="LEDGER_NODE_NODE",
        show_envvar=True,
        help="Instead of --url: a folder with node.toml, to read the address from.",
    )
    @click.option("--token", envvar="LEDGER_NODE_TOKEN", show_envvar=True, default="", help="API token.")
    @click.option(
        "--block-min",
        type=click.IntRange(0),
        metavar="NUMBER",
        help="A block you have seen, on any node: what is read, or decided, is at least that new.",
    )
    @click.option("--profile", envvar="LEDGER_NODE_PROFILE", show_envvar=True, help="What `ledger-node login` kept.")
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        url: str | None,
        directory: Path | None,
        token: str,
        block_min: int | None,
        profile: str | None,
        **kwargs: Any,
    ) -> Any:
        address, token = _credentials(url, directory, token, profile)
        block_number_min = -1 if block_min is None else block_min
        with Client(address, token, block_number_min=block_number_min) as client:
            return function(*args, client=client, **kwargs)

    return wrapped  # type: ignore[return-value]


def _note_quiet(context: click.Context, _parameter: click.Parameter, quiet: bool) -> None:
    context.meta[QUIET] = quiet


def writes(function: F) -> F:
    """Add the options of `reads`, `--wait` and `--idempotency-key`; the command gets a `writer`."""

    @reads
    @click.option(
        "--wait",
        "wait_seconds",
        type=click.IntRange(0, 30),
        default=10,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for the ledger; exit code 4 when it has not answered by then.",
    )
    @click.option("--idempotency-key", default="", help="To try an earlier write again; made when left out.")
    @click.option(
        "--quiet", is_flag=True, expose_value=False, callback=_note_quiet, help="Print only the id of the record."
    )
    @functools.wraps(function)
    def wrapped(*args: Any, client: Client, wait_seconds: int, idempotency_key: str, **kwargs: Any) -> Any:
        require_header_text(idempotency_key)  # before anything else is asked of the node
        return function(*args, writer=Writer(client, wait_seconds, idempotency_key), **kwargs)

    return wrapped  # type: ignore[return-value]


def identify(client: Client, field: str, text: str) -> str:
    """The id of a record, for whoever typed it, the beginning of it, or the record's name.

    Args:
        field: what the API calls it, such as "invoice_id".
        text: as it was typed; empty for none.

    Raises: NotFound; BadRequest that lists the candidates.
    """
    kind = prompts()["named_kinds"].get(field)
    if kind is None or not text or ID.fullmatch(text):
        return text
    return str(client.get("/v1/ids", {"kind": kind, "name": text})["id"])


def emit_submission(submission: JSON, as_json: bool) -> None:
    """Print what became of a write; only the id of its record, or else its own, where `--quiet` was typed."""
    if click.get_current_context().meta.get(QUIET) and not as_json:
        click.echo(submission["record_id"] or submission["id"])
        return
    about = f"{submission['type']} {submission['record_id']}".rstrip()
    if submission["status"] == "applied":
        place = f"block {submission['block_number']}, transaction {submission['transaction_id']}"
        text = f"{about}: applied in {place}"
        if digest := (submission["result"] or {}).get("digest"):
            text += f"\neach party confirms it: ledger-node party confirm {digest}"
        released = (submission["result"] or {}).get("released")
        if released:
            text += f"\npaid in this transaction: {', '.join(released)}"
    elif submission["status"] == "withdrawn":
        text = f"{about}: {submission['text']}"
    else:
        text = f"{about}: {submission['status']}; ask for submission {submission['id']}"
    if same := submission.get("same_content"):
        text += f"\nthe same file was uploaded before, as {', '.join(same)}"
    emit(submission, as_json, "\n".join([text, *(f"note: {note}" for note in submission.get("notes", []))]))


def fields(record: JSON, names: tuple[str, ...]) -> str:
    """Some fields of a record, one a line, for people."""
    width = max(map(len, names))
    return "\n".join(f"{name.ljust(width)}  {_plain(record[name])}" for name in names)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _credentials(url: str | None, directory: Path | None, token: str, profile: str | None) -> tuple[str, str]:
    """Address and token: both of the profile that was named, else what was typed or set, else those of `default`.

    A kept token goes to its own address, and a token that was typed or set to no address that was not.
    """
    typed = url or (None if directory is None else _address(directory))
    if profile:
        named = profiles.load(profile)
        if named is None:
            raise BadRequest(f"there is no profile {profile!r}", f"ledger-node login --profile {profile} makes one.")
        if typed and typed != named.url:
            text = f"the profile {profile!r} is for {named.url}, not for {typed}"
            raise BadRequest(text, "Leave out the address, or the profile.")
        return named.url, named.token
    kept = None if typed and token else profiles.load(profiles.DEFAULT)
    if kept is not None and (token or (typed and kept.url != typed)):
        kept = None
    if not (token or kept):
        raise BadRequest(
            "no token was given", "ledger-node login, or set LEDGER_NODE_TOKEN; make one with: ledger-node token create"
        )
    return (kept.url, kept.token) if kept else (typed or _address(None), token)


def _address(directory: Path | None) -> str:
    if directory is None:
        raise BadRequest(
            "which node?", "ledger-node login, or set LEDGER_NODE_URL, or give --url http://HOST:PORT or --node DIR."
        )
    from ledger_node.config import load_settings

    settings = load_settings(directory)
    return f"http://{settings.host}:{settings.user_port}"
