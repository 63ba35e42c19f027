"""What became of a write: `/v1/submissions/<id>`; and taking one back that awaits persons."""

from __future__ import annotations

from apiflask import APIBlueprint

from ledger_node.api.answers import answers, reads, what_it_is
from ledger_node.api.auth import bearer, current_token
from ledger_node.api.context import current_node, idempotency_key, wait_seconds
from ledger_node.api.problem import Problem
from ledger_node.api.writes import EXAMPLE, WRITERS, Answer, SubmissionOut, shown
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
