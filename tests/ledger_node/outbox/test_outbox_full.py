"""Commands that the contract has not come to in a transaction wait, go with the next one, and keep their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sender import Sender

from chaincode import batch
from ledger_node.outbox.store import SubmissionStatus


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    sender = Sender(tmp_path)
    yield sender
    sender.ledger.close()
    sender.database.close()


def test_what_does_not_fit_into_one_transaction_goes_with_the_next_ones_and_has_one_effect(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "KEYS_ASKED_MAX", 20)
    submissions = [sender.put() for _ in range(10)]
    sender.drain()
    after = [sender.get(each) for each in submissions]
    assert {each.status for each in after} == {SubmissionStatus.APPLIED}
    assert {each.code for each in after} == {""}
    blocks = [each.block_number or 0 for each in after]
    assert blocks == sorted(blocks)
    assert 1 < len(set(blocks)) < 10
    assert len(sender.effects()) == 10


def test_what_fits_goes_in_one_transaction(sender: Sender) -> None:
    submissions = [sender.put() for _ in range(10)]
    sender.drain()
    assert len({sender.get(each).block_number for each in submissions}) == 1


def test_a_command_alone_in_its_transaction_is_decided_however_much_it_reads(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "KEYS_ASKED_MAX", 1)
    submissions = [sender.put() for _ in range(3)]
    sender.drain()
    assert len({sender.get(each).block_number for each in submissions}) == 3
