"""The tutorial is a program: its lines are pasted into a shell, one after the other, on the embedded ledger."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-payment.md"
STOP = "ledger-node demo --stop"

pytestmark = pytest.mark.alone


def typed() -> str:
    """What a reader types: the lines of all consoles, those that go on below them included."""
    consoles = re.findall(r"```console\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    return "".join(re.sub(r"^\$ ", "", console, flags=re.MULTILINE) for console in consoles)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A folder like a fresh checkout's that is installed; what the demo has started there is stopped."""
    for name in ("Makefile", "setup.cfg", "setup.py", "pyproject.toml", "ledger_node"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    yield tmp_path
    subprocess.run([str(Path(sys.executable).with_name("ledger-node")), *STOP.split()[1:]], cwd=tmp_path, check=False)


def test_the_tutorial_can_be_pasted_line_by_line_and_pays_an_invoice(checkout: Path) -> None:
    lines = typed()
    assert STOP in lines
    played = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=checkout,
        env=os.environ | {"LEDGER": "embedded", "XDG_CONFIG_HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
        timeout=1000,
    )
    assert played.returncode == 0, played.stdout[-5000:] + played.stderr[-5000:]
    assert "SettleInvoice" in played.stdout
    assert re.search(r"status\s+settled", played.stdout), played.stdout[-5000:]
