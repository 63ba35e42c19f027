"""Four nodes of a consortium whose terms are sealed: who is shown a discount, who is told that it may not see it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_trade import approved, done, money
from api_world import DEPOSIT, Caller, Json, People, people_from, refused
from consortium import BUYER, SUPPLIER, eventually, organisations
from page_world import signed_in, text_of

from ledger_node.agreement import make_key
from ledger_node.background import projector_of
from ledger_node.cli.common import table
from ledger_node.cli.prompts import prompts
from ledger_node.web.app import UserPort

MONDAY = dt.date(2026, 3, 2)
RATE = 7193
OFFER = {"rate_bps": RATE, "day_count": "ACT/360", "valid_until": "2026-12-31"}
AS_TEXT = re.compile(rb"(?<![0-9a-fA-F])7193(?![0-9a-fA-F])|71[.,]93")
"""The rate in JSON, in a table or in percent; within longer numbers and digests the same digits say nothing."""
NOT_VISIBLE = f"not visible to you: sealed for {BUYER} and {SUPPLIER}"


def people_of(folder: Path, privacy: str) -> Iterator[People]:
    organisations(folder)
    with people_from(MONDAY, folder, folder, privacy) as people:
        money(people, BUYER, "50000.00", "for early payments")
        yield people


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    yield from people_of(tmp_path_factory.mktemp("sealed"), "sealed")


@pytest.fixture(scope="module")
def in_clear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    yield from people_of(tmp_path_factory.mktemp("open"), "open")


def offers(people: People, invoice_id: str, **changes: Any) -> None:
    path = f"/v1/invoices/{invoice_id}/discount-offer"
    done(people.supplier.post("uploader", path, OFFER | changes), people)


def shown(caller: Caller, invoice_id: str) -> Json:
    items = caller.get("/v1/discount-offers").body["items"]
    (found,) = [each for each in items if each["invoice_id"] == invoice_id]
    return {name: found[name] for name in ("rate_bps", "day_count", "sealed_for", "not_visible")}


def visible(sealed: bool, **changes: Any) -> Json:
    terms = {"rate_bps": RATE, "day_count": "ACT/360"} | changes
    return terms | {"sealed_for": [BUYER, SUPPLIER] if sealed else [], "not_visible": ""}


def hidden(why: str) -> Json:
    return {"rate_bps": None, "day_count": None, "sealed_for": [BUYER, SUPPLIER], "not_visible": why}


def pays(people: People, invoice_id: str) -> Any:
    return people.buyer.post("approver", f"/v1/invoices/{invoice_id}/early-settlement", {"deposit": DEPOSIT})


def found_in(people: People) -> set[str]:
    """The files of all nodes, and of the ledger, in which the rate can be read."""
    home = people.supplier.node.settings.directory.parent
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"ledger.db", "readmodel.db"} <= {path.name for path in files}
    return {path.name.removesuffix("-wal") for path in files if AS_TEXT.search(path.read_bytes())}


def told(people: People, invoice_id: str) -> str:
    """All that the carrier's and the financier's nodes answer about an offer, but for its digits in digests."""
    paths = ("/v1/discount-offers", f"/v1/invoices/{invoice_id}")
    events = people.carrier.node.events.read(0, 100_000)
    return "".join(str(each.get(path).body) for each in (people.carrier, people.financier) for path in paths) + str(
        events
    )


def test_a_sealed_rate_is_shown_to_supplier_and_buyer_and_is_on_no_disk_until_it_is_paid(
    people: People, capfd: pytest.CaptureFixture[str]
) -> None:
    invoice_id = approved(people, "SEALED")
    offers(people, invoice_id)
    assert [shown(each, invoice_id) for each in (people.supplier, people.buyer)] == [visible(True)] * 2
    assert [shown(each, invoice_id) for each in (people.financier, people.carrier)] == [hidden(NOT_VISIBLE)] * 2
    assert found_in(people) == set()
    written = capfd.readouterr()
    for said in (told(people, invoice_id), written.out, written.err):
        assert not AS_TEXT.search(said.encode())
    done(pays(people, invoice_id), people)
    assert [shown(each, invoice_id) for each in people.each()] == [visible(False)] * 4, "the payment shows it"
    reports = [each.get("/v1/reports/early-payments").body["items"] for each in people.each()]
    assert reports[0] and reports == [reports[0]] * 4
    assert "ledger.db" in found_in(people)


def test_the_same_search_finds_a_rate_in_clear_with_everybody(in_clear: People) -> None:
    invoice_id = approved(in_clear, "CLEAR")
    offers(in_clear, invoice_id)
    assert [shown(each, invoice_id) for each in in_clear.each()] == [visible(False)] * 4
    assert {"ledger.db", "readmodel.db"} <= found_in(in_clear)
    assert AS_TEXT.search(told(in_clear, invoice_id).encode())


def test_a_table_says_that_terms_are_not_visible_and_no_number(people: People) -> None:
    invoice_id = approved(people, "TABLE")
    offers(people, invoice_id)
    (reading,) = [each for each in prompts()["lists"] if each["prompt"] == "invoice discount-offers"]
    for caller, expected in ((people.carrier, NOT_VISIBLE), (people.buyer, str(RATE))):
        items = caller.get("/v1/discount-offers").body["items"]
        (row,) = [each for each in items if each["invoice_id"] == invoice_id]
        heads, line = table([row], reading["columns"]).splitlines()
        assert "not_visible" in heads and expected in line


@pytest.mark.parametrize(
    ("language", "sentence", "rate"),
    [("en", "not visible to you: sealed for", 6131), ("de", "für Sie nicht sichtbar: versiegelt für", 6133)],
)
def test_a_page_says_so_in_the_readers_language(people: People, language: str, sentence: str, rate: int) -> None:
    offers(people, approved(people, f"PAGE-{language}"), rate_bps=rate)  # one that nobody ever pays by
    for caller, is_told in ((people.carrier, True), (people.buyer, False)):
        reader = signed_in(caller.node, UserPort(caller.node), "auditor", name=f"anna-{language}", language=language)
        page = text_of(reader.open("/records/discount_offer"))
        assert ((sentence in page), (str(rate) in page)) == (is_told, not is_told), page


def test_a_request_that_is_repeated_is_one_offer(people: People) -> None:
    path = f"/v1/invoices/{approved(people, 'TWICE')}/discount-offer"
    first, again = (people.supplier.post("uploader", path, OFFER, key="the-same") for _ in range(2))
    assert (first.status, first.body["id"]) == (again.status, again.body["id"])
    other = people.supplier.post("uploader", path, OFFER | {"rate_bps": 1}, key="the-same")
    assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_only_the_supplier_offers_and_only_the_buyer_pays(people: People) -> None:
    invoice_id = approved(people, "ROLES")
    offers(people, invoice_id)
    path = f"/v1/invoices/{invoice_id}"
    assert refused(people.buyer.post("uploader", f"{path}/discount-offer", OFFER)) == (409, "NOT_THE_SUPPLIER")
    paid = people.carrier.post("approver", f"{path}/early-settlement", {"deposit": DEPOSIT})
    assert refused(paid) == (409, "ROLE_MISSING")


def test_a_buyer_that_has_lost_its_key_is_told_so_pays_nothing_and_pays_once_it_is_back(people: People) -> None:
    invoice_id = approved(people, "LOST")
    offers(people, invoice_id)
    kept = people.buyer.agreement_file.rename(people.buyer.agreement_file.with_suffix(".kept"))
    lost = shown(people.buyer, invoice_id)
    assert lost["rate_bps"] is None and "this node has lost its key" in lost["not_visible"]
    assert refused(pays(people, invoice_id)) == (409, "TERMS_NOT_VISIBLE")
    kept.rename(people.buyer.agreement_file)
    done(pays(people, invoice_id), people)


def test_an_offer_that_its_supplier_sealed_wrongly_is_not_paid_until_it_is_sent_again(people: People) -> None:
    invoice_id = approved(people, "WRONG")
    offers(people, invoice_id)
    record = people.supplier.node.readmodel.record(f"discount_offer/{invoice_id}")
    assert record is not None
    spoilt = record["sealed"] | {"commitment": "00" * 32}
    offer = {"invoice_id": invoice_id, "rate_bps": None, "day_count": None, "valid_until": OFFER["valid_until"]}
    people.world.do("supplier", "OfferDiscount", **offer, sealed=spoilt)
    wrong = hidden(f"not visible to you: {SUPPLIER} sealed it wrongly, and has to send it again")
    eventually(lambda: shown(people.buyer, invoice_id) == wrong, "the buyer's node has found out")
    assert refused(pays(people, invoice_id)) == (409, "TERMS_NOT_VISIBLE")
    offers(people, invoice_id, rate_bps=RATE + 1)
    assert shown(people.buyer, invoice_id) == visible(True, rate_bps=RATE + 1)
    done(pays(people, invoice_id), people)


def test_an_offer_that_is_replaced_while_its_payment_is_under_way_is_not_paid_at_another_rate(people: People) -> None:
    invoice_id = approved(people, "RACE")
    offers(people, invoice_id)
    key, record = f"discount_offer/{invoice_id}", people.buyer.node.readmodel.record
    before = record(key)
    offers(people, invoice_id, rate_bps=1)
    with pytest.MonkeyPatch.context() as patched:  # the buyer's node has not seen the new one
        patched.setattr(people.buyer.node.readmodel, "record", lambda asked: before if asked == key else record(asked))
        assert refused(pays(people, invoice_id)) == (409, "OPENING_DIFFERS")
    done(pays(people, invoice_id), people)


def test_a_changed_key_and_a_read_model_made_anew_open_what_was_sealed_before(people: People) -> None:
    invoice_id = approved(people, "REBUILT")
    offers(people, invoice_id)
    key = make_key(people.buyer.agreement_file)
    done(people.buyer.post("operator", "/v1/parties/own/agreement-key", {"agreement_key": key}), people)
    people.open_day(people.day + dt.timedelta(days=1))
    people.open_day(people.day + dt.timedelta(days=1))
    newer = approved(people, "NEWER")
    offers(people, newer)
    wraps = [people.carrier.node.readmodel.record(f"discount_offer/{each}") for each in (invoice_id, newer)]
    under = [{wrap["party"]: wrap["key"] for wrap in each["sealed"]["wraps"]}[BUYER] for each in wraps if each]
    assert [each == key for each in under] == [False, True]
    people.world.running.pop("buyer").close()
    assert projector_of(people.buyer.node).rebuild() == people.buyer.node.ledger.height()
    assert [shown(people.buyer, each) for each in (invoice_id, newer)] == [visible(True)] * 2
    people.world.start("buyer")
