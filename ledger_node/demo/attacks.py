"""Four attacks, each beside a control that is identical but for one step, and does get paid.

The attacker is the supplier, who owns its node and its disk. Nothing is staged on the other side: what stops the attack
is what the other organisations' nodes and the contract do anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ledger_node.demo.stage import Stage
from ledger_node.demo.trade import Trade, decided
from ledger_node.documents.vault import Vault
from ledger_node.errors import VerificationError

Steps = Callable[[Trade, bool], None]
NewTrade = Callable[[str, str], Trade]
"""A trade with papers of its own, given a label and the number of the invoice that its own corrects, or ""."""


@dataclass(frozen=True)
class Attack:
    """What the supplier tries: how it uploads; whether its invoice is the one financed before, or says to correct that;
    and who reports the delivery."""

    name: str
    text: str
    steps: Steps
    again: bool = False
    corrects: bool = False
    delivered_by: str = "carrier"


@dataclass(frozen=True)
class Outcome:
    """What became of an attack and of its control; `reason` is the contract's code for the class that did not hold."""

    name: str
    text: str
    class_name: str
    reason: str
    transaction_id: str
    attack_invoice_id: str
    control_invoice_id: str
    control_paid: bool


def play(stage: Stage, paid: Trade, new_trade: NewTrade) -> list[Outcome]:
    """Play the four attacks with their controls, side by side on the same network.

    Args:
        stage: four running nodes.
        paid: a trade that was paid early before, for the attack that registers it again.
        new_trade: makes a trade with papers of its own.

    Raises: VerificationError when an attack is paid, a control is not, or they differ in anything but one class.
    """
    with ThreadPoolExecutor(len(ATTACKS) + len(CONTROLS)) as pool:
        controls = {steps: pool.submit(_control, steps, new_trade(f"{name}, control", "")) for steps, name in CONTROLS}
        tried = [(attack, pool.submit(_attack, attack, paid, new_trade)) for attack in ATTACKS]
        return [judge(attack, trade.result(), controls[attack.steps].result()) for attack, trade in tried]


def _attack(attack: Attack, paid: Trade, new_trade: NewTrade) -> Trade:
    financed = paid.papers.facts.invoice_number
    trade = new_trade(attack.name, financed if attack.corrects else "")
    if attack.again:
        trade.papers = paid.papers
    attack.steps(trade, True)
    finish(trade, attack.delivered_by)
    return trade


def _control(steps: Steps, trade: Trade) -> Trade:
    steps(trade, False)
    finish(trade, "carrier")
    return trade


def swapped_file(trade: Trade, attack: bool) -> None:
    """The proof leaves the vault until it is registered; then another file comes back (control: the same one)."""
    trade.upload("invoice")
    submission = trade.upload("proof", wait=False)
    path = vault_path(trade, "proof")
    content = path.read_bytes()
    path.unlink()
    trade.stage.client("supplier", "uploader").await_submission(submission["id"], seconds=20)
    path.write_bytes(content.replace(b"%%EOF", b"% 900 pieces instead of 9\n%%EOF") if attack else content)


def changed_file(trade: Trade, attack: bool) -> None:
    """The invoice's file is changed in a byte that nobody reads. What makes an attack of it is which invoice it is, or
    who reports the delivery (control: one of its own, and the carrier that the buyer accepted)."""
    trade.papers = trade.papers.with_changed_invoice_file()
    trade.upload("invoice")
    trade.upload("proof")


def finish(trade: Trade, delivered_by: str) -> None:
    """What follows the uploads, the same for attacks, controls and honest trades."""
    trade.ship()
    trade.register()
    trade.request()
    trade.deliver(delivered_by)
    trade.approve()


ATTACKS = (
    Attack("swapped-file", "a file swapped in the supplier's vault after registration", swapped_file),
    Attack("registered-twice", "the same invoice registered again under a changed file", changed_file, again=True),
    Attack("own-delivery", "a delivery confirmed by the supplier itself", changed_file, delivered_by="supplier"),
    Attack(
        "corrected-invoice",
        "a corrected invoice (384) of the financed one, another amount",
        changed_file,
        corrects=True,
    ),
)
CONTROLS: tuple[tuple[Steps, str], ...] = ((swapped_file, "swapped-file"), (changed_file, "changed file"))
"""One control for all attacks of the same steps."""


def judge(tried: Attack, attack: Trade, control: Trade) -> Outcome:
    """Wait for both ends and hold them against each other."""
    paid = control.await_status("early-paid")
    stopped = attack.await_shown("financier", "a decision", decided)
    failed = [evidence for evidence in stopped["classes"] if evidence["verdict"] != "VALID"]
    body = {"invoice_ids": [attack.invoice_id]}
    asked = attack.stage.send("supplier", "uploader", "/v1/release-checks", body)
    unpaid = {organisation: attack.shown(organisation)["status"] for organisation in attack.stage.nodes}
    if len(failed) != 1 or asked["result"]["released"] or set(unpaid.values()) != {"approved"}:
        raise VerificationError(f"the attack {tried.name!r} was not stopped by exactly one class: {failed}, {unpaid}")
    return Outcome(
        name=tried.name,
        text=tried.text,
        class_name=failed[0]["class"],
        reason=failed[0]["reason"],
        transaction_id=asked["transaction_id"],
        attack_invoice_id=attack.invoice_id,
        control_invoice_id=control.invoice_id,
        control_paid=paid["status"] == "early-paid",
    )


def vault_path(trade: Trade, name: str) -> Path:
    """Where the supplier's own disk holds a document it uploaded."""
    settings = trade.stage.nodes["supplier"].settings
    vault = Vault(settings.at(settings.vault_dir), settings.limits.document_size_bytes_max)
    return vault.path(hashlib.sha256(getattr(trade.papers, name)).digest())
