"""For whom what is no invoice waits, and what is expected: redemptions, claims, holds, shipments, votes.

Each reads off the record what the contract lets which party do next; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from chaincode.money import deposit_issuer
from ledger_node.api.context import current_node
from ledger_node.api.wire import Plain

Waiting = tuple[dict[str, str], Plain | None]
"""By party, the reason why it is waited for; and the payment that is expected, as the API shows it."""


def waits_of(kind: str) -> Callable[[Sequence[Plain], Sequence[Plain]], list[Plain]]:
    """What adds to records of a kind, as they are shown, for whom each waits, since when, and what is expected."""
    return partial(_waits_of, kind)


def _waits_of(kind: str, records: Sequence[Plain], shown: Sequence[Plain]) -> list[Plain]:
    since = current_node().readmodel.last_touched(kind, records)
    said = []
    for record, plain, when in zip(records, shown, since, strict=True):
        parties, expected = BY_KIND[kind](record, plain)
        waits = [{"for": party, "reasons": [reason], "since": when} for party, reason in parties.items()]
        said.append({**plain, "waits": waits, "expected": expected})
    return said


def _payment(what: str, to: str, amount: str) -> Plain:
    """A payment for which no day is agreed."""
    return {"what": what, "to": to, "day": "", "amount": amount}


def _redemption(record: Plain, shown: Plain) -> Waiting:
    if record["status"] != "requested":
        return {}, None
    return {deposit_issuer(record["deposit"]): "PAYOUT_MISSING"}, _payment("payout", record["party"], shown["amount"])


def _credit_note(record: Plain, shown: Plain) -> Waiting:
    if record["status"] != "claimed":
        return {}, None
    return {record["supplier"]: "CREDIT_NOT_PAID"}, _payment("credit", record["buyer"], shown["amount"])


def _hold(record: Plain, shown: Plain) -> Waiting:
    return {record["financier"]: "FUNDING_HELD"}, None


def _membership(record: Plain, shown: Plain) -> Waiting:
    if record["status"] == "passed":
        return {record["msp_id"]: "CONSENT_MISSING"}, None
    if record["status"] != "open":
        return {}, None
    active = [each["msp_id"] for each in current_node().readmodel.parties() if each["status"] == "active"]
    unasked = {*record["votes"], *([record["msp_id"]] if record["kind"] == "suspend" else [])}
    return {each: "VOTE_MISSING" for each in active if each not in unasked}, None


def _shipment(record: Plain, shown: Plain) -> Waiting:
    """The buyer's word on the carrier, and a report of whole delivery by one of the two that nobody has taken back.

    What the supplier says of its own delivery ends no wait.
    """
    events = current_node().readmodel.events(record["shipment_id"])
    standing = [each for each in events if each["type"] == "delivered" and not each["withdrawn_on"]]
    said_by = {each["party"] for each in standing if not each["partial"]}
    if record["buyer"] in said_by:
        return {}, None
    waits = {} if record["carrier"] in said_by else {record["carrier"]: "NOT_DELIVERED"}
    return waits if record["carrier_accepted"] else waits | {record["buyer"]: "CARRIER_NOT_ACCEPTED"}, None


BY_KIND: dict[str, Callable[[Plain, Plain], Waiting]] = {
    "credit_note": _credit_note,
    "hold": _hold,
    "membership": _membership,
    "redemption": _redemption,
    "shipment": _shipment,
}
