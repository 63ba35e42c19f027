"""The whole story: founding, one trade from upload to settlement, four attacks; and what there is to show for it."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaincode.money import Money
from ledger_node.client import Refused
from ledger_node.demo import attacks, hash_service, outsiders, papers
from ledger_node.demo.papers import Papers
from ledger_node.demo.stage import ORGANISATIONS, Progress, Stage, await_true, elapsed_ms
from ledger_node.demo.trade import JSON, Trade, decided
from ledger_node.errors import VerificationError

LIMIT_MINOR = 10**12
RATE_BPS = 450
GROUPS = {"supplier": "group-nordwind", "buyer": "group-atlas", "financier": "group-bank", "carrier": "group-carrier"}
NAMES = {"financier": "Bank of the Estuary", "carrier": "Tideway Shipping"}
PARTY_ROLES = {name: [name] for name in ORGANISATIONS} | {"financier": ["financier", "issuer"]}


@dataclass(frozen=True)
class Played:
    """What the story left behind: the trade, the attacks' outcomes, the final view of the invoice."""

    trade: Trade
    outcomes: list[attacks.Outcome]
    invoice: JSON
    rules: list[JSON]
    match: JSON
    accounts: list[JSON]
    evidence: list[Path]
    timings_ms: dict[str, int]


def play(stage: Stage, own: Papers, progress: Progress) -> Played:
    """Play everything.

    Args:
        stage: four running nodes on a fresh ledger.
        own: the papers of the main trade.
        progress: called with one line at each step.

    Raises: Refused (exit code 5) when a rule says no to the player's own papers; VerificationError when the story
        ends otherwise than it must; NodeError.
    """
    progress("four parties found the consortium; each confirms")
    found(stage, own)
    await_day(stage, own.today)
    progress("the financier accepts the supplier and opens an automatic facility on the buyer")
    facility_id = open_facility(stage, own)
    trade = Trade(stage, facility_id, own, "the trade")
    main_trade(trade, progress)
    deposit = deposit_kind(stage, own)
    settle(trade, deposit, progress)
    progress("four attacks, each beside a control")

    def another(label: str, corrects: str) -> Trade:
        return Trade(stage, facility_id, papers.generate(own.today, own.facts, corrects), label)

    outcomes = attacks.play(stage, trade, another)
    invoice = trade.await_status("settled")
    accounts = stage.client("financier", "auditor").get("/v1/accounts")["items"]
    progress("the supplier certifies the trade, the buyer says whom to believe: evidence for outsiders")
    evidence = outsiders.write(stage, trade)
    return Played(
        trade, outcomes, invoice, trade.found_by_rules(), trade.matched(), accounts, evidence, stage.timings_ms
    )


def found(stage: Stage, own: Papers) -> None:
    """One founding transaction, inert until each of its parties has confirmed it."""
    facts = own.facts
    identities = {"supplier": facts.supplier, "buyer": facts.buyer}
    parties = []
    for name in ORGANISATIONS:
        node, party = stage.nodes[name], identities.get(name)
        parties.append(
            {
                "msp_id": node.msp_id,
                "name": party.name if party else NAMES[name],
                "roles": PARTY_ROLES[name],
                "group_id": GROUPS[name],
                "peer_url": node.peer_url,
                "agreement_key": node.agreement_key,
                "legal_id": (party.vat_id or party.legal_id or party.name) if party else NAMES[name],
                "payout_account": (
                    facts.payee_accounts[0] if name == "supplier" and facts.payee_accounts else f"account of {name}"
                ),
                "issue_limits": {facts.currency: Money(LIMIT_MINOR, facts.currency).decimal()}
                if name == "financier"
                else {},
            }
        )
    stage.send("supplier", "operator", "/v1/parties", {"parties": parties})
    stage.timings_ms["first_transaction"] = elapsed_ms(stage.begun)
    for name in ORGANISATIONS:
        shown = stage.client(name, "operator").get("/v1/parties", block_number_min=stage.block_number)
        stage.send(name, "operator", "/v1/parties/confirmation", {"digest": shown["founding"]["digest"]})


def await_day(stage: Stage, today: dt.date) -> None:
    """The nodes open the ledger's day by themselves once the consortium is active."""
    for name in ORGANISATIONS:
        await_true(
            f"the day {today} at the node of the {name}",
            lambda name=name: stage.client(name, "auditor").get("/v1/days/current")["date"] >= today.isoformat(),  # type: ignore[misc]
        )


def open_facility(stage: Stage, own: Papers) -> str:
    """The financier's offer: automatic, on this buyer, for this supplier."""
    currency = own.facts.currency
    acceptance = {
        "supplier": stage.msp_id("supplier"),
        "agreement": "Receivables purchase agreement of this demo",
        "screened_until": (own.today + dt.timedelta(days=365)).isoformat(),
        "group_id": GROUPS["supplier"],
    }
    stage.send("financier", "funder", "/v1/supplier-acceptances", acceptance)
    facility = {
        "buyer": stage.msp_id("buyer"),
        "suppliers": [stage.msp_id("supplier")],
        "deposit": deposit_kind(stage, own),
        "limit": Money(LIMIT_MINOR, currency).decimal(),
        "supplier_limit": Money(LIMIT_MINOR, currency).decimal(),
        "rate_bps": RATE_BPS,
        "day_count": "ACT/360",
        "fee": Money(0, currency).decimal(),
        "tenor_days_min": 1,
        "tenor_days_max": 730,
        "grace_days": 3,
        "holidays": [],
        "mode": "automatic",
        "recourse": "none",
        "attestations_min": 2,
        "both_delivery": Money(0, currency).decimal(),
        "overdue_days_max": 10,
        "ack_days": 5,
        "insured_until": "",
    }
    return str(stage.send("financier", "funder", "/v1/facilities", facility)["record_id"])


def deposit_kind(stage: Stage, own: Papers) -> str:
    """The financier is a bank and pays in its own deposits."""
    return f"{own.facts.currency}@{stage.msp_id('financier')}"


def main_trade(trade: Trade, progress: Progress) -> None:
    """From upload to early payment; the buyer's approval comes last, so that its time to payment can be measured."""
    progress("the supplier uploads the invoice, what tells of its goods, and the proof of delivery")
    for name in trade.papers.names:
        trade.upload(name)
    progress("shipment with its carrier; the invoice; the request for early payment")
    trade.ship()
    trade.register()
    trade.request()
    progress("the carrier reports the delivery")
    trade.deliver()
    progress("the other nodes' verifiers fetch, hash and read the documents again, and attest")
    trade.await_evidence()
    progress("the buyer approves: the last piece of evidence")
    begun = time.monotonic()
    trade.approve()
    shown = trade.await_shown("supplier", "the money", lambda shown: shown["status"] == "early-paid" or decided(shown))
    require_paid(shown)
    trade.stage.timings_ms["evidence_to_paid"] = elapsed_ms(begun)
    paid = trade.await_status("early-paid")
    require_same_payment(trade)
    net = paid["early_payment"]["net"]
    progress(f"paid early: {net} {paid['currency']}, and all four nodes show it")


def require_paid(shown: JSON) -> None:
    """A fact that is against payment, such as another payee in the player's invoice, ends the story by its name.

    Raises: Refused with the reason of the class that does not hold.
    """
    failing = [each for each in shown["classes"] if each["verdict"] != "VALID"]
    if shown["status"] != "early-paid" and failing:
        raise Refused(failing[0]["reason"], f"{failing[0]['class']} does not hold: {failing[0]['text']}", "")


def require_same_payment(trade: Trade) -> None:
    """All four nodes show one and the same payment."""
    shown = [trade.shown(name)["early_payment"] for name in ORGANISATIONS]
    if any(each != shown[0] for each in shown):
        raise VerificationError(f"the nodes show different payments: {shown}")


def settle(trade: Trade, deposit: str, progress: Progress) -> None:
    """The buyer acknowledges the assignment, gets a deposit against money it paid in, and pays the holder."""
    progress("the buyer acknowledges, has a deposit issued against a booked credit, and settles")
    trade.acknowledge()
    face = trade.shown("buyer")["face"]
    issue = {
        "deposit": deposit,
        "to": trade.stage.msp_id("buyer"),
        "amount": face,
        "credit_reference": f"camt.054 entry for {trade.invoice_id}",
        "booked_on": trade.papers.today.isoformat(),
    }
    trade.stage.send("financier", "issuer", "/v1/deposits", issue)
    trade.settle(deposit)
    trade.await_status("settled")


def summary(played: Played, stage: Stage) -> dict[str, Any]:
    """The story as one JSON document: `result` of `ledger-node demo --json`."""
    invoice = played.invoice
    payment = invoice["early_payment"]
    paid_at = next(moment for moment in invoice["timeline"] if moment["transaction_id"] == payment["transaction_id"])
    return {
        "ledger": stage.ledger,
        "channel": stage.channel,
        "organisations": list(ORGANISATIONS),
        "peers": stage.peers,
        "invoice": {
            "id": invoice["invoice_id"],
            "status": invoice["status"],
            "net": payment["net"],
            "discount": payment["discount"],
            "currency": invoice["facts"]["currency"],
            "transaction_id": payment["transaction_id"],
            "block_number": paid_at["block_number"],
            "settled_transaction_id": invoice["settlement"]["transaction_id"],
        },
        "attacks": [
            {
                "name": attack.name,
                "refusal_code": attack.reason,
                "class": attack.class_name,
                "control_paid": attack.control_paid,
                "transaction_id": attack.transaction_id,
            }
            for attack in played.outcomes
        ],
        "rules": played.rules,
        "match": {name: played.match[name] for name in ("verdict", "rows")},
        "hashing": hash_service.used(stage.directory),
        "timings_ms": played.timings_ms,
    }
