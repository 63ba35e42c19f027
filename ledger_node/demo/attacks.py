"""Three attacks, each beside a control that is identical but for one step, and does get paid.

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

NewTrade = Callable[[str], Trade]


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
    """Play the three attacks with their controls, side by side on the same network.

    Args:
        stage: four running nodes.
        paid: a trade that was paid early before, for the attack that registers it again.
        new_trade: makes a trade with papers of its own, given a label.

    Raises: VerificationError when an attack is paid, a control is not, or they differ in anything but one class.
    """
    pairs = [
        ("swapped-file", "a file swapped in the supplier's vault after registration", swapped_file),
        ("registered-twice", "the same invoice registered again under a changed file", registered_twice),
        ("own-delivery", "a delivery confirmed by the supplier itself", own_delivery),
    ]

    def both(pair: tuple[str, str, Callable[..., None]]) -> Outcome:
        name, text, steps = pair
        attack, control = new_trade(name), new_trade(f"{name}, control")
        if steps is registered_twice:
            attack.papers = paid.papers
        steps(attack, True)
        steps(control, False)
        return judge(name, text, attack, control)

    with ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(both, pairs))


def swapped_file(trade: Trade, attack: bool) -> None:
    """The proof leaves the vault until it is registered; then another file comes back (control: the same one)."""
    trade.upload("invoice")
    trade.upload("events")
    submission = trade.upload("proof", wait=False)
    path = vault_path(trade, "proof")
    content = path.read_bytes()
    path.unlink()
    trade.stage.client("supplier", "uploader").await_submission(submission["id"], seconds=20)
    path.write_bytes(content.replace(b"%%EOF", b"% 900 pieces instead of 9\n%%EOF") if attack else content)
    finish(trade)


def registered_twice(trade: Trade, attack: bool) -> None:
    """The invoice's file is changed in a byte that nobody reads; only in the attack it was financed before."""
    trade.papers = trade.papers.with_changed_invoice_file()
    trade.upload("invoice")
    trade.upload("events")
    trade.upload("proof")
    finish(trade)


def own_delivery(trade: Trade, attack: bool) -> None:
    """The delivery is reported by the supplier (control: by the carrier that the buyer accepted)."""
    trade.upload("invoice")
    trade.upload("events")
    trade.upload("proof")
    finish(trade, delivered_by="supplier" if attack else "carrier")


def finish(trade: Trade, delivered_by: str = "carrier") -> None:
    """What follows the uploads, the same for attacks, controls and honest trades."""
    trade.ship()
    trade.register()
    trade.request()
    trade.deliver(delivered_by)
    trade.approve()


def judge(name: str, text: str, attack: Trade, control: Trade) -> Outcome:
    """Wait for both ends and hold them against each other."""
    paid = control.await_status("early-paid")
    stopped = attack.await_shown("financier", "a decision", decided)
    failed = [evidence for evidence in stopped["classes"] if evidence["verdict"] != "VALID"]
    body = {"invoice_ids": [attack.invoice_id]}
    asked = attack.stage.send("supplier", "uploader", "/v1/release-checks", body)
    unpaid = {organisation: attack.shown(organisation)["status"] for organisation in attack.stage.nodes}
    if len(failed) != 1 or asked["result"]["released"] or set(unpaid.values()) != {"approved"}:
        raise VerificationError(f"the attack {name!r} was not stopped by exactly one class: {failed}, {unpaid}")
    return Outcome(
        name=name,
        text=text,
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
