"""The whole story, written once, played over both ledgers by the command that users type."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from ledger_node.demo import papers, samples

pytestmark = pytest.mark.alone

LEDGERS = ["embedded", pytest.param("fabric", marks=pytest.mark.network)]
CLASSES = {
    "swapped-file": "INTEGRITY",
    "registered-twice": "UNIQUE",
    "own-delivery": "DELIVERY",
    "corrected-invoice": "UNIQUE",
}


def demo(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger_node", "demo", "--json", "--dir", str(directory), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=1000)


def processes_of(directory: Path) -> list[str]:
    """Command lines of processes that still work in a folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(directory) in line:
            found.append(line)
    return found


@pytest.fixture(scope="module", params=LEDGERS)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp(f"story-{request.param}") / "demo"
    done = demo(directory, "--ledger", request.param)
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document | {"ledger_asked": request.param, "directory": directory}


def test_the_invoice_is_paid_early_and_settled(played: dict[str, Any]) -> None:
    invoice = played["result"]["invoice"]
    assert played["ok"] is True
    assert invoice["status"] == "settled"
    assert invoice["transaction_id"] != invoice["settled_transaction_id"]
    assert float(invoice["net"]) > 0
    assert float(invoice["discount"]) > 0


def test_the_documents_pass_through_the_hashing_service(played: dict[str, Any]) -> None:
    hashing = played["result"]["hashing"]
    assert hashing["service"] is True
    assert hashing["documents"] >= 2
    assert hashing["backend"]


def test_each_attack_is_stopped_by_exactly_one_class_and_its_control_is_paid(played: dict[str, Any]) -> None:
    attacks = played["result"]["attacks"]
    assert {each["name"]: each["class"] for each in attacks} == CLASSES
    assert all(each["control_paid"] for each in attacks)
    codes = {each["name"]: each["refusal_code"] for each in attacks}
    assert all(codes.values())
    assert codes["corrected-invoice"] == "PREDECESSOR_FINANCED"


def test_the_goods_match_in_full_and_the_public_rules_hold_by_the_word_of_buyer_and_financier(
    played: dict[str, Any],
) -> None:
    result = played["result"]
    assert result["match"]["verdict"] == "full"
    row = {name: result["match"]["rows"][0][name] for name in ("billed", "despatched", "delivered", "state")}
    assert row == {"billed": "9", "despatched": "9", "delivered": "9", "state": "full"}
    verdicts = {said["party"]: said["verdict"] for said in result["rules"]}
    assert verdicts["BuyerMSP"] == verdicts["FinancierMSP"] == "valid"


def test_the_ledger_asked_for_is_the_ledger_played_on(played: dict[str, Any]) -> None:
    result = played["result"]
    assert result["ledger"] == played["ledger_asked"]
    assert len(result["peers"]) == (4 if result["ledger"] == "fabric" else 0)
    assert bool(played["warnings"]) == (result["ledger"] == "embedded")


def test_evidence_of_the_trade_verifies_after_the_network_is_gone(played: dict[str, Any]) -> None:
    evidence = played["result"]["evidence"]
    if played["ledger_asked"] == "embedded":
        assert evidence["verdict"] == ""  # nobody vouches for a file
        return
    assert {step["verdict"] for step in evidence["steps"]} == {"VALID"}, evidence["steps"]
    folder = played["directory"] / "evidence"
    (folder / "proof").write_bytes((folder / "proof").read_bytes() + b" ")
    arguments = evidence["command"].split()[2:]
    command = [sys.executable, "-m", "ledger_node.verify", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": ""})
    assert done.returncode == 6, done.stderr
    found = {step["name"]: step["verdict"] for step in json.loads(done.stdout)["result"]["steps"]}
    assert [name for name, verdict in found.items() if verdict != "VALID"] == ["file"]


def test_nothing_is_left_running(played: dict[str, Any]) -> None:
    assert processes_of(played["directory"]) == []


def test_an_invoice_past_due_is_refused_by_name_and_never_overridden(tmp_path: Path, past_due_invoice: Path) -> None:
    done = demo(tmp_path / "demo", "--ledger", "embedded", "--invoice", str(past_due_invoice))
    assert done.returncode == 5, done.stderr[-3000:]
    assert "DUE_DATE_PASSED" in json.loads(done.stdout)["error"]["text"]
    assert processes_of(tmp_path) == []


def test_a_file_that_is_no_invoice_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "letter.xml"
    file.write_text("<letter>pay me</letter>")
    done = demo(tmp_path / "demo", "--ledger", "embedded", "--invoice", str(file))
    assert done.returncode == 2
    assert not (tmp_path / "demo").exists()


def test_without_fabric_the_demo_says_what_is_missing_and_falls_back_to_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ledger_node", "demo", "--json", "--dir", str(tmp_path / "demo")]
    environment = {"PATH": "/nonexistent", "HOME": str(tmp_path), "LEDGER_NODE_FABRIC_BIN": str(tmp_path / "nowhere")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 2, done.stderr[-3000:]
    assert "embedded" not in done.stdout
    assert processes_of(tmp_path) == []


@pytest.fixture
def past_due_invoice(tmp_path: Path) -> Path:
    file = tmp_path / "old.xml"
    file.write_bytes(
        samples.invoice_ubl(
            number="INV-2020-1",
            supplier=samples.SUPPLIER,
            buyer=samples.BUYER,
            issue_date=dt.date(2020, 1, 1),
            due_date=dt.date(2020, 3, 1),
            currency="EUR",
            amount_minor=1_000_00,
            order_reference="PO-1",
            shipment_reference="SHP-1",
            iban=samples.SUPPLIER_IBAN,
        )
    )
    return file


def test_an_invoice_payable_to_somebody_else_is_refused_by_that_fact_when_it_is_registered(tmp_path: Path) -> None:
    file = tmp_path / "factored.xml"
    file.write_bytes(invoice_due_in_the_future().replace(b"<cac:PaymentMeans>", PAYEE + b"<cac:PaymentMeans>", 1))
    done = demo(tmp_path / "demo", "--ledger", "embedded", "--invoice", str(file))
    assert done.returncode == 2, done.stderr[-3000:]
    assert "PAYEE_DIFFERS" in json.loads(done.stdout)["error"]["text"]


def test_an_invoice_without_due_date_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "no-date.xml"
    file.write_bytes(re.sub(rb"<cbc:DueDate>.*?</cbc:DueDate>", b"", invoice_due_in_the_future()))
    done = demo(tmp_path / "demo", "--ledger", "embedded", "--invoice", str(file))
    assert done.returncode == 2
    assert "due date" in json.loads(done.stdout)["error"]["text"]
    assert not (tmp_path / "demo").exists()


PAYEE = b"<cac:PayeeParty><cac:PartyName><cbc:Name>Some Factor SA</cbc:Name></cac:PartyName></cac:PayeeParty>"


def invoice_due_in_the_future() -> bytes:
    return papers.generate(dt.datetime.now(dt.UTC).date()).invoice
