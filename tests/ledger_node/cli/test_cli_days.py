"""What takes days, typed at prompts: an invoice that is not paid, and a funding that two persons carry out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_trade import approved, balances, money, releasable, status
from api_world import DEPOSIT, People, people_from
from consortium import BUYER, FINANCIER, SUPPLIER, eventually, organisations
from prompt import Prompt

from ledger_node.operations.facilities import TERMS as TERMS_EXAMPLE
from network.identities import ensure_person
from network.topology import demo_topology

DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=100)
ONE_DAY = dt.timedelta(days=1)
TWO_STEPS = {"mode": "manual", "manual_first": 0, "two_step_above": "5000.00", "reserve_days": 2}


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    organisations(tmp_path)
    with people_from(DAY, tmp_path, tmp_path) as people:
        yield people


@pytest.fixture
def prompts(people: People) -> Iterator[list[Prompt]]:
    found = [Prompt(caller) for caller in people.each()]
    yield found
    for prompt in found:
        prompt.close()


def typed(prompts: list[Prompt], prompt: Prompt, role: str, *arguments: str) -> str:
    """What a command that succeeds prints, once every node shows what it did."""
    result = prompt.run(role, *arguments, "--json")
    assert result.exit_code == 0, result.output
    written = json.loads(result.stdout)["result"]
    for each in prompts:
        each.text("auditor", "party", "list", "--block-min", str(written["block_number"]))
    return str(written["status"])


def refused(prompt: Prompt, role: str, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and the contract's code."""
    result = prompt.run(role, *arguments, "--json")
    error: Any = json.loads(result.stdout)["error"]
    return result.exit_code, error["text"].partition(":")[0]


def test_an_unpaid_invoice_is_marked_written_off_and_recovered(people: People, prompts: list[Prompt]) -> None:
    supplier, buyer, _, carrier = prompts
    invoice_id = approved(people, "LOSS")
    money(people, BUYER, "10000.00", "CAMT LOSS")
    mark = ("invoice", "mark-overdue", "--invoice", invoice_id)
    assert refused(carrier, "uploader", *mark) == (5, "NOT_DUE")
    people.open_day(people.due + ONE_DAY)
    typed(prompts, carrier, "uploader", *mark)
    late = f"overdue since {people.day}: open 10000.00, written off 0.00, recovered 0.00"
    assert late in buyer.text("auditor", "invoice", "show", invoice_id)
    typed(prompts, supplier, "approver", "invoice", "write-off", invoice_id, "--amount", "10000.00")
    assert invoice_id in buyer.text("auditor", "invoice", "list", "--status", "written-off")
    recover = ("invoice", "record-recovery", invoice_id, "--deposit", DEPOSIT, "--amount")
    assert refused(buyer, "approver", *recover, "10000.01") == (5, "RECOVERY_EXCEEDS")
    typed(prompts, buyer, "approver", *recover, "4000.00")
    assert "open 6000.00, written off 6000.00, recovered 4000.00" in supplier.text(
        "auditor", "invoice", "show", invoice_id
    )
    typed(prompts, buyer, "approver", *recover, "6000.00")
    assert status(people, f"/v1/invoices/{invoice_id}") == "recovered"
    assert balances(people, party=SUPPLIER, book="cash") == {f"cash:{SUPPLIER}": "10000.00"}


class Desk:
    """A financier's two persons at its prompt."""

    def __init__(self, people: People, prompts: list[Prompt]) -> None:
        self.prompts, self.prompt = prompts, prompts[2]
        topology = demo_topology(people.world.settings["financier"].directory.parent, 20000)
        organisation, folders = topology.organisation("financier"), topology.folders("financier")
        self.pairs = {name: ensure_person(organisation, folders, name) for name in ("anna", "bert")}
        for name, pair in self.pairs.items():
            typed(prompts, self.prompt, "operator", "person", "enrol", name, "--certificate", str(pair.certificate))

    def sign(self, person: str, *arguments: str) -> None:
        """A step that awaits one person, who signs it."""
        asked = self.prompt.run("funder", *arguments)
        assert asked.exit_code == 4, asked.output
        submission_id = asked.stderr.split("person sign ")[1].split()[0]
        key = str(self.pairs[person].key)
        self.prompt.text("funder", "person", "sign", submission_id, "--key", key, "--yes")
        where = f"/v1/submissions/{submission_id}"
        answer = eventually(lambda: self.settled(where), "the ledger has answered")
        assert answer["status"] == "applied", answer
        for each in self.prompts:
            each.text("auditor", "party", "list", "--block-min", str(answer["block_number"]))

    def settled(self, where: str) -> Any:
        found = self.prompt.caller.get(where).body
        return found if found["status"] in ("applied", "refused") else None


def test_money_is_set_aside_by_one_person_and_taken_back_expired_or_paid(
    people: People, prompts: list[Prompt], tmp_path: Path
) -> None:
    financier, carrier = prompts[2], prompts[3]
    facility_id = people.open_facility("manual")
    (tmp_path / "terms.json").write_text(json.dumps(TERMS_EXAMPLE | TWO_STEPS))
    eventually(lambda: facility_id in financier.text("auditor", "facility", "list"), "the facility is shown")
    change = ("facility", "change", facility_id, "--terms", str(tmp_path / "terms.json"))
    typed(prompts, financier, "funder", *change)
    desk = Desk(people, prompts)
    people.open_day(DAY + ONE_DAY)
    path = releasable(people, "FUND", facility_id)
    invoice_id = path.rpartition("/")[2]
    net = people.buyer.get(path).body["quote"]["net"]
    assert net in financier.text("auditor", "invoice", "quote", invoice_id)
    unknown = financier.text("auditor", "invoice", "quote", invoice_id, "--facility", "0" * 32)
    assert "nothing can be quoted: FACILITY_UNKNOWN" in unknown
    fund = ("invoice", "fund", invoice_id, "--facility", facility_id)
    expire = ("invoice", "expire-funding", "--invoice", invoice_id)

    desk.sign("anna", *fund)
    until = DAY + ONE_DAY * 3
    shown = prompts[1].text("auditor", "invoice", "show", invoice_id)
    assert f"set aside: net {net} by {FINANCIER}, to be paid until {until}" in shown
    assert balances(people, party=FINANCIER, book="cash")[f"reserved:{FINANCIER}"] == net
    typed(prompts, financier, "funder", "invoice", "void-funding", invoice_id)
    assert balances(people, party=FINANCIER, book="cash")[f"reserved:{FINANCIER}"] == "0.00"

    desk.sign("bert", *fund)
    assert refused(carrier, "uploader", *expire) == (5, "NOT_EXPIRED")
    people.open_day(until + ONE_DAY)
    typed(prompts, carrier, "uploader", *expire)
    assert balances(people, party=FINANCIER, book="cash")[f"reserved:{FINANCIER}"] == "0.00"

    desk.sign("bert", *fund)
    desk.sign("anna", "invoice", "post-funding", invoice_id)
    assert status(people, path) == "early-paid"
    paid = people.buyer.get(path).body["early_payment"]["net"]
    assert balances(people, party=SUPPLIER, book="cash") == {f"cash:{SUPPLIER}": paid}
