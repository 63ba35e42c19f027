"""Help, and the commands that only ask a node, start without what they do not need; logs are set up all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
LIGHT = (
    "--help",
    "backup --help",
    "backup node --help",
    "db rebuild --help",
    "demo --help",
    "doctor --help",
    "hash files --help",
    "init --help",
    "network --help",
    "network up --help",
    "node serve --help",
    "payment --help",
    "payment reconcile --help",
    "restore --help",
    "token --help",
    "token create --help",
)
LOADED = """
import sys
from ledger_node.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    print("exit", ended.code, *sorted(sys.modules))
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


def loaded(*arguments: str) -> tuple[str, set[str]]:
    """The exit code of a command, and what it has loaded."""
    _, code, *modules = run(LOADED, *arguments).stdout.splitlines()[-1].split()
    return code, set(modules)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("command", LIGHT)
def test_help_loads_nothing_that_takes_longer_than_python_itself(command: str) -> None:
    code, modules = loaded(*command.split())
    assert code == "0"
    assert HEAVY & modules == set()


def test_the_control_a_command_at_work_loads_what_it_needs() -> None:
    code, modules = loaded("token", "list", "--node", "/nowhere")
    assert code == "2"
    assert {"ledger_node.config", "pydantic", "sqlalchemy"} <= modules


def test_a_library_that_is_loaded_late_logs_no_variables_and_on_standard_error() -> None:
    ran = run(LOGS)
    assert "said" in ran.stderr and "it broke" in ran.stderr
    assert "a salt" not in ran.stdout + ran.stderr
    assert ran.stdout == ""
