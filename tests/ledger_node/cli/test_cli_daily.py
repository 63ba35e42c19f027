"""What makes days at the prompt shorter: many at once, and a profile instead of address and token."""

from __future__ import annotations

import datetime as dt
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import DEPOSIT, People, invoice_file
from click.testing import CliRunner, Result
from consortium import BUYER, ORGANISATIONS, SUPPLIER, Consortium, eventually, organisations
from prompt import Prompt

from ledger_node.cli import main

TODAY = dt.datetime.now(dt.UTC).date()
DUE = (TODAY + dt.timedelta(days=60)).isoformat()


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Prompt]]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = People(world)
    people.found()
    prompts = [Prompt(caller) for caller in people.each()]
    yield prompts
    for prompt in prompts:
        prompt.close()
    world.close()


def test_a_folder_is_uploaded_once_with_an_answer_for_each_file(prompts: list[Prompt], tmp_path: Path) -> None:
    supplier, folder = prompts[0], tmp_path / "invoices"
    folder.mkdir()
    upload = ("document", "upload", str(folder), "--kind", "invoice", "--entitled", BUYER)
    assert supplier.run("uploader", *upload).exit_code == 2
    for number in ("BULK-1", "BULK-2"):
        (folder / f"{number}.xml").write_bytes(invoice_file(number))
    (folder / "broken.xml").write_bytes(b"<nonsense/>")
    (folder / "notes.doc").write_bytes(b"what is this")
    first, second = (supplier.run("uploader", *upload, "--json") for _ in range(2))
    assert first.exit_code == second.exit_code == 2
    rows = {row["row"]: row for row in json.loads(first.stdout)["result"]}
    statuses = {name: row["status"] for name, row in rows.items()}
    sent = {"BULK-1.xml": "applied", "BULK-2.xml": "applied"}
    assert statuses == sent | {"broken.xml": "not sent", "notes.doc": "not sent"}
    assert "NOT_AN_INVOICE" in rows["broken.xml"]["text"]
    assert {row["row"]: row for row in json.loads(second.stdout)["result"]} == rows


def test_a_file_of_approvals_gets_an_answer_a_line_and_approves_nothing_twice(
    prompts: list[Prompt], tmp_path: Path
) -> None:
    supplier, buyer, _, _ = prompts
    ids = []
    for days, number in enumerate(("LIST-1", "LIST-2"), 40):
        (tmp_path / "one.xml").write_bytes(invoice_file(number, issue_date=TODAY - dt.timedelta(days=days)))
        upload = ("document", "upload", str(tmp_path / "one.xml"), "--kind", "invoice", "--entitled", BUYER, "--quiet")
        document_id = supplier.text("uploader", *upload).strip()
        register = ("invoice", "register", "--document", document_id, "--buyer", BUYER, "--quiet")
        ids.append(supplier.text("uploader", *register).strip())
    for invoice_id in ids:
        eventually(lambda each=invoice_id: "LIST" in buyer.run("auditor", "invoice", "show", each).stdout, "read")  # type: ignore[misc]
    lines = [f"LIST-1;10000.00;EUR;{DUE};AP L1", f"LIST-2;1.00;EUR;{DUE};AP L2", f"LIST-3;1.00;EUR;{DUE};AP L3"]
    file = tmp_path / "approvals.csv"
    file.write_text("invoice;amount;currency;due_date;reference\n" + "\n".join(lines), encoding="utf-8-sig")
    for _ in range(2):
        done = buyer.run("approver", "invoice", "approve", "--file", str(file), "--json")
        rows = json.loads(done.stdout)["result"]
        assert [row["status"] for row in rows] == ["applied", "refused", "not sent"]
        assert (rows[0]["row"], rows[0]["record_id"], done.exit_code) == ("line 2: LIST-1", ids[0], 5)
        assert "APPROVAL_DIFFERS" in rows[1]["text"]
        assert f"ledger-node submission retry {rows[1]['submission']}" in rows[1]["text"]
    assert "approved" in buyer.text("auditor", "invoice", "show", "LIST-1")
    shown = buyer.text("auditor", "submission", "list", "--state", "attention")
    assert rows[1]["submission"] in shown
    assert "APPROVAL_DIFFERS" in buyer.text("auditor", "submission", "show", rows[1]["submission"])
    assert buyer.run("approver", "submission", "retry", rows[1]["submission"]).exit_code == 5  # nothing was mended


@pytest.mark.parametrize(
    "content",
    [b"", b"invoice,amount\n", b"invoice,amount,currency,due_date,reference\n", b"\xff\xfe",
     b"invoice,amount,currency,due_date,reference\na,b,c,d,e,f\n"],
)  # fmt: skip
def test_a_file_that_is_none_of_approvals_is_wrong_input(prompts: list[Prompt], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.csv").write_bytes(content)
    result = prompts[1].run("approver", "invoice", "approve", "--file", str(tmp_path / "file.csv"))
    assert (result.exit_code, "file.csv" in result.stderr) == (2, True)
    assert prompts[1].run("approver", "invoice", "approve", "X", "--amount", "1").exit_code == 2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where profiles are kept; nothing is in the environment."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("LEDGER_NODE_URL", "LEDGER_NODE_TOKEN", "LEDGER_NODE_NODE", "LEDGER_NODE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "ledger-node" / "profiles.json"


def type_in(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=given, prog_name="ledger-node")


def test_who_has_logged_in_types_neither_address_nor_token(prompts: list[Prompt], home: Path) -> None:
    supplier, buyer = prompts[0], prompts[1]
    assert type_in("party", "list").exit_code == 2
    for prompt, role, name in ((supplier, "uploader", "default"), (buyer, "auditor", "other")):
        told = type_in("login", "--url", prompt.url, "--profile", name, given=f"{prompt.caller.tokens[role]}\n")
        assert (told.exit_code, f"as {role} with the role {role}, until 20" in told.output) == (0, True)
        assert prompt.caller.tokens[role] not in told.output
    assert stat.S_IMODE(home.stat().st_mode) == 0o600
    assert type_in("party", "list").exit_code == 0
    goods = ("shipment", "register", "--buyer", BUYER, "--carrier", "CarrierMSP", "--reference", "LOGIN", "--quiet")
    assert type_in(*goods).exit_code == 0
    assert type_in(*goods, "--profile", "other").exit_code == 2  # an auditor's
    assert type_in("logout").exit_code == 0
    assert type_in("party", "list").exit_code == 2
    assert type_in("party", "list", "--profile", "other").exit_code == 0
    assert type_in("logout").exit_code == 2


def test_a_token_that_is_kept_is_sent_to_its_own_address_alone(prompts: list[Prompt], home: Path) -> None:
    supplier, buyer = prompts[0], prompts[1]
    assert type_in("login", "--url", supplier.url, given=f"{supplier.caller.tokens['uploader']}\n").exit_code == 0
    for profile, why in (((), "no token was given"), (("--profile", "default"), f"is for {supplier.url}, not for")):
        elsewhere = type_in("party", "list", "--url", buyer.url, *profile)
        assert (elsewhere.exit_code, why in elsewhere.output) == (2, True)
    elsewhere = type_in("party", "list", "--token", buyer.caller.tokens["auditor"])
    assert (elsewhere.exit_code, "which node?" in elsewhere.output) == (2, True), "a token that was set stays here"
    assert type_in("party", "list", "--url", supplier.url).exit_code == 0  # the control
    typed = ("--url", buyer.url, "--token", buyer.caller.tokens["auditor"])
    assert type_in("party", "list", *typed).exit_code == 0


def test_a_token_that_the_node_does_not_know_is_not_kept(prompts: list[Prompt], home: Path) -> None:
    told = type_in("login", "--url", prompts[0].url, given="lnt_wrong\n")
    assert (told.exit_code, "TOKEN_INVALID" in told.output, home.exists()) == (2, True, False)
    home.parent.mkdir()
    home.write_text("[]")
    assert type_in("party", "list").exit_code == 2


def test_one_term_of_a_facility_is_changed_by_one_option_and_all_others_stay(prompts: list[Prompt]) -> None:
    financier, supplier = prompts[2], ("--supplier", SUPPLIER)
    terms = ("--limit", "90000.00", "--supplier-limit", "50000.00", "--rate-bps", "600", "--day-count", "ACT/360")
    opened = ("--buyer", BUYER, *supplier, "--deposit", DEPOSIT, *terms, "--fee", "0.00", "--mode", "manual")
    facility_id = financier.json("funder", "facility", "open", *opened, "--holiday", "2026-12-24")["record_id"]

    def pending() -> dict[str, str]:
        (shown,) = [
            each for each in financier.json("funder", "facility", "list")["items"] if each["facility_id"] == facility_id
        ]
        return {
            name: value for name, value in (shown["pending"] or {"terms": {}})["terms"].items() if shown[name] != value
        }

    change = ("facility", "change", facility_id)
    assert financier.run("funder", *change).exit_code == 2
    financier.json("funder", *change, "--limit", "75000.00")
    assert pending() == {"limit": "75000.00"}
    financier.json("funder", *change, "--fee", "5.00", "--grace-days", "0")
    assert pending() == {"limit": "75000.00", "fee": "5.00"}
    assert financier.run("funder", *change, "--limit", "soon").exit_code == 2


ISSUE = "deposit issue --deposit EUR@FinancierMSP --credit-reference C-1"
ACCEPT = "facility accept-supplier --agreement A --screened-until 2099-01-01 --group g"


@pytest.mark.parametrize(
    ("role", "typed", "said"),
    [
        ("issuer", f"{ISSUE} --to X --booked-on 2026-01-01 --amount 1,50", "--amount: '1,50' is no decimal number"),
        ("issuer", f"{ISSUE} --to X --booked-on soon --amount 1", "INVALID_INPUT: --booked-on: has to be a date"),
        ("issuer", f"{ISSUE} --to ? --booked-on soon --amount 1", "INVALID_INPUT: --to: has to be an MSP id such as"),
        ("issuer", f"{ISSUE} --to ? --booked-on soon --amount 1", "; --booked-on: has to be a date"),
        ("funder", f"{ACCEPT} ?", "INVALID_INPUT: SUPPLIER: has to be an MSP id"),
        ("operator", "party open-day soon", "INVALID_INPUT: DATE: has to be a date"),
        ("auditor", "report early-payments --from soon", "INVALID_INPUT: --from: has to be a date"),
    ],
)
def test_a_fault_names_the_option_that_was_typed_and_not_the_field_of_the_api(
    prompts: list[Prompt], role: str, typed: str, said: str
) -> None:
    result = prompts[2].run(role, *typed.split())
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    answer = json.loads(prompts[2].run(role, *typed.split(), "--json").stdout)
    assert said in answer["error"]["text"]
