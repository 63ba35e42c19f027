"""Every write of the life of invoices, facilities, deposits and members: what it does, and one refusal of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from api_trade import approved, done, money, reasons, registered, releasable, uploaded
from api_world import DEPOSIT, Json, People, facility, refused
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, eventually, organisations
from trade_papers import credit_note_ubl

from ledger_node.operations.consortium import PARTY as PARTY_EXAMPLE
from ledger_node.operations.facilities import TERMS as TERMS_EXAMPLE
from ledger_node.people.reasons import Reason

TODAY = dt.datetime.now(dt.UTC).date()
DUE = (TODAY + dt.timedelta(days=60)).isoformat()
NO_ID = "0" * 32
WHY = {"reason": "two pallets were broken"}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def facility_id(people: People) -> str:
    return people.open_facility("manual")


def invoice(people: People, invoice_id: str) -> Json:
    return dict(people.carrier.get(f"/v1/invoices/{invoice_id}").body)


def test_a_dispute_is_raised_and_resolved_and_its_reason_stays_here(people: People) -> None:
    path = f"/v1/invoices/{approved(people, 'DISPUTE')}"
    assert refused(people.supplier.post("approver", f"{path}/dispute", WHY)) == (409, "ROLE_MISSING")
    assert done(people.buyer.post("approver", f"{path}/dispute", WHY), people)["status"] == "disputed"
    shown = people.supplier.get(path).body
    assert (reasons(people, path)["AMOUNT"], shown["approval"]) == ("DISPUTED", None)
    assert next(each["who"] for each in shown["classes"] if each["class"] == "AMOUNT") == BUYER
    assert people.supplier.get("/v1/invoices?status=disputed").body["total"] == 1
    commitment = shown["dispute"]["reason_commitment"]
    kept = people.buyer.get(f"/v1/reasons/{commitment}").body
    assert (kept["text"], Reason(bytes.fromhex(kept["salt"]), kept["text"]).commitment) == (WHY["reason"], commitment)
    assert refused(people.supplier.get(f"/v1/reasons/{commitment}")) == (404, "REASON_UNKNOWN")
    resolved = people.buyer.post("approver", f"{path}/dispute-resolution", {"outcome": "registered"})
    assert done(resolved, people)["status"] == "registered"
    again = people.buyer.post("approver", f"{path}/dispute-resolution", {"outcome": "cancelled"})
    assert refused(again) == (409, "STATUS_WRONG")
    stored = people.buyer.get(again.body["submission"]).body
    assert (stored["text"], stored["remedy"]) == (again.body["detail"], again.body["remedy"])


def test_the_same_reasoned_request_again_is_one_command(people: People) -> None:
    path = f"/v1/invoices/{registered(people, 'TWICE')}/cancellation"
    first, second = (people.supplier.post("uploader", path, WHY, key="cancel-once") for _ in range(2))
    assert (first.body["status"], second.body) == ("applied", first.body)
    other = people.supplier.post("uploader", path, {"reason": "another"}, key="cancel-once")
    assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_an_approval_is_withdrawn_and_an_invoice_cancelled(people: People) -> None:
    invoice_id = approved(people, "CANCEL")
    path = f"/v1/invoices/{invoice_id}"
    assert done(people.buyer.post("approver", f"{path}/approval-withdrawal", WHY), people)["status"] == "registered"
    assert refused(people.buyer.post("approver", f"{path}/approval-withdrawal", WHY)) == (409, "STATUS_WRONG")
    assert done(people.supplier.post("uploader", f"{path}/cancellation", WHY), people)["status"] == "cancelled"
    assert refused(people.supplier.post("uploader", f"{path}/cancellation", WHY)) == (409, "STATUS_WRONG")
    assert reasons(people, path)["AMOUNT"] == "NOT_OWED"


def test_an_invoice_is_split_into_parts(people: People) -> None:
    path = f"/v1/invoices/{registered(people, 'SPLIT')}/split"
    wrong = people.supplier.post("uploader", path, {"parts": [{"amount": "1.00"}, {"amount": "2.00"}]})
    assert refused(wrong) == (422, "SPLIT_INVALID")
    halves = people.supplier.post("uploader", path, {"parts": [{"amount": "6000.00"}, {"amount": "4000.00"}]})
    parts = [invoice(people, part) for part in done(halves, people)["invoice_ids"]]
    assert sorted(part["amount_due"] for part in parts) == ["4000.00", "6000.00"]
    nowhere = people.supplier.post("uploader", f"/v1/invoices/{NO_ID}/split", {"parts": [{"amount": "1"}] * 2})
    assert refused(nowhere) == (404, "INVOICE_UNKNOWN")


def test_a_duplicate_is_cleared_by_the_buyer(people: People) -> None:
    first = registered(people, "TWIN")
    second = registered(people, "TWIN", invoice(people, first)["document_ids"][0])
    assert invoice(people, second)["duplicate_of"] == first
    path = f"/v1/invoices/{second}/duplicate-clearance"
    done(people.buyer.post("approver", path, WHY), people)
    assert invoice(people, second)["clearance"]["day"] == TODAY.isoformat()
    assert refused(people.buyer.post("approver", f"/v1/invoices/{first}/duplicate-clearance", WHY)) == (
        409,
        "NOT_A_DUPLICATE",
    )


def test_a_credit_note_before_funding_voids_the_approval(people: People) -> None:
    invoice_id = approved(people, "CREDIT")
    note = {"amount": "100.00", "document_id": uploaded(people.supplier, people, "CN 1")}
    path = f"/v1/invoices/{invoice_id}/credit-notes"
    credited = people.supplier.post("uploader", path, note)
    assert done(credited, people)["status"] == "credited"
    shown = people.buyer.get(f"/v1/credit-notes/{credited.body['record_id']}").body
    assert (shown["amount"], shown["invoice_id"], shown["status"]) == ("100.00", invoice_id, "credited")
    assert invoice(people, invoice_id)["credited"] == "100.00"
    assert refused(people.supplier.post("uploader", path, note | {"amount": "9900.00"})) == (409, "CREDIT_EXCEEDS")
    unclaimed = people.supplier.post(
        "approver", f"/v1/credit-notes/{credited.body['record_id']}/payment", {"deposit": DEPOSIT}
    )
    assert refused(unclaimed) == (409, "NOT_CLAIMED")


def test_a_credit_note_is_uploaded_as_what_it_is_and_credits_what_it_says(people: People) -> None:
    invoice_id = approved(people, "CREDIT BY FILE")
    entitled = [BUYER, FINANCIER]
    paper = credit_note_ubl("CN 2", 10_000, preceding=["CREDIT BY FILE"])
    assert refused(people.supplier.upload("invoice", "application/xml", paper, entitled)) == (422, "CREDIT_NOTE")
    reply = people.supplier.upload("credit_note", "application/xml", paper, entitled)
    done(reply, people)
    note = {"amount": "100.00", "document_id": reply.body["record_id"]}
    path = f"/v1/invoices/{invoice_id}/credit-notes"
    differing = people.supplier.post("uploader", path, note | {"amount": "100.01"})
    assert refused(differing) == (422, "CREDIT_DIFFERS")
    as_invoice = {"document_id": note["document_id"], "buyer": BUYER}
    assert people.supplier.post("uploader", "/v1/invoices", as_invoice).code == "DOCUMENT_KIND_WRONG"
    assert done(people.supplier.post("uploader", path, note), people)["status"] == "credited"
    assert invoice(people, invoice_id)["credited"] == "100.00"


def test_the_buyer_pays_early_at_the_discount_that_is_offered(people: People) -> None:
    money(people, BUYER, "20000.00", "CAMT EARLY")
    path = f"/v1/invoices/{approved(people, 'EARLY')}"
    early = f"{path}/early-settlement"
    assert refused(people.buyer.post("approver", early, {"deposit": DEPOSIT})) == (409, "NO_OFFER")
    offer = {"rate_bps": 400, "valid_until": DUE}
    done(people.supplier.post("uploader", f"{path}/discount-offer", offer), people)
    assert [each["rate_bps"] for each in people.buyer.get("/v1/discount-offers").body["items"]] == [400]
    assert done(people.buyer.post("approver", early, {"deposit": DEPOSIT}), people)["discount_minor"] > 0
    assert people.supplier.get(path).body["status"] == "settled"
    late = people.supplier.post("uploader", f"{path}/discount-offer", offer)
    assert refused(late) == (409, "STATUS_WRONG")


def test_what_is_paid_elsewhere_is_reported_or_confirmed(people: People) -> None:
    path = f"/v1/invoices/{approved(people, 'OUTSIDE')}"
    report = people.buyer.post("approver", f"{path}/misdirected-payments", {"amount": "10.00"})
    outsider = people.carrier.post("uploader", f"{path}/misdirected-payments", {"amount": "10.00"})
    assert refused(outsider) == (409, "NOT_YOUR_INVOICE")
    done(report, people)
    items = people.supplier.get("/v1/misdirected-payments").body["items"]
    assert [each["amount"] for each in items] == ["10.00"]
    assert people.supplier.get("/v1/misdirected-payments?q=outside").body["items"] == items
    assert people.supplier.get("/v1/misdirected-payments?q=inside").body["items"] == []
    paid = {"amount": "4000.00", "reason": "credit advice"}
    assert refused(people.buyer.post("approver", f"{path}/payment-outside", paid)) == (409, "NOT_THE_HOLDER")
    done(people.supplier.post("approver", f"{path}/payment-outside", paid), people)
    assert people.buyer.get(path).body["settled"] == "4000.00"


def test_time_and_losses_are_the_holders_to_say(people: People) -> None:
    path = f"/v1/invoices/{approved(people, 'LATE')}"
    later = (TODAY + dt.timedelta(days=90)).isoformat()
    done(people.supplier.post("approver", f"{path}/due-date", {"due_date": later}), people)
    assert people.buyer.get(path).body["extended_due_date"] == later
    early = people.supplier.post("approver", f"{path}/due-date", {"due_date": DUE})
    assert refused(early) == (422, "EXTENSION_INVALID")
    invoice_ids = {"invoice_ids": [path.rpartition("/")[2]]}
    assert refused(people.carrier.post("uploader", "/v1/overdue-checks", invoice_ids)) == (409, "NOT_DUE")
    assert refused(people.supplier.post("approver", f"{path}/write-off", {"amount": "1.00"})) == (409, "STATUS_WRONG")
    recovery = {"amount": "1.00", "deposit": DEPOSIT}
    assert refused(people.buyer.post("approver", f"{path}/recovery", recovery)) == (409, "RECOVERY_EXCEEDS")


def test_a_manual_funding_is_declined_posted_and_bought_back(people: People, facility_id: str) -> None:
    path = releasable(people, "FUND", facility_id)
    no = {"facility_id": facility_id, "reason": "outside policy"}
    assert refused(people.buyer.post("funder", f"{path}/funding-refusal", no)) == (409, "ROLE_MISSING")
    done(people.financier.post("funder", f"{path}/funding-refusal", no), people)
    assert reasons(people, path) == {"FACILITY": "DECLINED"}
    asked = {"facility_ids": [facility_id], "net_min": "1.00", "valid_until": DUE}
    done(people.supplier.post("uploader", f"{path}/early-payment-request", asked), people)
    for action in ("funding-posting", "funding-voiding"):
        assert refused(people.financier.post("funder", f"{path}/{action}")) == (409, "NOT_RESERVED")
    invoice_ids = {"invoice_ids": [path.rpartition("/")[2]]}
    assert refused(people.carrier.post("uploader", "/v1/funding-expiries", invoice_ids)) == (409, "NOT_RESERVED")
    done(people.financier.post("funder", f"{path}/funding", {"facility_id": facility_id}), people)
    back = people.supplier.post("approver", f"{path}/repurchase", {"deposit": DEPOSIT})
    assert refused(back) == (409, "RECOURSE_MISSING")

    note = {"amount": "100.00", "document_id": uploaded(people.supplier, people, "CN 2")}
    credited = people.supplier.post("uploader", f"{path}/credit-notes", note)
    assert done(credited, people)["status"] == "claimed"
    payment = f"/v1/credit-notes/{credited.body['record_id']}/payment"
    done(people.supplier.post("approver", payment, {"deposit": DEPOSIT}), people)
    assert people.buyer.get("/v1/credit-notes").body["items"][0]["status"] == "paid"

    assert refused(people.buyer.post("approver", f"{path}/unwinding")) == (409, "NOT_YOUR_INVOICE")
    assert done(people.supplier.post("approver", f"{path}/unwinding"), people) == {"unwound": False}
    assert done(people.financier.post("funder", f"{path}/unwinding"), people) == {"unwound": True}
    assert people.buyer.get(path).body["holder"] == SUPPLIER


def test_an_invoice_is_bought_back_where_there_is_recourse(people: People) -> None:
    body = facility("manual") | {"recourse": "full"}
    facility_id = people.financier.post("funder", "/v1/facilities", body).body["record_id"]
    eventually(lambda: people.supplier.get(f"/v1/facilities/{facility_id}").status == 200, "the facility is shown")
    path = releasable(people, "BACK", facility_id)
    done(people.financier.post("funder", f"{path}/funding", {"facility_id": facility_id}), people)
    outsider = people.buyer.post("approver", f"{path}/repurchase", {"deposit": DEPOSIT})
    assert refused(outsider) == (409, "NOT_THE_SUPPLIER")
    assert done(people.supplier.post("approver", f"{path}/repurchase", {"deposit": DEPOSIT}), people)["price_minor"] > 0
    shown = people.buyer.get(path).body
    assert (shown["status"], shown["holder"], shown["early_payment"]) == ("approved", SUPPLIER, None)
    assert shown["taken_back"]["facility_id"] == facility_id


def test_a_facility_gets_other_terms_rests_and_closes(people: People) -> None:
    facility_id = people.financier.post("funder", "/v1/facilities", facility()).body["record_id"]
    path = f"/v1/facilities/{facility_id}"
    eventually(lambda: people.financier.get(path).status == 200, "the facility is shown")
    terms = TERMS_EXAMPLE | {"limit": "750000.00", "two_step_above": "5000.00"}
    changed = people.financier.post("funder", f"{path}/terms", terms)
    tomorrow = (TODAY + dt.timedelta(days=1)).isoformat()
    assert done(changed, people)["from_day"] == tomorrow
    pending = people.buyer.get(path).body["pending"]
    assert (pending["terms"]["limit"], pending["terms"]["two_step_above"]) == ("750000.00", "5000.00")
    assert refused(people.financier.post("funder", f"{path}/terms", terms | {"limit": "1.00"})) == (
        422,
        "TERMS_INVALID",
    )
    incomplete = {name: value for name, value in terms.items() if name != "fee"}
    assert people.financier.post("funder", f"{path}/terms", incomplete).status == 400
    assert refused(people.buyer.post("funder", f"{path}/suspension", WHY)) == (409, "ROLE_MISSING")
    assert done(people.financier.post("funder", f"{path}/suspension", WHY), people)["status"] == "suspended"
    assert done(people.financier.post("funder", f"{path}/resumption"), people)["status"] == "open"
    assert refused(people.financier.post("funder", f"{path}/resumption")) == (409, "STATUS_WRONG")
    assert done(people.financier.post("funder", f"{path}/closure"), people)["status"] == "closed"
    assert refused(people.financier.post("funder", f"{path}/closure")) == (409, "FACILITY_CLOSED")


def test_funding_is_held_and_a_buyer_limited(people: People, facility_id: str) -> None:
    held = {"msp_id": BUYER, "reason": "insolvency"}
    done(people.financier.post("funder", "/v1/holds", held), people)
    assert [each["msp_id"] for each in people.buyer.get("/v1/holds").body["items"]] == [BUYER]
    assert refused(people.financier.post("funder", "/v1/holds", held)) == (409, "ALREADY_HELD")
    done(people.financier.post("funder", f"/v1/holds/{BUYER}/lifting"), people)
    assert refused(people.financier.post("funder", f"/v1/holds/{BUYER}/lifting")) == (409, "NOT_HELD")
    assert people.buyer.get("/v1/holds").body["items"] == []
    limit = {"buyer": BUYER, "currency": "EUR", "limit": "9000.00", "facility_ids": [facility_id]}
    done(people.financier.post("funder", "/v1/buyer-limits", limit), people)
    assert [each["limit"] for each in people.buyer.get("/v1/buyer-limits").body["items"]] == ["9000.00"]
    foreign = people.financier.post("funder", "/v1/buyer-limits", limit | {"currency": "USD"})
    assert refused(foreign) == (409, "FACILITY_DIFFERS")
    done(people.financier.post("funder", "/v1/buyer-limits", limit | {"limit": "1000000.00"}), people)


def test_deposit_money_is_moved_redeemed_and_taken_back(people: People) -> None:
    money(people, CARRIER, "100.00", "CAMT MOVE")
    some = {"deposit": DEPOSIT, "amount": "40.00"}
    done(people.carrier.post("approver", "/v1/deposits/transfers", some | {"to": SUPPLIER}), people)
    itself = people.carrier.post("approver", "/v1/deposits/transfers", some | {"to": CARRIER})
    assert refused(itself) == (422, "SAME_PARTY")
    redeemed = [people.carrier.post("approver", "/v1/redemptions", some) for _ in range(2)]
    assert refused(redeemed[1]) == (409, "FUNDS_MISSING")
    done(redeemed[0], people)
    path = f"/v1/redemptions/{redeemed[0].body['record_id']}"
    assert done(people.financier.post("issuer", f"{path}/rejection", WHY), people)["status"] == "rejected"
    paid = {"payment_reference": "PAIN 1", "booked_on": TODAY.isoformat()}
    assert refused(people.financier.post("issuer", f"{path}/confirmation", paid)) == (409, "STATUS_WRONG")
    again = people.carrier.post("approver", "/v1/redemptions", some)
    done(again, people)
    path = f"/v1/redemptions/{again.body['record_id']}"
    assert refused(people.buyer.post("issuer", f"{path}/confirmation", paid)) == (409, "NOT_THE_ISSUER")
    assert done(people.financier.post("issuer", f"{path}/confirmation", paid), people)["status"] == "confirmed"
    assert (people.buyer.get(path).body["amount"], people.buyer.get("/v1/redemptions").body["total"]) == ("40.00", 2)

    wrong = {"credit_reference": "CAMT MOVE", "booked_on": TODAY.isoformat(), "reason": "booked twice"}
    taken = done(people.financier.post("issuer", "/v1/deposits/reversals", wrong), people)
    assert taken == {"taken_minor": 2000, "shortfall_minor": 8000}
    assert refused(people.financier.post("issuer", "/v1/deposits/reversals", wrong)) == (409, "ALREADY_REVERSED")
    money(people, CARRIER, "100.00", "CAMT COVER")
    too_much = {"deposit": DEPOSIT, "amount": "90.00"}
    assert refused(people.carrier.post("approver", "/v1/deposits/covers", too_much)) == (409, "COVER_EXCEEDS")
    done(people.carrier.post("approver", "/v1/deposits/covers", too_much | {"amount": "80.00"}), people)


def test_what_looks_like_a_credit_or_payment_that_counted_needs_a_persons_word(people: People) -> None:
    money(people, CARRIER, "70.00", "CAMT TWICE")
    yesterday = (TODAY - dt.timedelta(days=1)).isoformat()
    credit = {"deposit": DEPOSIT, "to": CARRIER, "amount": "70.00", "credit_reference": "camt/twice"}
    looks = people.financier.post("issuer", "/v1/deposits", credit | {"booked_on": yesterday})
    assert refused(looks) == (409, "CREDIT_LOOKS_ISSUED")
    done(people.financier.post("issuer", "/v1/deposits", credit | {"booked_on": yesterday, "again": True}), people)

    for number in range(2):
        asked = people.carrier.post("approver", "/v1/redemptions", {"deposit": DEPOSIT, "amount": "70.00"})
        done(asked, people)
        path = f"/v1/redemptions/{asked.body['record_id']}/confirmation"
        paid: dict[str, Any] = {"payment_reference": "PAIN TWICE", "booked_on": (yesterday, TODAY.isoformat())[number]}
        if number:
            assert refused(people.financier.post("issuer", path, paid)) == (409, "PAYMENT_LOOKS_CONFIRMED")
        said = paid | {"again": bool(number)}
        assert done(people.financier.post("issuer", path, said), people)["status"] == "confirmed"


def test_documents_and_reports_are_taken_back(people: People) -> None:
    document_id = uploaded(people.supplier, people, "REVOKED")
    path = f"/v1/documents/{document_id}/revocation"
    assert refused(people.supplier.post("uploader", path, {"reason": "superseded"})) == (422, "REVOCATION_INCONSISTENT")
    done(people.supplier.post("uploader", path, {"reason": "withdrawn"}), people)
    assert people.buyer.get(f"/v1/documents/{document_id}").body["status"] == "withdrawn"
    assert refused(people.supplier.post("uploader", path, {"reason": "withdrawn"})) == (409, "ALREADY_REVOKED")
    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": "SHIP BACK"}
    shipment_id = people.supplier.post("uploader", "/v1/shipments", goods).body["record_id"]
    events = f"/v1/shipments/{shipment_id}/events"
    in_tokyo = dt.datetime.now(dt.timezone(dt.timedelta(hours=9)))
    said = {"type": "delivered", "occurred_on": in_tokyo.isoformat(timespec="seconds")}
    arrived = people.carrier.post("uploader", events, said)
    withdrawal = f"{events}/{arrived.body['record_id']}/withdrawal"
    assert refused(people.buyer.post("uploader", withdrawal)) == (409, "NOT_YOUR_EVENT")
    done(people.carrier.post("uploader", withdrawal), people)
    (event,) = people.buyer.get(f"/v1/shipments/{shipment_id}").body["events"]
    assert (event["occurred_on"], event["withdrawn_on"]) == (in_tokyo.date().isoformat(), TODAY.isoformat())


def test_the_membership_changes_by_vote(people: People) -> None:
    changes = "/v1/membership-changes"
    asked = people.supplier.post("operator", f"{changes}/suspensions", {"msp_id": CARRIER})
    assert done(asked, people) == {"status": "open"}
    path = f"{changes}/{asked.body['record_id']}"
    assert refused(people.supplier.post("operator", f"{path}/votes")) == (409, "ALREADY_VOTED")
    assert refused(people.carrier.post("operator", f"{path}/votes")) == (409, "NOT_ASKED")
    assert done(people.buyer.post("operator", f"{path}/votes"), people) == {"status": "open"}
    done(people.buyer.post("operator", f"{path}/vote-withdrawal"), people)
    assert refused(people.buyer.post("operator", f"{path}/vote-withdrawal")) == (409, "NOT_VOTED")
    done(people.buyer.post("operator", f"{path}/votes"), people)
    assert done(people.financier.post("operator", f"{path}/votes"), people) == {"status": "applied"}
    assert people.buyer.get(f"/v1/parties/{CARRIER}").body["status"] == "suspended"
    shown = people.buyer.get(path).body
    assert (shown["kind"], shown["votes"]) == ("suspend", sorted([BUYER, FINANCIER, SUPPLIER]))
    back = people.supplier.post("operator", f"{changes}/reinstatements", {"msp_id": CARRIER})
    path = f"{changes}/{back.body['record_id']}"
    assert done(people.buyer.post("operator", f"{path}/votes"), people) == {"status": "applied"}
    assert people.buyer.get(changes).body["total"] == 2

    newcomer = {"party": PARTY_EXAMPLE | {"msp_id": "NewMSP"}}
    admission = people.supplier.post("operator", f"{changes}/admissions", newcomer)
    path = f"{changes}/{admission.body['record_id']}"
    assert refused(people.buyer.post("operator", f"{path}/activation")) == (409, "NOT_ADMITTED")
    assert people.buyer.get(path).body["proposed"]["msp_id"] == "NewMSP"
    roles = {"msp_id": BUYER, "roles": ["buyer"], "issue_limits": {"EUR": "1.00"}}
    assert refused(people.supplier.post("operator", f"{changes}/role-changes", roles)) == (422, "PARTY_INVALID")
    done(people.supplier.post("operator", f"{changes}/role-changes", roles | {"issue_limits": {}}), people)
    assert refused(people.buyer.get(f"{changes}/{NO_ID}")) == (404, "CHANGE_UNKNOWN")


def test_a_party_changes_its_address_and_its_account(people: People) -> None:
    own = "/v1/parties/own"
    done(people.carrier.post("operator", f"{own}/peer-url", {"peer_url": "https://carrier.example"}), people)
    assert people.buyer.get(f"/v1/parties/{CARRIER}").body["peer_url"] == "https://carrier.example"
    assert people.carrier.post("operator", f"{own}/peer-url", {"peer_url": "http://plain"}).status == 400
    before = people.buyer.get(f"/v1/parties/{CARRIER}").body["payout_fingerprint"]
    done(people.carrier.post("operator", f"{own}/payout-account", {"payout_account": "DE 44 5001"}), people)
    party = people.buyer.get(f"/v1/parties/{CARRIER}").body
    assert (party["payout_fingerprint"], party["pending_payout"]["fingerprint"] != before) == (before, True)
    assert people.carrier.post("operator", f"{own}/payout-account", {"payout_account": "--"}).status == 400
