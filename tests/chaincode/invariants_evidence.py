"""The evidence that an early payment needs (invariant 9), told again in other words than the contract's."""

from __future__ import annotations

from typing import Any

from invariants_records import State, due_date, further_deliveries, read, records, reported, terms_on


def check_evidence(invoice: Any, state: State, decided: bool) -> None:
    """9: all that seven VALID classes mean, of an invoice that has just been paid.

    Args:
        decided: a person of the financier may have decided in this very command.
    """
    payment = invoice["early_payment"]
    facility = terms_on(read(state, f"facility/{payment['facility_id']}"), payment["day"])
    parties = {one["msp_id"]: one for one in records(state, "party/").values()}
    check_deal(invoice, facility, parties, state)
    automatic = facility["mode"] == "automatic" and not invoice["extended_due_date"]
    assert decided or automatic, "9: nobody has decided"
    assert invoice["document_ids"]
    assert invoice["proof_ids"]
    groups = supplier_groups(invoice, parties, state)
    readers = [
        check_document(name, facility["attestations_min"], groups, parties, state)
        for name in (*invoice["document_ids"], *invoice["proof_ids"])
    ]
    for reader in (invoice["buyer"], payment["financier"]):
        of_invoice = [one[reader] for one in readers[: len(invoice["document_ids"])] if reader in one]
        read_facts = [one for one in of_invoice if one["facts"]]
        assert read_facts
        assert all(one["facts"] == invoice["facts"] for one in read_facts)
        assert any(one["fingerprints"] == invoice["fingerprints"] for one in read_facts)
        deliveries = [one[reader]["fingerprints"].get("delivery") for one in readers if reader in one]
        assert {one for one in deliveries if one} <= {
            invoice["fingerprints"].get("delivery"),
            *further_deliveries(invoice),
        }, "9: one is left out"
    check_unique(invoice, state, decided)
    assert invoice["shipment_ids"]
    for shipment_id in invoice["shipment_ids"]:
        check_delivered(invoice, shipment_id, groups, parties, state)


def check_deal(invoice: Any, facility: Any, parties: Any, state: State) -> None:
    """The facility is the supplier's choice, the buyer has approved, and nothing speaks against any party."""
    payment, day = invoice["early_payment"], invoice["early_payment"]["day"]
    supplier, buyer, financier = invoice["supplier"], invoice["buyer"], payment["financier"]
    assert (facility["buyer"], facility["financier"], facility["status"]) == (buyer, financier, "open")
    assert supplier in facility["suppliers"]
    assert {parties[one]["status"] for one in (supplier, buyer, financier)} == {"active"}
    assert not {f"hold/{financier}/{supplier}", f"hold/{financier}/{buyer}"} & state.keys(), "9: funding is held"
    assert f"decline/{invoice['invoice_id']}/{payment['facility_id']}" not in state, "9: it was declined"
    acceptance = read(state, f"acceptance/{financier}/{supplier}")
    assert acceptance["screened_until"] >= day < due_date(invoice)
    assert not facility["insured_until"] or facility["insured_until"] >= day
    assert parties[buyer]["group_id"] not in {parties[supplier]["group_id"], acceptance["group_id"]}
    approved = invoice["approval"]["amount_minor"]
    assert approved == invoice["face_minor"] == invoice["facts"]["amount_minor"] - invoice["credited_minor"]
    assert invoice["approval"]["due_date"] == due_date(invoice), "9: another due date was approved"
    requests = [read(state, f"request/{invoice['invoice_id']}"), read(state, f"standing_request/{supplier}")]
    request = next(one for one in requests if one and one["valid_until"] >= day)
    assert payment["facility_id"] in request["facility_ids"]
    assert payment["net_minor"] >= request["net_min_minor"], "9: less than the supplier wants"


def supplier_groups(invoice: Any, parties: Any, state: State) -> set[str]:
    """Whose word is the supplier's own: its group, and the one that the financier has found it to be of."""
    found = read(state, f"acceptance/{invoice['early_payment']['financier']}/{invoice['supplier']}")
    return {parties[invoice["supplier"]]["group_id"], found["group_id"]}


def check_document(document_id: str, wanted: int, suspect: set[str], parties: Any, state: State) -> Any:
    """The verified attestations of a document by party: of enough groups, not the supplier's, and no mismatch."""
    document = read(state, f"document/{document_id}")
    assert document["status"] == "current"
    said = [one for one in records(state, f"attestation/{document_id}/").values() if is_active(parties, one)]
    group = parties[document["submitter"]]["group_id"]
    assert all(parties[one["party"]]["group_id"] != group for one in said)
    assert all(one["verdict"] != "mismatch" for one in said)
    verified = {one["party"]: one for one in said if one["verdict"] == "verified"}
    assert len({parties[one]["group_id"] for one in verified} - suspect) >= wanted
    assert all(one["commitment"] == document["commitment"] for one in verified.values())
    return verified


def is_active(parties: Any, attestation: Any) -> bool:
    """Whether the party that attests is active: what a suspended one says does not count."""
    return bool(parties[attestation["party"]]["status"] == "active")


def check_unique(invoice: Any, state: State, decided: bool) -> None:
    """It, or the whole that it is a part of, claimed first what it claims; else persons have cleared and decided it."""
    own = invoice["split_from"] or invoice["invoice_id"]
    further = [("delivery", value) for value in further_deliveries(invoice)]
    for kind, value in [*invoice["fingerprints"].items(), *further]:
        claims = read(state, f"fingerprint/{invoice['epoch']}/{kind}/{invoice['supplier']}/{value}")["claims"]
        first = next(claim["invoice_id"] for claim in claims if claim["state"] != "cancelled")
        others = [one for one in claims if one["invoice_id"] != own and one["state"] in ("financed", "split")]
        assert (first == own and not others) or (invoice["clearance"] and decided), "9: a duplicate is paid"
    assert not invoice["facts"]["predecessors"] or (invoice["clearance"] and decided), "9: it follows another one"
    if invoice["clearance"]:
        behind = [set(invoice[what]["persons"]) for what in ("clearance", "approval")]
        assert not behind[0] & behind[1], "9: its approver has cleared it"


def check_delivered(invoice: Any, shipment_id: str, suspect: set[str], parties: Any, state: State) -> None:
    """The buyer, or the carrier that it accepted, says that it was delivered; what came in part was made good."""
    shipment = read(state, f"shipment/{shipment_id}")
    said = [one for one in reported(state, shipment_id) if one["type"] == "delivered" and not one["withdrawn_on"]]
    carrier = parties[shipment["carrier"]]
    carries = carrier["status"] == "active" and "carrier" in roles_on(carrier, invoice["early_payment"]["day"])
    independent = shipment["carrier_accepted"] and carrier["group_id"] not in suspect
    heard = {shipment["buyer"], carrier["msp_id"] if carries and independent else ""}
    assert any(one["party"] in heard for one in said)
    in_part = [one for one in said if one["partial"]]
    cut_on = invoice["day"] if invoice["split_from"] else ""
    assert shipment_id in invoice["cured_shipments"] or all(one["day"] <= cut_on for one in in_part)
    assert all(invoice["approval"]["day"] >= one["day"] for one in in_part)


def roles_on(party: Any, day: str) -> list[str]:
    """The roles that a party has on a day."""
    pending = party["pending_roles"]
    found: list[str] = pending["roles"] if pending and pending["from_day"] <= day else party["roles"]
    return found
