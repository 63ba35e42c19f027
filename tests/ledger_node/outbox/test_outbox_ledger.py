"""What an outbox does about the ledger: sends to the one it is for only, and tells whoever asks how it goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sender import LIMITS, Sender, Unreliable, found, now

from ledger_node.errors import ProjectionError
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.ledger.interface import EndorseError, Prepared
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.sender import OutboxSender
from ledger_node.outbox.store import Submission, SubmissionStatus


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    sender = Sender(tmp_path)
    yield sender
    sender.ledger.close()
    sender.database.close()


def run_until(sender: Sender, submission: Submission) -> None:
    """What a fresh process does until a command has its answer."""
    sender.restart()
    stop = threading.Event()
    thread = threading.Thread(target=sender.worker.run, args=(stop,))
    thread.start()
    try:
        assert sender.outbox.wait(submission.id, 60).status is SubmissionStatus.APPLIED
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("other_has_blocks", [True, False])
def test_what_waits_for_one_ledger_is_never_sent_to_another(
    sender: Sender, tmp_path: Path, other_has_blocks: bool
) -> None:
    run_until(sender, sender.put())
    waiting, own = sender.put(), sender.ledger
    another = EmbeddedLedger(tmp_path / "another.db", "A", b"certificate of A", now)
    if other_has_blocks:
        found(another, EmbeddedLedger(tmp_path / "another.db", "B", b"certificate of B", now))
    before = another.height()
    sender.ledger = Unreliable(another)
    sender.restart()
    with pytest.raises(ProjectionError, match="another ledger than the one") as told:
        sender.worker.run(threading.Event())
    assert "another node folder" in told.value.remedy
    assert (another.height(), sender.get(waiting).status) == (before, SubmissionStatus.WAITING)
    another.close()
    sender.ledger = own
    run_until(sender, waiting)  # the control: its own ledger takes it


def test_whoever_sends_tells_the_errors_in_the_peers_own_words_and_that_they_are_over(sender: Sender) -> None:
    heard = list[str]()
    worker = OutboxSender(
        sender.outbox, sender.database, sender.ledger, LIMITS, Contention("A"), lambda reason: None, heard.append
    )
    words, refusals = "the peer: the timestamp is 20 minutes off", iter([True, True])

    def refuse(_: Prepared) -> None:
        if next(refusals, False):
            raise EndorseError(words)

    sender.ledger.before_submit = refuse
    submission, stop = sender.put(), threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    assert sender.outbox.wait(submission.id, 60).status is SubmissionStatus.APPLIED
    stop.set()
    thread.join()
    assert heard == [words, words, ""]
