"""What counts once, however often it is told (invariant 19): credits that are booked, deliveries that are reported."""

from __future__ import annotations

from collections import Counter

from invariants_records import State, records, reported


def check_deliveries(state: State) -> None:
    """19: no party's word on a delivery stands twice, no event id of a party either; what is told again was told."""
    events = reported(state)
    said = Counter((one["shipment_id"], one["party"], one["event_id"]) for one in events)
    assert set(said.values()) <= {1}, "19: an event stands twice"
    standing = Counter(
        f"{one['shipment_id']}/{one['party']}/{one['occurred_on']}/{'partial' if one['partial'] else 'full'}"
        f"/{one['document_id']}"
        for one in events
        if one["type"] == "delivered" and not one["withdrawn_on"]
    )
    assert set(standing.values()) <= {1}, "19: a delivery is reported twice"
    for reports in records(state, "shipment_reports/").values():
        for again, first in reports["retold"].items():
            about = reports["shipment_id"], reports["party"]
            assert said[*about, first] == 1 and said[*about, again] == 0, "19: what is told again was never told"


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
