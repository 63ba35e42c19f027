"""The commands that speak with a node: the main job typed at a prompt, and the exit codes of the house."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import DEPOSIT, Caller, People, beginning, invoice_file, proof_file
from click.testing import CliRunner
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, eventually, organisations
from prompt import Prompt

from ledger_node.cli import main
from ledger_node.demo import samples
from ledger_node.operations.consortium import PARTY as PARTY_EXAMPLE
from ledger_node.operations.remedies import remedy
from ledger_node.operations.table import OPERATIONS
from network.identities import ensure_person
from network.topology import demo_topology

TODAY = dt.datetime.now(dt.UTC).date()
DUE = (TODAY + dt.timedelta(days=60)).isoformat()
NO_ID = "0" * 32


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    yield People(world)
    world.close()


@pytest.fixture(scope="module")
def prompts(people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Prompt]]:
    """Four prompts, at which the consortium was founded."""
    prompts = [Prompt(caller) for caller in people.each()]
    file = tmp_path_factory.mktemp("founding") / "parties.json"
    file.write_text(json.dumps(people.parties()))
    told = prompts[0].text("operator", "party", "found", str(file))
    digest = told.rpartition("ledger-node party confirm ")[2].strip()
    for prompt in prompts:
        assert "applied" in prompt.text("operator", "party", "confirm", digest)
    people.begin()
    yield prompts
    for prompt in prompts:
        prompt.close()


def test_the_main_job_can_be_typed(prompts: list[Prompt], tmp_path: Path) -> None:
    supplier, buyer, financier, carrier = prompts
    accept = ("accept-supplier", SUPPLIER, "--agreement", "RPA 1", "--screened-until", DUE, "--group", "group-supplier")
    assert "applied in block" in financier.text("funder", "facility", *accept)
    terms = ("--limit", "100000.00", "--supplier-limit", "100000.00", "--rate-bps", "500", "--holiday", "2999-12-25")
    parties = ("--buyer", BUYER, "--supplier", SUPPLIER, "--deposit", DEPOSIT)
    facility_id = financier.json("funder", "facility", "open", *parties, *terms)["record_id"]
    assert facility_id in financier.text("auditor", "facility", "list")

    (tmp_path / "invoice.xml").write_bytes(invoice_file())
    (tmp_path / "pod.pdf").write_bytes(proof_file())
    entitled = ("--entitled", BUYER, "--entitled", f"{FINANCIER},{CARRIER}")
    upload = ("document", "upload", str(tmp_path / "invoice.xml"), "--kind", "invoice", *entitled)
    invoice_file_id = supplier.json("uploader", *upload)["record_id"]
    proof = ("document", "upload", str(tmp_path / "pod.pdf"), "--kind", "proof_of_delivery", *entitled)
    proof_id = supplier.json("uploader", *proof)["record_id"]
    eventually(lambda: supplier.run("auditor", "document", "show", proof_id).exit_code == 0, "the proof is shown")
    assert invoice_file_id in supplier.text("auditor", "document", "list", "--submitter", SUPPLIER)
    assert "commitment" in supplier.text("auditor", "document", "show", invoice_file_id)
    assert "bytes" in supplier.text("auditor", "document", "fetch", proof_id, "--out", str(tmp_path / "back.pdf"))
    assert (tmp_path / "back.pdf").read_bytes() == proof_file()

    goods = ("--buyer", BUYER, "--carrier", CARRIER, "--reference", "SHIP INV-1")
    shipment_id = supplier.json("uploader", "shipment", "register", *goods)["record_id"]
    buyer.text("approver", "shipment", "accept-carrier", shipment_id)
    arrived = ("--type", "delivered", "--on", TODAY.isoformat())
    carrier.text("uploader", "shipment", "record-event", shipment_id, *arrived)
    eventually(lambda: "delivered" in buyer.run("auditor", "shipment", "show", shipment_id).stdout, "it has arrived")
    assert shipment_id in buyer.text("auditor", "shipment", "list")

    resting = ("--document", "invoice.xml", "--proof", "pod.pdf", "--shipment", "ship inv-1", "--buyer", BUYER)
    invoice_id = supplier.json("uploader", "invoice", "register", *resting)["record_id"]
    offer = ("--facility", facility_id, "--net-min", "1.00", "--valid-until", DUE)
    supplier.text("uploader", "invoice", "request-early-payment", invoice_id, *offer)
    owed = ("--amount", "10000.00", "--currency", "EUR", "--due-date", DUE, "--reference", "AP 1")
    eventually(lambda: "INV-1" in buyer.run("auditor", "invoice", "list").stdout, "the buyer has read its number")
    buyer.text("approver", "invoice", "approve", "INV-1", *owed)
    eventually(
        lambda: "paid early: net" in buyer.run("auditor", "invoice", "show", invoice_id).stdout, "the payment is shown"
    )
    shown = buyer.text("auditor", "invoice", "show", invoice_id)
    assert re.search(r"^open_face +10000\.00$", shown, re.MULTILINE)
    assert re.search(r"of 10000\.00, discount \d+\.\d\d, fee \d+\.\d\d, by FinancierMSP on .*, maturity ", shown)
    assert "checked" not in supplier.text("uploader", "invoice", "check-release", invoice_id)
    buyer.text("approver", "invoice", "acknowledge-assignment", invoice_id)
    credit = ("--credit-reference", "CAMT 1", "--booked-on", TODAY.isoformat())
    issue = ("deposit", "issue", "--deposit", DEPOSIT, "--to", BUYER, "--amount", "10000.00", *credit)
    financier.text("issuer", *issue)
    settle = ("invoice", "settle", "AP 1", "--amount", "10000.00", "--deposit", DEPOSIT)
    buyer.text("approver", *settle)
    eventually(
        lambda: invoice_id in supplier.text("auditor", "invoice", "list", "--status", "settled"), "it is settled"
    )
    assert "early_payment" in supplier.text("auditor", "account", "entries", "--invoice", "INV-1")
    assert "AP 1" in buyer.text("auditor", "invoice", "show", beginning(invoice_id, 10))
    assert invoice_id in buyer.text("auditor", "invoice", "list", "--search", "ap 1")
    assert invoice_id not in supplier.text("auditor", "invoice", "list", "--search", "ap 1")
    assert "INV-1" in supplier.text("auditor", "report", "journal", "--party", SUPPLIER)
    assert DEPOSIT in supplier.text("auditor", "account", "list", "--party", SUPPLIER, "--book", "cash")

    refused = buyer.run("approver", *settle, "--json")
    assert refused.exit_code == 5
    error = json.loads(refused.stdout)["error"]
    assert (error["type"], error["text"].partition(":")[0]) == ("Refused", "STATUS_WRONG")
    assert error["remedy"] == remedy("STATUS_WRONG") != ""


def test_a_file_is_submitted_in_one_command_and_once_however_often_it_is_typed(
    prompts: list[Prompt], tmp_path: Path
) -> None:
    supplier, buyer, _, carrier = prompts
    invoice, events, both = tmp_path / "invoice.xml", tmp_path / "events.json", tmp_path / "both.json"
    invoice.write_bytes(invoice_file("SUBMIT-1"))
    arrived = dt.datetime.now(dt.UTC)
    left = arrived - dt.timedelta(days=2)
    events.write_bytes(
        samples.delivery_events_epcis("SHIP SUBMIT-1", "PO", samples.SUPPLIER, samples.BUYER, left, arrived)
    )
    goods = ("shipment", "submit", str(events), "--buyer", BUYER, "--carrier", CARRIER, "--entitled", FINANCIER)
    shipment_id = supplier.json("uploader", *goods)["record_id"]
    buyer.text("approver", "shipment", "accept-carrier", shipment_id)
    reported = ("shipment", "submit", str(events), "--shipment", shipment_id, "--entitled", BUYER)
    first = carrier.json("uploader", *reported)
    assert (first["type"], len(first["result"]["event_ids"])) == ("RecordShipmentEvents", 2)
    assert carrier.json("uploader", *reported) == first, "typed again it is the same"
    shown = carrier.json("auditor", "shipment", "show", shipment_id)["events"]
    assert sorted(each["type"] for each in shown) == ["delivered", "picked_up"]
    claim = ("invoice", "submit", str(invoice), "--buyer", BUYER, "--entitled", FINANCIER, "--shipment", shipment_id)
    registered = supplier.json("uploader", *claim)
    assert supplier.json("uploader", *claim)["record_id"] == registered["record_id"]
    assert (registered["type"], registered["notes"]) == ("RegisterInvoice", [])
    told = supplier.text("auditor", "shipment", "timeline", shipment_id, "--block-min", str(registered["block_number"]))
    for what in ("shipment registered", "carrier accepted", "shipment picked up", "shipment delivered", "an invoice"):
        assert what in told, told
    refused = supplier.run("uploader", *claim[:-1], NO_ID)
    assert (refused.exit_code, "is uploaded as document" in refused.stderr) == (5, True), refused.stderr
    neither = supplier.run("uploader", "shipment", "submit", str(events))
    assert (neither.exit_code, "--buyer and --carrier, or --shipment" in neither.stderr) == (2, True)
    document = json.loads(events.read_bytes())
    other = samples.delivery_events_epcis("SHIP OTHER", "PO", samples.SUPPLIER, samples.BUYER, left, arrived)
    document["epcisBody"]["eventList"] += json.loads(other)["epcisBody"]["eventList"]
    both.write_text(json.dumps(document))
    many = supplier.run("uploader", "shipment", "submit", str(both), "--buyer", BUYER, "--carrier", CARRIER)
    assert (many.exit_code, "names 2 shipments" in many.stderr) == (2, True), many.stderr


def test_two_persons_sign_at_their_own_prompts(prompts: list[Prompt], people: People, tmp_path: Path) -> None:
    carrier = prompts[3]
    topology = demo_topology(people.world.settings["carrier"].directory.parent, 20000)
    folders = topology.folders("carrier")
    pairs = [ensure_person(topology.organisation("carrier"), folders, name) for name in ("anna", "bert")]
    for pair, name in zip(pairs, ("anna", "bert"), strict=True):
        carrier.text("operator", "person", "enrol", name, "--certificate", str(pair.certificate))
    eventually(lambda: "bert" in carrier.text("auditor", "person", "list"), "both are shown")
    threshold = ("person", "set-four-eyes-threshold", "--currency", "EUR", "--amount", "1.00")
    asked = carrier.run("operator", *threshold, "--idempotency-key", "t")
    assert (asked.exit_code, "person sign" in asked.stderr) == (4, True)
    submission_id = asked.stderr.split("person sign ")[1].split()[0]
    sign = ("person", "sign", submission_id, "--key")
    unsure = carrier.run("approver", *sign, str(pairs[0].key))
    assert (unsure.exit_code, "SetFourEyesThreshold" in unsure.stderr) == (1, True)
    assert "awaiting_persons" in carrier.text("approver", *sign, str(pairs[0].key), "--yes")
    twice = carrier.run("approver", *sign, str(pairs[0].key), "--yes")
    assert (twice.exit_code, "signed the command already" in twice.stderr) == (2, True)
    assert carrier.run("approver", *sign, str(pairs[0].certificate), "--yes").exit_code == 2
    carrier.text("approver", *sign, str(pairs[1].key), "--yes")
    assert "applied in block" in carrier.text("operator", *threshold, "--idempotency-key", "t")
    assert carrier.run("approver", *sign, str(pairs[1].key), "--yes").exit_code == 2
    assert carrier.run("approver", "person", "withdraw", submission_id).exit_code == 2

    unwanted = ("person", "set-four-eyes-threshold", "--currency", "EUR", "--amount", "2.00", "--idempotency-key", "u")
    withdrawal = carrier.run("operator", *unwanted).stderr.split("person withdraw ")[1].split()[0]
    assert "SetFourEyesThreshold: withdrawn at 2" in carrier.text("operator", "person", "withdraw", withdrawal)
    assert carrier.run("approver", *sign[:2], withdrawal, "--key", str(pairs[0].key), "--yes").exit_code == 2
    written_again = carrier.run("operator", *unwanted)
    assert (written_again.exit_code, "SUBMISSION_WITHDRAWN" in written_again.stderr) == (2, True)


REFUSED = {
    ("invoice", "dispute", NO_ID, "--reason", "x"): "INVOICE_UNKNOWN",
    ("invoice", "unwind", NO_ID): "INVOICE_UNKNOWN",
    ("invoice", "mark-overdue", "--invoice", NO_ID): "INVOICE_UNKNOWN",
    ("facility", "close", NO_ID): "FACILITY_UNKNOWN",
    ("facility", "lift-hold", BUYER): "NOT_HELD",
    ("deposit", "reject-redemption", NO_ID, "--reason", "x"): "REDEMPTION_UNKNOWN",
    ("document", "revoke", NO_ID, "--reason", "withdrawn"): "DOCUMENT_UNKNOWN",
    ("party", "vote", NO_ID): "CHANGE_UNKNOWN",
    ("party", "change-roles", BUYER, "--role", "buyer", "--issue-limit", "EUR", "1.00"): "PARTY_INVALID",
}
ROLES = {row.prompt: row.roles[-1] for row in OPERATIONS}


@pytest.mark.parametrize("typed", REFUSED, ids=" ".join)
def test_further_steps_reach_the_contract_as_they_are_typed(prompts: list[Prompt], typed: tuple[str, ...]) -> None:
    prompt = prompts[1] if typed[1] == "dispute" else prompts[2]
    role = ROLES[f"{typed[0]} {typed[1]}"]
    answer = prompt.run(role, *typed)
    assert (answer.exit_code, REFUSED[typed] in answer.stderr) == (5, True), answer.output


def test_money_and_members_move_as_they_are_typed(prompts: list[Prompt], people: People, tmp_path: Path) -> None:
    supplier, buyer, financier, _ = prompts
    booked = ("--credit-reference", "CAMT 9", "--booked-on", TODAY.isoformat())
    financier.text("issuer", "deposit", "issue", "--deposit", DEPOSIT, "--to", BUYER, "--amount", "50.00", *booked)
    some = ("--deposit", DEPOSIT, "--amount", "20.00")
    buyer.text("approver", "deposit", "transfer", *some, "--to", SUPPLIER)
    redemption_id = supplier.json("approver", "deposit", "redeem", *some)["record_id"]
    paid = ("--payment-reference", "PAIN 1", "--booked-on", TODAY.isoformat())
    financier.text("issuer", "deposit", "confirm-redemption", redemption_id, *paid)
    change_id = supplier.json("operator", "party", "suspend", "--party", CARRIER)["record_id"]
    eventually(lambda: change_id in buyer.text("auditor", "party", "changes"), "the change is shown")
    supplier.text("operator", "party", "withdraw-vote", change_id)
    assert SUPPLIER in buyer.text("auditor", "party", "list")
    (tmp_path / "party.json").write_text("no JSON")
    assert buyer.run("operator", "party", "propose", str(tmp_path / "party.json")).exit_code == 2
    (tmp_path / "party.json").write_text(json.dumps(PARTY_EXAMPLE | {"msp_id": "NewMSP"}))
    assert buyer.json("operator", "party", "propose", str(tmp_path / "party.json"))["result"] == {"status": "open"}
    changed = financier.run("funder", "facility", "change", NO_ID, "--terms", str(tmp_path / "party.json"))
    assert changed.exit_code in (2, 3)


def test_a_ledger_that_is_one_file_gives_no_evidence_and_nothing_is_written(
    prompts: list[Prompt], tmp_path: Path
) -> None:
    supplier, buyer, *_ = prompts
    (tmp_path / "paper").write_bytes(proof_file())
    upload = ("document", "upload", str(tmp_path / "paper"), "--kind", "proof_of_delivery", "--entitled", BUYER)
    sent = supplier.json("uploader", *upload, "--media-type", "application/pdf")
    out = tmp_path / "evidence.json"
    for command in (("channel", "trust"), ("document", "certificate", sent["record_id"])):
        result = supplier.run("auditor", *command, "--out", str(out))
        assert (result.exit_code, "NO_EVIDENCE" in result.stderr) == (2, True), result.stderr
    eventually(lambda: not buyer.run("auditor", "document", "show", sent["record_id"]).exit_code, "the document")
    foreign = buyer.run("auditor", "document", "certificate", sent["record_id"], "--out", str(out))
    assert (foreign.exit_code, "only it has the salt" in foreign.stderr) == (2, True), foreign.stderr
    assert supplier.run("auditor", "invoice", "certificate", NO_ID, "--out", str(out)).exit_code == 3
    assert not out.exists()


def test_what_does_not_exist_ends_with_three(prompts: list[Prompt]) -> None:
    for command in (("invoice", "show"), ("document", "show"), ("shipment", "show")):
        assert prompts[0].run("auditor", *command, NO_ID).exit_code == 3


def test_a_wrong_role_or_input_ends_with_two(prompts: list[Prompt], tmp_path: Path) -> None:
    supplier = prompts[0]
    goods = ("shipment", "register", "--buyer", BUYER, "--carrier", CARRIER, "--reference", "1")
    assert supplier.run("auditor", *goods).exit_code == 2
    (tmp_path / "paper.doc").write_bytes(b"x")
    upload = ("document", "upload", str(tmp_path / "paper.doc"), "--kind", "invoice", "--entitled", BUYER)
    assert "--media-type" in supplier.run("uploader", *upload).stderr
    assert supplier.run("uploader", *upload, "--media-type", "text/plain").exit_code == 2
    offer = ("--facility", NO_ID, "--net-min", "1", "--valid-until", DUE)
    assert supplier.run("uploader", "invoice", "request-early-payment", *offer).exit_code == 2
    assert supplier.run("uploader", "invoice", "request-early-payment", NO_ID, "--standing", *offer).exit_code == 2
    (tmp_path / "there").write_bytes(b"")
    assert supplier.run("auditor", "document", "fetch", NO_ID, "--out", str(tmp_path / "there")).exit_code == 2
    assert supplier.run("auditor", "document", "fetch", NO_ID, "--out", str(tmp_path / "new")).exit_code == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["paper.doc", "there"]


def test_a_refusal_of_the_contract_ends_with_five(prompts: list[Prompt]) -> None:
    goods = ("shipment", "register", "--buyer", "NobodyMSP", "--carrier", CARRIER, "--reference", "1")
    result = prompts[0].run("uploader", *goods)
    assert (result.exit_code, "PARTY_UNKNOWN" in result.stderr) == (5, True)


def test_the_same_key_typed_twice_is_one_write(prompts: list[Prompt]) -> None:
    goods = (
        "shipment",
        "register",
        "--buyer",
        BUYER,
        "--carrier",
        CARRIER,
        "--reference",
        "9",
        "--idempotency-key",
        "k",
    )
    first, second = (prompts[0].json("uploader", *goods) for _ in range(2))
    assert first == second


def test_without_token_or_address_the_remedy_is_named(
    prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))  # no profile of whoever runs the tests
    no_token = CliRunner().invoke(main, ["invoice", "list", "--url", prompts[0].url])
    assert (no_token.exit_code, "token create" in no_token.stderr) == (2, True)
    no_address = CliRunner().invoke(main, ["invoice", "list", "--token", "x"])
    assert (no_address.exit_code, "--node" in no_address.stderr) == (2, True)
    unknown = CliRunner().invoke(main, ["invoice", "list", "--url", prompts[0].url, "--token", "x"])
    assert unknown.exit_code == 2


def test_a_node_that_does_not_answer_ends_with_one(people: People) -> None:
    folder = str(people.world.settings["supplier"].directory)  # its user port is one that nobody listens on
    result = CliRunner().invoke(main, ["invoice", "list", "--node", folder, "--token", "x"])
    assert (result.exit_code, "node serve" in result.stderr) == (1, True)


def test_an_answer_that_is_still_open_ends_with_four(tmp_path: Path) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)  # no workers: nothing is sent
    prompt = Prompt(Caller(world, "supplier"))
    try:
        goods = ("shipment", "register", "--buyer", BUYER, "--carrier", CARRIER, "--reference", "1")
        result = prompt.run("uploader", *goods, "--wait", "1")
        assert (result.exit_code, "/v1/submissions/" in result.stderr) == (4, True)
        stored = prompt.run("uploader", *goods, "--wait", "0")
        assert (stored.exit_code, "waiting" in stored.stdout) == (0, True)
    finally:
        prompt.close()
        world.close()


def test_a_former_name_still_works_stands_in_no_list_and_says_what_it_is_called_now(prompts: list[Prompt]) -> None:
    result = prompts[1].run("approver", "invoice", "acknowledge", NO_ID)
    assert (result.exit_code, "INVOICE_UNKNOWN" in result.stderr) == (5, True)
    assert "ledger-node invoice acknowledge-assignment" in result.stderr
    assert " acknowledge " not in prompts[1].text("approver", "invoice", "--help")
