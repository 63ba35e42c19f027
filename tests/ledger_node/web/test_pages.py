"""What pages show and to whom; what people type, and what strangers write, is shown as text; forms, lists, live."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from api_trade import approved, registered, uploaded
from api_world import DEPOSIT, Reply, invoice_file
from consortium import BUYER, CARRIER, ORGANISATIONS, SUPPLIER, Consortium, organisations
from page_world import Browser, Offices, text_of

from ledger_node.door.application import ENDING
from ledger_node.operations.readings import READINGS
from ledger_node.operations.reports import REPORTS
from ledger_node.people.roles import ADMIN, Role
from ledger_node.web.codes import WORDS
from ledger_node.web.forms import with_forms
from ledger_node.web.records import READING

MARK = "<script>alert('x')</script>\"'>&{{7*7}}"


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    home = tmp_path_factory.mktemp("offices")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = Offices(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def invoice_id(offices: Offices) -> str:
    return registered(offices, "INV-7")


def pages(offices: Offices, invoice_id: str) -> list[tuple[str, Any]]:
    """The address of every page there is, made from the routes, with its view; parts with what they take."""
    parts = {"/records/<kind>": [f"/records/{each.kind}" for each in READINGS]}
    parts["/reports/<name>"] = [f"/reports/{each.name}" for each in REPORTS]
    parts["/do/<name>"] = [f"/do/{name}?invoice_id={invoice_id}" for name in with_forms()]
    parts["/invoices/<record_id>"] = [f"/invoices/{invoice_id}"]
    done_elsewhere = {"/link/<secret>", "/events", "/static/<path:filename>", "/sign-in", "/sign-in/code"}
    found, made = [], offices.ports()["supplier"].pages
    for rule in made.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule in done_elsewhere:
            continue
        plain = re.sub(r"<\w+>", "0" * 32, rule.rule).replace("/records/" + "0" * 32, "/records/facility")
        found += [(path, made.view_functions[rule.endpoint]) for path in parts.get(rule.rule, [plain])]
    return sorted(found, key=lambda each: each[0])


def test_every_page_is_shown_or_says_who_may_see_it_and_to_nobody_who_is_not_signed_in(
    offices: Offices, invoice_id: str
) -> None:
    nobody = Browser(offices.ports()["supplier"])
    people = {role: offices.browser(offices.supplier, role, name=role) for role in (*Role, ADMIN)}
    addresses = pages(offices, invoice_id)
    assert len(addresses) > 100
    for path, view in addresses:
        is_open = getattr(view, "is_open", False)
        assert nobody.client.get(path).status_code == (200 if is_open else 302), path
        needed: tuple[str, ...] = getattr(view, "roles", ())
        if path.startswith("/do/"):
            needed = with_forms()[path.split("/")[2].partition("?")[0]].roles
        for role in people if needed else (Role.AUDITOR,):
            if path.startswith("/do/") and role not in (Role.AUDITOR, needed[0]):
                continue  # a hundred forms: one who may, and one who may not
            said = people[role].open(path)
            status = people[role].page.status_code
            if needed and role not in needed:
                assert status == 403 and "This is not for you" in said, (path, role, status)
            elif "0" * 32 in path:
                assert status == 404 and "There is nothing here" in said, (path, status, said)
            else:
                assert status == 200, (path, role, status, said)


def test_what_the_api_refuses_a_role_no_form_does_either(offices: Offices, invoice_id: str) -> None:
    auditor = offices.browser(offices.supplier, "auditor", name="looker")
    allowed = offices.browser(offices.supplier, "uploader", name="doer")
    token = re.search(r'name="csrf_token" value="([^"]+)"', auditor.client.get("/sessions").get_data(as_text=True))
    assert token is not None
    for name in with_forms():
        assert auditor.client.post(f"/do/{name}", data={"csrf_token": token[1]}).status_code == 403
    sent = allowed.open(f"/do/cancel_invoice?invoice_id={invoice_id}")
    assert "Cancel invoice" in sent and allowed.page.status_code == 200


def test_a_page_shows_the_fields_of_a_list_that_the_api_shows_and_nothing_else(
    offices: Offices, invoice_id: str
) -> None:
    browser = offices.browser(offices.carrier, "auditor", name="carl")
    answer: Reply = offices.carrier.get(f"/v1/invoices/{invoice_id}")
    said = browser.open(f"/invoices/{invoice_id}")
    assert answer.body["names"] == {} and "INV-7" not in said, "the carrier may not read the invoice"
    assert "INV-7" in offices.browser(offices.buyer, "auditor", name="bea").open(f"/invoices/{invoice_id}")


def test_script_in_every_text_that_people_type_is_shown_as_text(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, name="mark")
    typed = 0
    for name in with_forms():
        browser.open(f"/do/{name}?invoice_id={'0' * 32}")
        if browser.page.status_code != 200:
            continue
        form = browser.form("key", action=f"/do/{name}")
        texts = {field: MARK for field in form.fields if field not in ("csrf_token", "key", "next", "invoice_id")}
        places = {field: "a" * 32 for field in with_forms()[name].in_address}
        browser.submit(form, **(texts | places))
        shown = browser.page.get_data(as_text=True)
        assert "<script>alert" not in shown and "49" not in re.findall(r"'>&amp;(\d+)", shown)
        typed += html.escape(MARK).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in shown
    assert typed > 20, "what was typed is there again, as text"
    for path in (f"/records/invoice?q={MARK}", f"/sign-in?next={MARK}", f"/do/{MARK}", f"/records/{MARK}"):
        assert "<script>alert" not in browser.client.get(path).get_data(as_text=True)


def test_script_in_a_files_name_and_in_its_texts_is_shown_as_text(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, name="filer")
    browser.open("/invoices/new")
    broken = b"<?xml version='1.0'?><x>" + MARK.encode() + b"</x>"
    said = browser.submit(browser.form("buyer", "files"), [(broken, f"{MARK}.xml")], buyer=BUYER)
    assert browser.page.status_code == 400 and "alert" in said
    assert "<script>alert" not in browser.page.get_data(as_text=True)


def test_an_amount_with_the_separators_of_another_language_is_refused_at_its_field_and_nothing_is_lost(
    offices: Offices, invoice_id: str
) -> None:
    german = offices.browser(offices.buyer, name="greta", language="de")
    address = f"/do/approve_invoice?invoice_id={invoice_id}&amount=10000.00&currency=EUR&due_date={offices.due}"
    german.open(address)
    form = german.form("buyer_reference")
    assert form.fields["amount"] == ["10.000,00"]
    for wrong in ("10000.00", "10,000.00", "1.0000,00", "10.000,00 EUR", "zehn", "-1", "١٠"):
        said = german.submit(form, amount=wrong, buyer_reference="AP & Söhne")
        assert german.page.status_code == 400 and "Schreiben Sie ihn so: 1.234,50" in said, wrong
        again = german.form("buyer_reference")
        assert (again.fields["amount"], again.fields["buyer_reference"]) == ([wrong], ["AP & Söhne"])
        assert again.fields["key"] == form.fields["key"]
    said = german.submit(form, amount="10.000,00", due_date="2027-02-30", buyer_reference="AP 7")
    assert "Diesen Tag gibt es nicht." in said
    said = german.submit(form, amount="10.000,00", buyer_reference="")
    assert "Das wird gebraucht." in said
    english = offices.browser(offices.buyer, name="emma")
    english.open(address)
    assert english.form("buyer_reference").fields["amount"] == ["10,000.00"]


def test_the_same_form_twice_is_one_command_and_a_changed_one_under_its_key_is_none(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, name="twice")
    browser.open("/do/register_shipment")
    form = browser.form("reference")
    before = sum(offices.supplier.node.outbox.counts().values())
    for _ in range(2):
        said = browser.submit(form, buyer=BUYER, carrier=CARRIER, reference="SHIP twice")
        assert "Done, and on the ledger" in said, said
    assert sum(offices.supplier.node.outbox.counts().values()) == before + 1
    said = browser.submit(form, buyer=BUYER, carrier=CARRIER, reference="SHIP other")
    assert browser.page.status_code == 422, said
    assert sum(offices.supplier.node.outbox.counts().values()) == before + 1


def test_a_refusal_of_the_ledger_says_why_and_what_helps_in_the_form_with_what_was_typed(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, name="refused")
    browser.open("/do/register_shipment")
    said = browser.submit(browser.form("reference"), buyer=SUPPLIER, carrier=CARRIER, reference="SHIP self")
    assert browser.page.status_code == 400 or browser.page.status_code in (409, 422), said
    assert browser.form("reference").fields["reference"] == ["SHIP self"]


def test_many_are_approved_at_once_with_an_answer_each(offices: Offices) -> None:
    ids = [registered(offices, number) for number in ("INV-8", "INV-9")]
    approved(offices, "INV-10")
    browser = offices.browser(offices.buyer, name="many")
    browser.open("/")
    form = browser.form(action="/approvals")
    references = {f"reference-{ids[0]}": "AP M8", f"reference-{ids[1]}": "AP INV-10"}
    said = browser.submit(form, invoice_id=[ids[0], "f" * 32, ids[1]], **references)
    assert said.count("Approved.") == 1 and "INV-8" in said and "INV-9" in said
    assert len(re.findall(r'class="note bad"', browser.page.get_data(as_text=True))) == 2, "one that is none, too"
    assert browser.submit(form, invoice_id=ids[:1], **references).count("Approved.") == 1, "sent twice, it is the same"


def test_what_is_ticked_is_approved_as_it_was_shown_or_not_at_all(offices: Offices) -> None:
    one = registered(offices, "INV-12")
    browser = offices.browser(offices.buyer, name="stale")
    browser.open("/")
    form = browser.form(f"owed-{one}", action="/approvals")
    (owed,) = form.fields[f"owed-{one}"]
    said = browser.submit(form, invoice_id=[one], **{f"owed-{one}": owed.replace("10000.00", "9000.00")})
    assert "Approved." not in said and "INV-12" in said
    form.fields["key"] = ["another"]
    assert "Approved." in browser.submit(form, invoice_id=[one])


def test_an_admin_who_may_nothing_else_reads_and_writes_nothing(offices: Offices) -> None:
    invoice_id = registered(offices, "INV-13")
    admin = offices.browser(offices.buyer, "admin", name="only")
    assert "To do" in admin.open("/") and "You may read" in admin.open("/do")
    assert admin.client.get(f"/do/approve_invoice?invoice_id={invoice_id}").status_code == 403
    doer = offices.browser(offices.buyer, "admin", "uploader", "approver", name="both")
    doer.open(f"/do/dispute_invoice?invoice_id={invoice_id}")
    assert "Done" in doer.submit(doer.form("reason"), reason="two pallets were broken")


def test_what_was_refused_is_tried_again_in_the_role_that_it_needs(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, "admin", "issuer", "uploader", name="retry")
    outbox = offices.supplier.node.outbox
    lost = outbox.put("CancelInvoice", {"invoice_id": "f" * 32, "reason_commitment": "a" * 64})
    outbox.wait(lost.id, 60)
    said = browser.open(f"/submissions/{lost.id}")
    assert "refused" in said and "Try it again" in said
    said = browser.submit(browser.form("key", action=f"/submissions/{lost.id}/retry"))
    assert browser.page.status_code == 200, said


def test_a_form_offers_what_can_be_chosen_and_chooses_where_there_is_one(offices: Offices) -> None:
    browser = offices.browser(offices.financier, name="fred")
    browser.open("/do/open_facility")
    form = browser.form("deposit")
    assert form.fields["deposit"] == [DEPOSIT] and form.fields["buyer"] == [BUYER]
    assert "Rate bps" in browser.submit(form, limit="1,000.00", supplier_limit="1,000.00", rate_bps="4.5")
    assert "This is no whole number." in text_of(browser.page.get_data(as_text=True))


def test_a_file_is_handed_out_to_be_kept_and_never_shown_among_the_pages(offices: Offices) -> None:
    document_id = uploaded(offices.supplier, offices, "INV-11")
    browser = offices.browser(offices.supplier, "auditor", name="reader")
    answer = browser.client.get(f"/documents/{document_id}/content")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and b"INV-11" in answer.get_data()


def test_a_statement_is_a_table_and_a_file(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, "auditor", name="clerk")
    assert "CSV" in browser.open(f"/reports/statement?party={SUPPLIER}")
    file = browser.client.get(f"/reports/statement?party={SUPPLIER}&format=csv")
    assert file.mimetype == "text/csv"


def test_lists_are_searched_and_turned_over_as_the_api_does(offices: Offices, invoice_id: str) -> None:
    browser = offices.browser(offices.buyer, "auditor", name="seeker")
    assert "INV-7" in browser.open("/records/invoice?q=INV-7")
    assert "INV-7" not in browser.open("/records/invoice?q=INV-8")
    awaited = browser.open("/records/invoice?q=INV-7&waits=true")
    (shown,) = offices.buyer.get("/v1/invoices?q=INV-7&waits=true").body["items"]
    reasons = [reason for wait in shown["waits"] for reason in wait["reasons"]]
    assert reasons and "reasons" not in awaited  # in words, not as the API writes it
    assert [reason for reason in reasons if str(WORDS[reason]) not in awaited] == []
    assert browser.client.get("/records/invoice?sort=nonsense").status_code == 400
    assert browser.client.get("/records/invoice?page=999999999999").status_code in (200, 400)
    assert set(READING) == {each.kind for each in READINGS}


def test_a_stream_tells_each_block_and_what_was_missed_and_ends_with_the_door(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, "auditor", name="listener")
    ending, before = threading.Event(), offices.supplier.node.readmodel.block_number()

    def listen(since: int) -> Any:
        return browser.client.get(
            "/events", headers={"Last-Event-ID": str(since)}, buffered=False, environ_overrides={ENDING: ending}
        )

    first = listen(before)
    assert first.mimetype == "text/event-stream"
    events = iter(first.response)
    assert b"event: hello" in next(events)
    shipment = {"buyer": BUYER, "carrier": CARRIER, "reference": "SHIP live"}
    made = offices.supplier.post("uploader", "/v1/shipments", shipment)
    told = next(event for event in events if f"shipment/{made.body['record_id']}".encode() in event)
    assert f"id: {made.body['block_number']}\n".encode() in told
    missed = iter(listen(before).response)
    assert any(
        f"id: {made.body['block_number']}\n".encode() in event for event in (next(missed), next(missed)) for _ in [0]
    )
    ending.set()
    assert list(events) == [] and list(missed) == []
    first.close()
    assert browser.client.get("/events", headers={"Last-Event-ID": "x"}).status_code == 400
    assert offices.supplier.http.get("/v1/events").status_code == 401


def test_an_amount_of_another_language_pays_nothing_and_of_the_own_one_goes_on(offices: Offices) -> None:
    invoice_id = approved(offices, "INV-T")
    browser = offices.browser(offices.buyer, "approver", name="typer")
    browser.open(f"/do/settle_invoice?invoice_id={invoice_id}&amount=100.00")
    said = browser.submit(browser.form("key", "amount"), amount="1.500")
    assert browser.page.status_code == 400 and "Write it like 1,234.50." in said, said
    browser.submit(browser.form("key", "amount"), amount="1,500.00")
    assert browser.page.status_code != 400, "the ledger looks at it: whether there is money"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/do/settle_invoice?amount=abc&invoice_id=" + "0" * 32, 200),
        ("/records/invoice?page=" + "1" * 5000, 400),
        ("/invoices/a%3Fb", 404),
        ("/records/facility/a%3Fb%23c", 404),
        ("/submissions/a%3Fb", 404),
    ],
)
def test_an_address_that_nobody_links_to_is_answered_without_a_fault(offices: Offices, path: str, status: int) -> None:
    browser = offices.browser(offices.buyer, name="curious")
    browser.open(path)
    assert browser.page.status_code == status


def test_files_that_were_kept_for_one_buyer_are_not_handed_to_another(offices: Offices) -> None:
    browser = offices.browser(offices.supplier, "uploader", name="corrector")
    browser.open("/invoices/new")
    files = [(invoice_file("INV-K"), "invoice.xml"), (b"%PDF-broken", "proof.pdf")]
    browser.submit(browser.form("buyer", "files"), files, buyer="")
    assert "document" not in browser.form("buyer").fields, "nothing is kept for nobody"
    browser.submit(browser.form("buyer", "files"), files, buyer=BUYER)
    form = browser.form("document", "kept_for")
    said = browser.submit(form, [], buyer=CARRIER)
    assert "kept for others" in said and "document" not in browser.form("buyer").fields, said
    assert "What the files say" in browser.submit(form, [], buyer=BUYER), "the control"


def test_what_was_refused_goes_on_when_it_is_corrected_and_nothing_is_done_twice(offices: Offices) -> None:
    invoice_id = registered(offices, "INV-14")
    browser = offices.browser(offices.buyer, "approver", name="corrects")
    owed = f"amount=9000.00&currency=EUR&due_date={offices.due}&buyer_reference=R14"
    browser.open(f"/do/approve_invoice?invoice_id={invoice_id}&{owed}")
    first = browser.form("key", "amount")
    browser.submit(first)
    assert browser.page.status_code == 409, "the ledger says that another amount is owed"
    said = browser.submit(browser.form("key", "amount"), amount="10,000.00")
    assert "Done, and on the ledger" in said, said
    browser.submit(first, amount="10,000.00")
    assert browser.page.status_code == 422, "the form of before is spent, and stays so"
    assert browser.form("key", "amount").fields["key"] == first.fields["key"]
