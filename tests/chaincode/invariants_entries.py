"""The entries that each command writes: exactly those of the table in section 7, checked from the entries themselves.

`SHAPES` says which steps a command may write, in which order; `sides` who is debited and credited and with how much,
from the invoice before and after it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from invariants_records import State, cash_name, read, records

RELEASES = "(early_payment assignment )*"
SHAPES = {
    "IssueDeposit": "issue ",
    "ReverseIssue": "(reverse_issue ){1,2}",
    "CoverShortfall": "cover ",
    "TransferDeposit": "transfer ",
    "RedeemDeposit": "redeem ",
    "ConfirmRedemption": "redeemed ",
    "RejectRedemption": "redemption_rejected ",
    "ApproveInvoice": "approve (early_payment assignment )?",
    "WithdrawApproval": "void_approval ",
    "DisputeInvoice": "(void_approval )?",
    "CancelInvoice": "(void_approval )?",
    "RecordCreditNote": "(void_approval |credit_note )?",
    "PayClaim": "claim_paid discharge ",
    "FundInvoice": "(reserve |early_payment assignment )",
    "PostFunding": "early_payment assignment ",
    "VoidFunding": "void ",
    "ExpireFunding": "(expire )+",
    "SettleInvoice": "settle discharge ",
    "RecordPaidOutside": "paid_outside ",
    "PayEarly": "early_payment discharge ",
    "WriteOff": "write_off ",
    "RecordRecovery": "recovery discharge ",
    "Repurchase": "repurchase reassignment ",
    "Unwind": "(unwind reassignment )?",
    "RequestEarlyPayment": "(early_payment assignment )?",
    "CheckRelease": RELEASES,
    "AttestDocument": RELEASES,
    "AcceptCarrier": RELEASES,
    "RecordShipmentEvent": RELEASES,
    "RecordShipmentEvents": RELEASES,
    "WithdrawShipmentEvent": RELEASES,
}
"""By type of command; what is not named writes none."""

Sides = tuple[str, str, int]
BASIS = {"ACT/360": 360, "ACT/365F": 365}


def check_entries(command_type: str, before: State, after: State) -> None:
    """Assert that the entries between two states are those of this one command, and each as the table says."""
    new = {key: entry for key, entry in records(after, "entry/").items() if key not in before}
    steps = "".join(f"{new[key]['step']} " for key in sorted(new))
    assert re.fullmatch(SHAPES.get(command_type, ""), steps), f"7: {command_type} has written {steps}"
    for key in sorted(new):
        entry = new[key]
        assert entry["amount_minor"] > 0, "7: what is moved is an amount above zero"
        assert entry["day"] == read(after, "day")["date"]
        if invoice_id := entry["invoice_id"]:
            name = f"invoice/{invoice_id}"
            wanted = sides(command_type, entry, read(before, name), read(after, name), after)
            assert (entry["debit"], entry["credit"], entry["amount_minor"]) == wanted, f"7: {entry['step']}"
        else:
            check_deposit_entry(entry)


def check_deposit_entry(entry: Any) -> None:
    """What moves deposit money without an invoice: between which kinds of accounts, and whose."""
    kinds = {
        "issue": ("cash", "issued"),
        "cover": ("suspense", "cash"),
        "transfer": ("cash", "cash"),
        "redeem": ("redeeming", "cash"),
        "redeemed": ("issued", "redeeming"),
        "redemption_rejected": ("cash", "redeeming"),
        "reverse_issue": ("issued", entry["credit"].partition(":")[0]),
    }[entry["step"]]
    (debit, _, debited), (credit, _, credited) = entry["debit"].partition(":"), entry["credit"].partition(":")
    assert (debit, credit) == kinds
    assert entry["step"] != "reverse_issue" or credit in ("cash", "suspense")
    own = entry["step"] in ("cover", "redeem", "redemption_rejected")
    assert (debited == credited) == own


def sides(command_type: str, entry: Any, old: Any, new: Any, after: State) -> Sides:
    """Debit, credit and amount that the table of section 7 wants of an entry."""
    supplier, buyer, deposit = new["supplier"], new["buyer"], entry["unit"]
    if entry["step"] == "discharge":
        return discharge(command_type, old, new)
    if entry["step"] == "early_payment":
        return early_payment(command_type, deposit, old, new)
    holder = old["holder"] if old else supplier
    fell = old["open_face_minor"] - new["open_face_minor"] if old else 0
    aside = (old and old["reservation"]) or new["reservation"] or {"financier": "", "net_minor": 0}
    financier, reserved = aside["financier"], f"reserved:{aside['financier']}"
    claimed = new["claims_minor"] - old["claims_minor"] if old else 0
    table: dict[str, Callable[[], Sides]] = {
        "approve": lambda: (f"recv:{supplier}", f"pay:{buyer}", new["face_minor"]),
        "void_approval": lambda: (f"pay:{buyer}", f"recv:{supplier}", old["face_minor"]),
        "reserve": lambda: (reserved, cash_name(financier, deposit), new["reservation"]["net_minor"]),
        "void": lambda: (cash_name(financier, deposit), reserved, old["reservation"]["net_minor"]),
        "expire": lambda: (cash_name(financier, deposit), reserved, old["reservation"]["net_minor"]),
        "assignment": lambda: (f"recv:{new['holder']}", f"recv:{supplier}", new["face_minor"]),
        "settle": lambda: (cash_name(holder, deposit), cash_name(buyer, deposit), fell),
        "paid_outside": lambda: (f"pay:{buyer}", f"recv:{holder}", fell),
        "write_off": lambda: (
            f"recv_wo:{holder}",
            f"recv:{holder}",
            new["written_off_minor"] - old["written_off_minor"],
        ),
        "recovery": lambda: (cash_name(holder, deposit), cash_name(buyer, deposit), fell),
        "credit_note": lambda: (f"claim:{buyer}", f"owed:{supplier}", claimed),
        "claim_paid": lambda: (cash_name(buyer, deposit), cash_name(supplier, deposit), -claimed),
        "repurchase": lambda: (cash_name(holder, deposit), cash_name(supplier, deposit), price_minor(old, after)),
        "unwind": lambda: (
            cash_name(holder, deposit),
            cash_name(supplier, deposit),
            old["early_payment"]["net_minor"],
        ),
        "reassignment": lambda: (f"recv:{supplier}", f"recv:{holder}", old["open_face_minor"]),
    }
    return table[entry["step"]]()


def discharge(command_type: str, old: Any, new: Any) -> Sides:
    """What a payment takes off a debt: the buyer's, written off or not, or the supplier's claim."""
    buyer, fell = old["buyer"], old["open_face_minor"] - new["open_face_minor"]
    if command_type == "PayClaim":
        return f"owed:{old['supplier']}", f"claim:{buyer}", old["claims_minor"] - new["claims_minor"]
    if command_type == "RecordRecovery":
        assert old["written_off_minor"] - new["written_off_minor"] == fell
        return f"pay:{buyer}", f"recv_wo:{old['holder']}", fell
    return f"pay:{buyer}", f"recv:{old['holder']}", fell


def early_payment(command_type: str, deposit: str, old: Any, new: Any) -> Sides:
    """What the supplier gets: of the financier, out of what it set aside if it did, or of the buyer itself."""
    payee = cash_name(new["supplier"], deposit)
    if command_type == "PayEarly":
        paid = new["settlement"]
        assert paid["amount_minor"] + paid["discount_minor"] == old["open_face_minor"]
        return payee, cash_name(new["buyer"], deposit), paid["amount_minor"]
    payment, aside = new["early_payment"], old["reservation"]
    if aside:
        quoted = ("facility_id", "financier", "net_minor", "discount_minor", "fee_minor", "rate_bps", "days")
        assert [payment[name] for name in quoted] == [aside[name] for name in quoted], "what was set aside is paid"
        return payee, f"reserved:{payment['financier']}", payment["net_minor"]
    return payee, cash_name(payment["financier"], deposit), payment["net_minor"]


def price_minor(old: Any, after: State) -> int:
    """What a repurchase costs: the open face, less the discount of the days left, at most what was kept; never 0."""
    payment, day = old["early_payment"], datetime.date.fromisoformat(read(after, "day")["date"])
    days = max(0, (datetime.date.fromisoformat(payment["maturity"]) - day).days)
    basis = BASIS[read(after, f"facility/{payment['facility_id']}")["day_count"]]
    unearned = Fraction(old["open_face_minor"] * payment["rate_bps"] * days, 10_000 * basis)
    return int(max(1, old["open_face_minor"] - min(int(unearned + Fraction(1, 2)), payment["discount_minor"])))
