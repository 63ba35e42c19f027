"""Any one process of any node is killed (-9) at any moment of the story, and started again: one payment, no more."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ledger_node.demo import papers, story
from ledger_node.demo.stage import ORGANISATIONS, NodeProcess, Stage, open_stage

pytestmark = pytest.mark.alone

PAUSE_SECONDS = (0.05, 1.5)


class Killer(threading.Thread):
    """Kills one process of a node after another, and starts the node again when its supervisor was hit."""

    def __init__(self, stage: Stage, seed: int) -> None:
        super().__init__()
        self._stage = stage
        self._random = random.Random(seed)
        self._over = threading.Event()
        self.killed: Counter[str] = Counter()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._over.wait(self._random.uniform(*PAUSE_SECONDS)):
                self._kill(self._stage.nodes[self._random.choice(ORGANISATIONS)])
        except BaseException as error:  # noqa: BLE001 - shown by the test, whose thread is another one
            self.error = error

    def _kill(self, node: NodeProcess) -> None:
        assert node.process is not None
        supervisor = psutil.Process(node.process.pid)
        victims = [supervisor, *supervisor.children(recursive=True)]
        victim = self._random.choice(victims)
        if victim.pid == supervisor.pid:
            node.kill()
            node.start()
        else:
            os.kill(victim.pid, signal.SIGKILL)
        node.await_ready()
        self.killed["supervisor" if victim.pid == supervisor.pid else "child"] += 1

    def end(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """On the embedded ledger; `tests/drills` kills on the real network, and more than nodes."""
    with open_stage(tmp_path / "demo", "embedded", keep=False, progress=print) as stage:
        yield stage


@pytest.mark.timeout(900)
def test_killing_any_process_of_any_node_ends_in_exactly_one_payment(stage: Stage) -> None:
    play_while_killing(stage, seed=7)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_killing_at_other_moments_ends_in_exactly_one_payment_too(stage: Stage, seed: int) -> None:
    play_while_killing(stage, seed)


def play_while_killing(stage: Stage, seed: int) -> None:
    """Play the story while processes die, then look at the books of all four nodes."""
    killer = Killer(stage, seed)
    killer.start()
    try:
        played = story.play(stage, papers.generate(dt.datetime.now(dt.UTC).date()), print)
    finally:
        killer.end()
    assert killer.error is None
    assert killer.killed["supervisor"] > 0
    assert killer.killed["child"] > 0
    for node in stage.nodes.values():
        node.await_ready()
    for name in ORGANISATIONS:
        assert_paid_once(stage, name, played)


def assert_paid_once(stage: Stage, organisation: str, played: story.Played) -> None:
    """One early payment, one settlement, both books zero, at that organisation's node."""
    auditor = stage.client(organisation, "auditor")
    seen = stage.client("supplier", "auditor").get("/v1/accounts")["block_number"]
    params: dict[str, str | int] = {"invoice_id": played.trade.invoice_id, "per_page": 100}
    entries = auditor.get("/v1/accounts/entries", params, block_number_min=seen)["items"]
    steps = Counter(each["step"] for each in entries)
    assert steps == {"approve": 1, "early_payment": 1, "assignment": 1, "settle": 1, "discharge": 1}
    accounts = auditor.get("/v1/accounts", block_number_min=seen)["items"]
    books: Counter[tuple[str, str, str]] = Counter()
    for account in accounts:
        books[account["book"], account["unit"], account["invoice_id"]] += int(account["balance"].replace(".", ""))
    assert set(books.values()) == {0}
