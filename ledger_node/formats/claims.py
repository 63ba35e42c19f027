"""What type code (BT-3) and means of payment (BT-81) make of an invoice: a claim that a holder can be paid, or not.

The types are an allow-list: those that EN 16931 takes as an invoice (rule BR-CL-01) and by which money is owed to the
one who states it. All others are refused with the code named. This room reads no document and knows no syntax.
Source: UNTDID 1001 (types) and 4461 (means of payment) as EN 16931-1 rules BR-CL-01 and BR-CL-16 of release 1.3.16
list them; 919 and 920 are of later lists of UNTDID 1001.
"""

from __future__ import annotations

from ledger_node.formats.facts import FormatCode, FormatError

CLAIM_TYPES = {
    "80": "debit note for goods or services",
    "82": "metered services invoice",
    "84": "debit note for financial adjustments",
    "295": "price variation invoice",
    "326": "partial invoice",
    "331": "commercial invoice with packing list",
    "380": "commercial invoice",
    "382": "commission note",
    "383": "debit note",
    "384": "corrected invoice",
    "385": "consolidated invoice",
    "386": "prepayment invoice",
    "387": "hire invoice",
    "388": "tax invoice",
    "389": "self-billed invoice",
    "390": "delcredere invoice",
    "394": "lease invoice",
    "471": "self-billed corrected invoice",
    "500": "self-billed prepayment invoice",
    "527": "self-billed debit note",
    "575": "insurer's invoice",
    "623": "forwarder's invoice",
    "633": "port charges",
    "780": "freight invoice",
    "875": "partial construction invoice",
    "876": "partial final construction invoice",
    "877": "final construction invoice",
}
CREDIT_TYPES = frozenset(["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"])
FACTORED_TYPES = frozenset(["393", "472", "473", "501", "919", "920"])
NO_CLAIM_TYPES = {
    "71": "a request for payment",
    "102": "a tax notification",
    "130": "an invoicing data sheet",
    "202": "a direct payment valuation",
    "203": "a provisional payment valuation",
    "204": "a payment valuation",
    "211": "an interim application for payment",
    "218": "a final payment request",
    "219": "a payment request for completed units",
    "325": "a pro forma invoice",
    "395": "a consignment invoice, for goods that are not sold yet",
    "456": "a debit advice",
    "457": "a reversal of a debit",
    "553": "a discrepancy report",
    "751": "invoice information for accounting",
    "817": "a claim notification",
    "870": "a consular invoice",
    "935": "a customs invoice",
}

SELF_BILLED_TYPES = frozenset(["389", "471", "500", "527"])
"""The buyer writes these and numbers them, so two buyers may give one supplier the same number."""
CORRECTION_TYPES = frozenset(["384", "471"])
PREPAYMENT_TYPES = frozenset(["386", "500"])

_DEBITS = "3 4 7 12 14 16 18 27 29 31 33 36 38 40 43 46 47 49 51 59"
_CARDS = "48 54 55 68"
_BILLS_AND_NOTES = "24 44 60 61 62 63 64 65 66 67 70 74 75 76 77 78 98"
_SET_OFF = "97"
COLLECTED_MEANS = frozenset(f"{_DEBITS} {_CARDS} {_BILLS_AND_NOTES} {_SET_OFF}".split())
"""Means by which the supplier takes the money itself, has it already, or holds paper that is paid instead of the claim:
whoever holds the claim on the ledger would be paid nothing."""

COLLECTED, PREPAYMENT = "collected", "prepayment"


def check_type(code: str) -> None:
    """Refuse a type that claims no money, with the code named.

    Args:
        code: the type code (BT-3).

    Raises: FormatError.
    """
    if code in CLAIM_TYPES:
        return
    if code in CREDIT_TYPES:
        raise credit_note(f"type code {code}")
    if code in FACTORED_TYPES:
        raise FormatError(
            FormatCode.NO_CLAIM,
            f"type code {code} is a factored invoice, whose claim is sold already",
            "its factor is the one to be paid: only an unsold claim can be registered",
        )
    if code in NO_CLAIM_TYPES:
        raise FormatError(
            FormatCode.NO_CLAIM,
            f"type code {code} is {NO_CLAIM_TYPES[code]}",
            "send the invoice by which money is owed",
        )
    raise FormatError(
        FormatCode.TYPE_CODE,
        f"type code {code[:20]!r} is none of EN 16931 (BR-CL-01)",
        "use the code of what it is, such as 380 for a commercial invoice",
    )


def credit_note(what: str) -> FormatError:
    """The refusal of a credit note, with the way that works.

    Args:
        what: what is one, and why.
    """
    return FormatError(
        FormatCode.CREDIT_NOTE,
        f"{what} is a credit note, not an invoice",
        "upload it as kind credit_note, then register it against its invoice: ledger-node invoice credit-note",
    )


def conditions(type_code: str, payment_means: tuple[str, ...]) -> tuple[str, ...]:
    """What keeps an invoice from being paid to a holder, or from being paid automatically.

    Args:
        type_code: BT-3.
        payment_means: all codes of BT-81.

    Returns: in order, of COLLECTED (by direct debit, card, bill or set-off) and PREPAYMENT (for goods
        that are still to come).
    """
    kept_by = []
    if COLLECTED_MEANS & set(payment_means):
        kept_by.append(COLLECTED)
    if type_code in PREPAYMENT_TYPES:
        kept_by.append(PREPAYMENT)
    return tuple(kept_by)
