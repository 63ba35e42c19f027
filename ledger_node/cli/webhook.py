"""`ledger-node webhook`: programs outside that are told what happens on the ledger."""

from __future__ import annotations

import json
from typing import Any

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import fields, reads
from ledger_node.client import JSON, Client, segment
from ledger_node.errors import NodeError

COLUMNS = ("id", "name", "url", "status", "waiting", "dead", "delivered", "delivered_at", "error")
DEAD_COLUMNS = ("event_id", "type", "order", "tries", "died_at", "error")
SHOWN = (
    *("id", "name", "url", "types", "only_own", "status", "reason", "created_at", "created_by", "next_block"),
    *("waiting", "dead", "delivered", "delivered_at", "failed_at", "error"),
)


@click.group()
def command() -> None:
    """Webhooks: tell other programs what happens on the ledger, signed."""


@command.command()
@json_option
@reads
@click.argument("receiver")
@click.option("--name", default="", help="What you call it.")
@click.option("--type", "types", multiple=True, help="Type of events, or its first part, such as invoice; repeat.")
@click.option("--all-parties", is_flag=True, help="Also events that do not name this organisation.")
@click.option("--from-block", type=click.IntRange(0), help="Tell the past from this block on, too.")
def add(
    receiver: str,
    name: str,
    types: tuple[str, ...],
    all_parties: bool,
    from_block: int | None,
    client: Client,
    as_json: bool,
) -> None:
    """Tell a receiver what happens; prints its secret, this once.

    Deliveries are signed by Standard Webhooks; bodies are CloudEvents. The receiver checks signature and timestamp, and
    answers 2xx once it has the event for good. Addresses that are not public are refused, unless the node's settings
    name the host.

    \b
    Examples:
      ledger-node webhook add https://erp.example.com/hooks/ledger --type invoice --type early_payment
    """
    body = {"url": receiver, "name": name, "types": list(types), "only_own": not all_parties, "from_block": from_block}
    made = _post(client, "", body)
    once = f"secret, shown this once: {made['secret']}\ntry it: ledger-node webhook test {made['id']}"
    emit(made, as_json, f"{fields(made, SHOWN)}\n\n{once}")


@command.command(name="list")
@json_option
@reads
def list_webhooks(client: Client, as_json: bool) -> None:
    """List the webhooks and how they go.

    \b
    Examples:
      ledger-node webhook list
    """
    found = client.get("/v1/webhooks")["items"]
    emit(found, as_json, table(found, COLUMNS))


@command.command()
@json_option
@reads
@click.argument("webhook_id")
def show(webhook_id: str, client: Client, as_json: bool) -> None:
    """Show one, with what waits for it and its last error; never its secret.

    \b
    Examples:
      ledger-node webhook show 0123456789abcdef
    """
    found = client.get(f"/v1/webhooks/{segment(webhook_id)}")
    emit(found, as_json, fields(found, SHOWN))


@command.command()
@json_option
@reads
@click.argument("webhook_id")
def test(webhook_id: str, client: Client, as_json: bool) -> None:
    """Send a test event now, once, and say what the receiver answered; exit code 1 when it did not take it.

    \b
    Examples:
      ledger-node webhook test 0123456789abcdef
    """
    answer = _post(client, f"/{segment(webhook_id)}/test")
    if not answer["delivered"]:
        raise NodeError(f"not delivered: {answer['error']}", "Look at the receiver, and at its address.")
    emit(answer, as_json, f"delivered: HTTP {answer['status']}")


@command.command()
@json_option
@reads
@click.argument("webhook_id")
def pause(webhook_id: str, client: Client, as_json: bool) -> None:
    """Send nothing for now; what happens meanwhile is not lost.

    \b
    Examples:
      ledger-node webhook pause 0123456789abcdef
    """
    emit(answer := _post(client, f"/{segment(webhook_id)}/pause"), as_json, f"{answer['id']} is {answer['status']}")


@command.command()
@json_option
@reads
@click.argument("webhook_id")
def resume(webhook_id: str, client: Client, as_json: bool) -> None:
    """Go on with one that was paused, or whose receiver answered 410.

    \b
    Examples:
      ledger-node webhook resume 0123456789abcdef
    """
    emit(answer := _post(client, f"/{segment(webhook_id)}/resume"), as_json, f"{answer['id']} is {answer['status']}")


@command.command()
@json_option
@reads
@click.argument("webhook_id")
def remove(webhook_id: str, client: Client, as_json: bool) -> None:
    """Forget one, with its secrets and what it was to be told.

    \b
    Examples:
      ledger-node webhook remove 0123456789abcdef
    """
    emit(answer := _post(client, f"/{segment(webhook_id)}/removal"), as_json, f"removed {answer['id']}")


@command.command()
@json_option
@reads
@click.argument("webhook_id")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
@click.option("--bodies", is_flag=True, help="Print the events themselves, one a line.")
@click.option("--discard", is_flag=True, help="Forget them all.")
def dead(webhook_id: str, page: int, bodies: bool, discard: bool, client: Client, as_json: bool) -> None:
    """List the events that were given up, the latest first, or forget them.

    \b
    Examples:
      ledger-node webhook dead 0123456789abcdef
      ledger-node webhook dead 0123456789abcdef --discard
    """
    if discard:
        count = _post(client, f"/{segment(webhook_id)}/discard")["events"]
        emit({"events": count}, as_json, f"{count} forgotten")
        return
    found = client.get(f"/v1/webhooks/{segment(webhook_id)}/dead-letters", {"page": page})
    text = "\n".join(row["body"] for row in found["items"]) if bodies else table(found["items"], DEAD_COLUMNS)
    emit(found, as_json, text)


@command.command()
@json_option
@reads
@click.argument("webhook_id")
@click.option("--event", "event_id", default="", help="One dead letter by its id; all of them when left out.")
@click.option("--from-block", type=click.IntRange(0), help="Instead: everything from this block on.")
def replay(webhook_id: str, event_id: str, from_block: int | None, client: Client, as_json: bool) -> None:
    """Tell again what was given up, or everything from a block on, under the ids of then.

    \b
    Examples:
      ledger-node webhook replay 0123456789abcdef
      ledger-node webhook replay 0123456789abcdef --from-block 1200
    """
    answer = _post(client, f"/{segment(webhook_id)}/replay", {"event_id": event_id, "from_block": from_block})
    text = f"from block {from_block} on" if from_block is not None else f"{answer['events']} again"
    emit(answer, as_json, text)


@command.command()
@json_option
@reads
@click.argument("webhook_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 720),
    default=24,
    show_default=True,
    help="How long the former secret signs as well; 0 ends it at once.",
)
def rotate(webhook_id: str, overlap_hours: int, client: Client, as_json: bool) -> None:
    """Make a new secret, printed this once; until the overlap ends every delivery carries both signatures.

    \b
    Examples:
      ledger-node webhook rotate 0123456789abcdef
    """
    answer = _post(client, f"/{segment(webhook_id)}/rotation", {"overlap_hours": overlap_hours})
    emit(answer, as_json, answer["secret"])


def _post(client: Client, path: str, body: JSON | None = None) -> Any:
    return json.loads(client.ask(f"/v1/webhooks{path}", body=body or {}))
