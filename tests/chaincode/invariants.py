"""What must hold of the ledger's state at any time, checked without asking the contract's own rules.

`check_state` looks at one state, `check_step` at two that follow each other. Numbers are those of the list in
`docs/reference/invariants.md`.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from typing import Any

from invariants_members import check_members_step, check_persons

State = dict[str, bytes]
Records = dict[str, Any]

ARROWS = {
    (None, "registered"),
    ("registered", "approved"),
    ("approved", "early-paid"),
    ("approved", "settled"),
    ("early-paid", "settled"),
}


def records(state: State, prefix: str) -> Records:
    """All records under a prefix, by key."""
    return {key: json.loads(data) for key, data in state.items() if key.startswith(prefix)}


def check_state(state: State) -> None:
    """Assert what holds of every state."""
    cash, obligations = records(state, "account/cash/"), records(state, "account/obligation/")
    invoices, entries = records(state, "invoice/"), records(state, "entry/")
    check_books(cash, obligations, entries)
    check_deposits(cash, records(state, "party/"), records(state, "membership/"))
    check_payments(invoices, entries)
    check_fingerprints(records(state, "fingerprint/"), invoices)
    check_limits(records(state, "facility/"), invoices)
    check_obligations(obligations, invoices, entries)
    check_indexes(state, invoices)
    check_resting(state, invoices)
    check_persons(state)


def check_books(cash: Records, obligations: Records, entries: Records) -> None:
    """1: both books sum to zero, and every balance is the sum of its entries."""
    sums: Counter[tuple[str, str]] = Counter()
    for account in (*cash.values(), *obligations.values()):
        sums[account["book"], account["unit"]] += account["balance_minor"]
    assert set(sums.values()) <= {0}
    balances: Counter[str] = Counter()
    for entry in entries.values():
        place = entry["unit"] if entry["book"] == "cash" else entry["invoice_id"]
        balances[f"account/{entry['book']}/{place}/{entry['debit']}"] += entry["amount_minor"]
        balances[f"account/{entry['book']}/{place}/{entry['credit']}"] -= entry["amount_minor"]
    assert {key: account["balance_minor"] for key, account in (cash | obligations).items()} == balances


def check_deposits(cash: Records, parties: Records, changes: Records) -> None:
    """2, 3: what is held is what was issued, nobody holds less than nothing, nobody issues beyond its limit.

    A vote may have set a limit below what was issued by then: of such an issuer `check_issued` looks at every step.
    """
    changed = {one["msp_id"] for one in changes.values() if one["kind"] == "roles" and one["status"] == "applied"}
    held: Counter[str] = Counter()
    for account in cash.values():
        unit, balance = account["unit"], account["balance_minor"]
        currency, issuer = unit.split("@")
        assert -(2**53) < balance < 2**53
        if account["name"] == f"issued:{issuer}":
            assert balance <= 0
            if issuer not in changed:
                assert -balance <= parties[f"party/{issuer}"]["issue_limits"].get(currency, 0)
        else:
            assert account["name"] == f"cash:{account['party']}"
            assert balance >= 0
            held[unit] += balance
    issued = {account["unit"]: -account["balance_minor"] for account in cash.values() if account["name"][0] == "i"}
    assert {unit: total for unit, total in held.items() if total} == {u: t for u, t in issued.items() if t}


def check_payments(invoices: Records, entries: Records) -> None:
    """4, 5, 11: the parts make the face, one payment for an invoice, one currency in an invoice."""
    paid = Counter(entry["invoice_id"] for entry in entries.values() if entry["step"] == "early_payment")
    settled = Counter(entry["invoice_id"] for entry in entries.values() if entry["step"] == "settle")
    assert set(paid.values()) | set(settled.values()) <= {1}
    assert set(paid) == {one["invoice_id"] for one in invoices.values() if one["early_payment"]}
    assert set(settled) == {one["invoice_id"] for one in invoices.values() if one["status"] == "settled"}
    for invoice in invoices.values():
        payment, currency = invoice["early_payment"], invoice["facts"]["currency"]
        if payment:
            assert payment["net_minor"] + payment["discount_minor"] + payment["fee_minor"] == invoice["face_minor"]
            assert 0 <= payment["discount_minor"] < invoice["face_minor"]
            assert payment["net_minor"] > 0
            assert payment["deposit"].startswith(f"{currency}@")
    for entry in entries.values():
        if entry["invoice_id"]:
            currency = invoices[f"invoice/{entry['invoice_id']}"]["facts"]["currency"]
            assert entry["unit"].split("@")[0] == currency


def check_fingerprints(fingerprints: Records, invoices: Records) -> None:
    """6: a fingerprint is financed at most once, by its first claim, and by an invoice that was paid."""
    claimed: defaultdict[str, int] = defaultdict(int)
    for key, fingerprint in fingerprints.items():
        states = [claim["state"] for claim in fingerprint["claims"]]
        assert "financed" not in states[1:], key
        for claim in fingerprint["claims"]:
            claimed[claim["invoice_id"]] += 1
            paid = invoices[f"invoice/{claim['invoice_id']}"]["early_payment"] is not None
            assert (claim["state"] == "financed") == paid
    assert claimed == {one["invoice_id"]: len(one["fingerprints"]) for one in invoices.values()}


def check_limits(facilities: Records, invoices: Records) -> None:
    """7: used limits are the open face of what was paid out of the facility, and within the limits."""
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for invoice in invoices.values():
        if invoice["early_payment"]:
            used[invoice["early_payment"]["facility_id"]][invoice["supplier"]] += invoice["open_face_minor"]
    for facility in facilities.values():
        assert Counter(facility["used_by_supplier"]) == used[facility["facility_id"]]
        assert facility["used_minor"] == used[facility["facility_id"]].total() <= facility["limit_minor"]
        assert all(part <= facility["supplier_limit_minor"] for part in facility["used_by_supplier"].values())


def check_obligations(obligations: Records, invoices: Records, entries: Records) -> None:
    """13: what an invoice's holder is owed is what its buyer owes: its open face, in one account each."""
    for key, account in obligations.items():
        invoice = invoices[f"invoice/{account['invoice_id']}"]
        open_face = invoice["open_face_minor"]
        wanted = {f"recv:{invoice['holder']}": open_face, f"pay:{invoice['buyer']}": -open_face}
        assert account["balance_minor"] == wanted.get(account["name"], 0), key
    assert {entry["invoice_id"] for entry in entries.values() if entry["step"] == "approve"} == {
        one["invoice_id"] for one in invoices.values() if one["status"] != "registered"
    }


def check_indexes(state: State, invoices: Records) -> None:
    """The lists of what is open and unacknowledged say what the invoices say."""
    owed, waiting = set(), set()
    for one in invoices.values():
        tail = one["invoice_id"]
        if one["status"] in ("approved", "early-paid"):
            owed.add(f"open/{one['buyer']}/{one['facts']['due_date']}/{tail}")
        if one["status"] == "early-paid" and not one["notice"]["acknowledged_on"]:
            waiting.add(f"unacknowledged/{one['buyer']}/{one['notice']['day']}/{tail}")
    assert {key for key in state if key.startswith("open/")} == owed
    assert {key for key in state if key.startswith("unacknowledged/")} == waiting


def check_resting(state: State, invoices: Records) -> None:
    """Documents and shipments name the invoices that rest on them, but for those that were cancelled."""
    resting: defaultdict[str, set[str]] = defaultdict(set)
    for one in invoices.values():
        if one["status"] != "cancelled":
            for document_id in (*one["document_ids"], *one["proof_ids"]):
                resting[f"document/{document_id}"].add(one["invoice_id"])
            for shipment_id in one["shipment_ids"]:
                resting[f"shipment/{shipment_id}"].add(one["invoice_id"])
    for key, record in (records(state, "document/") | records(state, "shipment/")).items():
        if record["invoice_ids"] is not None:  # an older ledger keeps them in an index
            assert set(record["invoice_ids"]) == resting[key], key


def check_step(before: State, after: State) -> int:
    """Assert what holds between two states; gives how many early payments lie between them."""
    for key, data in before.items():
        if key.startswith(("command/", "entry/", "seal/", "buyer_reference/")):
            assert after.get(key) == data, f"10: {key} has changed"
    if "day" in before:
        assert json.loads(after["day"])["date"] >= json.loads(before["day"])["date"], "14: the day went back"
    paid = 0
    for key, invoice in records(after, "invoice/").items():
        old = json.loads(before[key]) if key in before else None
        paid += check_life(old, invoice, after)
    check_financed_stays(records(before, "fingerprint/"), records(after, "fingerprint/"))
    check_members_step(before, after)
    return paid


def check_life(old: Any, new: Any, after: State) -> int:
    """8, 9: an invoice's status moves along the arrows only, and a payment is borne out by the evidence."""
    if old and old["status"] == new["status"]:
        return 0
    path = [old["status"] if old else None]
    for status in ("registered", "approved", "early-paid", "settled"):
        passed = {
            "registered": old is None,
            "approved": new["approval"] and not (old and old["approval"]),
            "early-paid": new["early_payment"] and not (old and old["early_payment"]),
            "settled": new["settlement"] and not (old and old["settlement"]),
        }[status]
        if passed:
            path.append(status)
    assert path[-1] == new["status"]
    assert set(itertools.pairwise(path)) <= ARROWS
    if "early-paid" not in path[1:]:
        return 0
    check_evidence(new, after)
    return 1


def check_evidence(invoice: Any, state: State) -> None:
    """9: the evidence that a payment needs, told again in other words than the contract's."""
    payment = invoice["early_payment"]
    facility = json.loads(state[f"facility/{payment['facility_id']}"])
    parties = {one["msp_id"]: one for one in records(state, "party/").values()}
    assert facility["buyer"] == invoice["buyer"]
    assert invoice["supplier"] in facility["suppliers"]
    assert facility["financier"] == payment["financier"]
    assert {parties[invoice[one]]["status"] for one in ("supplier", "buyer", "holder")} == {"active"}
    acceptance = json.loads(state[f"acceptance/{payment['financier']}/{invoice['supplier']}"])
    assert acceptance["screened_until"] >= payment["day"] < invoice["facts"]["due_date"]
    groups = {parties[invoice["supplier"]]["group_id"], acceptance["group_id"]}
    assert parties[invoice["buyer"]]["group_id"] not in groups
    assert invoice["document_ids"]
    assert invoice["proof_ids"]
    readers = [
        check_document(name, facility["attestations_min"], parties, state)
        for name in (*invoice["document_ids"], *invoice["proof_ids"])
    ]
    for reader in (invoice["buyer"], payment["financier"]):
        read = [
            one[reader] for one in readers[: len(invoice["document_ids"])] if reader in one and one[reader]["facts"]
        ]
        assert read
        assert all(one["facts"] == invoice["facts"] for one in read)
        assert any(one["fingerprints"] == invoice["fingerprints"] for one in read)
    assert invoice["duplicate_of"] == ""
    assert invoice["shipment_ids"]
    for shipment_id in invoice["shipment_ids"]:
        check_delivered(shipment_id, state)
    asked = state.get(f"request/{invoice['invoice_id']}") or state[f"standing_request/{invoice['supplier']}"]
    request = json.loads(asked)
    assert payment["facility_id"] in request["facility_ids"]
    assert payment["net_minor"] >= request["net_min_minor"]
    assert request["valid_until"] >= payment["day"]


def check_document(document_id: str, wanted: int, parties: Any, state: State) -> Any:
    """The verified attestations of a document by party: enough of them, of other groups, and no mismatch."""
    document = json.loads(state[f"document/{document_id}"])
    assert document["status"] == "current"
    said = [one for one in records(state, f"attestation/{document_id}/").values() if is_active(parties, one)]
    group = parties[document["submitter"]]["group_id"]
    assert all(parties[one["party"]]["group_id"] != group for one in said)
    assert all(one["verdict"] != "mismatch" for one in said)
    verified = {one["party"]: one for one in said if one["verdict"] == "verified"}
    assert len(verified) >= wanted
    assert all(one["commitment"] == document["commitment"] for one in verified.values())
    return verified


def is_active(parties: Any, attestation: Any) -> bool:
    """Whether the party that attests is active: what a suspended one says does not count."""
    return bool(parties[attestation["party"]]["status"] == "active")


def check_delivered(shipment_id: str, state: State) -> None:
    """The buyer, or the carrier that it accepted, says that it was delivered, and nobody that it was in part."""
    shipment = json.loads(state[f"shipment/{shipment_id}"])
    reported = records(state, f"shipment_event/{shipment_id}/").values()
    said = [one for one in reported if one["type"] == "delivered" and not one["withdrawn_on"]]
    heard = {shipment["buyer"], shipment["carrier"] if shipment["carrier_accepted"] else ""}
    assert any(one["party"] in heard for one in said)
    assert not any(one["partial"] for one in said)


def check_financed_stays(before: Records, after: Records) -> None:
    """6: claims are never taken back, and what is financed stays financed."""
    for key, fingerprint in before.items():
        for old, new in zip(fingerprint["claims"], after[key]["claims"], strict=False):
            assert old["invoice_id"] == new["invoice_id"]
            assert old["state"] != "financed" or new["state"] == "financed"
