"""Commands that await persons: signed and sent, or withdrawn; one end wherever the process is killed."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sender import Crash, Sender

from ledger_node.errors import NotFound
from ledger_node.ledger.interface import Prepared
from ledger_node.outbox.answers import Answers
from ledger_node.outbox.groups import Room, next_group
from ledger_node.outbox.store import IdempotencyConflict, Submission, SubmissionStatus
from ledger_node.outbox.submission import SignatureConflict, WithdrawalConflict

ANNA, BERT, STRANGER = "a" * 64, "b" * 64, "c" * 64
SIGNATURES = {person: base64.b64encode(person.encode()).decode() for person in (ANNA, BERT, STRANGER)}
AWAITED, APPLIED = SubmissionStatus.AWAITING_PERSONS, SubmissionStatus.APPLIED
WITHDRAWN = SubmissionStatus.WITHDRAWN
RACES_MIN, RACES_MAX = 20, 200
KILLS = 3
WITHDRAWER = """
import sys
from sender import now
from ledger_node.database import Database
from ledger_node.outbox.store import Outbox
outbox = Outbox(Database(sys.argv[1]), now, 50_000)
for command_id in sys.stdin.read().split():
    outbox.withdraw(command_id, "a clerk")
    print(command_id, flush=True)
"""


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    """A party under four eyes."""
    sender = Sender(tmp_path)
    under_four_eyes(sender)
    yield sender
    sender.ledger.close()
    sender.database.close()


def under_four_eyes(sender: Sender) -> None:
    """Let Anna and Bert act for the party."""
    for person in (ANNA, BERT):
        sender.outbox.put("EnrolPerson", {"commitment": person})
    sender.drain()


def asked(sender: Sender, key: str = "") -> Submission:
    """A command that needs two persons, once the contract has said so."""
    submission = sender.outbox.put("ChangePayoutAccount", {"payout_fingerprint": "f" * 64}, idempotency_key=key)
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


def withdraw(sender: Sender, submission: Submission) -> Submission:
    return sender.outbox.withdraw(submission.id, "a clerk")


def test_what_is_withdrawn_is_never_sent_and_takes_no_signature(sender: Sender) -> None:
    submission = asked(sender)
    sign(sender, submission, ANNA)
    submits = sender.ledger.submits
    withdrawn = withdraw(sender, submission)
    assert (withdrawn.status, withdrawn.code, withdrawn.final) == (WITHDRAWN, "", True)
    assert withdrawn.text.startswith("withdrawn at 2") and withdrawn.text.endswith(" by a clerk")
    with pytest.raises(SignatureConflict, match="is withdrawn and awaits no signature"):
        sign(sender, submission, BERT)
    assert sign(sender, submission, ANNA) == withdrawn
    sender.restart()
    sender.drain()
    assert (sender.get(submission), sender.ledger.submits) == (withdrawn, submits)
    assert (withdrawn.body, withdrawn.signed_by) == (submission.body, (ANNA,))
    assert withdraw(sender, submission) == withdrawn
    assert sender.outbox.wait(submission.id, 30) == withdrawn


def test_the_key_of_what_is_withdrawn_stays_used(sender: Sender) -> None:
    submission = asked(sender, "key")
    withdrawn = withdraw(sender, submission)
    again = sender.outbox.put("ChangePayoutAccount", {"payout_fingerprint": "f" * 64}, idempotency_key="key")
    assert again == withdrawn
    with pytest.raises(IdempotencyConflict):
        sender.outbox.put("ChangePayoutAccount", {"payout_fingerprint": "e" * 64}, idempotency_key="key")
    sender.drain()
    assert sender.outbox.counts()["withdrawn"] == 1


def test_only_what_awaits_persons_can_be_withdrawn(sender: Sender) -> None:
    signed, waiting = asked_and_signed(sender), sender.put()
    seen: list[str] = []
    sender.ledger.before_submit = lambda _: seen.append(withdrawal_refused(sender, signed))
    for each in (waiting, signed):
        assert "is waiting" in withdrawal_refused(sender, each)
    sender.drain()
    assert "is sent" in seen[0]
    for each in (waiting, signed):
        assert "is applied" in withdrawal_refused(sender, each)
        assert sender.get(each).status is APPLIED
    with pytest.raises(NotFound):
        sender.outbox.withdraw("0" * 32, "a clerk")


def asked_and_signed(sender: Sender) -> Submission:
    submission = asked(sender)
    for person in (ANNA, BERT):
        sign(sender, submission, person)
    return submission


def withdrawal_refused(sender: Sender, submission: Submission) -> str:
    with pytest.raises(WithdrawalConflict) as caught:
        withdraw(sender, submission)
    return caught.value.text


def test_of_a_withdrawal_and_the_last_signature_at_once_exactly_one_counts(sender: Sender) -> None:
    check_races(sender)


def check_races(sender: Sender) -> None:
    """Withdraw and sign at the same moment, again and again, until each side has won."""
    winners = [race(sender, random.Random(number)) for number in range(RACES_MIN)]
    while len(set(winners)) < 2:
        winners.append(race(sender, random.Random(len(winners))))
        assert len(winners) < RACES_MAX, f"always {winners[0]}: nothing has been tried"


def race(sender: Sender, chance: random.Random) -> SubmissionStatus:
    """The end of a command that is withdrawn while the last person signs it."""
    submission = asked(sender)
    sign(sender, submission, ANNA)
    steps = [lambda: sign(sender, submission, BERT), lambda: withdraw(sender, submission)]
    chance.shuffle(steps)
    start, lost = threading.Barrier(2), []

    def run(step: Callable[[], Submission]) -> None:
        start.wait(30)
        try:
            step()
        except (SignatureConflict, WithdrawalConflict) as error:
            lost.append(type(error))

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sender.drain()
    status = sender.get(submission).status
    assert lost == [{WITHDRAWN: SignatureConflict, APPLIED: WithdrawalConflict}[status]]
    return status


def test_a_kill_while_withdrawing_leaves_each_command_withdrawn_or_awaiting(sender: Sender) -> None:
    submissions = [sender.outbox.put("ChangePayoutAccount", {"payout_fingerprint": "f" * 64}) for _ in range(50)]
    sender.drain()
    left, said = [each.id for each in submissions], set[str]()
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", WITHDRAWER, sender.database.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(" ".join(left))
        process.stdin.close()
        said |= {process.stdout.readline().strip() for _ in range(3)}
        process.kill()
        said |= set(process.stdout.read().split())
        process.wait()
        process.stdout.close()
        left = [each for each in left if each not in said]
    found = {each.id: sender.get(each).status for each in submissions}
    assert set(found.values()) == {WITHDRAWN, AWAITED}
    assert {found[each] for each in said} == {WITHDRAWN}
    for each in submissions:
        if found[each.id] is AWAITED:
            for person in (ANNA, BERT):
                sign(sender, each, person)
    sender.restart()
    sender.drain()
    assert sender.outbox.counts()["withdrawn"] == list(found.values()).count(WITHDRAWN)
    assert {sender.get(each).status for each in submissions} == {WITHDRAWN, APPLIED}


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
