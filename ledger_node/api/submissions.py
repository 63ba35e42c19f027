"""What became of writes: `/v1/submissions`; taking one back that awaits persons, and trying one again."""

from __future__ import annotations

from apiflask import APIBlueprint

from ledger_node.api.about import operation_of
from ledger_node.api.answers import answers, reads, what_it_is
from ledger_node.api.auth import bearer, current_token
from ledger_node.api.context import current_node, idempotency_key, wait_seconds
from ledger_node.api.problem import Problem
from ledger_node.api.records import SubmissionOut
from ledger_node.api.writes import EXAMPLE, WRITERS, Answer, answer, shown
from ledger_node.operations.fields import Nothing
from ledger_node.outbox.store import Submission

routes = APIBlueprint("submissions", __name__, tag="Submissions")


@reads(routes, "/v1/submissions/<submission_id>", SubmissionOut, example=EXAMPLE)
def show_submission(submission_id: str) -> Answer:
    """A submission; with `Prefer: wait=N` as soon as it is final, at the latest after N seconds."""
    outbox, seconds, submission = current_node().outbox, wait_seconds(), existing_submission(submission_id)
    if not seconds:
        return shown(submission), 200, {}
    if not submission.rests:
        submission = outbox.wait(submission_id, seconds)
    return shown(submission), 200, {"Preference-Applied": f"wait={seconds}"}


@routes.post("/v1/submissions/<submission_id>/withdrawal")
@routes.auth_required(bearer, roles=list(WRITERS))
@routes.input(Nothing, arg_name="body")
@answers(routes, SubmissionOut, 202, example=EXAMPLE, description="Stored; ask the submission.")
def withdraw_submission(submission_id: str, body: Nothing) -> Answer:
    """Take back a command of this organisation that awaits persons: it is never sent, and nobody can sign it."""
    idempotency_key()
    existing_submission(submission_id)
    return shown(current_node().outbox.withdraw(submission_id, f"token {current_token().id}")), 200, {}


@routes.post("/v1/submissions/<submission_id>/retry")
@routes.auth_required(bearer, roles=list(WRITERS))
@routes.input(Nothing, arg_name="body")
@answers(routes, SubmissionOut, 202, example=EXAMPLE, description="Stored; ask the submission.")
def retry_submission(submission_id: str, body: Nothing) -> Answer:
    """Let a command that failed or was refused go again, under its own id; the token needs the role of the command.

    It has one effect at most, however often it goes. Persons who had signed one that was refused sign anew.
    """
    idempotency_key()
    operation = operation_of(existing_submission(submission_id))
    if operation is None:
        text = "the node does this by itself, and tries it again by itself"
        raise Problem(409, "RETRY_NOT_TAKEN", text, "Look at the node's log for why it does not go through.")
    if current_token().role not in operation.roles:
        remedy = f"Use a token with the role {' or '.join(operation.roles)}."
        raise Problem(403, "TOKEN_ROLE", f"the role of this token does not allow {operation.command}", remedy)
    return answer(current_node().work_list.retry(submission_id))


def existing_submission(submission_id: str) -> Submission:
    """A submission of this node.

    Raises: Problem 404.
    """
    submission = current_node().outbox.get(submission_id)
    if submission is None:
        text = f"there is no submission {submission_id}"
        raise Problem(
            404, "SUBMISSION_UNKNOWN", text, f"{what_it_is(submission_id)} Ask the node you wrote to.".strip()
        )
    return submission
