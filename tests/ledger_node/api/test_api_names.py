"""What people call things: known to who typed or may read it, on its own node, and to nobody and nothing else."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from api_trade import approval, done, offered, registered
from api_world import Caller, Json, People, beginning, invoice_file
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, Consortium, eventually, organisations
from werkzeug.test import TestResponse

from ledger_node.background import namer_of
from ledger_node.verification.exchange import Unavailable
from ledger_node.verification.naming import FAILURES_MAX
from ledger_node.verification.reading import Reader

NUMBER = "SECRET-2026/17"


class WithRival(People):
    """The carrier is a financier, too."""

    def parties(self) -> list[Json]:
        found = super().parties()
        return [each | {"roles": ["carrier", "financier"]} if each["msp_id"] == CARRIER else each for each in found]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("names")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = WithRival(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def path(people: People) -> str:
    """An approved invoice with a shipment, offered to a facility; everybody entitled has read its document."""
    path = offered(people, NUMBER, people.open_facility("manual"))
    for caller in (people.buyer, people.financier):
        eventually(lambda caller=caller: "number" in names(caller, path), "its document was read")  # type: ignore[misc]
    return path


def names(caller: Caller, path: str) -> dict[str, str]:
    return dict(caller.get(path).body["names"])


def found(caller: Caller, path: str, text: str) -> list[str]:
    """Ids of what a list shows for a search."""
    reply = caller.get(f"{path}?q={text}")
    assert reply.status == 200, reply
    return [str(item["invoice_id"]) for item in reply.body["items"]]


def test_each_party_knows_the_names_that_it_typed_or_may_read_and_no_other(people: People, path: str) -> None:
    said = {"number": NUMBER, "order": "PO 1", "shipments": f"SHIP {NUMBER}", "file": "paper"}
    assert names(people.supplier, path) == said
    assert names(people.financier, path) == said
    assert names(people.buyer, path) == said | {"buyer_reference": f"AP {NUMBER}"}
    assert names(people.carrier, path) == {}
    (shipment_id,) = people.carrier.get(path).body["shipment_ids"]
    goods = f"/v1/shipments/{shipment_id}"
    assert names(people.supplier, goods) == {"reference": f"SHIP {NUMBER}"}
    assert names(people.buyer, goods) == names(people.supplier, goods)  # read in the invoice, which it may read
    assert names(people.carrier, goods) == {}


def test_lists_show_the_names_and_records_that_speak_of_an_invoice_name_it(people: People, path: str) -> None:
    (shown,) = people.buyer.get("/v1/invoices?q=2026/17").body["items"]
    assert shown["names"] == names(people.buyer, path)
    invoice_id = path.rpartition("/")[2]
    for asked in (f"/v1/accounts/entries?invoice_id={invoice_id}", f"/v1/accounts?invoice_id={NUMBER}"):
        items = people.buyer.get(asked).body["items"]
        assert items
        assert {item["names"]["invoice"] for item in items} == {NUMBER}
    (accepted,) = people.financier.get("/v1/supplier-acceptances").body["items"]
    assert accepted["names"] == {"agreement": "RPA 1"}
    assert people.supplier.get("/v1/supplier-acceptances").body["items"][0]["names"] == {}
    assert people.financier.get("/v1/supplier-acceptances?q=rpa").body["items"] == [accepted]
    assert people.financier.get("/v1/supplier-acceptances?q=none").body["items"] == []


@pytest.mark.parametrize("text", ["secret", "SECRET-2026/17", "2026/1", "po 1", "AP SECRET", "ship  secret"])
def test_what_is_searched_for_is_found_by_any_part_of_any_name(people: People, path: str, text: str) -> None:
    invoice_id = path.rpartition("/")[2]
    assert found(people.buyer, "/v1/invoices", text) == [invoice_id]
    assert found(people.carrier, "/v1/invoices", text) == []


def test_a_search_takes_the_beginning_of_an_id_and_no_wildcards(people: People, path: str) -> None:
    invoice_id = path.rpartition("/")[2]
    assert found(people.carrier, "/v1/invoices", invoice_id[:8]) == [invoice_id]
    for text in ("%25", "S_CRET", "nothing"):
        assert found(people.buyer, "/v1/invoices", text) == []
    for listed in ("documents", "shipments", "credit-notes", "redemptions"):
        assert people.buyer.get(f"/v1/{listed}?q=nothing").body["total"] == 0


def test_a_name_in_full_or_the_beginning_of_an_id_is_taken_for_the_id(people: People, path: str) -> None:
    invoice_id = path.rpartition("/")[2]
    for text in ("secret-2026/17", beginning(invoice_id, 6), f"AP {NUMBER}", invoice_id):
        assert people.buyer.get(f"/v1/ids?kind=invoice&name={text}").body == {"id": invoice_id}
    assert people.buyer.get(f"/v1/invoices/AP%20{invoice_id}").status == 404
    assert people.buyer.get(f"/v1/invoices/{beginning(invoice_id, 6)}").body["invoice_id"] == invoice_id
    assert people.carrier.get(f"/v1/ids?kind=invoice&name={NUMBER}").code == "INVOICE_UNKNOWN"
    assert people.buyer.get("/v1/ids?kind=invoice&name=secret-2026").code == "INVOICE_UNKNOWN"  # not in full


def test_a_name_of_two_is_refused_with_both_and_nothing_is_written(people: People, path: str) -> None:
    first, second = registered(people, "TWIN"), registered(people, "TWIN")
    eventually(lambda: names(people.buyer, f"/v1/invoices/{second}").get("number"), "the second was read")
    eventually(lambda: names(people.buyer, f"/v1/invoices/{first}").get("number"), "the first was read")
    refused = people.buyer.post("approver", "/v1/invoices/TWIN/dispute", {"reason": "wrong"})
    assert (refused.status, refused.code) == (409, "NAME_AMBIGUOUS")
    assert {each["id"] for each in refused.body["candidates"]} == {first, second}
    assert first in refused.body["detail"]
    assert "TWIN, SupplierMSP, BuyerMSP, registered" in refused.body["detail"]
    control = people.buyer.post("approver", f"/v1/invoices/{beginning(second, 12)}/dispute", {"reason": "wrong"})
    done(control, people)
    assert control.body["record_id"] == second
    assert people.buyer.get(f"/v1/invoices/{first}").body["status"] == "registered"


def test_what_a_party_typed_or_registered_itself_comes_before_what_others_call_alike(people: People, path: str) -> None:
    """A supplier numbers its invoice as the buyer has referred to another one's, and a document like the buyer's."""
    rival, invoice_id = registered(people, f"AP {NUMBER}"), path.rpartition("/")[2]
    eventually(lambda: names(people.buyer, f"/v1/invoices/{rival}").get("number"), "the rival's was read")
    assert people.buyer.get(f"/v1/ids?kind=invoice&name=AP {NUMBER}").body == {"id": invoice_id}
    assert people.supplier.get(f"/v1/ids?kind=invoice&name=AP {NUMBER}").body == {"id": rival}  # the control


def test_an_invoice_whose_number_is_anothers_id_is_not_taken_for_it(people: People, path: str) -> None:
    invoice_id = path.rpartition("/")[2]
    start = beginning(invoice_id, 8)
    whole, part = registered(people, invoice_id), registered(people, start)
    for planted in (whole, part):
        eventually(lambda planted=planted: names(people.buyer, f"/v1/invoices/{planted}").get("number"), "it was read")  # type: ignore[misc]
    assert people.buyer.get(path).body["invoice_id"] == invoice_id
    refused = people.buyer.get(f"/v1/invoices/{start}")
    assert (refused.status, refused.code) == (409, "NAME_AMBIGUOUS")
    assert people.buyer.get(f"/v1/invoices/{invoice_id[: len(start) + 1]}").body["invoice_id"] == invoice_id


def test_the_reference_of_an_approval_that_was_refused_names_nothing(people: People, path: str) -> None:
    second = approval(people, NUMBER) | {"buyer_reference": "AP WRONG"}
    assert people.buyer.post("approver", f"{path}/approval", second).status == 409
    assert names(people.buyer, path)["buyer_reference"] == f"AP {NUMBER}"
    assert found(people.buyer, "/v1/invoices", "wrong") == []


def test_digits_alone_a_file_s_name_and_an_order_stand_for_no_record(people: People, path: str) -> None:
    """Whoever makes a record chooses its id, its file's name and its order: they may be another record's number."""
    file = (io.BytesIO(invoice_file("OTHER-9")), "INV-77", "application/xml")
    form = people.supplier.upload("invoice", "application/xml", b"", [BUYER, FINANCIER], file=file)
    document_id = str(done(form, people) and form.body["record_id"])
    eventually(lambda: names(people.buyer, f"/v1/documents/{document_id}").get("file"), "the file was read")
    assert people.buyer.get("/v1/ids?kind=invoice&name=INV-77").code == "INVOICE_UNKNOWN"
    assert people.buyer.get("/v1/ids?kind=document&name=INV-77").body == {"id": document_id}  # the control
    assert people.buyer.get("/v1/ids?kind=invoice&name=20260042").code == "INVOICE_UNKNOWN"


def test_nobody_without_a_token_learns_whether_there_is_such_a_name(people: People, path: str) -> None:
    for name in (NUMBER.replace("/", ""), "TWIN", "nothing", path.rpartition("/")[2][:8]):
        for address in (f"/v1/invoices/{name}", f"/v1/ids?kind=invoice&name={name}", f"/v1/invoices?q={name}"):
            answer = people.buyer.http.get(address)
            assert answer.status_code == 401
            assert answer.get_json()["code"] == "TOKEN_MISSING"


def test_no_name_reaches_the_ledger_the_log_or_the_metrics(people: People, path: str) -> None:
    with structlog.testing.capture_logs() as lines:
        supplier, marks = people.supplier, ("MARK-7731", "mark-7731.xml", "AP-7731", "SHIP MARK")
        paper = invoice_file("MARK-7731", shipment_reference="SHIP MARK", issue_date=people.day.replace(year=2025))
        file = (io.BytesIO(paper), "mark-7731.xml", "application/xml")
        form = supplier.upload("invoice", "application/xml", paper, [BUYER, FINANCIER], file=file)
        done(form, people)
        invoice_id = registered(people, "", str(form.body["record_id"]))
        address = f"/v1/invoices/{invoice_id}"
        eventually(lambda: names(people.financier, address).get("number"), "it was read")
        words = approval(people, "x") | {"buyer_reference": "AP-7731"}
        done(people.buyer.post("approver", f"{address}/approval", words), people)
        assert names(people.buyer, address)["file"] == "mark-7731.xml"
        structlog.get_logger().warning("this log is read")
    figures = "".join(each.http.get("/metrics").get_data(as_text=True) for each in people.each())
    said = json.dumps(lines, default=str) + figures
    (folder,) = {each.node.settings.embedded_database.parent for each in people.each()}  # type: ignore[union-attr]
    ledger = b"".join(file.read_bytes() for file in Path(folder).glob("ledger.db*"))
    assert invoice_id.encode() in ledger  # the controls: here it would stand
    assert "this log is read" in said
    assert [mark for mark in marks if mark in said or mark.encode() in ledger] == []


def forgotten(caller: Caller, document_id: str) -> None:
    """As before the upgrade that brought names."""
    with caller.node.state.write() as session:
        session.connection().exec_driver_sql(f"DELETE FROM name WHERE key = '{document_id}'")


def named_anew(caller: Caller) -> None:
    """One pass over all documents."""
    namer_of(caller.node).name_all(threading.Event())


def test_documents_that_were_read_before_names_were_kept_are_named_in_the_background(people: People, path: str) -> None:
    """The own ones from the vault, those of others from their nodes; each is hashed anew."""
    (document_id,) = people.supplier.get(path).body["document_ids"]
    for caller in (people.supplier, people.buyer):
        before = names(caller, path)
        forgotten(caller, document_id)
        assert "number" not in names(caller, path)
        named_anew(caller)
        file = {} if caller is people.buyer else {"file": "paper"}  # which only its sender can tell
        assert names(caller, path) == {field: before[field] for field in before if field != "file"} | file


def test_documents_are_gone_through_after_an_upgrade_and_not_at_every_start(people: People, path: str) -> None:
    (document_id,) = people.supplier.get(path).body["document_ids"]
    namer, ended = namer_of(people.supplier.node), threading.Event()
    ended.set()
    forgotten(people.supplier, document_id)
    namer.done.touch()
    namer.run(ended)
    assert "number" not in names(people.supplier, path)
    namer.done.unlink()
    named_anew(people.supplier)
    assert "number" in names(people.supplier, path)


def test_what_the_vault_does_not_hold_as_it_was_stored_names_nothing(people: People, path: str) -> None:
    document_id, _ = uploaded(people, "SWAPPED-1")
    own = people.supplier.node.documents.get(document_id)
    assert own is not None
    place, address = people.supplier.node.vault.path(own.digest), f"/v1/documents/{document_id}"
    right = place.read_bytes()
    place.write_bytes(right.replace(b"SWAPPED-1", b"SWAPPED-2"))
    forgotten(people.supplier, document_id)
    named_anew(people.supplier)
    assert names(people.supplier, address) == {}
    place.write_bytes(right)  # the control
    named_anew(people.supplier)
    assert names(people.supplier, address)["number"] == "SWAPPED-1"


def test_a_submitter_whose_documents_cannot_be_had_is_asked_for_a_few_only(people: People, path: str) -> None:
    made = [uploaded(people, f"AWAY-{number}")[0] for number in range(FAILURES_MAX + 2)]
    for document_id in made:
        eventually(lambda document_id=document_id: names(people.buyer, f"/v1/documents/{document_id}"), "it was read")  # type: ignore[misc]
        forgotten(people.buyer, document_id)
    port = people.world.shut("supplier")
    try:
        with structlog.testing.capture_logs() as lines:
            named_anew(people.buyer)
    finally:
        people.world.serve("supplier", port)
    assert sum(line["event"] == "a document is not named" for line in lines) == FAILURES_MAX
    named_anew(people.buyer)
    assert {names(people.buyer, f"/v1/documents/{each}").get("number", "")[:5] for each in made} == {"AWAY-"}


def content(caller: Caller, document_id: str) -> TestResponse:
    """The answer to who wants to read a document."""
    return caller.http.get(f"/v1/documents/{document_id}/content", headers=caller.bearer("auditor"))


def uploaded(people: People, number: str) -> tuple[str, bytes]:
    """A document that the buyer may read, which the supplier's node has just registered."""
    paper = invoice_file(number, issue_date=people.day.replace(year=2024))
    file = (io.BytesIO(paper), "Rechnung \u20ac.xml", "application/xml")
    reply = people.supplier.upload("invoice", "application/xml", paper, [BUYER], file=file)
    done(reply, people)
    return str(reply.body["record_id"]), paper


def test_who_is_entitled_reads_a_document_here_by_its_name_and_nobody_else_does(people: People, path: str) -> None:
    document_id, paper = uploaded(people, "READ-1")
    eventually(lambda: names(people.buyer, f"/v1/documents/{document_id}"), "its name is known")
    for name in (document_id, "READ-1"):
        answer = content(people.buyer, name)
        assert (answer.status_code, answer.data, answer.mimetype) == (200, paper, "application/xml")
        assert "Rechnung%20%E2%82%AC.xml" in answer.headers["Content-Disposition"]
    refused = content(people.financier, document_id)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "NOT_YOUR_DOCUMENT")
    assert people.buyer.http.get(f"/v1/documents/{document_id}/content").status_code == 401


def test_what_was_read_once_is_read_again_without_its_submitter_and_hashed_anew(people: People, path: str) -> None:
    document_id, paper = uploaded(people, "READ-2")
    assert content(people.buyer, document_id).data == paper
    (kept,) = (people.buyer.node.settings.directory / "read").glob(f"{document_id}-*")
    port = people.world.shut("supplier")
    try:
        assert content(people.buyer, document_id).data == paper
        kept.write_bytes(paper.replace(b"READ-2", b"FAKE-2"))
        answer = content(people.buyer, document_id)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "DOCUMENT_UNAVAILABLE")
    finally:
        people.world.serve("supplier", port)
    assert content(people.buyer, document_id).data == paper


def test_a_file_that_was_swapped_at_its_submitter_is_not_shown(people: People, path: str) -> None:
    document_id, paper = uploaded(people, "READ-3")
    own = people.supplier.node.documents.get(document_id)
    assert own is not None
    place = people.supplier.node.vault.path(own.digest)
    place.write_bytes(paper.replace(b"READ-3", b"FAKE-3"))
    answer = content(people.buyer, document_id)
    assert (answer.status_code, answer.get_json()["code"]) == (502, "DOCUMENT_DIFFERS")
    assert list((people.buyer.node.settings.directory / "read").glob(f"{document_id}-*")) == []
    place.write_bytes(paper)  # the control
    assert content(people.buyer, document_id).data == paper


def test_what_was_read_is_kept_within_a_bound_the_latest_last(people: People, path: str) -> None:
    node, (first, paper), (second, _) = people.buyer.node, uploaded(people, "READ-4"), uploaded(people, "READ-5")
    record = node.readmodel.document
    folder = node.settings.directory / "bounded"
    one = Reader(node.exchange.fetch, node.readmodel, folder, 10**6, len(paper) + 10)
    for document_id in (first, second):
        found = record(document_id)
        assert found is not None
        with one.open(found) as stream:
            assert stream.read()
    assert [file.name.partition("-")[0] for file in folder.iterdir()] == [second]


def said(caller: Caller, path: str) -> list[tuple[str, str, str, bool]]:
    """The reasons that a node shows for an invoice: who, what for, the text, whether the ledger has it."""
    reply = caller.get(f"{path}/reasons")
    assert reply.status == 200, reply
    return [(each["party"], each["type"], each["text"], each["on_ledger"]) for each in reply.body["items"]]


def test_a_supplier_sees_why_its_invoice_is_disputed_and_who_is_no_party_does_not(people: People, path: str) -> None:
    address = f"/v1/invoices/{registered(people, 'WHY')}"
    done(people.buyer.post("approver", f"{address}/dispute", {"reason": "two pallets were broken"}), people)
    again = people.buyer.post("approver", f"{address}/dispute", {"reason": "said in vain"})
    assert again.status == 409
    disputed = (BUYER, "DisputeInvoice", "two pallets were broken", True)
    assert said(people.buyer, address) == said(people.supplier, address) == [disputed]
    assert said(people.financier, address) == said(people.carrier, address) == []
    for outsider in (people.financier, people.carrier):
        with pytest.raises(Unavailable, match="answered 403"):
            outsider.node.exchange.ask(people.world.peer_url("buyer"), BUYER, f"/peer{address}/reasons", 10**6)
    commitment = people.supplier.get(address).body["dispute"]["reason_commitment"]
    assert people.supplier.get(f"/v1/reasons/{commitment}").body["text"] == "two pallets were broken"

    port = people.world.shut("buyer")
    try:
        reply = people.supplier.get(f"{address}/reasons")
        assert reply.body["unreachable"] == [BUYER]
        assert said(people.supplier, address) == [disputed]  # it was heard before
    finally:
        people.world.serve("buyer", port)


def test_a_supplier_sees_why_a_financier_declines(people: People) -> None:
    facility_id = people.open_facility("manual")
    address = offered(people, "NO", facility_id)
    refusal = {"facility_id": facility_id, "reason": "not in this quarter"}
    done(people.financier.post("funder", f"{address}/funding-refusal", refusal), people)
    assert said(people.supplier, address) == [(FINANCIER, "DeclineEarlyPayment", "not in this quarter", True)]
    withdrawn = {"reason": "approved by mistake"}
    done(people.buyer.post("approver", f"{address}/approval-withdrawal", withdrawn), people)
    assert (BUYER, "WithdrawApproval", "approved by mistake", False) in said(people.supplier, address)


def test_a_rival_that_copies_a_commitment_takes_no_name_at_the_node_that_typed_it(people: People, path: str) -> None:
    """Whatever the ledger holds of a name can be read there, and written into a record of one's own."""
    (agreed,) = people.carrier.get("/v1/supplier-acceptances").body["items"]
    copied = {name: agreed[name] for name in ("supplier", "agreement_commitment", "screened_until", "group_id")}
    outbox = people.carrier.node.outbox  # its own program, which sends what it likes
    sent = outbox.wait(outbox.put("AcceptSupplier", copied, idempotency_key="rival").id, 20)
    assert (sent.status.value, sent.text) == ("applied", "")
    people.financier.get("/v1/days/current", Ledger_Block_Min=str(sent.block_number))
    shown = people.financier.get("/v1/supplier-acceptances").body["items"]
    assert len({each["agreement_commitment"] for each in shown}) == 1
    assert {each["financier"]: each["names"] for each in shown} == {FINANCIER: {"agreement": "RPA 1"}, CARRIER: {}}
