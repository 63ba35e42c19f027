"""The story as people read it: timeline, classes, balances, attacks. Every figure comes from a node's answer."""

from __future__ import annotations

import datetime as dt

from rich.console import Console
from rich.table import Table

from ledger_node.demo import hash_service
from ledger_node.demo.stage import Stage
from ledger_node.demo.story import Played

LABELS = {"fabric": "a Hyperledger Fabric network of four organisations", "embedded": "the EMBEDDED ledger, one file"}


def show(played: Played, stage: Stage, console: Console) -> None:
    """Print everything worth seeing of a story that has been played."""
    console.print(f"\n[bold]Played on {LABELS[stage.ledger]}[/bold]")
    if stage.ledger == "embedded":
        console.print("No network, no endorsement, no consensus: for trying, never for money.")
    console.print(timeline(played))
    console.print(classes(played))
    console.print(rules(played))
    console.print(match(played))
    console.print(balances(played))
    console.print(attacks(played))
    hashing = hash_service.used(stage.directory)
    by = f"{hashing['documents']} by the hashing service" if hashing["service"] else "without a hashing service"
    console.print(f"documents of others were verified by {hashing['backend']}, {by}")
    milliseconds = played.timings_ms
    console.print(
        f"network up {milliseconds['network_up']} ms, first transaction {milliseconds['first_transaction']} ms, "
        f"last evidence to money {milliseconds['evidence_to_paid']} ms, total {milliseconds['total']} ms"
    )


def timeline(played: Played) -> Table:
    """Who did what in which transaction and block; milliseconds since the first of them, by the proposals' times."""
    table = Table(title="Timeline of the invoice")
    for heading in ("ms", "block", "transaction", "who", "what"):
        table.add_column(heading, justify="right" if heading in ("ms", "block") else "left")
    moments = played.invoice["timeline"]
    began = moment_of(moments[0]["timestamp"])
    for moment in moments:
        after = round((moment_of(moment["timestamp"]) - began).total_seconds() * 1000)
        table.add_row(
            str(after), str(moment["block_number"]), moment["transaction_id"][:12], moment["msp_id"], moment["what"]
        )
    return table


def classes(played: Played) -> Table:
    """The seven classes."""
    table = Table(title="Seven classes of evidence")
    for heading in ("class", "verdict", "reason", "text"):
        table.add_column(heading)
    for evidence in played.invoice["classes"]:
        table.add_row(evidence["class"], evidence["verdict"], evidence["reason"], evidence["text"])
    return table


def rules(played: Played) -> Table:
    """What the verifiers of the others found the invoice to be by the public rules."""
    table = Table(title="Public rules, as attested")
    for heading in ("who", "verdict", "by", "broken"):
        table.add_column(heading)
    for said in played.rules:
        table.add_row(said["party"], said["verdict"], ", ".join(said["packs"]), ", ".join(said["broken"]))
    return table


def match(played: Played) -> Table:
    """What the invoice bills against what left and what came; where nothing counts goods, that is said."""
    attested = ", ".join(f"{said['party']} {said['match']['verdict']}" for said in played.match["attested"])
    table = Table(title=f"Three-way match: {played.match['verdict']}", caption=f"attested: {attested or 'by nobody'}")
    for heading in ("line", "item", "unit", "billed", "despatched", "delivered", "state"):
        table.add_column(heading)
    for row in played.match["rows"]:
        counts = [row[name] for name in ("item", "unit", "billed", "despatched", "delivered", "state")]
        table.add_row(", ".join(row["lines"]), *counts)
    return table


def balances(played: Played) -> Table:
    """All accounts of both books; each book sums to zero."""
    table = Table(title="Balances")
    for heading in ("book", "unit", "account", "balance"):
        table.add_column(heading, justify="right" if heading == "balance" else "left")
    for account in played.accounts:
        if account["book"] == "cash" or account["invoice_id"] == played.trade.invoice_id:
            table.add_row(account["book"], account["unit"], account["name"], account["balance"])
    return table


def attacks(played: Played) -> Table:
    """What was tried, and what stopped it."""
    table = Table(title="Attacks, each with a control that differs in one step")
    for heading in ("attack", "stopped by", "reason", "control"):
        table.add_column(heading)
    for attack in played.outcomes:
        table.add_row(attack.text, attack.class_name, attack.reason, "paid" if attack.control_paid else "NOT PAID")
    return table


def moment_of(timestamp: str) -> dt.datetime:
    """An RFC 3339 time."""
    return dt.datetime.fromisoformat(timestamp)
