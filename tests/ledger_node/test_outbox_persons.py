"""Commands that await persons: refused by the contract, signed, sent; one effect wherever the process is killed."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sender import Crash, Sender

from ledger_node.errors import NotFound
from ledger_node.ledger import Prepared
from ledger_node.outbox import Submission, SubmissionStatus
from ledger_node.outbox_answers import Answers
from ledger_node.outbox_groups import Room, next_group
from ledger_node.submission import SignatureConflict

ANNA, BERT, STRANGER = "a" * 64, "b" * 64, "c" * 64
SIGNATURES = {person: base64.b64encode(person.encode()).decode() for person in (ANNA, BERT, STRANGER)}
AWAITED, APPLIED = SubmissionStatus.AWAITING_PERSONS, SubmissionStatus.APPLIED


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    """A party under four eyes."""
    sender = Sender(tmp_path)
    for person in (ANNA, BERT):
        sender.outbox.put("EnrolPerson", {"commitment": person})
    sender.drain()
    yield sender
    sender.ledger.close()
    sender.database.close()


def asked(sender: Sender) -> Submission:
    """A command that needs two persons, once the contract has said so."""
    submission = sender.outbox.put("ChangePayoutAccount", {"payout_fingerprint": "f" * 64})
    sender.drain()
    assert sender.get(submission).status is AWAITED
    return submission


def sign(sender: Sender, submission: Submission, person: str) -> Submission:
    return sender.outbox.sign(submission.id, person, SIGNATURES[person])


def sent_persons(sender: Sender) -> list[list[str]]:
    """Whom each applied transaction's commands name, as they stand in its argument."""
    found = []
    sender.ledger.before_prepare = lambda argument: found.append(
        [each["person"] for command in json.loads(argument)["commands"] for each in command.get("persons", [])]
    )
    return found


def test_what_awaits_persons_is_not_sent_again_by_itself(sender: Sender) -> None:
    submission = asked(sender)
    submits = sender.ledger.submits
    sender.restart()
    sender.drain()
    assert (sender.get(submission).status, sender.ledger.submits) == (AWAITED, submits)
    assert sender.outbox.wait(submission.id, 30).rests


def test_two_signatures_go_with_the_command(sender: Sender) -> None:
    submission, found = asked(sender), sent_persons(sender)
    assert sign(sender, submission, BERT).status is AWAITED
    assert sign(sender, submission, ANNA).status is SubmissionStatus.WAITING
    sender.drain()
    assert (sender.get(submission).status, found) == (APPLIED, [[BERT, ANNA]])
    assert sender.get(submission).signed_by == (BERT, ANNA)


@pytest.mark.parametrize("moment", ["before_prepare", "before_submit", "after_submit"])
def test_a_kill_around_sending_leaves_one_effect_and_the_same_persons(sender: Sender, moment: str) -> None:
    submission = asked(sender)
    for person in (ANNA, BERT):
        sign(sender, submission, person)

    def die(_: bytes | Prepared) -> None:
        raise Crash

    setattr(sender.ledger, moment, die)
    with pytest.raises(Crash):
        sender.drain()
    setattr(sender.ledger, moment, lambda _: None)
    found = sent_persons(sender)
    sender.restart()
    sender.drain()
    assert (sender.get(submission).status, found) == (APPLIED, [[ANNA, BERT]])


def test_a_person_signs_once_and_only_what_awaits_it(sender: Sender) -> None:
    submission = asked(sender)
    sign(sender, submission, ANNA)
    assert sign(sender, submission, ANNA).signed_by == (ANNA,)
    with pytest.raises(SignatureConflict, match="signed the command already"):
        sender.outbox.sign(submission.id, ANNA, SIGNATURES[BERT])
    sign(sender, submission, BERT)
    with pytest.raises(SignatureConflict, match="awaits no signature"):
        sign(sender, submission, STRANGER)
    assert sign(sender, submission, ANNA).signed_by == (ANNA, BERT)
    with pytest.raises(NotFound):
        sender.outbox.sign("0" * 32, ANNA, SIGNATURES[ANNA])


def test_signatures_at_once_make_one_command_of_two_persons(sender: Sender) -> None:
    submission = asked(sender)
    people = [ANNA, BERT] * 4
    threads = [threading.Thread(target=sign, args=(sender, submission, person)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sender.drain()
    after = sender.get(submission)
    assert (after.status, sorted(after.signed_by)) == (APPLIED, [ANNA, BERT])


def test_who_is_unknown_to_the_ledger_makes_the_command_refused_for_good(sender: Sender) -> None:
    submission = asked(sender)
    for person in (ANNA, STRANGER):
        sign(sender, submission, person)
    sender.drain()
    after = sender.get(submission)
    assert (after.status, after.code) == (SubmissionStatus.REFUSED, "PERSON_UNKNOWN")


def test_others_do_not_wait_behind_it(sender: Sender) -> None:
    submission, other = asked(sender), sender.put()
    sender.drain()
    assert (sender.get(submission).status, sender.get(other).status) == (AWAITED, APPLIED)


def refused(sender: Sender) -> None:
    """The contract says of the command that waits that two persons are required."""
    group = next_group(sender.database, (), Room(1, 1_000_000), time.time(), lambda _: True)
    said = {"status": "refused", "code": "TWO_PERSONS_REQUIRED", "text": ""}
    results = [said | {"command_id": each.command_id} for each in group.commands]
    Answers(sender.database).answered(group, json.dumps({"results": results}).encode(), "f" * 64, None)


def test_a_funding_is_tried_with_one_person_and_asks_for_the_second_when_it_is_no_step_of_two(sender: Sender) -> None:
    submission = sender.outbox.put("FundInvoice", {"invoice_id": "1" * 32, "facility_id": "2" * 32})
    refused(sender)
    assert (sender.get(submission).status, sender.get(submission).persons_needed) == (AWAITED, 1)
    assert sign(sender, submission, ANNA).status is SubmissionStatus.WAITING
    refused(sender)
    assert (sender.get(submission).status, sender.get(submission).persons_needed) == (AWAITED, 2)
    assert sign(sender, submission, BERT).status is SubmissionStatus.WAITING
    refused(sender)
    assert sender.get(submission).status is SubmissionStatus.REFUSED


def test_a_gift_of_deposit_money_awaits_two_persons(sender: Sender) -> None:
    gift = {"deposit": "EUR@C", "to": "B", "amount_minor": 1}
    submission = sender.outbox.put("TransferDeposit", gift)
    sender.drain()
    assert sender.get(submission).status is AWAITED
    for person in (ANNA, BERT):
        sign(sender, submission, person)
    sender.drain()
    assert (sender.get(submission).status, sender.get(submission).code) == (
        SubmissionStatus.REFUSED,
        "FUNDS_MISSING",
    )
