"""What is shown of a tool that fails: its own error, not the end of its help."""

from __future__ import annotations

import sys

import pytest

from network.commands import error_of, run_tool
from network.errors import NetworkError

HELP = "\nUsage:\n  peer channel join [flags]\n\nFlags:\n  -h, --help   help for join\n      --tls    Use TLS"


def test_the_line_that_begins_with_error_is_shown_and_no_help() -> None:
    said = f"2026-11-30 WARN x\nError: no such channel\n{HELP}"
    program = f"import sys; sys.exit({said!r})"
    with pytest.raises(NetworkError) as failed:
        run_tool([sys.executable, "-c", program], {}, "joining")
    assert failed.value.text == "joining: no such channel"


def test_a_tool_that_says_no_error_is_shown_with_its_last_lines() -> None:
    assert error_of("one\ntwo\nthree\nfour") == "two | three | four"
    assert error_of("Error: first\nError: second") == "second"
    assert error_of("") == ""
