"""Who did what: each act stands in the audit log, with whose token and how it ended, and nothing of the trade."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import Caller, invoice_file
from click.testing import CliRunner
from consortium import Consortium, organisations

from ledger_node import logs
from ledger_node.cli import main
from ledger_node.config import save_settings
from ledger_node.people import audit


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Consortium]:
    organisations(tmp_path)
    consortium = Consortium(tmp_path, tmp_path)
    yield consortium
    consortium.close()


def shown(caller: Caller, *options: str) -> list[dict[str, Any]]:
    save_settings(caller.node.settings, caller.node.settings.directory)
    command = ["audit", "show", "--node", str(caller.node.settings.directory), "--json", *options]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    acts: list[dict[str, Any]] = json.loads(done.stdout)["result"]
    return acts


def test_each_act_is_told_with_who_and_how_it_ended_and_reading_is_not(world: Consortium) -> None:
    supplier = Caller(world, "supplier")
    world.start()
    world.found()
    taken = supplier.upload("invoice", "application/xml", invoice_file("INV-SECRET-1"), ["BuyerMSP"])
    refused = supplier.post("uploader", "/v1/holds", {"party": "BuyerMSP", "reason": "secret words"})
    supplier.get("/v1/invoices", role="auditor")
    uploaded, forbidden = shown(supplier)
    assert (uploaded["method"], uploaded["path"], uploaded["status"]) == ("POST", "/v1/documents", taken.status)
    assert (uploaded["principal"], uploaded["role"], uploaded["type"]) == ("uploader", "uploader", "RegisterDocument")
    assert uploaded["submission"] == taken.body["id"]
    assert (forbidden["path"], forbidden["status"], forbidden["code"]) == ("/v1/holds", 403, refused.code)
    assert shown(supplier, "--failed")[-1] == forbidden
    assert shown(supplier, "--token", uploaded["token"])[-2:] == [uploaded, forbidden]
    assert shown(supplier, "--since", "2999-01-01") == []
    text = supplier.node.audit.path.read_text()
    assert "SECRET" not in text
    assert "secret words" not in text
    assert not any(secret in text for secret in supplier.tokens.values())
    assert audit.verify(supplier.node.audit.path).broken == ()


def test_where_acts_cannot_be_written_down_nothing_is_done_and_reading_goes_on(world: Consortium) -> None:
    supplier = Caller(world, "supplier")
    world.start()
    world.found()
    before = supplier.node.outbox.counts()
    supplier.node.audit.path.unlink(missing_ok=True)
    supplier.node.audit.path.symlink_to("/dev/full")
    reply = supplier.upload("invoice", "application/xml", invoice_file("INV-1"), ["BuyerMSP"])
    assert (reply.status, reply.code) == (503, "AUDIT_LOG_FAILS")
    assert supplier.node.outbox.counts() == before
    assert supplier.get("/v1/invoices").status == 200
    supplier.node.audit.path.unlink()
    assert supplier.upload("invoice", "application/xml", invoice_file("INV-1"), ["BuyerMSP"]).status in (201, 202)


def test_a_tampered_log_is_found_at_the_prompt(world: Consortium) -> None:
    supplier = Caller(world, "supplier")
    directory = supplier.node.settings.directory
    save_settings(supplier.node.settings, directory)
    runner = CliRunner()
    for number in range(3):
        made = runner.invoke(main, ["token", "create", "--node", str(directory), "--role", "auditor"])
        assert made.exit_code == 0, (number, made.output)
    checked = runner.invoke(main, ["audit", "verify", "--node", str(directory)])
    assert (checked.exit_code, "3 lines" in checked.stdout) == (0, True), checked.output
    assert [act["act"] for act in shown(supplier)] == ["token create"] * 3
    path = supplier.node.audit.path
    path.write_text(path.read_text().replace('"auditor"', '"operator"', 1))
    found = runner.invoke(main, ["audit", "verify", "--node", str(directory)])
    assert (found.exit_code, "line 2" in found.output) == (6, True), found.output


def test_requests_are_logged_as_the_settings_say(world: Consortium, capfd: pytest.CaptureFixture[str]) -> None:
    supplier = Caller(world, "supplier")
    logs.configure("json")
    try:
        capfd.readouterr()
        assert supplier.http.get("/v1/invoices?q=secret").status_code == 401
        (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"request"' in line]
        seen = (line["event"], line["level"], line["method"], line["path"], line["status"])
        assert seen == ("request", "info", "GET", "/v1/invoices", 401)
        assert {"timestamp", "milliseconds", "from"} <= line.keys()
        logs.configure("text", "warning")
        supplier.http.get("/v1/invoices")
        assert capfd.readouterr().err == ""
        logs.configure()
        supplier.http.get("/v1/invoices")
        text = capfd.readouterr().err
        assert "request" in text
        assert "\x1b[" not in text, "colours belong to a terminal"
    finally:
        logs.configure()


def test_how_long_answers_take_and_what_waits_longest_are_figures(world: Consortium) -> None:
    supplier = Caller(world, "supplier")
    supplier.get("/v1/parties")
    text = supplier.http.get("/metrics").get_data(as_text=True)
    assert 'http_request_seconds_count{method="GET",route="/v1/parties"} 1.0' in text
    assert "ledger_node_outbox_oldest_seconds 0.0" in text


def test_what_somebody_sends_looks_like_no_other_line_and_speaks_to_no_terminal(
    world: Consortium, capfd: pytest.CaptureFixture[str]
) -> None:
    supplier = Caller(world, "supplier")
    logs.configure()
    forged = "/v1/invoices/x%0a2026-11-30T09:00:00.000Z%20%20treasurer%20%20POST%20%1b[8m/approval"
    supplier.post("auditor", forged)
    supplier.http.get("/x%1b[2J")
    log = capfd.readouterr().err
    save_settings(supplier.node.settings, supplier.node.settings.directory)
    command = ["audit", "show", "--node", str(supplier.node.settings.directory)]
    told = CliRunner().invoke(main, command).stdout
    assert len(told.splitlines()) == 1
    assert "treasurer" not in told
    assert "\x1b" not in told + log


def test_a_node_that_can_write_nothing_down_is_not_ready(world: Consortium) -> None:
    supplier = Caller(world, "supplier")
    supplier.node.audit.path.symlink_to("/dev/full")
    assert supplier.upload("invoice", "application/xml", invoice_file("INV-1"), ["BuyerMSP"]).status == 503
    assert "the audit log cannot be written" in supplier.get("/health/ready").body["detail"]
    supplier.node.audit.path.unlink()  # and once it can, it is ready again, though nobody has asked it for anything
    assert "the audit log cannot be written" not in supplier.get("/health/ready").body["detail"]
