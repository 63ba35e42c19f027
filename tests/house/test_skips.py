"""A skipped network test fails the run; any other test may be skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("decorator", "exit_code"), [("@pytest.mark.network", 1), ("", 0)])
def test_a_skipped_network_test_fails_the_run_and_no_other(tmp_path: Path, decorator: str, exit_code: int) -> None:
    test = tmp_path / "test_one.py"
    test.write_text(f"import pytest\n\n{decorator}\ndef test_one():\n    pytest.skip('no network today')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-c", str(TESTS.parent / "setup.cfg"), str(test)]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert ran.returncode == exit_code, ran.stdout
