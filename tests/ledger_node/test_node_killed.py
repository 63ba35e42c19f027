"""Nodes killed with -9 again and again while the main job is played: exactly one payment, nothing lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from consortium import ORGANISATIONS, SUPPLIER, Consortium, Trade, eventually, organisations

from ledger_node.check import check_node

pytestmark = pytest.mark.alone
KILLS_MIN = 4
LONGER = 1.05
NURSERY = """
import os, pathlib, sys, threading
from ledger_node.background import Background
from ledger_node.config import load_settings
from ledger_node.node import open_node
from ledger_node.serve import die_with_parent

nursery = os.getpid()
for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        die_with_parent(nursery)
        background = Background(open_node(load_settings(pathlib.Path(sys.argv[1]))), threading.Event())
        print(os.getpid(), flush=True)
        threading.Event().wait()
    os.waitpid(pid, 0)
"""
"""Forks the workers' process each time that it is told to, as a node's supervisor does: what takes long to import is
there, and nothing is open yet."""

# What is killed leaves no figures behind; counting them would only make each of its starts longer.
UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


class Killer(threading.Thread):
    """Runs the workers of one node in a process of their own, and kills it at random moments until told to stop."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__()
        self._folder, self._random = folder, random.Random(seed)
        self.enough = threading.Event()
        self.finished = threading.Event()
        self.kills = 0

    def run(self) -> None:
        command = [sys.executable, "-c", NURSERY, str(self._folder)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=UNMEASURED, **pipes) as nursery:
            assert nursery.stdin is not None and nursery.stdout is not None
            while not self.finished.is_set():
                nursery.stdin.write("\n")
                nursery.stdin.flush()
                pid = int(nursery.stdout.readline())
                if self.enough.is_set():
                    self.finished.wait()
                else:
                    # Longer each time: on a machine however busy one of its lives gets somewhere.
                    self.enough.wait(self._random.uniform(0.02, 0.25) * LONGER**self.kills)
                    self.kills += 1
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Consortium]:
    (tmp_path / "authority").mkdir()
    organisations(tmp_path / "authority")
    consortium = Consortium(tmp_path, tmp_path / "authority")
    for name in ORGANISATIONS:
        consortium.serve(name)
    yield consortium
    consortium.close()


@pytest.mark.parametrize("name", ["supplier", "buyer", "financier"])
def test_a_node_killed_at_random_moments_still_ends_in_exactly_one_payment(world: Consortium, name: str) -> None:
    world.start(*(other for other in ORGANISATIONS if other != name))
    killer = Killer(world.settings[name].directory, seed=ORGANISATIONS.index(name))
    killer.start()
    try:
        world.found()
        trade = Trade()
        trade.play(world)
        eventually(lambda: killer.kills >= KILLS_MIN, "it was killed often enough")
        killer.enough.set()
        for each in ORGANISATIONS:
            eventually(partial(trade.paid_on, world, each), f"{each} shows the payment")
        invoice = world["carrier"].readmodel.invoice(trade.invoice_id)
        assert invoice is not None
        (cash,) = world["carrier"].readmodel.accounts(party=SUPPLIER, book="cash")
        assert cash["balance_minor"] == invoice["early_payment"]["net_minor"]
        steps = [entry["step"] for entry in world["carrier"].readmodel.entries().items]
        assert steps.count("early_payment") == steps.count("approve") == 1
        eventually(lambda: not world[name].outbox.counts()["waiting"], "nothing waits any more")
        assert check_node(world[name]).well
    finally:
        killer.enough.set()
        killer.finished.set()
        killer.join()
