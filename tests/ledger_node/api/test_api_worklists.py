"""What is left to do: submissions with what to do about them, offers to a financier, shipments on their way."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import get_args

import pytest
from api_trade import approved, done, money, offered, registered
from api_world import DEPOSIT, Json, People, invoice_file
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, eventually, organisations

from ledger_node.api import own_writes
from ledger_node.api.app import create_user_app
from ledger_node.api.waits import expected, waits
from ledger_node.api.waits_besides import BY_KIND
from ledger_node.operations.readings import SubmissionState
from ledger_node.outbox.store import OutboxRow
from ledger_node.outbox.submission import SubmissionStatus
from ledger_node.outbox.worklist import STATES


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("worklists")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


def listed(people: People, query: str) -> list[Json]:
    reply = people.buyer.get(f"/v1/submissions{query}")
    assert reply.status == 200, reply
    return list(reply.body["items"])


def settlement(amount: str) -> Json:
    return {"amount": amount, "deposit": DEPOSIT}


def test_an_invoice_that_is_paid_in_part_waits_for_its_buyer_and_for_nobody_without_a_name() -> None:
    invoice = {"status": "approved", "notice": None, "buyer": BUYER}
    paid = {"verdict": "INVALID", "reason": "PARTLY_SETTLED", "who": ""}
    lacking = {"verdict": "INDETERMINATE", "reason": "FACTS_MISSING", "who": FINANCIER}
    assert waits(invoice, {"classes": [paid, lacking]}, "then") == [
        {"for": FINANCIER, "reasons": ["FACTS_MISSING"], "since": "then"},
        {"for": BUYER, "reasons": ["NOT_DUE_YET"], "since": "then"},
    ]


def test_a_reason_of_several_classes_is_told_once() -> None:
    lacking = {"verdict": "INDETERMINATE", "reason": "NO_REQUEST", "who": SUPPLIER}
    invoice = {"status": "registered", "notice": None, "buyer": BUYER}
    told = waits(invoice, {"classes": [lacking, lacking | {"reason": "NO_PROOF"}, lacking]}, "then")
    assert told == [{"for": SUPPLIER, "reasons": ["NO_REQUEST", "NO_PROOF"], "since": "then"}]


@pytest.mark.parametrize(("verdict", "what"), [("INVALID", "settlement"), ("INDETERMINATE", "early payment")])
def test_what_evidence_speaks_against_is_expected_to_be_paid_when_it_is_due_and_no_sooner(
    verdict: str, what: str
) -> None:
    invoice = {"status": "approved", "supplier": SUPPLIER, "holder": SUPPLIER, "due_date": "2027-01-29"}
    invoice |= {"extended_due_date": "", "open_face": "10.00"}
    release = {"classes": [{"verdict": verdict}], "quote": {"net": "9.00"}}
    found = expected(invoice, release, "2026-11-30")
    assert found is not None and found["what"] == what


def test_the_states_of_the_list_are_those_of_the_outbox() -> None:
    assert set(get_args(SubmissionState)) == {"", *STATES}


def test_a_refused_payment_is_listed_with_its_reason_and_goes_through_once_when_tried_again(people: People) -> None:
    path = offered(people, "RETRY", people.open_facility("manual"))
    refused = people.buyer.post("approver", f"{path}/settlement", settlement("10000.00"), key="pay-once")
    assert (refused.status, refused.code) == (409, "FUNDS_MISSING")
    shown = people.buyer.get(path).body
    (buyer,) = [each for each in shown["waits"] if each["for"] == BUYER]
    assert (buyer["reasons"], buyer["since"]) == (["NOT_DUE_YET"], shown["timeline"][-1]["timestamp"])
    assert shown["expected"]["what"] == "early payment"
    said = {name: shown[name] for name in ("waits", "expected")}
    for caller in (people.buyer, people.carrier):  # as the peer says it of one, each node says it of all
        (listed_as,) = caller.get(f"/v1/invoices?q={path.rpartition('/')[2]}&waits=true").body["items"]
        assert {name: listed_as[name] for name in said} == said
    address = f"/v1/early-payment-requests?financier={FINANCIER}&state=open&waits=true"
    (asked,) = people.financier.get(address).body["items"]
    assert {name: asked[name] for name in said} == said
    assert asked["expected"]["amount"] == shown["quote"]["net"]
    (row,) = listed(people, "?state=attention&type=SettleInvoice")
    assert (row["status"], row["code"], row["principal"]) == ("refused", "FUNDS_MISSING", "approver")
    assert (row["record_id"], row["resource"]) == (path.rpartition("/")[2], path)
    assert row["to_do"] == f"Mend what FUNDS_MISSING names, then: ledger-node submission retry {row['id']}"
    assert row["names"]["number"] == "RETRY"

    retry = f"/v1/submissions/{row['id']}/retry"
    money(people, BUYER, "20000.00", "CAMT RETRY")
    forbidden = people.buyer.post("uploader", retry)
    assert (forbidden.status, forbidden.code) == (403, "TOKEN_ROLE")
    done(people.buyer.post("approver", retry), people)
    settled = people.buyer.get(path).body
    assert (settled["status"], settled["waits"], settled["expected"]) == ("settled", [], None)
    for asked, shown in (("", None), ("&waits=true", [])):
        (listed_as,) = people.buyer.get(f"/v1/invoices?q={path.rpartition('/')[2]}{asked}").body["items"]
        assert (listed_as["waits"], listed_as["expected"]) == (shown, None)
    again = people.buyer.post("approver", retry)
    assert (again.status, again.code) == (409, "RETRY_NOT_TAKEN")
    repeated = people.buyer.post("approver", f"{path}/settlement", settlement("10000.00"), key="pay-once")
    assert (repeated.status, repeated.body["id"]) == (200, row["id"])
    paid = people.buyer.get(f"/v1/accounts/entries?invoice_id={row['record_id']}").body["items"]
    assert [each["amount"] for each in paid if each["book"] == "cash"] == ["10000.00"]
    assert listed(people, "?state=attention&type=SettleInvoice") == []
    assert [each["id"] for each in listed(people, "?state=applied&type=SettleInvoice")] == [row["id"]]


def test_what_failed_goes_again_and_keeps_its_signatures_what_was_refused_is_signed_anew(people: People) -> None:
    node = people.buyer.node
    signed = '[{"person":"p","signature":"s"}]'
    with node.state.write() as session:
        for status in (SubmissionStatus.FAILED, SubmissionStatus.REFUSED):
            row = OutboxRow(command_id=status, type="X", body="{}", request_digest="x", status=status, persons=signed)
            row.block_number_min = 10**9
            session.add(row)
    for status, kept in ((SubmissionStatus.FAILED, ("p",)), (SubmissionStatus.REFUSED, ())):
        retried = node.work_list.retry(status)
        assert (retried.status, retried.signed_by) == (SubmissionStatus.WAITING, kept)
    with node.state.write() as session:  # they are no commands, and wait for a block that never comes
        for name in (SubmissionStatus.FAILED, SubmissionStatus.REFUSED):
            session.connection().exec_driver_sql(f"DELETE FROM outbox WHERE command_id = '{name}'")


def test_what_the_node_does_by_itself_is_listed_on_demand_and_tried_again_by_the_node_alone(people: People) -> None:
    invoice_id = registered(people, "ATTEST")
    waiting = {each["for"]: each["reasons"] for each in people.supplier.get(f"/v1/invoices/{invoice_id}").body["waits"]}
    assert "NOT_APPROVED" in waiting[BUYER]
    attested = "?type=AttestDocument"
    eventually(lambda: listed(people, f"{attested}&own=true"), "the buyer attests")
    assert listed(people, attested) == []
    (row, *_) = listed(people, f"{attested}&own=true")
    reply = people.buyer.post("approver", f"/v1/submissions/{row['id']}/retry")
    assert (reply.status, reply.code) == (409, "RETRY_NOT_TAKEN")


def test_what_was_typed_or_uploaded_here_has_its_name_here_as_soon_as_the_ledger_has_it(people: People) -> None:
    """Before any other node has read it: nobody waits, and nothing is looked at twice."""
    supplier, paper = people.supplier, invoice_file("AT-ONCE", shipment_reference="SHIP AT ONCE")
    file = (io.BytesIO(paper), "at-once.xml", "application/xml")
    waiting = supplier.upload("invoice", "application/xml", paper, [BUYER, FINANCIER], file=file)
    (submission,) = supplier.get("/v1/submissions?type=RegisterDocument&per_page=1").body["items"]
    own = "uploader"  # what this token has written is waited for, and nothing else
    assert submission["names"].items() >= {"number": "AT-ONCE", "file": "at-once.xml"}.items()
    document_id = str(waiting.body["record_id"])
    assert supplier.get("/v1/ids?kind=document&name=AT-ONCE", own).body == {"id": document_id}
    assert supplier.get(f"/v1/documents/{document_id}", own).body["names"]["number"] == "AT-ONCE"

    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": "TYPED AT ONCE"}
    shipment_id = str(supplier.post("uploader", "/v1/shipments", goods).body["record_id"])
    assert supplier.get("/v1/ids?kind=shipment&name=TYPED AT ONCE", own).body == {"id": shipment_id}
    assert supplier.get(f"/v1/shipments/{shipment_id}", own).body["names"] == {"reference": "TYPED AT ONCE"}


def test_an_upload_can_be_found_by_the_name_of_its_file(people: People) -> None:
    registered(people, "FILE")
    items = people.supplier.get("/v1/submissions?type=RegisterDocument").body["items"]
    assert {"number": "FILE", "file": "paper"}.items() <= items[0]["names"].items()
    assert items[0]["resource"] == f"/v1/documents/{items[0]['record_id']}"
    assert people.supplier.get("/v1/submissions?type=RegisterDocument&q=file").body["items"] == items[:1]


def test_submissions_are_found_by_any_name_of_what_they_are_about_by_its_id_and_by_their_own(people: People) -> None:
    invoice_id = approved(people, "SOUGHT")
    ours = [each["id"] for each in listed(people, "?q=sought")]
    assert ours and [each["id"] for each in listed(people, f"?q={invoice_id}")] == ours
    assert [each["id"] for each in listed(people, f"?q={ours[0]}")] == ours[:1]
    assert listed(people, "?q=nobody calls anything so") == []
    assert len(listed(people, "")) > len(ours), "the control: others are there"


def test_a_carrier_sees_which_shipments_are_still_on_their_way(people: People) -> None:
    def shown(state: str, who: str = CARRIER) -> set[str]:
        items = people.carrier.get(f"/v1/shipments?carrier={who}&state={state}&per_page=500").body["items"]
        return {str(item["shipment_id"]) for item in items}

    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": "ON ITS WAY"}
    reply = people.supplier.post("uploader", "/v1/shipments", goods)
    done(reply, people)
    shipment_id = str(reply.body["record_id"])
    assert shipment_id in shown("open")
    part = {"type": "delivered", "occurred_on": people.day.isoformat()}
    done(people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", part | {"partial": True}), people)
    assert shipment_id in shown("open")
    done(people.supplier.post("uploader", f"/v1/shipments/{shipment_id}/events", part), people)
    assert shipment_id in shown("open") - shown("delivered"), "the supplier's own word does not count"
    whole = people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", part)
    event_id = done(whole, people)["event_id"]
    assert shipment_id in shown("delivered") - shown("open")
    assert shown("delivered", SUPPLIER) == set()
    done(people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events/{event_id}/withdrawal"), people)
    assert shipment_id in shown("open") - shown("delivered")


def waiting(people: People, address: str, record_id: str) -> tuple[dict[str, list[str]], Json | None]:
    """For whom a record of a list waits, and what is expected; the same when it is asked for alone."""
    found = people.buyer.get(f"{address}?waits=true&per_page=500").body["items"]
    (record,) = [each for each in found if record_id in (each.get("invoice_id"), *each.values())]
    assert all(each["since"].startswith("20") for each in record["waits"])
    alone = people.buyer.get(f"{address}/{record_id}")
    if alone.status == 200:
        assert [alone.body[name] for name in ("waits", "expected")] == [record["waits"], record["expected"]]
    unasked = people.buyer.get(f"{address}?per_page=500").body["items"]
    assert {each["waits"] for each in unasked} == {None}
    return {each["for"]: each["reasons"] for each in record["waits"]}, record["expected"]


def test_a_shipment_waits_for_the_buyer_s_word_on_its_carrier_and_for_the_whole_delivery(people: People) -> None:
    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": "AWAITED"}
    reply = people.supplier.post("uploader", "/v1/shipments", goods)
    done(reply, people)
    shipment_id, path = str(reply.body["record_id"]), f"/v1/shipments/{reply.body['record_id']}"

    def waits() -> dict[str, list[str]]:
        return waiting(people, "/v1/shipments", shipment_id)[0]

    assert waits() == {CARRIER: ["NOT_DELIVERED"], BUYER: ["CARRIER_NOT_ACCEPTED"]}
    told = {"type": "delivered", "occurred_on": people.day.isoformat()}
    done(people.supplier.post("uploader", f"{path}/events", told), people)
    assert waits() == {CARRIER: ["NOT_DELIVERED"], BUYER: ["CARRIER_NOT_ACCEPTED"]}, "its own word ends no wait"
    early = done(people.carrier.post("uploader", f"{path}/events", told), people)["event_id"]
    assert waits() == {BUYER: ["CARRIER_NOT_ACCEPTED"]}, "nor does that of a carrier nobody has accepted"
    done(people.carrier.post("uploader", f"{path}/events/{early}/withdrawal"), people)
    done(people.buyer.post("approver", f"{path}/carrier-acceptance"), people)
    done(people.carrier.post("uploader", f"{path}/events", told | {"partial": True}), people)
    assert waits() == {CARRIER: ["NOT_DELIVERED"]}
    event_id = done(people.carrier.post("uploader", f"{path}/events", told), people)["event_id"]
    assert waits() == {}
    done(people.carrier.post("uploader", f"{path}/events/{event_id}/withdrawal"), people)
    assert waits() == {CARRIER: ["NOT_DELIVERED"]}
    last = people.buyer.get(f"{path}/timeline").body["items"][-1]["timestamp"]
    assert people.buyer.get(path).body["waits"][0]["since"] == last


def test_an_invoice_waits_since_the_last_report_of_its_shipment(people: People) -> None:
    path = offered(people, "REPORTED", people.open_facility("manual"))
    (shipment_id,) = people.buyer.get(path).body["shipment_ids"]
    told = {"type": "picked_up", "occurred_on": people.day.isoformat()}
    reply = people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", told)
    done(reply, people)
    last = people.buyer.get(f"/v1/shipments/{shipment_id}/timeline").body["items"][-1]["timestamp"]
    assert {each["since"] for each in people.buyer.get(path).body["waits"]} == {last}


def test_a_redemption_waits_for_the_deposit_s_issuer_until_it_is_paid_out(people: People) -> None:
    money(people, SUPPLIER, "50.00", "CAMT REDEEMED")
    reply = people.supplier.post("approver", "/v1/redemptions", {"deposit": DEPOSIT, "amount": "50.00"})
    done(reply, people)
    redemption_id = str(reply.body["record_id"])
    payout = {"what": "payout", "to": SUPPLIER, "day": "", "amount": "50.00"}
    assert waiting(people, "/v1/redemptions", redemption_id) == ({FINANCIER: ["PAYOUT_MISSING"]}, payout)
    paid = {"payment_reference": "PAID-1", "booked_on": people.day.isoformat()}
    done(people.financier.post("issuer", f"/v1/redemptions/{redemption_id}/confirmation", paid), people)
    assert waiting(people, "/v1/redemptions", redemption_id) == ({}, None)


def test_a_hold_waits_for_its_financier_and_a_change_for_those_who_have_not_voted(people: People) -> None:
    held = people.financier.post("funder", "/v1/holds", {"msp_id": CARRIER, "reason": "a name on a list"})
    done(held, people)
    assert waiting(people, "/v1/holds", CARRIER) == ({FINANCIER: ["FUNDING_HELD"]}, None)
    reply = people.buyer.post("operator", "/v1/membership-changes/suspensions", {"msp_id": CARRIER})
    done(reply, people)
    change_id = str(reply.body["record_id"])
    others = {party: ["VOTE_MISSING"] for party in (SUPPLIER, FINANCIER)}  # nobody is asked about its own
    assert waiting(people, "/v1/membership-changes", change_id) == (others, None)
    done(people.buyer.post("operator", f"/v1/membership-changes/{change_id}/vote-withdrawal"), people)
    assert waiting(people, "/v1/membership-changes", change_id) == ({}, None)


def test_a_claim_of_a_credit_note_waits_for_its_supplier_and_a_passed_admission_for_who_is_admitted() -> None:
    """Rare, so only read off the record."""
    claim = {"status": "claimed", "supplier": SUPPLIER, "buyer": BUYER}
    credit = {"what": "credit", "to": BUYER, "day": "", "amount": "5.00"}
    assert BY_KIND["credit_note"](claim, {"amount": "5.00"}) == ({SUPPLIER: "CREDIT_NOT_PAID"}, credit)
    assert BY_KIND["credit_note"](claim | {"status": "paid"}, {"amount": "5.00"}) == ({}, None)
    passed = {"status": "passed", "msp_id": CARRIER, "votes": [SUPPLIER]}
    assert BY_KIND["membership"](passed, {}) == ({CARRIER: "CONSENT_MISSING"}, None)


def test_an_offer_to_the_buyer_waits_for_it_as_its_invoice_does(people: People) -> None:
    path = f"/v1/invoices/{approved(people, 'SOONER')}"
    offer = {"rate_bps": 500, "day_count": "ACT/360", "valid_until": people.due.isoformat()}
    done(people.supplier.post("uploader", f"{path}/discount-offer", offer), people)
    awaited, payment = waiting(people, "/v1/discount-offers", path.rpartition("/")[2])
    shown = people.buyer.get(path).body
    assert awaited == {each["for"]: each["reasons"] for each in shown["waits"]}
    assert "NOT_DUE_YET" in awaited[BUYER]
    assert payment == shown["expected"]


def test_a_financier_sees_the_offers_that_it_can_still_take(people: People) -> None:
    path = offered(people, "OFFER", people.open_facility("manual"))
    invoice_id = path.rpartition("/")[2]

    def shown(financier: str, state: str = "open") -> dict[str, str]:
        items = people.financier.get(f"/v1/early-payment-requests?financier={financier}&state={state}").body["items"]
        return {item["invoice_id"]: item["names"].get("invoice", "") for item in items}

    eventually(lambda: shown(FINANCIER).get(invoice_id) == "OFFER", "it has read the invoice")
    for sought, found in (("offer", [invoice_id]), (invoice_id[:8], [invoice_id]), ("no such name", [])):
        items = people.financier.get(f"/v1/early-payment-requests?q={sought}").body["items"]
        assert [item["invoice_id"] for item in items if item["invoice_id"] == invoice_id] == found
        assert bool(items) == bool(found)
    assert shown(BUYER) == {}
    money(people, BUYER, "10000.00", "CAMT OFFER")
    done(people.buyer.post("approver", f"{path}/settlement", settlement("10000.00")), people)
    assert invoice_id not in shown(FINANCIER)
    assert invoice_id in shown(FINANCIER, "")


def test_what_was_written_is_read_by_its_writer_at_once_and_the_writer_of_none_is_not_waited_for(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplier, node = people.supplier, people.supplier.node
    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": "OWN WRITE"}
    assert supplier.get("/v1/shipments", "funder").status == 200
    written = supplier.post("uploader", "/v1/shipments", goods)
    assert written.status == 201
    address = f"/v1/shipments/{written.body['record_id']}"
    assert supplier.get(address, "uploader").status == 200  # whatever the projector has been doing
    shown = node.readmodel.block_number

    def behind() -> int:  # a projector that stands before that block
        return min(shown(), int(written.body["block_number"]) - 1)

    monkeypatch.setattr(node.readmodel, "block_number", behind)
    monkeypatch.setattr(own_writes, "READ_WAIT_SECONDS_MAX", 0.1)
    monkeypatch.setattr(own_writes, "WRITE_WAIT_SECONDS_MAX", 0.1)
    stale = supplier.get(address, "uploader")
    assert (stale.status, stale.code) == (503, "READ_MODEL_BEHIND")
    assert supplier.get(address, "funder").status == 200
    assert (
        supplier.post("uploader", "/v1/shipments", goods | {"reference": "NEXT"}).status == 201
    )  # goes on all the same
    restarted = create_user_app(node).test_client()
    assert restarted.get(address, headers=supplier.bearer("uploader")).status_code == 503
