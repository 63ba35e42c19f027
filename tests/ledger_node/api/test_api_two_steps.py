"""Funding in two steps through four nodes' REST APIs: one person sets money aside, another one pays, or nobody does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from api_trade import balances, done, reasons, releasable, status, steps
from api_world import Json, People, Reply, people_from, refused
from consortium import FINANCIER, SUPPLIER, eventually, organisations
from people_world import Human, human, signed, under_four_eyes

from ledger_node.operations.facilities import TERMS as TERMS_EXAMPLE

DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=50)
RESERVE_DAYS = 2
TWO_STEPS = {"mode": "manual", "manual_first": 0, "two_step_above": "5000.00", "reserve_days": RESERVE_DAYS}
ZERO = "0.00"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority")
    organisations(home)
    return home


@pytest.fixture(scope="module")
def anna(authority: Path) -> Human:
    return human(authority, "anna")


@pytest.fixture(scope="module")
def bert(authority: Path) -> Human:
    return human(authority, "bert")


@dataclass(frozen=True)
class Desk:
    """A financier's people before an invoice of 10,000.00 EUR that a facility funds in two steps."""

    people: People
    path: str
    facility_id: str

    def decide(self, action: str) -> Reply:
        """A decision of the financier's, as the contract answers it while nobody has signed."""
        body = {"facility_id": self.facility_id} if action == "funding" else {}
        return self.people.financier.post("funder", f"{self.path}/{action}", body)

    def ask(self, action: str) -> Reply:
        """A decision that awaits a person."""
        asked = self.decide(action)
        assert (asked.status, asked.body["status"]) == (202, "awaiting_persons"), asked
        assert asked.body["signing"]["persons_needed"] == 1
        return asked

    def sign(self, action: str, person: Human) -> Reply:
        """A decision of one person."""
        asked = self.ask(action)
        return signed(self.people.financier, asked, person.signature(asked))

    def reserve(self, person: Human) -> str:
        """Set money aside; the net."""
        self.done(self.sign("funding", person))
        return str(self.shown()["reservation"]["net"])

    def done(self, reply: Reply) -> Json:
        return done(reply, self.people)

    def shown(self) -> Json:
        return dict(self.people.buyer.get(self.path).body)

    def cash(self) -> dict[str, str]:
        """What the financier has issued and set aside."""
        return balances(self.people, party=FINANCIER, book="cash")

    def days_pass(self, days: int) -> None:
        self.people.open_day(self.people.day + dt.timedelta(days=days))

    def expire(self) -> Reply:
        """What anybody can ask for."""
        invoice_ids = {"invoice_ids": [self.path.rpartition("/")[2]]}
        return self.people.carrier.post("uploader", "/v1/funding-expiries", invoice_ids)


@pytest.fixture
def desk(tmp_path: Path, authority: Path, anna: Human, bert: Human) -> Iterator[Desk]:
    with people_from(DAY, tmp_path, authority) as people:
        facility_id = people.open_facility("manual")
        eventually(lambda: people.financier.get(f"/v1/facilities/{facility_id}").status == 200, "the facility is shown")
        done(people.financier.post("funder", f"/v1/facilities/{facility_id}/terms", TERMS_EXAMPLE | TWO_STEPS), people)
        under_four_eyes(people.financier, anna, bert)
        people.open_day(DAY + dt.timedelta(days=1))  # other terms count from the next day
        yield Desk(people, releasable(people, "FUND", facility_id), facility_id)


def test_one_person_sets_aside_and_another_one_pays_at_the_quote_of_that_day(
    desk: Desk, anna: Human, bert: Human
) -> None:
    quote = desk.shown()["quote"]
    reserved = desk.done(desk.sign("funding", anna))
    until = (desk.people.day + dt.timedelta(days=RESERVE_DAYS)).isoformat()
    net = quote["net"]
    assert reserved == {"released": [], "reserved_minor": int(net.replace(".", "")), "expires_on": until}
    shown = desk.shown()
    assert (shown["status"], shown["early_payment"], shown["holder"]) == ("approved", None, SUPPLIER)
    assert (shown["reservation"]["net"], shown["reservation"]["expires_on"]) == (net, until)
    assert desk.cash() == {f"reserved:{FINANCIER}": net, f"issued:{FINANCIER}": f"-{net}"}
    assert reasons(desk.people, desk.path) == {"FACILITY": "RESERVED"}
    assert refused(desk.decide("funding")) == (409, "RESERVED")

    desk.days_pass(RESERVE_DAYS)
    (person,) = shown["reservation"]["persons"]
    named = {each["person_id"]: each["name"] for each in desk.people.financier.get("/v1/persons").body["items"]}
    assert named[person] == "anna"
    assert desk.done(desk.sign("funding-posting", bert)) == {"released": [desk.path.rpartition("/")[2]]}
    assert status(desk.people, desk.path) == "early-paid"
    paid = desk.shown()
    assert (paid["early_payment"]["net"], paid["reservation"], paid["holder"]) == (net, None, FINANCIER)
    assert desk.cash() == {f"reserved:{FINANCIER}": ZERO, f"issued:{FINANCIER}": f"-{net}"}
    assert balances(desk.people, party=SUPPLIER, book="cash") == {f"cash:{SUPPLIER}": net}
    assert steps(desk.people, desk.path) == ["approve", "reserve", "early_payment", "assignment"]
    assert refused(desk.decide("funding-posting")) == (409, "NOT_RESERVED")


def test_who_has_set_money_aside_cannot_pay_it(desk: Desk, anna: Human, bert: Human) -> None:
    net = desk.reserve(anna)
    asked = desk.sign("funding-posting", anna)  # somebody else has to stand behind it
    assert (asked.status, asked.body["code"]) == (202, "TWO_PERSONS_REQUIRED")
    assert (status(desk.people, desk.path), desk.cash()[f"reserved:{FINANCIER}"]) == ("approved", net)
    assert refused(desk.people.buyer.post("funder", f"{desk.path}/funding-posting")) == (409, "ROLE_MISSING")
    desk.done(desk.sign("funding-posting", bert))
    assert status(desk.people, desk.path) == "early-paid"


def test_what_is_set_aside_is_taken_back_and_set_aside_anew(desk: Desk, anna: Human, bert: Human) -> None:
    desk.reserve(bert)
    assert refused(desk.people.supplier.post("funder", f"{desk.path}/funding-voiding")) == (409, "ROLE_MISSING")
    desk.done(desk.decide("funding-voiding"))
    assert (status(desk.people, desk.path), desk.shown()["reservation"]) == ("approved", None)
    assert desk.cash() == {f"reserved:{FINANCIER}": ZERO, f"issued:{FINANCIER}": ZERO}
    assert refused(desk.decide("funding-voiding")) == (409, "NOT_RESERVED")
    assert refused(desk.decide("funding-posting")) == (409, "NOT_RESERVED")
    net = desk.reserve(anna)
    desk.done(desk.sign("funding-posting", bert))
    assert balances(desk.people, party=SUPPLIER, book="cash") == {f"cash:{SUPPLIER}": net}
    assert steps(desk.people, desk.path) == ["approve", "reserve", "void", "reserve", "early_payment", "assignment"]


def test_what_is_not_paid_in_time_is_given_back_by_anybody(desk: Desk, anna: Human, bert: Human) -> None:
    desk.reserve(anna)
    desk.days_pass(RESERVE_DAYS)
    assert refused(desk.expire()) == (409, "NOT_EXPIRED")
    late = desk.ask("funding-posting")
    desk.days_pass(1)
    answer = signed(desk.people.financier, late, bert.signature(late))
    assert refused(answer) == (409, "RESERVATION_EXPIRED")
    desk.done(desk.expire())
    assert (status(desk.people, desk.path), desk.shown()["reservation"]) == ("approved", None)
    assert desk.cash() == {f"reserved:{FINANCIER}": ZERO, f"issued:{FINANCIER}": ZERO}
    assert refused(desk.expire()) == (409, "NOT_RESERVED")
    assert steps(desk.people, desk.path) == ["approve", "reserve", "expire"]
    desk.reserve(bert)
    desk.done(desk.sign("funding-posting", anna))
    assert status(desk.people, desk.path) == "early-paid"
