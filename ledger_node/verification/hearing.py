"""Reasons that other parties typed, as their nodes tell them: read strictly, and only what its own commitment fits.

Who tells is known by the certificate at the other end; that it was typed for what it says is known once the commitment
stands on the ledger.
"""

from __future__ import annotations

import json
from typing import Any

from ledger_node.people.reasons import HEARD_MAX, Reason, Said

REASONS_MAX = HEARD_MAX + 1
"""Of one answer: one more than is kept, so that too many are noticed."""
ANSWER_BYTES_MAX = 256 * 1024
TEXT_CHARACTERS_MAX = 200
FIELDS = ("commitment", "salt", "text", "type", "transaction_id")


def heard(answer: bytes, about: str, party: str) -> list[Said]:
    """What a party's node has answered; what does not fit is left out.

    Args:
        answer: `{"items": [{commitment, salt, text, type, transaction_id}]}`, JSON.
        about: the ledger's key of the invoice that was asked about.
        party: who answered.

    Raises: ValueError when it is no such answer at all.
    """
    try:
        content = json.loads(answer)
    except RecursionError as error:
        raise ValueError(f"{party} gave lists within lists without end") from error
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        raise ValueError(f"{party} gave no list of reasons")
    read = (_read(item, about, party) for item in content["items"][:REASONS_MAX])
    return [said for said in read if said is not None]


def _read(item: Any, about: str, party: str) -> Said | None:
    if not isinstance(item, dict) or not all(isinstance(item.get(field), str) for field in FIELDS):
        return None
    text, name, transaction_id = item["text"], item["type"], item["transaction_id"]
    try:
        reason = Reason(bytes.fromhex(item["salt"]), text)
        fits = reason.commitment == item["commitment"]
    except (ValueError, UnicodeEncodeError):
        return None
    shown = text.isprintable() and name.isalnum() and transaction_id.isalnum()
    if not fits or not shown or max(len(text), len(name), len(transaction_id)) > TEXT_CHARACTERS_MAX:
        return None
    return Said(item["commitment"], reason.salt, text, about, party, name, transaction_id)
