"""Why: what people of an invoice's parties typed as reasons, told by the node that has it to those of the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.answers import existing, reads
from ledger_node.api.context import current_node
from ledger_node.api.wire import Plain
from ledger_node.node import Node
from ledger_node.operations.fields import Answer, Out
from ledger_node.outbox.submission import SubmissionStatus
from ledger_node.people.reasons import Said
from ledger_node.readmodel import Record
from ledger_node.verification.exchange import REASONS_PATH, ExchangeError
from ledger_node.verification.hearing import ANSWER_BYTES_MAX, heard

routes = APIBlueprint("reasons", __name__, tag="Invoices")
log = structlog.get_logger(__name__)


class SaidOut(Out):
    """One reason; SHA-256(0x00 ‖ salt ‖ SHA-256 of the text) is the commitment."""

    party: str = Field(description="Whose people typed it.")
    type: str = Field(description="The command that it was typed for.")
    text: str
    commitment: str
    salt: str
    transaction_id: str
    on_ledger: bool = Field(
        description="Whether that party has written the commitment into a record; else only its command had it."
    )


class ReasonsOut(Answer):
    """What was said of an invoice, and which parties could not be asked now."""

    items: list[SaidOut]
    unreachable: list[str]


@reads(routes, "/v1/invoices/<invoice_id>/reasons", ReasonsOut)
def list_reason(invoice_id: str) -> Plain:
    """Why: the reasons that people of the invoice's parties typed; the other parties' nodes are asked now."""
    node = current_node()
    invoice = existing(node.readmodel.invoice(invoice_id), "invoice", invoice_id)
    unreachable = _ask(node, invoice) if node.msp_id in parties_of(invoice) else []
    known = [*said_here(node, invoice_id), *node.reasons.heard_about(f"invoice/{invoice_id}")]
    written = [(moment["msp_id"], str(moment["value"])) for moment in node.readmodel.timeline(invoice_id)]
    items = [
        {
            **_shown(each),
            "party": each.party,
            "on_ledger": any(each.party == msp_id and each.commitment in value for msp_id, value in written),
        }
        for each in known
    ]
    return {"items": items, "unreachable": unreachable}


def parties_of(invoice: Record) -> set[str]:
    """Who may hear what was said of an invoice: those that owe it, are owed it, or have paid for it."""
    payments = [invoice[name] for name in ("early_payment", "taken_back", "reservation")]
    financiers = {payment["financier"] for payment in payments if payment}
    return {invoice["supplier"], invoice["buyer"], invoice["holder"], *financiers}


def said_here(node: Node, invoice_id: str) -> list[Said]:
    """What people of this organisation typed about an invoice, for commands that were applied."""
    found = []
    for key, reason in node.reasons.typed_about(f"invoice/{invoice_id}"):
        submission = node.outbox.by_idempotency_key(key)
        if submission is not None and submission.status is SubmissionStatus.APPLIED:
            about = f"invoice/{invoice_id}"
            what = (submission.type, submission.transaction_id)
            found.append(Said(reason.commitment, reason.salt, reason.text, about, node.msp_id, *what))
    return found


def told(said: list[Said]) -> Plain:
    """The answer to another party's node."""
    return {"items": [_shown(each) for each in said]}


def _shown(said: Said) -> dict[str, Any]:
    return {
        "commitment": said.commitment,
        "salt": said.salt.hex(),
        "text": said.text,
        "type": said.type,
        "transaction_id": said.transaction_id,
    }


def _ask(node: Node, invoice: Record) -> list[str]:
    """Hear the other parties, and the financiers that it was offered to. Returns: those that could not be asked."""
    request = node.readmodel.record(f"request/{invoice['invoice_id']}")
    offered = [node.readmodel.facility(each) for each in (request["facility_ids"] if request else ())]
    asked = parties_of(invoice) | {facility["financier"] for facility in offered if facility}
    others = sorted(asked - {node.msp_id})
    with ThreadPoolExecutor(max(1, len(others)), thread_name_prefix="hear") as pool:
        answers = list(pool.map(lambda msp_id: _hear(node, msp_id, invoice["invoice_id"]), others))
    return [msp_id for msp_id, was_heard in zip(others, answers, strict=True) if not was_heard]


def _hear(node: Node, msp_id: str, invoice_id: str) -> bool:
    """Ask one party and keep what it says. Returns: whether it has answered."""
    party = node.readmodel.party(msp_id)
    try:
        if party is None:
            raise ExchangeError(f"there is no party {msp_id}")
        path = REASONS_PATH.format(invoice_id=invoice_id)
        answer = node.exchange.ask(party["peer_url"], msp_id, path, ANSWER_BYTES_MAX)
        if said := heard(answer, f"invoice/{invoice_id}", msp_id):
            node.reasons.hear(said)
    except (ExchangeError, ValueError) as error:
        log.warning("a party does not say its reasons", party=msp_id, reason=str(error))
        return False
    return True
