"""Help, and the commands that only ask a node, start without what they do not need; logs are set up all the same."""

from __future__ import annotations

import json
import subprocess
import sys

from ledger_node.cli import GROUPS, invoice_response
from ledger_node.cli.document import KINDS
from ledger_node.formats import DOCUMENT_KINDS
from ledger_node.issuing import response

HEAVY = {
    "alembic",
    "asyncio",
    "chaincode",
    "cryptography",
    "flask",
    "grpc",
    "httpx",
    "ledger_node.config",
    "ledger_node.formats",
    "ledger_node.hashing",
    "ledger_node.node",
    "ledger_node.operations",
    "lxml",
    "network.topology",
    "pydantic",
    "rich",
    "sqlalchemy",
    "ssl",
    "stamina",
    "structlog",
}
"""What takes longer to load than Python itself, or brings such."""
FOR_FEW = {"cryptography", "ledger_node.formats", "ledger_node.rules", "lxml", "network.proofs", "pypdf"}
"""What some commands of a group need, and most do not."""
LIGHT = (
    "--help",
    "backup node --help",
    "db rebuild --help",
    "hash files --help",
    "invoice approve --help",
    "invoice submit --help",
    "network up --help",
    "node serve --help",
    "payment reconcile --help",
    "report statement --help",
    "shipment submit --help",
    "token create --help",
    *(f"{group} --help" for group in sorted(GROUPS.keys() - {"verify"})),
)
LOADED = """
import contextlib, io, json, shlex, sys
from ledger_node.cli import main
told = {}
for command in sys.argv[1:]:
    before = set(sys.modules)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            main(shlex.split(command))
    except SystemExit as ended:
        told[command] = ended.code, sorted(set(sys.modules) - before), sorted(sys.modules)
print(json.dumps(told))
"""
LOGS = """
import sys
from ledger_node.cli import main
try:
    main(["token", "list", "--node", "/nowhere"])
except SystemExit:
    pass
import stamina, structlog
from stamina.instrumentation import get_on_retry_hooks
assert get_on_retry_hooks() == (), get_on_retry_hooks()
salt = "a salt that has no place in a log"
try:
    raise ValueError("it broke")
except ValueError:
    structlog.get_logger("x").exception("said")
"""


def loaded(*commands: str) -> dict[str, tuple[int, list[str], list[str]]]:
    """By command, one after the other in one process: the exit code, what it has loaded, and all that is there then."""
    told: dict[str, tuple[int, list[str], list[str]]] = json.loads(run(LOADED, *commands).stdout)
    return told


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)


def test_help_loads_nothing_that_takes_longer_than_python_itself() -> None:
    told = loaded(*LIGHT)
    assert {command: code for command, (code, *_) in told.items()} == dict.fromkeys(LIGHT, 0)
    assert {command: HEAVY & set(new) for command, (_, new, _) in told.items()} == {one: set() for one in LIGHT}
    assert HEAVY & set(told[LIGHT[-1]][2]) == set(), "the command line itself loads none, before any command"


def test_commands_of_a_group_wait_for_no_library_of_another_command() -> None:
    told = loaded("invoice show --help", "shipment list --help", "document list --help")
    assert {command: FOR_FEW & set(modules) for command, (_, _, modules) in told.items()} == {
        one: set() for one in told
    }


def test_the_control_a_command_at_work_loads_what_it_needs() -> None:
    ((code, _, modules),) = loaded("token list --node /nowhere").values()
    assert code == 2
    assert {"ledger_node.config", "pydantic", "sqlalchemy"} <= set(modules)


def test_a_library_that_is_loaded_late_logs_no_variables_and_on_standard_error() -> None:
    ran = run(LOGS)
    assert "said" in ran.stderr and "it broke" in ran.stderr
    assert "a salt" not in ran.stdout + ran.stderr
    assert ran.stdout == ""


def test_the_kinds_of_documents_at_the_prompt_are_those_that_are_read() -> None:
    assert KINDS == DOCUMENT_KINDS


def test_the_answers_at_the_prompt_are_those_that_are_written() -> None:
    assert (list(invoice_response.CODES), invoice_response.REASONS) == (list(response.CODES), response.REASONS)
