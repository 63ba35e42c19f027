"""What had its effect is never said to have failed, whatever keeps its answer from coming."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sender import LIMITS, Sender

from ledger_node.ledger.interface import EndorseError, Prepared
from ledger_node.outbox.store import SubmissionStatus


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    one = Sender(tmp_path)
    yield one
    one.ledger.close()
    one.database.close()


@pytest.mark.parametrize("known", [True, False])
def test_a_command_that_had_its_effect_is_not_given_up_when_its_answer_cannot_be_had(
    sender: Sender, known: bool
) -> None:
    """Whoever is told that it failed might write it anew, which would be a second one."""
    document_id = secrets.token_hex(16)
    bad, tries = sender.put(document_id), 0

    def refused(prepared: Prepared) -> None:
        nonlocal tries
        if bad.id.encode() in prepared.payload:
            tries += 1
            raise EndorseError("a partner's peer is down")

    if known:
        group = sender.worker._next_group()
        prepared = sender.ledger.prepare(group.argument())
        sender.ledger.submit(prepared)  # whoever sent it was cut off, and asks
        sender.worker._passage.ask_fate(group, prepared.transaction_id)
        assert sender.get(bad).block_number is not None
    sender.ledger.before_submit = refused
    stop = threading.Event()
    thread = threading.Thread(target=sender.worker.run, args=(stop,))
    thread.start()
    try:
        while not sender.get(bad).final and tries < 6 * LIMITS.endorse_tries_max:
            sender.outbox.wait(sender.put().id, 10)  # others go on coming: the network is well
    finally:
        stop.set()
        thread.join()
    expected = SubmissionStatus.WAITING if known else SubmissionStatus.FAILED  # the control: nothing of it happened
    assert sender.get(bad).status is expected
    assert len([each for each in sender.effects() if document_id in each]) == int(known)
