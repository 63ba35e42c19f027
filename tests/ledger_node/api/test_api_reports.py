"""Reports and quotes through a node's API and command line: forms, past blocks, and what cannot be asked."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from wsgiref.simple_server import make_server

import pytest
from api_world import DEPOSIT, People
from click.testing import CliRunner, Result
from consortium import BUYER, FINANCIER, Consortium, eventually, organisations

from ledger_node.cli import main
from ledger_node.formats.bank_statement import read_statement
from ledger_node.readmodel import ReadModel
from ledger_node.reports import Table, archive, is_over
from ledger_node.reports.camt import camt053
from ledger_node.reports.past import Past
from ledger_node.reports.statement import COLUMNS

TODAY = dt.datetime.now(dt.UTC).date().isoformat()
NO_ID = "0" * 32
NAMES = {
    "statement": f"party={BUYER}",
    "exposure": "",
    "ageing": "",
    "early-payments": "",
    "journal": f"party={FINANCIER}",
    "disclosure": f"buyer={BUYER}&from_day={TODAY}",
    "duplicates": "",
    "maturities": "",
    "totals": "",
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    world.start()
    people = People(world)
    people.found()
    people.open_facility()
    credit = {"deposit": DEPOSIT, "to": BUYER, "amount": "12.50", "credit_reference": "CAMT 1", "booked_on": TODAY}
    issued = people.financier.post("issuer", "/v1/deposits", credit)
    assert issued.status == 200, issued
    block = issued.body["block_number"]
    eventually(lambda: people.buyer.node.readmodel.block_number() >= block, "the deposit is shown")
    yield people
    world.close()


def ask(people: People, name: str, query: str = "") -> Any:
    answer = people.buyer.get(f"/v1/reports/{name}?{NAMES[name]}&{query}".rstrip("&"))
    assert answer.status == 200, answer
    return answer.body


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_the_same_in_json_and_csv(people: People, name: str) -> None:
    found = ask(people, name)
    assert (found["report"], found["day"]) == (name, TODAY)
    read = list(csv.reader(io.StringIO(ask(people, name, "format=csv"))))
    assert read == [found["columns"], *([row[column] for column in found["columns"]] for row in found["items"])]


def test_a_report_is_of_the_day_that_is_named_and_of_none_before_the_first(people: People) -> None:
    assert ask(people, "totals", f"as_of={TODAY}") == ask(people, "totals")
    early = people.buyer.get("/v1/reports/totals?as_of=2020-01-01")
    assert (early.status, early.code) == (400, "BAD_REQUEST")
    assert TODAY in early.body["detail"]


def test_a_statement_is_of_the_block_that_is_named(people: People) -> None:
    found = ask(people, "statement")
    assert [row["balance"] for row in found["items"]] == ["0.00", "12.50", "12.50"]
    before = ask(people, "statement", f"block={int(found['items'][1]['block_number']) - 1}")
    assert before["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/reports/statement",
        f"/v1/reports/statement?party={BUYER}&from_day=tomorrow",
        "/v1/reports/ageing?block=999999",
        "/v1/reports/ageing?block=-1",
        "/v1/reports/ageing?format=pdf",
        "/v1/reports/ageing?colour=red",
        "/v1/ids?kind=colour&name=red",
    ],
)
def test_what_cannot_be_asked_is_a_problem(people: People, path: str) -> None:
    answer = people.buyer.get(path)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_a_quote_of_an_invoice_that_is_not_there_is_not_found(people: People) -> None:
    for path in ("/v1/invoices/nothing/quote", f"/v1/invoices/{NO_ID}/quote?facility_id=x"):
        assert people.supplier.get(path).status == 404
    answer = people.supplier.get(f"/v1/invoices/{NO_ID}/quote")
    assert (answer.status, answer.code) == (404, "INVOICE_UNKNOWN")


def month_end(people: People, month: str = TODAY[:7]) -> bytes:
    answer = people.buyer.http.get(f"/v1/month-ends/{month}", headers=people.buyer.bearer("auditor"))
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    return bytes(answer.data)


def test_a_month_end_is_all_reports_and_the_accounts_for_banks_programs_in_one_archive(people: People) -> None:
    with zipfile.ZipFile(io.BytesIO(month_end(people))) as packed:
        files = {name.rpartition("/")[2]: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    assert set(files) == {f"{name}.csv" for name in NAMES} | {"camt.053.xml"}
    assert manifest["sha256"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert (manifest["party"], manifest["day"], manifest["is_over"]) == (BUYER, TODAY, False)
    for name in ("statement", "totals", "exposure"):
        assert files[f"{name}.csv"].decode() == ask(people, name, f"format=csv&block={manifest['block_number']}")
    (booked,) = read_statement(files["camt.053.xml"])
    assert (booked.account, booked.is_credit, booked.amount_minor, booked.currency) == (
        f"cash:{BUYER} in {DEPOSIT}",
        True,
        1250,
        "EUR",
    )
    assert (booked.booked_on, booked.left_out) == (TODAY, "")
    assert b"OPBD" in files["camt.053.xml"]
    assert b"CLBD" in files["camt.053.xml"]


def test_a_month_end_is_the_same_bytes_again_and_of_no_month_that_has_not_begun(people: People) -> None:
    assert month_end(people) == month_end(people)
    for month, code in (("2999-01", 404), ("2020-01", 404), ("2026-13", 404), ("november", 404)):
        refused = people.buyer.get(f"/v1/month-ends/{month}")
        assert (refused.status, bool(refused.body["remedy"])) == (code, True), month


class Days:
    """What a read model says of the ledger's days."""

    def __init__(self, *opened: tuple[int, str]) -> None:
        self.opened = opened

    def past_days(self) -> list[tuple[int, str]]:
        return [(block, json.dumps({"version": 1, "date": date})) for block, date in self.opened]


@pytest.mark.parametrize(("block", "over"), [(7, True), (6, False), (8, False)])
def test_a_month_is_over_at_the_block_before_the_one_that_opened_a_later_month(block: int, over: bool) -> None:
    """Whatever the node has come to know since: an archive of an earlier block is of no whole month."""
    days = cast("ReadModel", Days((0, "2026-11-30"), (8, "2026-12-01")))
    assert is_over(Past(days, block, "2026-11-30"), "2026-11-30") is over
    assert not is_over(Past(cast("ReadModel", Days((0, "2026-11-30"))), block, "2026-11-30"), "2026-11-30")


def _statement(*deposits: str) -> Table:
    rows = [
        dict.fromkeys(COLUMNS, "") | {"deposit": deposit, "account": f"cash:{BUYER}", "step": step, "balance": "1.00"}
        for deposit in deposits
        for step in ("opening", "closing")
    ]
    return Table("statement", 7, "2026-11-30", COLUMNS, tuple(rows))


def test_accounts_of_one_party_in_two_deposits_have_two_ids_and_no_accounts_make_no_message() -> None:
    longer = "EUR@" + "Long" * 9
    message = camt053(_statement("EUR@FinOneMSP", "EUR@FinTwoMSP", longer, longer + "2"), "2026-11-01", "2026-11-30")
    ids = re.findall(rb"<Othr>\s*<Id>([^<]*)</Id>", message)
    assert ids[:2] == [f"cash:{BUYER} in EUR@Fin{each}MSP".encode() for each in ("One", "Two")]
    assert len(set(ids)) == 4
    assert max(map(len, ids)) <= 34
    for deposits, there in ((["EUR@FinOneMSP"], True), ([], False)):
        packed = archive("2026-11", BUYER, {"statement": _statement(*deposits)}, is_over=True)
        names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
        assert any(name.endswith("camt.053.xml") for name in names) is there


@pytest.fixture(scope="module")
def url(people: People) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, people.buyer.http.application)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def typed(people: People, url: str, *arguments: str) -> Result:
    environment = {"LEDGER_NODE_URL": url, "LEDGER_NODE_TOKEN": people.buyer.tokens["auditor"]}
    return CliRunner().invoke(main, list(arguments), env=environment, prog_name="ledger-node")


def test_every_report_can_be_typed(people: People, url: str, tmp_path: Path) -> None:
    options: dict[str, tuple[str, ...]] = {"statement": ("--party", BUYER), "journal": ("--party", FINANCIER)}
    options["disclosure"] = ("--buyer", BUYER, "--from", TODAY)
    for name in NAMES:
        found = typed(people, url, "report", name, *options.get(name, ()), "--block", "5")
        assert found.exit_code == 0, found.output
        assert f"{name} at block 5" in found.stdout
    out = tmp_path / "month.zip"
    assert typed(people, url, "report", "month-end", TODAY[:7], "--out", str(out)).exit_code == 0
    assert out.read_bytes() == month_end(people)
    rows = typed(people, url, "report", "statement", *options["statement"], "--format", "csv").stdout
    assert [line["balance"] for line in csv.DictReader(io.StringIO(rows))] == ["0.00", "12.50", "12.50"]
    printed = typed(people, url, "report", "exposure", "--format", "json")
    assert json.loads(printed.stdout)["result"]["items"][0]["limit"] == "1000000.00"


def test_the_buyers_own_figures_stand_below_those_of_the_ledger(people: People, url: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.csv"
    figures.write_text("item,currency,amount\nother payables,EUR,99.00\n")
    asked = ("report", "disclosure", "--buyer", BUYER, "--from", TODAY, "--figures", str(figures), "--format", "csv")
    last = list(csv.DictReader(io.StringIO(typed(people, url, *asked).stdout)))[-1]
    assert (last["item"], last["amount"], last["source"]) == ("other payables", "99.00", "buyer")
    figures.write_bytes(b"\xff\xfe")
    assert typed(people, url, *asked).exit_code == 2


def test_a_quote_can_be_typed(people: People, url: str) -> None:
    assert typed(people, url, "invoice", "quote", NO_ID).exit_code == 3
