"""A deposit's issuer and its bank, typed at a prompt: credits issued once, redemptions ordered and confirmed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_trade import money
from api_world import DEPOSIT, People
from bank_files import OWN, camt_054, detail, entry, pain_002
from consortium import FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, eventually, organisations
from lxml import etree
from prompt import Prompt

from ledger_node.demo.samples import SUPPLIER_IBAN

TODAY = dt.datetime.now(dt.UTC).date().isoformat()
BOOKED = f"<Dt>{TODAY}</Dt>"
HEADER = "party,name,iban,country,town,bic,street,building,postcode\n"
BANK = f"{FINANCIER},Issuing Bank AG,{OWN},DE,Frankfurt,COBADEFFXXX,,,\n"
PAYEE = f"{SUPPLIER},Supplier AG,{SUPPLIER_IBAN},DE,Koeln,COBADEFFXXX,,,\n"


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
    money(people, SUPPLIER, "10.00", "BANK-0")
    yield people
    world.close()


@pytest.fixture(scope="module")
def issuer(people: People) -> Iterator[Prompt]:
    prompt = Prompt(people.financier)
    yield prompt
    prompt.close()


@pytest.fixture(scope="module")
def supplier(people: People) -> Iterator[Prompt]:
    prompt = Prompt(people.supplier)
    yield prompt
    prompt.close()


def reconciled(issuer: Prompt, path: Path, content: bytes, *options: str) -> list[dict[str, Any]]:
    """The rows of a bank's file."""
    path.write_bytes(content)
    rows: list[dict[str, Any]] = issuer.json("issuer", "payment", "reconcile", str(path), "--account", OWN, *options)
    return rows


def balance(people: People) -> str:
    """What the supplier has."""
    found = people.financier.get(f"/v1/accounts?party={SUPPLIER}&book=cash").body["items"]
    return {each["name"]: str(each["balance"]) for each in found}.get(f"cash:{SUPPLIER}", "0.00")


def test_a_bank_s_file_issues_each_credit_once_and_confirms_what_it_paid(
    people: People, issuer: Prompt, supplier: Prompt, tmp_path: Path
) -> None:
    file = tmp_path / "camt.xml"
    credits = camt_054(
        entry("100.00", [detail(account=SUPPLIER_IBAN)], booked=BOOKED),
        entry("7.00", [detail("7.00")], reference="BANK-2", booked=BOOKED),
        entry("9.00", [detail("9.00", SUPPLIER_IBAN)], reference="BANK-3", booked=BOOKED, status="<Cd>PDNG</Cd>"),
    )
    told = reconciled(issuer, file, credits)
    assert [row["state"] for row in told] == ["to_issue", "open", "not_counted"]
    assert told[0]["party"] == SUPPLIER
    assert balance(people) == "10.00"
    for _ in range(2):
        posted = reconciled(issuer, file, credits, "--post")
        assert [row["state"] for row in posted] == ["issued", "open", "not_counted"]
        eventually(lambda: balance(people) == "110.00", "the credit is issued, once")
    assert [row["state"] for row in reconciled(issuer, file, credits)] == ["issued", "open", "not_counted"]
    assert "no party has registered the account" in issuer.text(
        "issuer", "payment", "reconcile", str(file), "--account", OWN
    )

    redemption_id = supplier.json("approver", "deposit", "redeem", "--deposit", DEPOSIT, "--amount", "40.00")[
        "record_id"
    ]
    accounts, order = tmp_path / "accounts.csv", tmp_path / "order.xml"
    export = (
        "payment",
        "export",
        redemption_id,
        "--accounts",
        str(accounts),
        "--payer",
        FINANCIER,
        "--out",
        str(order),
    )
    accounts.write_text(HEADER + BANK + PAYEE.replace(SUPPLIER_IBAN, OWN))
    wrong = issuer.run("issuer", *export, "--json")
    assert (wrong.exit_code, json.loads(wrong.stdout)["error"]["text"][:31]) == (2, "PAYEE_DIFFERS: this is not the ")
    assert not order.exists()
    accounts.write_text(HEADER + BANK + PAYEE)
    for form in ("pain.001", "pacs.008", "pain.001"):
        assert issuer.json("issuer", *export, "--form", form)["file"] == str(order)
        ids = {node.text for node in etree.parse(order).iter() if str(node.tag).endswith(("MsgId", "EndToEndId"))}
        assert ids == {redemption_id}

    rejected, promised = (reconciled(issuer, file, pain_002(code, redemption_id)) for code in ("RJCT", "ACSC"))
    assert [(row["state"], row["redemption_id"]) for row in rejected] == [("rejected", redemption_id)]
    assert [row["state"] for row in promised] == ["promised"]
    part = detail("40.00", SUPPLIER_IBAN, f"<EndToEndId>{redemption_id}</EndToEndId>", "Cdtr")
    debit = camt_054(entry("40.00", [part], direction="DBIT", code="ICDT", reference="BANK-9", booked=BOOKED))
    assert [row["state"] for row in reconciled(issuer, file, debit)] == ["to_confirm"]
    assert [row["state"] for row in reconciled(issuer, file, debit, "--post")] == ["confirmed"]
    path = f"/v1/redemptions/{redemption_id}"
    eventually(lambda: people.financier.get(path).body["status"] == "confirmed", "the redemption is confirmed")
    assert [row["state"] for row in reconciled(issuer, file, debit, "--post")] == ["confirmed"]
    paid = issuer.run("issuer", *export, "--json")
    assert (paid.exit_code, json.loads(paid.stdout)["error"]["text"][:12]) == (5, "STATUS_WRONG")


def test_only_the_issuer_of_a_deposit_orders_its_redemptions_and_reads_bank_files(
    people: People, supplier: Prompt, tmp_path: Path
) -> None:
    redeemed = supplier.json("approver", "deposit", "redeem", "--deposit", DEPOSIT, "--amount", "1.00")["record_id"]
    sides = {"name": "n", "iban": SUPPLIER_IBAN, "country": "DE", "town": "t"}
    body = {"payer": sides, "payee": sides, "execution_date": TODAY}
    path = f"/v1/redemptions/{redeemed}/payment-order"
    shown = f"/v1/redemptions/{redeemed}"
    both = (people.supplier, people.financier)
    eventually(lambda: all(caller.get(shown).status == 200 for caller in both), "the redemption is shown")
    assert people.supplier.post("issuer", path, body).code == "NOT_THE_ISSUER"
    assert people.financier.post("funder", path, body).status == 403
    assert people.financier.raw("funder", f"/v1/bank-files?account={OWN}", camt_054(), "application/xml").status == 403
    assert people.financier.post("issuer", path, body).status == 200


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"<Document/>", "application/xml", 415, "NOT_SUPPORTED"),
        (b"no XML", "application/xml", 422, "NOT_WELL_FORMED"),
        (camt_054(), "application/json", 415, "MEDIA_TYPE"),
        (camt_054(entry("1.001")), "application/xml", 422, "AMOUNT"),
    ],
)
def test_what_is_no_bank_s_file_is_refused_with_a_name(
    people: People, content: bytes, media_type: str, status: int, code: str
) -> None:
    reply = people.financier.raw("issuer", f"/v1/bank-files?account={OWN}", content, media_type)
    assert (reply.status, reply.code) == (status, code)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEADER + BANK, f"has no row for {SUPPLIER}"),
        (HEADER + BANK + PAYEE + PAYEE, "has two rows for one party"),
        ("party,name\nx,y\n", "has not the columns"),
        (HEADER + BANK + f"{SUPPLIER},x\n", "has not the columns"),
        (HEADER.replace("iban", "account"), f"has no row for {FINANCIER}"),
    ],
)
def test_a_file_of_accounts_that_is_none_is_refused_with_its_line(
    people: People, issuer: Prompt, supplier: Prompt, tmp_path: Path, text: str, why: str
) -> None:
    redeemed = supplier.json("approver", "deposit", "redeem", "--deposit", DEPOSIT, "--amount", "1.00")["record_id"]
    shown = f"/v1/redemptions/{redeemed}"
    eventually(lambda: people.financier.get(shown).status == 200, "the issuer's node knows of the redemption")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(text)
    options = ("--accounts", str(accounts), "--payer", FINANCIER, "--out", str(tmp_path / "order.xml"))
    refused = issuer.run("issuer", "payment", "export", redeemed, *options)
    assert refused.exit_code == 2
    assert why in refused.stderr
