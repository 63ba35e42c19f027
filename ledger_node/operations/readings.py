"""What of the ledger is only looked at: kinds of records in pages, and one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chaincode import records


@dataclass(frozen=True, slots=True)
class Reading:
    """One kind of records.

    Args:
        kind: the first part of their keys on the ledger.
        address: of their pages; that of one record goes on with `/<id_name>`.
        text: one sentence for people.
        record: the contract's dataclass.
        noun: in the names of the shapes.
        id_name: the field that names one, which is the rest of its key; empty where none is looked at alone.
        tag: the chapter of the API's description.
    """

    kind: str
    address: str
    text: str
    record: type[Any]
    noun: str
    id_name: str = ""
    tag: str = "Records"

    @property
    def shape_name(self) -> str:
        """The name of a record's shape."""
        return f"{self.noun}RecordOut" if self.id_name else f"{self.noun}Out"


READINGS = (
    Reading(
        "credit_note",
        "/v1/credit-notes",
        "Credit notes, the latest first.",
        records.CreditNote,
        "CreditNote",
        "credit_note_id",
    ),
    Reading(
        "misdirected",
        "/v1/misdirected-payments",
        "Reports of payments to others than the holder, the latest first.",
        records.MisdirectedPayment,
        "MisdirectedPayment",
    ),
    Reading(
        "discount_offer",
        "/v1/discount-offers",
        "What suppliers offer their buyers for paying early, the latest first.",
        records.DiscountOffer,
        "DiscountOffer",
    ),
    Reading(
        "redemption",
        "/v1/redemptions",
        "Redemptions of deposit money, the latest first.",
        records.Redemption,
        "Redemption",
        "redemption_id",
    ),
    Reading("hold", "/v1/holds", "Holds of financiers on parties, the latest first.", records.Hold, "Hold"),
    Reading(
        "buyer_limit",
        "/v1/buyer-limits",
        "Limits of financiers on buyers over several facilities, the latest first.",
        records.BuyerLimit,
        "BuyerLimit",
    ),
    Reading(
        "membership",
        "/v1/membership-changes",
        "Changes of the membership and who is for them, the latest first.",
        records.MembershipChange,
        "MembershipChange",
        "change_id",
    ),
    Reading(
        "seal",
        "/v1/seals",
        "Seals on the ledger, whoever made them, the latest first.",
        records.Seal,
        "Seal",
        "seal_id",
        "Seals",
    ),
)
