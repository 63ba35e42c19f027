"""A day on which supplier and buyer have keys of their own, played by four nodes: an invoice between them is paid."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import api_trade
import pytest
from api_trade import done, offered, reasons
from api_world import Caller, People, invoice_file, people_from, refused
from click.testing import CliRunner
from consortium import BUYER, FINANCIER, SUPPLIER, eventually, organisations

from ledger_node.agreement import load_keys, make_key
from ledger_node.background import reading_of
from ledger_node.cli import main
from ledger_node.node import Node
from ledger_node.readmodel import ReadModel

MONDAY = dt.date(2026, 3, 2)
COUNTS = dt.date(2026, 3, 4)
"""The day from which keys count that are named on Monday."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("keys")
    organisations(home)
    with people_from(MONDAY, home, home) as people:
        yield people


def path_of(caller: Caller) -> Path:
    return caller.node.settings.at(caller.node.settings.agreement_key_file)


def made(caller: Caller) -> str:
    """A key that the operator makes at the prompt."""
    folder = str(caller.node.settings.directory)
    answer = CliRunner().invoke(main, ["crypto", "make-agreement-key", "--node", folder])
    assert answer.exit_code == 0, answer.output
    key = answer.stdout.splitlines()[0]
    assert list(load_keys(path_of(caller)))[-1] == key
    return key


def names(caller: Caller, people: People, key: str) -> str:
    reply = caller.post("operator", "/v1/parties/own/agreement-key", {"agreement_key": key})
    return str(done(reply, people)["from_day"])


def test_a_key_whose_private_half_is_elsewhere_is_not_named(people: People, tmp_path: Path) -> None:
    body = {"agreement_key": make_key(tmp_path / "elsewhere.key")}
    assert refused(people.carrier.post("operator", "/v1/parties/own/agreement-key", body)) == (
        422,
        "AGREEMENT_KEY_NOT_HERE",
    )
    path_of(people.carrier).write_text("spoilt")
    assert refused(people.carrier.post("operator", "/v1/parties/own/agreement-key", body)) == (
        409,
        "AGREEMENT_KEY_MISSING",
    )


def played(people: People, number: str, facility_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of an invoice that is issued on the ledger's day, with all its evidence but what verifiers attest."""
    monkeypatch.setattr(api_trade, "DAYS_AGO", itertools.count())
    return offered(people, number, facility_id)


def is_paid(people: People, path: str) -> bool:
    return all(caller.get(path).body["status"] == "early-paid" for caller in people.each())


def amounts(people: People, path: str) -> dict[str, str | None]:
    """The fingerprint of the amount, by whoever attested the invoice, and as it is claimed."""
    shown = people.carrier.get(path).body
    said = people.carrier.node.readmodel.attestations(shown["document_ids"][0])
    claimed = {"claimed": shown["fingerprints"]["amount"]}
    return claimed | {each["party"]: each["fingerprints"].get("amount") for each in said}


@pytest.fixture(scope="module")
def facility_id(people: People) -> str:
    """A facility, on the day on which the keys of supplier and buyer begin to count."""
    keys = {caller: made(caller) for caller in (people.supplier, people.buyer)}
    assert {names(caller, people, key) for caller, key in keys.items()} == {COUNTS.isoformat()}
    opened = people.open_facility()
    paper = invoice_file("AHEAD", issue_date=COUNTS, due_date=people.due)
    ahead = people.supplier.upload("invoice", "application/xml", paper, [BUYER, FINANCIER])
    register = {"document_id": ahead.body["record_id"], "buyer": BUYER}
    assert refused(people.supplier.post("uploader", "/v1/invoices", register)) == (409, "ISSUE_DATE_LATER")
    people.open_day(COUNTS)
    return opened


def test_an_invoice_of_two_with_keys_is_paid_and_waits_for_no_financiers_word_on_its_amount(
    people: People, facility_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = played(people, "KEYED", facility_id, monkeypatch)
    eventually(lambda: is_paid(people, path), "every node shows it paid")
    told = amounts(people, path)
    assert told == {"claimed": told["claimed"], BUYER: told["claimed"], FINANCIER: None}


def test_an_invoice_waits_for_a_buyer_whose_key_is_lost_and_is_paid_once_it_is_restored(
    people: People, facility_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.open_day(COUNTS + dt.timedelta(days=1))
    kept = path_of(people.buyer).rename(path_of(people.buyer).with_suffix(".kept"))
    path = played(people, "LOST", facility_id, monkeypatch)
    eventually(lambda: reasons(people, path) == {"UNIQUE": "FINGERPRINTS_MISSING"}, "only the amount is missing")
    assert amounts(people, path)[BUYER] is None
    kept.rename(path_of(people.buyer))
    eventually(lambda: is_paid(people, path), "every node shows it paid")


class CatchingUp:
    """A read model of a node that catches up: after its first answer it has the keys of all parties, and their day."""

    def __init__(self, of: ReadModel) -> None:
        self._of, self._asked = of, 0

    def _parties(self, parties: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self._asked += 1
        return parties if self._asked > 1 else [{**each, "agreement_keys": []} for each in parties]

    def parties(self) -> list[dict[str, Any]]:
        return self._parties(self._of.parties())

    def party(self, msp_id: str) -> dict[str, Any]:
        return self._parties([each for each in self._of.parties() if each["msp_id"] == msp_id])[0]

    def day(self) -> str:
        self._asked += 1
        return self._of.day() if self._asked > 1 else MONDAY.isoformat()


def test_a_node_that_catches_up_claims_and_attests_no_amount_under_a_key_of_before(
    people: People, facility_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paper = tmp_path / "invoice.xml"
    paper.write_bytes(invoice_file("CATCHING UP", issue_date=people.day, due_date=people.due))
    document = people.supplier.upload("invoice", "application/xml", paper.read_bytes(), [BUYER, FINANCIER])
    said = {"document_id": document.body["record_id"], "submitter": SUPPLIER, "kind": "invoice"}
    record = {**said, "media_type": "application/xml", "entitled": [BUYER, FINANCIER]}
    buyer = people.buyer.node
    right = reading_of(buyer)(record, paper, "", True).fingerprints["amount"]
    stale = SimpleNamespace(**{name: getattr(buyer, name) for name in ("agreement", "checker", "fingerprint_key")})
    stale.readmodel, stale.matcher = CatchingUp(buyer.readmodel), SimpleNamespace(attested=None)
    read = reading_of(cast(Node, stale))
    first, then = (read(record, paper, "", True).fingerprints.get("amount") for _ in range(2))
    assert (first, then) == (None, right)
    catching_up = CatchingUp(people.supplier.node.readmodel)
    for name in ("day", "party"):
        monkeypatch.setattr(people.supplier.node.readmodel, name, getattr(catching_up, name))
    register = {"document_id": document.body["record_id"], "buyer": BUYER}
    assert refused(people.supplier.post("uploader", "/v1/invoices", register)) == (409, "ISSUE_DATE_LATER")


def test_a_supplier_whose_key_is_lost_is_told_so_without_a_word_of_its_disk(people: People, facility_id: str) -> None:
    paper = invoice_file("NO KEY", issue_date=people.day, due_date=people.due)
    document = people.supplier.upload("invoice", "application/xml", paper, [BUYER, FINANCIER])
    register = {"document_id": document.body["record_id"], "buyer": BUYER}
    path_of(people.supplier).rename(path_of(people.supplier).with_suffix(".kept"))
    reply = people.supplier.post("uploader", "/v1/invoices", register)
    assert refused(reply) == (409, "AGREEMENT_KEY_MISSING")
    assert str(people.supplier.node.settings.directory) not in str(reply.body)
