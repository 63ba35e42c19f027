"""What a command prints when no node answers, or when what was typed cannot even be sent."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ledger_node.cli import main
from ledger_node.client import segment


def test_standard_output_is_one_json_document_when_no_node_answers() -> None:
    with socket.socket() as unused:  # bound, not listening: nobody answers, and nobody else takes it
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        command = [sys.executable, "-m", "ledger_node", "invoice", "list", "--url", url, "--token", "lnt_x", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["account", "list", "--url", "http://127.0.0.1:1", "--token", "lnt_ü"],
        ["account", "list", "--url", "http://127.0.0.1:1", "--token", "secret\nsecret"],
        ["account", "list", "--url", "127.0.0.1:1", "--token", "lnt_secret"],
        ["shipment", "accept-carrier", "x", "--url", "http://127.0.0.1:1", "--token", "x", "--idempotency-key", "ü"],
    ],
)
def test_what_cannot_be_sent_is_wrong_input_and_shows_no_token(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert "Error: " in result.output
    assert "secret" not in result.output


def test_an_id_cannot_lead_to_another_address() -> None:
    assert segment("../../health/live?x#y") == "..%2F..%2Fhealth%2Flive%3Fx%23y"


def test_a_file_that_cannot_be_written_is_an_error_without_a_traceback() -> None:
    command = ["document", "fetch", "0" * 32, "--out", "/nonexistent/x.xml", "--url", "http://127.0.0.1:1"]
    result = CliRunner().invoke(main, [*command, "--token", "x"])
    assert result.exit_code == 1
    assert result.exception.__class__ is SystemExit
    assert "No such file" in result.output


def test_a_traceback_in_the_log_shows_no_variables_which_may_be_salts_and_keys() -> None:
    program = (
        "import structlog\nfrom ledger_node.cli import main\nmain.callback()\nsalt = '5a17' * 8\n"
        "try:\n    salt / 0\nexcept TypeError:\n    structlog.get_logger().exception('it broke')\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "TypeError" in ran.stderr
    assert "5a17" not in ran.stderr
    assert ran.stdout == ""
