"""What must hold of the ledger's state at any time, checked without asking the contract's own rules.

`check_state` looks at one state, `check_step` at two that follow each other by one command. Numbers are those of the
list in `docs/reference/invariants.md`.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import Any

from invariants_entries import BASIS, check_entries
from invariants_evidence import check_evidence
from invariants_members import check_day, check_members_step, check_persons
from invariants_once import booked, check_deliveries
from invariants_records import (
    Records,
    State,
    claimed_minor,
    due_date,
    further_deliveries,
    limit_on,
    read,
    records,
    snapshot,
    terms_on,
)

ARROWS = {
    (None, "registered"),
    ("registered", "approved"),
    ("registered", "disputed"),
    ("registered", "cancelled"),
    ("disputed", "registered"),
    ("disputed", "cancelled"),
    ("approved", "registered"),
    ("approved", "disputed"),
    ("approved", "cancelled"),
    ("approved", "early-paid"),
    ("approved", "settled"),
    ("approved", "overdue"),
    ("early-paid", "settled"),
    ("early-paid", "overdue"),
    ("early-paid", "approved"),
    ("overdue", "approved"),
    ("overdue", "early-paid"),
    ("overdue", "settled"),
    ("overdue", "written-off"),
    ("written-off", "recovered"),
}
"""Section 8 of the product's description; from overdue back to where it was when the holder gives more time."""

PAID_EARLY = ("early-paid", "overdue", "settled", "written-off", "recovered")
Arrow = tuple[str | None, str]


def check_state(state: State) -> None:
    """Assert what holds of every state."""
    state = snapshot(state)
    cash, obligations = records(state, "account/cash/"), records(state, "account/obligation/")
    invoices, entries = records(state, "invoice/"), records(state, "entry/")
    check_books(cash, obligations, entries)
    check_deposits(cash, invoices, records(state, "redemption/"))
    check_payments(invoices, entries)
    check_discounts(invoices, records(state, "facility/"))
    check_fingerprints(records(state, "fingerprint/"), invoices)
    check_parts(invoices, records(state, "credit_note/"))
    check_used(records(state, "facility/"), invoices)
    check_obligations(obligations, invoices, records(state, "credit_note/"))
    check_reports(invoices, records(state, "misdirected/"))
    check_indexes(state, invoices)
    check_resting(state, invoices)
    check_deliveries(state)
    check_persons(state)


def check_books(cash: Records, obligations: Records, entries: Records) -> None:
    """1: both books sum to zero, and every balance is the sum of its entries."""
    sums: Counter[tuple[str, str]] = Counter()
    for account in (*cash.values(), *obligations.values()):
        sums[account["book"], account["unit"]] += account["balance_minor"]
    for key, account in obligations.items():
        assert key == f"account/obligation/{account['invoice_id']}/{account['name']}"
    assert set(sums.values()) <= {0}, "1: a book does not sum to zero"
    balances: Counter[str] = Counter()
    for entry in entries.values():
        place = entry["unit"] if entry["book"] == "cash" else entry["invoice_id"]
        balances[f"account/{entry['book']}/{place}/{entry['debit']}"] += entry["amount_minor"]
        balances[f"account/{entry['book']}/{place}/{entry['credit']}"] -= entry["amount_minor"]
    assert {key: account["balance_minor"] for key, account in (cash | obligations).items()} == balances, "1"


def check_deposits(cash: Records, invoices: Records, redemptions: Records) -> None:
    """2, 3: what is held, in whatever account, is what was issued; nobody has less than nothing available.

    What is set aside is what reservations say, what is being redeemed is what open redemptions say.
    """
    held: Counter[str] = Counter()
    issued: Counter[str] = Counter()
    aside: Counter[tuple[str, str]] = Counter()
    for invoice in invoices.values():
        if reservation := invoice["reservation"]:
            aside[reservation["deposit"], f"reserved:{reservation['financier']}"] += reservation["net_minor"]
    for redemption in redemptions.values():
        if redemption["status"] == "requested":
            aside[redemption["deposit"], f"redeeming:{redemption['party']}"] += redemption["amount_minor"]
    for account in cash.values():
        unit, name, balance = account["unit"], account["name"], account["balance_minor"]
        kind, _, party = name.partition(":")
        assert party == account["party"]
        assert -(2**53) < balance < 2**53, "3: a number that not every reader takes"
        if kind == "issued":
            assert unit.endswith(f"@{party}"), "2: only the issuer issues"
            issued[unit] -= balance
            continue
        assert kind in ("cash", "reserved", "redeeming", "suspense")
        assert balance <= 0 if kind == "suspense" else balance >= 0, f"3: {name} stands at {balance}"
        if kind in ("reserved", "redeeming"):
            assert balance == aside.pop((unit, name), 0), f"2: {name} is not what is set aside"
        held[unit] += balance
    assert not aside, "2: what is set aside stands in no account"
    assert {unit: total for unit, total in held.items() if total} == {u: t for u, t in issued.items() if t}, "2"


def check_payments(invoices: Records, entries: Records) -> None:
    """4, 5, 11: the parts make the face, one payment for an invoice ever, one currency in an invoice."""
    steps = Counter((entry["invoice_id"], entry["step"]) for entry in entries.values())
    for invoice in invoices.values():
        payment, currency, face = invoice["early_payment"], invoice["facts"]["currency"], invoice["face_minor"]
        taken = steps[invoice["invoice_id"], "assignment"], steps[invoice["invoice_id"], "reassignment"]
        assert taken in ((0, 0), (1, 0), (1, 1)), "5: it was financed twice"
        assert bool(invoice["funded_on"]) == bool(taken[0]), "5: a payment that the invoice does not know"
        assert (payment is not None) == (taken == (1, 0)), "5: the invoice and its entries differ"
        assert (invoice["taken_back"] is not None) == (taken == (1, 1)), "5: what was taken back is forgotten"
        assert invoice["holder"] == (payment["financier"] if payment else invoice["supplier"])
        assert not (payment and invoice["reservation"])
        assert invoice["status"] in PAID_EARLY if payment else invoice["status"] != "early-paid", "8"
        if payment:
            assert payment["net_minor"] + payment["discount_minor"] + payment["fee_minor"] == face, "4"
            assert 0 <= payment["discount_minor"] < face, "4"
            assert payment["net_minor"] > 0
            assert payment["deposit"].startswith(f"{currency}@"), "11"
    for entry in entries.values():
        if entry["invoice_id"]:
            currency = invoices[f"invoice/{entry['invoice_id']}"]["facts"]["currency"]
            assert entry["unit"].split("@")[0] == currency, "11: another currency"


def check_discounts(invoices: Records, facilities: Records) -> None:
    """4: what was kept back is the discount, half up, at the very rate and days that are recorded with it."""
    for invoice in invoices.values():
        for quoted in filter(None, (invoice["early_payment"], invoice["reservation"])):
            face = quoted["net_minor"] + quoted["discount_minor"] + quoted["fee_minor"]
            basis = 10_000 * BASIS[facilities[f"facility/{quoted['facility_id']}"]["day_count"]]
            twice = 2 * face * quoted["rate_bps"] * quoted["days"]
            assert quoted["discount_minor"] == (twice + basis) // (2 * basis), "4: a discount at another rate"


def check_fingerprints(fingerprints: Records, invoices: Records) -> None:
    """6: of invoices with one number and amount one is financed at most; of those sharing one, all but one cleared."""
    wholes = {one["split_from"] for one in invoices.values() if one["split_from"]}
    funded = {one["split_from"] or one["invoice_id"] for one in invoices.values() if one["funded_on"]}
    claimed: defaultdict[str, int] = defaultdict(int)
    for key, fingerprint in fingerprints.items():
        ids = [claim["invoice_id"] for claim in fingerprint["claims"]]
        not_cleared = [one for one in funded & set(ids) if not is_cleared(invoices, one)]
        assert len(not_cleared) <= 1, f"6: {key} is financed twice"
        for claim in fingerprint["claims"]:
            claimed[claim["invoice_id"]] += 1
            invoice = invoices[f"invoice/{claim['invoice_id']}"]
            wanted = "cancelled" if invoice["status"] == "cancelled" else "registered"
            wanted = "split" if invoice["invoice_id"] in wholes else wanted
            assert claim["state"] == ("financed" if invoice["funded_on"] else wanted), f"6: {key}"
    both = Counter(
        (one["supplier"], one["fingerprints"]["number"], one["fingerprints"]["amount"])
        for one in invoices.values()
        if one["invoice_id"] in funded
    )
    assert set(both.values()) <= {1}, "6: one invoice is financed twice"
    assert claimed == {
        one["invoice_id"]: len(one["fingerprints"]) + len(further_deliveries(one)) + len(followed(one))
        for one in invoices.values()
        if not one["split_from"]
    }
    sold = [one for one in invoices.values() if one["funded_on"]]
    numbers = Counter((one["supplier"], one["fingerprints"]["number"]) for one in sold)
    for one in sold:
        assert not any(numbers[one["supplier"], number] for number in followed(one)), "6: it and what it corrects"


def followed(invoice: Any) -> set[str]:
    """The numbers of the other invoices that an invoice says to follow or correct."""
    return set(invoice["facts"].get("predecessors", ())) - {invoice["fingerprints"]["number"]}


def is_cleared(invoices: Records, invoice_id: str) -> bool:
    """Whether an invoice, or each funded part of it, was cleared by persons."""
    funded = [one for one in invoices.values() if one["funded_on"]]
    return all(one["clearance"] for one in funded if invoice_id in (one["invoice_id"], one["split_from"]))


def check_parts(invoices: Records, credit_notes: Records) -> None:
    """6: the parts of an invoice make it whole, and it is not paid itself."""
    credited: Counter[str] = Counter()
    for note in credit_notes.values():
        if note["status"] == "credited":
            credited[note["invoice_id"]] += note["amount_minor"]
    parts: Counter[str] = Counter()
    for one in invoices.values():
        if one["split_from"]:
            parts[one["split_from"]] += claimed_minor(one) + credited[one["invoice_id"]]
        else:
            assert one["credited_minor"] == credited[one["invoice_id"]]
    for whole_id, total in parts.items():
        whole = invoices[f"invoice/{whole_id}"]
        assert (whole["status"], whole["funded_on"], claimed_minor(whole)) == ("cancelled", "", total), "6"


def check_used(facilities: Records, invoices: Records) -> None:
    """7: used limits are the open face of what was paid out of the facility."""
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for invoice in invoices.values():
        if invoice["early_payment"]:
            used[invoice["early_payment"]["facility_id"]][invoice["supplier"]] += invoice["open_face_minor"]
    for facility in facilities.values():
        assert Counter(facility["used_by_supplier"]) == used[facility["facility_id"]], "7"
        assert facility["used_minor"] == used[facility["facility_id"]].total(), "7"


def check_obligations(obligations: Records, invoices: Records, credit_notes: Records) -> None:
    """13: what the holder is owed, written off or not, is what the buyer owes; claims are what the supplier owes.

    Claims are those of open credit notes, and no more was ever credited than what the invoice claims.
    """
    claims: Counter[str] = Counter()
    ever: Counter[str] = Counter()
    for note in credit_notes.values():
        claims[note["invoice_id"]] += note["amount_minor"] if note["status"] == "claimed" else 0
        ever[note["invoice_id"]] += note["amount_minor"] if note["status"] != "credited" else 0
    wanted: dict[str, int] = {}
    for one in invoices.values():
        open_face, written_off, claim = one["open_face_minor"], one["written_off_minor"], one["claims_minor"]
        assert claim == claims[one["invoice_id"]], "13: claims are not those of the credit notes"
        assert one["claimed_minor"] == ever[one["invoice_id"]] <= claimed_minor(one), (
            "13: more is credited than claimed"
        )
        assert not (claim and one["status"] == "cancelled"), "13: a claim is lost with its invoice"
        paid = one["settled_minor"] + one["recovered_minor"]
        assert open_face == (one["face_minor"] - paid if one["approval"] else 0), "13: the open face"
        balances = {
            f"recv:{one['holder']}": open_face - written_off,
            f"recv_wo:{one['holder']}": written_off,
            f"pay:{one['buyer']}": -open_face,
            f"claim:{one['buyer']}": claim,
            f"owed:{one['supplier']}": -claim,
        }
        wanted |= {f"account/obligation/{one['invoice_id']}/{name}": minor for name, minor in balances.items() if minor}
    found = {key: account["balance_minor"] for key, account in obligations.items() if account["balance_minor"]}
    assert found == wanted, "13"


def check_reports(invoices: Records, reports: Records) -> None:
    """What went astray is what was reported, and it is dilution where others than the supplier have reported it."""
    for one in invoices.values():
        own = [report for report in reports.values() if report["invoice_id"] == one["invoice_id"]]
        assert one["misdirected_minor"] == sum(report["amount_minor"] for report in own)
        others = [report for report in own if report["reporter"] != one["supplier"]]
        assert one["diluted_minor"] == sum(report["amount_minor"] for report in others), "a supplier's word is dilution"


def check_indexes(state: State, invoices: Records) -> None:
    """The lists of what is open, unacknowledged and booked at banks say what invoices, credits and redemptions say."""
    wanted = booked(state)
    for one in invoices.values():
        tail, status = one["invoice_id"], one["status"]
        if one["open_face_minor"]:
            wanted.add(f"open/{one['buyer']}/{due_date(one)}/{tail}")
        if (
            one["notice"]
            and not one["notice"]["acknowledged_on"]
            and status not in ("settled", "recovered", "cancelled")
        ):
            wanted.add(f"unacknowledged/{one['buyer']}/{one['notice']['day']}/{tail}")
    assert {key for key in state if key.startswith(("open/", "unacknowledged/", "bank_entry/credit/"))} == wanted


def check_resting(state: State, invoices: Records) -> None:
    """Documents and shipments name the invoices that rest on them, but for cancelled ones never paid early."""
    resting: defaultdict[str, set[str]] = defaultdict(set)
    for one in invoices.values():
        if one["status"] != "cancelled" or one["funded_on"]:
            for document_id in (*one["document_ids"], *one["proof_ids"]):
                resting[f"document/{document_id}"].add(one["invoice_id"])
            for shipment_id in one["shipment_ids"]:
                resting[f"shipment/{shipment_id}"].add(one["invoice_id"])
    for key, record in (records(state, "document/") | records(state, "shipment/")).items():
        if record["invoice_ids"] is not None:  # an older ledger keeps them in an index
            assert set(record["invoice_ids"]) == resting[key], key


def check_step(before: State, after: State, command_type: str = "") -> int:
    """Assert what holds between two states; gives how many early payments lie between them.

    Args:
        command_type: of the one command between them; when given its entries are checked too.
    """
    before, after = snapshot(before), snapshot(after)
    for kind in ("command/", "entry/", "seal/", "buyer_reference/"):
        for key, data in before.under(kind).items():
            assert after.get(key) == data, f"10: {key} has changed"
    if "day" in before:
        check_day(before, after)
    for arrow in arrows(before, after):
        assert arrow in ARROWS, f"8: {arrow}"
    paid = [
        invoice
        for key, invoice in records(after, "invoice/").items()
        if invoice["funded_on"] and not (key in before and read(before, key)["funded_on"])
    ]
    for invoice in paid:
        check_evidence(invoice, after, decided=command_type in ("FundInvoice", "PostFunding", ""))
    check_limits(before, after)
    check_financed_stays(records(before, "fingerprint/"), records(after, "fingerprint/"))
    check_members_step(before, after)
    if command_type:
        check_entries(command_type, before, after)
    return len(paid)


def arrows(before: State, after: State) -> list[Arrow]:
    """The arrows of section 8 along which invoices have moved, those within one command included."""
    found: list[Arrow] = []
    for key, new in records(after, "invoice/").items():
        old = read(before, key)
        if old == new:
            continue
        path: list[str | None] = [old["status"] if old else None]
        # The last piece of evidence may be the approval itself, and then pays in the same command.
        if new["status"] == "early-paid" and path[-1] in (None, "registered"):
            path += ["registered", "approved"][path[-1] is not None :]
        if path[-1] != new["status"]:
            path.append(new["status"])
        found += [(start, str(end)) for start, end in itertools.pairwise(path)]
    return found


def check_limits(before: State, after: State) -> None:
    """7: what uses a limit more stays within it; a limit may have been lowered below what is used."""
    facilities = records(after, "facility/")
    for key, stored in facilities.items():
        facility = terms_on(stored, read(after, "day")["date"])
        earlier = read(before, key) or {"used_minor": 0, "used_by_supplier": {}}
        for supplier, used in facility["used_by_supplier"].items():
            if used > earlier["used_by_supplier"].get(supplier, 0):
                assert used <= facility["supplier_limit_minor"], "7: a supplier's limit is passed"
        if facility["used_minor"] <= earlier["used_minor"]:
            continue
        assert facility["used_minor"] <= facility["limit_minor"], "7: a facility's limit is passed"
        currency = facility["deposit"].partition("@")[0]
        limit = read(after, f"buyer_limit/{facility['financier']}/{facility['buyer']}/{currency}")
        if limit:
            own = [one for one in facilities.values() if _on_whom(one) == _on_whom(facility)]
            used = sum(one["used_minor"] for one in own)
            assert used <= limit_on(limit, read(after, "day")["date"]), "7: the limit of a buyer is passed"


def _on_whom(facility: dict[str, Any]) -> tuple[str, str, str]:
    return facility["financier"], facility["buyer"], facility["deposit"].partition("@")[0]


def check_financed_stays(before: Records, after: Records) -> None:
    """6: claims are never taken back, and what is financed stays financed."""
    for key, fingerprint in before.items():
        new_claims = after[key]["claims"]
        for old, new in zip(fingerprint["claims"], new_claims[: len(fingerprint["claims"])], strict=True):
            assert old["invoice_id"] == new["invoice_id"], "6"
            assert old["state"] != "financed" or new["state"] == "financed", "6: a financed claim is free"
