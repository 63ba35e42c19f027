"""What a buyer does not pay in time, through four nodes' REST APIs over sixty days: overdue, written off, recovered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_trade import approved, balances, done, money, offered, status, steps
from api_world import DEPOSIT, Json, People, people_from, refused
from consortium import BUYER, FINANCIER, SUPPLIER, eventually, organisations
from people_world import by_both, human, under_four_eyes

DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=100)
ONE_DAY = dt.timedelta(days=1)
ZERO = "0.00"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority")
    organisations(home)
    return home


@pytest.fixture
def people(tmp_path: Path, authority: Path) -> Iterator[People]:
    with people_from(DAY, tmp_path, authority) as people:
        yield people


def some(amount: str) -> Json:
    return {"amount": amount}


def paid(amount: str) -> Json:
    return {"amount": amount, "deposit": DEPOSIT}


def check(people: People, path: str) -> Json:
    """The body of a check whether an invoice is overdue."""
    return {"invoice_ids": [path.rpartition("/")[2]]}


def obligations(people: People, path: str) -> dict[str, str]:
    """The accounts of one invoice that are not at zero."""
    found = balances(people, invoice_id=path.rpartition("/")[2])
    return {name: balance for name, balance in found.items() if balance != ZERO}


def cash(people: People, party: str) -> str:
    return balances(people, party=party, book="cash")[f"cash:{party}"]


def test_what_is_paid_early_and_not_settled_is_written_off_and_recovered(people: People) -> None:
    supplier, buyer, financier, carrier = people.each()
    facility_id = people.open_facility()
    path = offered(people, "LOSS", facility_id)
    eventually(lambda: {each.get(path).body["status"] for each in people.each()} == {"early-paid"}, "it is paid early")
    net = supplier.get(path).body["early_payment"]["net"]
    money(people, BUYER, "10000.00", "CAMT LOSS")
    assert balances(people, party=FINANCIER, book="cash") == {f"issued:{FINANCIER}": minus("10000.00", net)}
    pay_in_two_parts_though_a_token_is_renewed(people, f"{path}/settlement")

    people.open_day(people.due)
    overdue = "/v1/overdue-checks"
    assert refused(carrier.post("uploader", overdue, check(people, path))) == (409, "NOT_DUE")
    people.open_day(people.due + ONE_DAY)
    done(carrier.post("uploader", overdue, check(people, path)), people)
    assert status(people, path) == "overdue"
    assert buyer.get(path).body["overdue_since"] == people.day.isoformat()
    assert refused(carrier.post("uploader", overdue, check(people, path))) == (409, "STATUS_WRONG")

    write_off, recovery = f"{path}/write-off", f"{path}/recovery"
    assert refused(supplier.post("approver", write_off, some("1.00"))) == (409, "NOT_THE_HOLDER")
    assert refused(financier.post("funder", write_off, some("6000.01"))) == (409, "SETTLEMENT_EXCEEDS")
    assert done(financier.post("funder", write_off, some("2000.00")), people)["status"] == "overdue"
    assert obligations(people, path) == {
        f"recv:{FINANCIER}": "4000.00",
        f"recv_wo:{FINANCIER}": "2000.00",
        f"pay:{BUYER}": "-6000.00",
    }
    done(financier.post("funder", write_off, some("4000.00")), people)
    assert (status(people, path), buyer.get(path).body["written_off"]) == ("written-off", "6000.00")
    assert obligations(people, path) == {f"recv_wo:{FINANCIER}": "6000.00", f"pay:{BUYER}": "-6000.00"}
    assert supplier.get(f"/v1/facilities/{facility_id}").body["used"] == "6000.00"

    assert refused(buyer.post("approver", f"{path}/settlement", paid("1.00"))) == (409, "STATUS_WRONG")
    assert refused(buyer.post("approver", recovery, paid("6000.01"))) == (409, "RECOVERY_EXCEEDS")
    done(buyer.post("approver", recovery, paid("2500.00")), people)
    shown = supplier.get(path).body
    assert (shown["status"], shown["written_off"], shown["recovered"]) == ("written-off", "3500.00", "2500.00")
    assert cash(people, BUYER) == "3500.00"
    done(buyer.post("approver", recovery, paid("3500.00")), people)
    assert (status(people, path), obligations(people, path), cash(people, BUYER)) == ("recovered", {}, ZERO)
    assert balances(people, party=FINANCIER, book="cash") == {f"issued:{FINANCIER}": f"-{net}"}
    assert supplier.get(f"/v1/facilities/{facility_id}").body["used"] == ZERO
    lost = ["write_off", "write_off", "recovery", "discharge", "recovery", "discharge"]
    settled = ["settle", "discharge"] * 2
    assert steps(people, path) == ["approve", "early_payment", "assignment", *settled, *lost]


def pay_in_two_parts_though_a_token_is_renewed(people: People, settlement: str) -> None:
    """Attack: a payment of 2,000.00 sent again after its token was renewed. Control: another principal's, same key."""
    buyer = people.buyer
    tokens, first = buyer.node.tokens, buyer.post("approver", settlement, paid("2000.00"), key="month-end")
    done(first, people)
    old = tokens.check(buyer.tokens["approver"])
    assert old is not None
    buyer.tokens["approver"] = tokens.renew(old.id)[0]
    assert tokens.revoke(old.id)
    again = buyer.post("approver", settlement, paid("2000.00"), key="month-end")
    assert (again.body["id"], cash(people, BUYER)) == (first.body["id"], "8000.00")
    renewed, buyer.tokens["approver"] = buyer.tokens["approver"], tokens.create("approver", 1, "clerk")[0]
    done(buyer.post("approver", settlement, paid("2000.00"), key="month-end"), people)
    assert cash(people, BUYER) == "6000.00"
    buyer.tokens["approver"] = renewed


def test_a_supplier_that_was_not_paid_early_writes_off_what_it_holds(people: People) -> None:
    supplier, buyer, financier, _ = people.each()
    path = f"/v1/invoices/{approved(people, 'OWN')}"
    money(people, BUYER, "10000.00", "CAMT OWN")
    assert refused(supplier.post("approver", f"{path}/write-off", some("1.00"))) == (409, "STATUS_WRONG")
    people.open_day(people.due + ONE_DAY)
    done(financier.post("funder", "/v1/overdue-checks", check(people, path)), people)
    assert done(supplier.post("approver", f"{path}/write-off", some("3000.00")), people)["status"] == "overdue"
    assert done(buyer.post("approver", f"{path}/settlement", paid("7000.00")), people)["status"] == "written-off"
    assert (cash(people, SUPPLIER), cash(people, BUYER)) == ("7000.00", "3000.00")
    assert obligations(people, path) == {f"recv_wo:{SUPPLIER}": "3000.00", f"pay:{BUYER}": "-3000.00"}
    done(buyer.post("approver", f"{path}/recovery", paid("3000.00")), people)
    assert (status(people, path), obligations(people, path)) == ("recovered", {})
    assert (cash(people, SUPPLIER), cash(people, BUYER)) == ("10000.00", ZERO)


def test_a_holder_under_four_eyes_writes_off_by_two_persons(people: People, authority: Path) -> None:
    path = f"/v1/invoices/{approved(people, 'EYES')}"
    anna, bert = (human(authority, name, "supplier") for name in ("anna", "bert"))
    under_four_eyes(people.supplier, anna, bert)
    people.open_day(people.due + ONE_DAY)
    done(people.buyer.post("approver", "/v1/overdue-checks", check(people, path)), people)
    asked = people.supplier.post("approver", f"{path}/write-off", some("10000.00"))
    assert (asked.status, asked.body["status"]) == (202, "awaiting_persons")
    assert status(people, path) == "overdue"
    done(by_both(people.supplier, asked, anna, bert), people)
    assert status(people, path) == "written-off"
    assert obligations(people, path) == {f"recv_wo:{SUPPLIER}": "10000.00", f"pay:{BUYER}": "-10000.00"}


def minus(*amounts: str) -> str:
    """Minus the sum of some amounts, as a balance is shown."""
    total = sum(int(amount.replace(".", "")) for amount in amounts)
    return f"-{total // 100}.{total % 100:02}"
