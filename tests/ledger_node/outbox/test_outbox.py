"""The outbox: stored before sent, one effect whatever crashes, final refusals, poison alone."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from consortium import new_document
from sender import LIMITS, NEVER, Crash, Sender, document, send_group
from sqlalchemy import insert

from ledger_node.database import table_of
from ledger_node.documents.index import Documents, OwnDocumentRow
from ledger_node.documents.vault import StoredDocument
from ledger_node.errors import BadRequest, NotFound
from ledger_node.ledger.fabric import _fate_unknown
from ledger_node.ledger.interface import (
    CommitError,
    EndorseError,
    Prepared,
    TooLargeError,
)
from ledger_node.outbox.contention import Contention
from ledger_node.outbox.sender import OutboxSender, SendLimits
from ledger_node.outbox.store import IdempotencyConflict, OutboxRow, SubmissionStatus
from network import gateway
from network.gateway import PeerDetail


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    sender = Sender(tmp_path)
    yield sender
    sender.ledger.close()
    sender.database.close()


def test_commands_that_wait_go_into_one_transaction_and_each_gets_its_own_answer(sender: Sender) -> None:
    twice = secrets.token_hex(16)
    submissions = [sender.put(twice), sender.put(), sender.put(twice)]
    height = sender.ledger.height()
    sender.drain()
    assert sender.ledger.height() == height + 1
    first, second, third = (sender.get(each) for each in submissions)
    assert (first.status, second.status) == (SubmissionStatus.APPLIED, SubmissionStatus.APPLIED)
    assert first.result == {"document_id": twice}
    assert (third.status, third.code) == (SubmissionStatus.REFUSED, "ID_TAKEN")
    assert first.transaction_id == second.transaction_id == third.transaction_id
    assert first.block_number == height


def test_a_refusal_of_everything_is_final_and_leaves_no_block(sender: Sender) -> None:
    taken = sender.put()
    sender.drain()
    height = sender.ledger.height()
    assert taken.type == "RegisterDocument"
    result = sender.get(taken).result
    assert result is not None
    refused = sender.put(result["document_id"])
    sender.drain()
    assert (sender.get(refused).status, sender.get(refused).code) == (SubmissionStatus.REFUSED, "ID_TAKEN")
    assert sender.get(refused).block_number is None
    assert sender.ledger.height() == height


def crash(*_: Any) -> None:
    raise Crash


@pytest.mark.parametrize("point", ["before_prepare", "before_submit", "after_submit"])
def test_a_kill_around_the_submit_has_exactly_one_effect_and_loses_no_answer(sender: Sender, point: str) -> None:
    submissions = [sender.put(), sender.put()]
    setattr(sender.ledger, point, crash)
    with pytest.raises(Crash):
        sender.drain()
    setattr(sender.ledger, point, lambda _: None)
    sender.restart()
    sender.drain()
    assert [sender.get(each).status for each in submissions] == [SubmissionStatus.APPLIED] * 2
    assert len(sender.effects()) == 2
    for submission in map(sender.get, submissions):
        assert submission.result is not None
        assert submission.block_number is not None
        effect = sender.ledger.status(submission.transaction_id, 0)
        assert effect is not None
        assert effect.block_number == submission.block_number


def test_a_command_keeps_the_transaction_that_had_the_effect_when_its_answer_was_lost(sender: Sender) -> None:
    submission = sender.put()
    lost: list[str] = []

    def lose(prepared: Prepared) -> None:
        lost.append(prepared.transaction_id)
        raise Crash

    sender.ledger.after_submit = lose
    with pytest.raises(Crash):
        sender.drain()
    sender.ledger.after_submit = lambda _: None
    sender.restart()
    sender.drain()
    assert sender.get(submission).transaction_id == lost[0]


@pytest.mark.parametrize("write", [1, 2, 3])
def test_a_kill_at_any_write_of_the_outbox_has_exactly_one_effect(sender: Sender, write: int) -> None:
    submissions = [sender.put() for _ in range(2)]
    original, writes = sender.database.write, 0

    def failing() -> Any:
        nonlocal writes
        writes += 1
        if writes == write:
            raise Crash
        return original()

    sender.worker = OutboxSender(sender.outbox, sender.database, sender.ledger, LIMITS, Contention("A"))
    sender.database.write = failing  # type: ignore[method-assign]
    crashed = 0
    for _ in range(2):
        try:
            sender.drain()
        except Crash:
            crashed += 1
            sender.restart()
    sender.database.write = original  # type: ignore[method-assign]
    sender.drain()
    assert crashed == (1 if write <= 2 else 0)  # marked as sent, answered; the third is the control
    assert [sender.get(each).status for each in submissions] == [SubmissionStatus.APPLIED] * 2
    assert len(sender.effects()) == 2


QUORUM = "insufficient number of orderers could successfully process transaction to satisfy quorum requirement"
"""A peer's gateway says so, of what is ordered all the same, as long as it counts an orderer that was removed."""


@pytest.mark.parametrize("text", ["the connection broke", QUORUM])
@pytest.mark.parametrize("happened", [True, False])
def test_an_unknown_fate_is_asked_for_and_the_command_has_one_effect(sender: Sender, happened: bool, text: str) -> None:
    submission, failures = sender.put(), iter([True])

    def unknown(prepared: Prepared) -> None:
        if next(failures, False):
            down = PeerDetail("127.0.0.1:1", "BankMSP", "connection refused")
            raise _fate_unknown(gateway.SubmitError(text, prepared.transaction_id, "UNAVAILABLE", (down,)))

    setattr(sender.ledger, "after_submit" if happened else "before_submit", unknown)
    sender.drain()
    assert sender.get(submission).status is SubmissionStatus.APPLIED
    assert len(sender.effects()) == 1


def test_a_conflict_gets_a_new_transaction_at_once(sender: Sender) -> None:
    submission = sender.put()
    conflicts = iter(["ENDORSEMENT_POLICY_FAILURE", "MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"])
    ids: list[str] = []

    def conflict(prepared: Prepared) -> None:
        ids.append(prepared.transaction_id)
        if code := next(conflicts, ""):
            raise CommitError(code, prepared.transaction_id, 1)

    sender.ledger.before_submit = conflict
    sender.drain()
    assert sender.get(submission).status is SubmissionStatus.APPLIED
    assert len(set(ids)) == 4


def poison(command_id: str, error: Exception) -> Callable[[Prepared], None]:
    def refuse(prepared: Prepared) -> None:
        if command_id.encode() in prepared.payload:
            raise error

    return refuse


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TooLargeError("too large"), "TOO_LARGE"),
        (CommitError("ENDORSEMENT_POLICY_FAILURE", "id", 1), "ENDORSEMENT_POLICY_FAILURE"),
        (EndorseError("the chaincode broke"), "NOT_ENDORSED"),
    ],
)
def test_a_command_that_spoils_its_group_ends_alone_and_the_others_go_through(
    sender: Sender, error: Exception, code: str
) -> None:
    submissions = [sender.put() for _ in range(9)]
    bad = submissions[4]
    sender.ledger.before_submit = poison(bad.id, error)
    stop = threading.Event()
    thread = threading.Thread(target=sender.worker.run, args=(stop,))
    thread.start()
    try:
        while not sender.get(bad).final:
            sender.outbox.wait(sender.put().id, 10)  # others go on coming: the network is well
        for each in submissions:
            sender.outbox.wait(each.id, 60)
    finally:
        stop.set()
        thread.join()
    assert (sender.get(bad).status, sender.get(bad).code) == (SubmissionStatus.FAILED, code)
    others = [sender.get(each) for each in submissions if each.id != bad.id]
    assert {each.status for each in others} == {SubmissionStatus.APPLIED}
    assert len({each.transaction_id for each in others}) < len(others), "they went together"


def test_a_network_that_is_down_makes_nothing_fail(sender: Sender) -> None:
    sender.restart(SendLimits(50, 100_000, 0.1, endorse_tries_max=1))
    submission, down = sender.put(), True

    def unreachable(_: Prepared) -> None:
        if down:
            raise EndorseError("no peer answers")

    sender.ledger.before_submit = unreachable
    for _ in range(3):
        while not send_group(sender.worker):
            NEVER.wait(0.02)
        assert sender.get(submission).status is SubmissionStatus.WAITING
    down = False
    sender.drain()
    assert sender.get(submission).status is SubmissionStatus.APPLIED


def test_a_command_that_the_contract_cannot_read_is_refused_without_the_others(sender: Sender) -> None:
    good, bad = sender.put(), sender.outbox.put("RegisterDocument", {"n": 1}, command_id="not an id")
    sender.drain()
    assert sender.get(good).status is SubmissionStatus.APPLIED
    assert (sender.get(bad).status, sender.get(bad).code) == (SubmissionStatus.REFUSED, "MALFORMED")


def test_a_group_is_no_larger_than_the_limits(sender: Sender) -> None:
    sender.restart(SendLimits(3, 100_000, 0.1, 2))
    for _ in range(7):
        sender.put()
    sender.drain()
    assert sender.ledger.submits == 3
    size_bytes = len(str(document(secrets.token_hex(16))))
    sender.restart(SendLimits(50, 2 * (size_bytes + 200), 0.1, 2))
    for _ in range(4):
        sender.put()
    sender.drain()
    assert sender.ledger.submits == 5


def test_a_command_waits_for_the_block_that_its_sender_has_seen_and_holds_up_nobody(sender: Sender) -> None:
    height = sender.ledger.height()
    late, soon = sender.put(block_number_min=height), sender.put()
    assert send_group(sender.worker)
    assert [sender.get(each).status for each in (late, soon)] == [SubmissionStatus.WAITING, SubmissionStatus.APPLIED]
    assert send_group(sender.worker)
    assert sender.get(late).status is SubmissionStatus.APPLIED


def test_a_running_worker_answers_soon(sender: Sender) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=sender.worker.run, args=(stop,))
    thread.start()
    try:
        assert sender.outbox.wait(sender.put().id, 5).status is SubmissionStatus.APPLIED
    finally:
        stop.set()
        thread.join()


def test_a_ledger_that_cannot_be_asked_leaves_commands_waiting(sender: Sender) -> None:
    submission = sender.put(block_number_min=1)

    def lost() -> int:
        raise EndorseError("no peer answers")

    sender.ledger.height = lost  # type: ignore[method-assign]
    stop = threading.Event()
    thread = threading.Thread(target=sender.worker.run, args=(stop,))
    thread.start()
    assert sender.outbox.wait(submission.id, 0.2).status is SubmissionStatus.WAITING
    del sender.ledger.height
    assert sender.outbox.wait(submission.id, 5).status is SubmissionStatus.APPLIED
    stop.set()
    thread.join()


# Storing


def test_the_same_request_under_one_key_is_one_submission(sender: Sender) -> None:
    first = sender.put("a" * 32, idempotency_key="key")
    assert first == sender.put("a" * 32, idempotency_key="key")
    assert first == sender.outbox.by_idempotency_key("key")
    assert sender.outbox.counts()["waiting"] == 1


def test_a_request_that_the_outbox_has_forgotten_is_the_same_command_to_the_contract(sender: Sender) -> None:
    """An outbox restored from an older backup does not know it; the contract does, by the id of its command."""
    first = sender.put("a" * 32, idempotency_key="key")
    others = {sender.put("b" * 32, idempotency_key="another").id, sender.put("a" * 32, idempotency_key="third").id}
    sender.drain()
    with sender.database.write() as session:
        session.connection().execute(table_of(OutboxRow).delete())
    again = sender.put("a" * 32, idempotency_key="key")
    assert (again.id, again.status) == (first.id, SubmissionStatus.WAITING)
    sender.drain()
    assert sender.get(again).status is SubmissionStatus.APPLIED
    assert sender.effects() == ["document/" + "a" * 32, "document/" + "b" * 32]
    assert first.id not in others
    assert sender.put("c" * 32, idempotency_key="key2").id != sender.put("c" * 32).id


def test_another_request_under_a_used_key_is_a_conflict(sender: Sender) -> None:
    sender.put("a" * 32, idempotency_key="key")
    with pytest.raises(IdempotencyConflict):
        sender.put("b" * 32, idempotency_key="key")


def test_another_body_under_a_used_command_id_is_a_conflict(sender: Sender) -> None:
    sender.put("a" * 32, command_id="c" * 32)
    with pytest.raises(IdempotencyConflict):
        sender.put("b" * 32, command_id="c" * 32)


def test_a_key_of_one_request_and_a_command_id_of_another_are_a_conflict(sender: Sender) -> None:
    sender.put("a" * 32, command_id="c" * 32)
    sender.put("a" * 32, idempotency_key="key")
    with pytest.raises(IdempotencyConflict):
        sender.put("a" * 32, command_id="c" * 32, idempotency_key="key")


def test_a_repetition_is_known_by_what_was_asked_when_the_body_is_random(sender: Sender) -> None:
    first = sender.put(idempotency_key="key", request={"file": "digest"})
    assert first == sender.put(idempotency_key="key", request={"file": "digest"})
    with pytest.raises(IdempotencyConflict):
        sender.put(idempotency_key="key", request={"file": "other"})


def test_what_stands_beside_a_command_is_written_with_it_and_once(sender: Sender) -> None:
    documents = Documents(sender.database)
    own = new_document(StoredDocument(b"\x01" * 32, 5), media_type="text/plain", kind="invoice", filename="f")
    other = new_document(StoredDocument(b"\x02" * 32, 5), media_type="text/plain", kind="invoice", filename="f")
    sender.put(idempotency_key="key", request=1, beside=documents.insertion(own))
    sender.put(idempotency_key="key", request=1, beside=documents.insertion(other))
    assert documents.list() == [own]
    assert documents.get(own.document_id) == own
    assert documents.get(other.document_id) is None


def test_a_command_whose_neighbour_cannot_be_written_is_not_stored(sender: Sender) -> None:
    broken = insert(table_of(OwnDocumentRow)).values(document_id=None)
    with pytest.raises(Exception, match="NOT NULL"):
        sender.put(beside=broken)
    assert sender.outbox.counts()["waiting"] == 0


@pytest.mark.parametrize("body", [{"text": "x" * 60_000}, {"n": float("nan")}, {"text": "\ud800"}])
def test_a_body_that_no_ledger_takes_is_refused_and_not_stored(sender: Sender, body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        sender.outbox.put("RegisterDocument", body)
    assert sender.outbox.counts()["waiting"] == 0


def test_waiting_ends_with_the_time_and_is_not_for_unknown_commands(sender: Sender) -> None:
    assert sender.outbox.wait(sender.put().id, 0.05).status is SubmissionStatus.WAITING
    with pytest.raises(NotFound):
        sender.outbox.wait("0" * 32, 0.05)
    assert sender.outbox.get("0" * 32) is None
    assert sender.outbox.by_idempotency_key("none") is None
