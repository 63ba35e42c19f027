"""`ledger-node node`: serve one organisation's node, and say how it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ledger_node import logs
from ledger_node.cli.common import emit, json_option, node_option
from ledger_node.cli.node_init import init
from ledger_node.errors import NodeError

STATUS_SECONDS_MAX = 5.0


@click.group()
def command() -> None:
    """One organisation's node: init, serve, status."""


command.add_command(init)


@command.command()
@json_option
@node_option
def serve(directory: Path, as_json: bool) -> None:
    """Serve the node until SIGTERM or Ctrl-C: the REST API, the other nodes' door and the workers.

    \b
    Examples:
      ledger-node node serve --node nodes/supplier
    """
    from ledger_node.config import load_settings
    from ledger_node.serve import serve as run  # heavy: only for who serves

    settings = load_settings(directory)
    logs.configure(settings.logs.format, settings.logs.level)
    run(settings)
    emit({"served": str(settings.directory)}, as_json, "stopped")


@command.command()
@json_option
@node_option
def status(directory: Path, as_json: bool) -> None:
    """Say whether the node runs and is ready; exit code 1 when it is not.

    \b
    Examples:
      ledger-node node status --node nodes/supplier
      ledger-node node status --node nodes/supplier --json
    """
    import ssl

    import httpx

    from ledger_node.config import load_settings

    settings = load_settings(directory)
    url = f"http://{settings.host}:{settings.user_port}"
    try:
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # there is no TLS, so no authority needs to be read
        answer = httpx.get(f"{url}/health/ready", timeout=STATUS_SECONDS_MAX, trust_env=False, verify=nobody)
        health: dict[str, Any] = answer.json()
    except (httpx.TransportError, ValueError) as error:
        remedy = f"Start it: ledger-node node serve --node {directory}"
        raise NodeError(f"the node of {settings.organisation} does not answer at {url}: {error}", remedy) from error
    if answer.status_code != 200:
        raise NodeError(f"the node of {settings.organisation} is not ready: {health.get('detail', '')}", "See its log.")
    emit({"url": url, **health}, as_json, _as_text(url, health))


def _as_text(url: str, health: dict[str, Any]) -> str:
    outbox = ", ".join(f"{count} {status}" for status, count in health["outbox"].items() if count) or "empty"
    lines = [
        f"{health['msp_id']} at {url} is ready",
        f"  ledger   {health['ledger']}, block {health['block_number']}, day {health['day'] or 'not open'}",
        f"  outbox   {outbox}",
    ]
    return "\n".join(lines + [f"  worker   {worker['worker']}: {worker['state']}" for worker in health["workers"]])
