"""What became of a write: `/v1/submissions/<id>`."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node, wait_seconds
from ledger_node.api.problem import Problem
from ledger_node.api.writes import EXAMPLE, SubmissionOut, shown
from ledger_node.outbox import Submission

routes = APIBlueprint("submissions", __name__, tag="Submissions")


@routes.get("/v1/submissions/<submission_id>")
@routes.auth_required(bearer)
@routes.output(SubmissionOut, example=EXAMPLE)
def show(submission_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """A submission; with `Prefer: wait=N` as soon as it is final, at the latest after N seconds."""
    outbox, seconds, submission = current_node().outbox, wait_seconds(), existing_submission(submission_id)
    if not seconds:
        return shown(submission), 200, {}
    if not submission.rests:
        submission = outbox.wait(submission_id, seconds)
    return shown(submission), 200, {"Preference-Applied": f"wait={seconds}"}


def existing_submission(submission_id: str) -> Submission:
    """A submission of this node.

    Raises: Problem 404.
    """
    submission = current_node().outbox.get(submission_id)
    if submission is None:
        text = f"there is no submission {submission_id}"
        raise Problem(404, "SUBMISSION_UNKNOWN", text, "Ask the node you wrote to.")
    return submission
