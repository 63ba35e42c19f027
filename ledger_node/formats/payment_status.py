"""What a bank says of payments that it was told to make (pain.002, pacs.002): accepted, pending, settled, rejected.

A status is a promise about an order, never a booking: only an account statement shows that money went out.
Source: ISO 20022 pain.002 and pacs.002; ISO 20022 external code sets (payment status, status reason).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from ledger_node.formats.iso20022 import at, read_message, text_at

KINDS = ("pain.002", "pacs.002")
REFUSED = frozenset(["RJCT", "CANC", "BLCK"])
"""Rejected, cancelled, blocked: it will not be paid."""


@dataclasses.dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What a bank says of one payment, or of a whole message where it names none.

    Args:
        message_id: of the order that the bank answers.
        end_to_end_id: of the payment; empty where the bank speaks of all in the message, or in one part of it.
        status: ISO 20022 code, such as "ACSC" or "RJCT".
        reasons: codes such as "AC04", with the bank's own words behind a colon.
    """

    message_id: str
    end_to_end_id: str
    status: str
    reasons: tuple[str, ...]


def read_payment_status(content: bytes) -> tuple[PaymentStatus, ...]:
    """All that a status report says, from the whole message down to single payments.

    Args:
        content: the whole file.

    Raises: FormatError for whatever the content is.
    """
    _, message = read_message(content, KINDS)
    return tuple(_statuses(message))


def _statuses(message: Any) -> Iterator[PaymentStatus]:
    message_id = ""
    for group in _listed(at(message, "orgnl_grp_inf_and_sts")):
        message_id = text_at(group, "orgnl_msg_id") or message_id
        yield from _said(message_id, "", text_at(group, "grp_sts"), group)
    parts = _listed(at(message, "orgnl_pmt_inf_and_sts"))
    for part in parts:
        yield from _said(message_id, "", text_at(part, "pmt_inf_sts"), part)
    for payment in [each for part in (message, *parts) for each in _listed(at(part, "tx_inf_and_sts"))]:
        of_message = text_at(payment, "orgnl_grp_inf.orgnl_msg_id") or message_id
        yield from _said(of_message, text_at(payment, "orgnl_end_to_end_id"), text_at(payment, "tx_sts"), payment)


def _said(message_id: str, end_to_end_id: str, status: str, part: Any) -> Iterator[PaymentStatus]:
    if status:
        reasons = tuple(_reason(each) for each in _listed(at(part, "sts_rsn_inf")))
        yield PaymentStatus(message_id, end_to_end_id, status, reasons)


def _reason(part: Any) -> str:
    code, words = text_at(part, "rsn.cd", "rsn.prtry"), " ".join(at(part, "addtl_inf") or [])
    return ": ".join(filter(None, (code, words.strip())))


def _listed(value: Any) -> Iterable[Any]:
    """What is one in some versions of a message and many in others."""
    return () if value is None else value if isinstance(value, list) else (value,)
