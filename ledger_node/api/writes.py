"""The one way a write goes: token, strict body, one command into the outbox, an answer with the submission's URL.

A write is one command of the contract. It is stored before it is answered (202), and a client that prefers to wait
gets the ledger's answer: 200 or 201 when applied, a problem with the contract's code when refused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import url_for
from sqlalchemy import Executable

from ledger_node.api.about import record_of, to_do
from ledger_node.api.access import say_of_act
from ledger_node.api.answers import answers, helps_with
from ledger_node.api.auth import bearer, current_token, derived_id
from ledger_node.api.context import block_number_min, current_node, idempotency_key, wait_seconds
from ledger_node.api.naming import identified
from ledger_node.api.own_writes import await_own_writes_a_while, tell
from ledger_node.api.problem import Problem, refused
from ledger_node.api.records import SubmissionOut
from ledger_node.operations.fields import In
from ledger_node.operations.shapes import REASON
from ledger_node.outbox.store import Submission, SubmissionStatus
from ledger_node.people.persons import message
from ledger_node.people.reasons import new_reason
from ledger_node.people.roles import Role

_FAILED = (
    "Let it go again under its own id, which has no second effect: `ledger-node submission retry`. Write it anew only "
    "once the records show that nothing of it happened; if it fails again, whoever runs the node looks at its log."
)
"""What fails is too large, was invalidated or was never endorsed. Of an earlier try the fate may not be known: what is
written anew might be a second one."""
Answer = tuple[dict[str, Any], int, dict[str, str]]
WRITERS = tuple(role.value for role in Role if role is not Role.AUDITOR)
View = TypeVar("View", bound=Callable[..., Any])


EXAMPLE: dict[str, Any] = {
    "id": "9b2f6c1d4e8a47f0a1c3d5e7f9081726",
    "type": "RegisterInvoice",
    "status": "waiting",
    "code": "",
    "text": "",
    "remedy": "",
    "record_id": "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c",
    "resource": "/v1/invoices/5f0c8b2e9a7d4e31b6c2a1908f7e6d5c",
    "result": None,
    "transaction_id": "",
    "block_number": None,
    "created_at": "2026-11-22T12:00:00.000000Z",
    "principal": "uploader",
    "to_do": "Nothing: the node sends it by itself; if it stays so, look at ledger-node doctor",
    "signing": None,
    "notes": [],
    "same_content": [],
}


def writes(
    routes: APIBlueprint,
    roles: str | tuple[str, ...],
    body: type[In] | None,
    example: dict[str, Any] | None = None,
) -> Callable[[View], View]:
    """Decorator of a write: who may, what body (None: the view reads it itself), and what is answered.

    Args:
        routes: the blueprint.
        roles: of which a token needs one.
        body: model of the JSON body, handed over as `body`.
        example: of the body, for the API's description.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def in_room(*args: Any, **kwargs: Any) -> Any:
            current_node().outbox.require_room(outbox_key())
            await_own_writes_a_while()
            return view(*args, **identified(kwargs))

        wrapped: Any = answers(routes, SubmissionOut, 202, example=EXAMPLE, description="Stored; ask the submission.")(
            in_room
        )
        if body is not None:
            wrapped = routes.input(body, arg_name="body", example=example)(wrapped)
        checked: View = routes.auth_required(bearer, roles=[roles] if isinstance(roles, str) else list(roles))(wrapped)
        return checked

    return decorate


def fresh_id(purpose: str) -> str:
    """The id of the record that this request makes; the same when the request is repeated."""
    return derived_id(purpose, idempotency_key())


def submit(
    command_type: str,
    body: dict[str, Any],
    *,
    reason: str = "",
    resource: str = "",
    record_id: str = "",
    created: bool = False,
    asked: dict[str, Any] | None = None,
    beside: Sequence[Executable] = (),
    step: str = "",
) -> Answer:
    """Queue a command and answer, waiting as long as the caller prefers.

    Args:
        command_type: of the contract.
        body: of the command, but for the commitment to a reason.
        reason: as it was typed; it is kept in the same transaction, and the command commits to it.
        resource: address of the record it makes or changes.
        record_id: its id.
        created: whether the record is new (201 instead of 200).
        asked: what the caller asked for, when the body holds a salt that a repetition would not repeat.
        beside: statements for the same transaction of the state database.
        step: of a request that makes several commands: which of them this is, "" for the last.

    Raises: Problem when it was refused, failed or was withdrawn.
    """
    node, key = current_node(), outbox_key(step)
    # A salt that was lost with the outbox cannot be made again: what the ledger has under it must not be taken for the
    # effect of a repetition, which has another salt. Only of other requests the command's id follows.
    command_id = None if asked is None else secrets.token_hex(16)
    if reason:
        typed = new_reason(reason)
        # The salt is fresh at every try, so what makes two requests the same is the text without it.
        kept = node.reasons.insertion(typed, _about(body), key)
        asked, beside = body | {REASON: typed.digest}, [*beside, kept]
        body = body | {REASON: typed.commitment}
    submission = node.outbox.put(
        command_type,
        body,
        command_id=command_id,
        idempotency_key=key,
        request=asked,
        block_number_min=max(0, block_number_min()),
        beside=beside,
    )
    return answer(submission, resource=resource, record_id=record_id, created=created)


def _about(body: dict[str, Any]) -> str:
    """The ledger's key of the invoice that a command is about; empty for none."""
    return f"invoice/{body['invoice_id']}" if body.get("invoice_id") else ""


def outbox_key(step: str = "") -> str:
    """The request's idempotency key, which is the principal's own: it survives its tokens, and two may use the same."""
    return f"{current_token().principal}/{idempotency_key()}" + (f"/{step}" if step else "")


def answer(submission: Submission, *, resource: str = "", record_id: str = "", created: bool = False) -> Answer:
    """The HTTP answer to a submission, after waiting for it as long as the caller prefers.

    Raises: Problem when it was refused, failed or was withdrawn.
    """
    say_of_act(submission=submission.id, type=submission.type)
    headers = {"Location": url_for("submissions.show_submission", submission_id=submission.id)}
    seconds = wait_seconds()
    if seconds and not submission.rests:
        submission = current_node().outbox.wait(submission.id, seconds)
    if seconds:
        headers["Preference-Applied"] = f"wait={seconds}"
    if submission.status is SubmissionStatus.REFUSED:
        members = {"submission": headers["Location"], "transaction_id": submission.transaction_id}
        raise refused(submission.code, submission.text, _remedy(submission), **members)
    if submission.status is SubmissionStatus.FAILED:
        text = submission.text or "the ledger could not take this command"
        raise Problem(502, submission.code or "FAILED", text, _FAILED, submission=headers["Location"])
    if submission.status is SubmissionStatus.WITHDRAWN:
        helps = "Write it anew, under a fresh Idempotency-Key, if it is wanted after all."
        text = f"the submission was {submission.text}"
        raise Problem(409, "SUBMISSION_WITHDRAWN", text, helps, submission=headers["Location"])
    content = shown(submission)
    content |= {name: value for name, value in (("resource", resource), ("record_id", record_id)) if value}
    if submission.status is SubmissionStatus.APPLIED:
        return content, 201 if created else 200, headers
    return content, 202, headers if submission.rests else headers | {"Retry-After": "1"}


def shown(submission: Submission) -> dict[str, Any]:
    """A submission as the API shows it."""
    record_id, resource = record_of(submission)
    tell(submission.block_number if submission.status is SubmissionStatus.APPLIED else None)
    return {
        "id": submission.id,
        "type": submission.type,
        "status": submission.status.value,
        "code": submission.code,
        "text": submission.text,
        "remedy": _remedy(submission),
        "record_id": record_id,
        "resource": resource,
        "result": submission.result,
        "transaction_id": submission.transaction_id,
        "block_number": submission.block_number,
        "created_at": submission.created_at,
        "principal": submission.principal,
        "to_do": to_do(submission),
        "signing": _signing(submission) if submission.status is SubmissionStatus.AWAITING_PERSONS else None,
        "notes": [],
        "same_content": [],
    }


def _remedy(submission: Submission) -> str:
    """What can be done about one that came to nothing; empty for any other."""
    if submission.status is SubmissionStatus.REFUSED:
        return helps_with(submission.code, submission.text)
    return _FAILED if submission.status is SubmissionStatus.FAILED else ""


def to_sign(submission: Submission) -> bytes:
    """What a person signs to stand behind this command."""
    return message(submission, current_node().channel, current_node().msp_id)


def _signing(submission: Submission) -> dict[str, Any]:
    content = to_sign(submission)
    return {
        "message": content.decode(),
        "digest": hashlib.sha256(content).hexdigest(),
        "persons_needed": submission.persons_needed,
        "signed_by": list(submission.signed_by),
    }
