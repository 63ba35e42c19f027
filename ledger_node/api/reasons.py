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
from ledger_node.people.reasons import HEARD_MAX, Said
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
    refused: list[str] = Field(
        description=f"Parties that tell more than {HEARD_MAX} reasons of this invoice; what is over that is not kept."
    )


@reads(routes, "/v1/invoices/<invoice_id>/reasons", ReasonsOut)
def list_reason(invoice_id: str) -> Plain:
    """Why: the reasons that people of the invoice's parties typed; the other parties' nodes are asked now."""
    node = current_node()
    invoice = existing(node.readmodel.invoice(invoice_id), "invoice", invoice_id)
    outcomes = _ask(node, invoice) if node.msp_id in parties_of(invoice) else {}
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
    unreachable, refused = ([party for party, was in outcomes.items() if was is what] for what in (None, True))
    return {"items": items, "unreachable": unreachable, "refused": refused}


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


def _ask(node: Node, invoice: Record) -> dict[str, bool | None]:
    """Hear the other parties, and the financiers that it was offered to. Returns: by party, as `_hear`."""
    request = node.readmodel.record(f"request/{invoice['invoice_id']}")
    offered = [node.readmodel.facility(each) for each in (request["facility_ids"] if request else ())]
    asked = parties_of(invoice) | {facility["financier"] for facility in offered if facility}
    others = sorted(asked - {node.msp_id})
    with ThreadPoolExecutor(max(1, len(others)), thread_name_prefix="hear") as pool:
        answers = list(pool.map(lambda msp_id: _hear(node, msp_id, invoice["invoice_id"]), others))
    return dict(zip(others, answers, strict=True))


def _hear(node: Node, msp_id: str, invoice_id: str) -> bool | None:
    """Ask one party and keep what it says.

    Returns: None when it has not answered, else whether any of what it says is refused, as too much.
    """
    party, about = node.readmodel.party(msp_id), f"invoice/{invoice_id}"
    try:
        if party is None:
            raise ExchangeError(f"there is no party {msp_id}")
        path = REASONS_PATH.format(invoice_id=invoice_id)
        said = heard(node.exchange.ask(party["peer_url"], msp_id, path, ANSWER_BYTES_MAX), about, msp_id)
    except (ExchangeError, ValueError) as error:
        log.warning("a party does not say its reasons", party=msp_id, reason=str(error))
        return None
    if refused := node.reasons.hear(about, msp_id, said) if said else 0:
        log.warning(
            "a party tells more reasons than are kept", party=msp_id, about=about, refused=refused, most=HEARD_MAX
        )
    return refused > 0
