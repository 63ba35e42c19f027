"""What counts once, however often it is told (invariant 19): credits that are booked, deliveries that are reported."""

from __future__ import annotations

from collections import Counter

from invariants_records import State, records


def check_deliveries(state: State) -> None:
    """19: no party's word on a delivery stands twice, and the ledger knows which event says it."""
    said = {key: one for key, one in records(state, "shipment_event/").items() if one["type"] == "delivered"}
    standing = Counter(
        f"{one['shipment_id']}/{one['party']}/{one['occurred_on']}/{'partial' if one['partial'] else 'full'}"
        f"/{one['document_id']}"
        for one in said.values()
        if not one["withdrawn_on"]
    )
    assert set(standing.values()) <= {1}, "19: a delivery is reported twice"
    for key, report in records(state, "delivery_report/").items():
        told = key.removeprefix("delivery_report/")
        event = said[f"shipment_event/{told.partition('/')[0]}/{report['event_id']}"]
        assert standing[told] and not event["withdrawn_on"], "19: another event says so"


def booked(state: State) -> set[str]:
    """The index keys of the booked credits that money is issued against now, where the ledger knows what they are."""
    known = {}
    for key, credit in records(state, "booked_credit/").items():
        if credit["issued"] and not credit["reversed"] and credit["issued"].get("reference_fingerprint"):
            known[key.rpartition("/")[2]] = credit["issued"]
    return {
        f"bank_entry/credit/{one['deposit']}/{one['reference_fingerprint']}/{one['to']}/{one['amount_minor']}"
        f"/{one['booked_on']}/{value}"
        for value, one in known.items()
    }
