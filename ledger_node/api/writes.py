"""The one way a write goes: token, strict body, one command into the outbox, an answer with the submission's URL.

A write is one command of the contract. It is stored before it is answered (202), and a client that prefers to wait
gets the ledger's answer: 200 or 201 when applied, a problem with the contract's code when refused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import url_for
from pydantic import Field
from sqlalchemy import Executable

from ledger_node.api.answers import answers
from ledger_node.api.auth import bearer, current_token, derived_id
from ledger_node.api.context import block_number_min, current_node, idempotency_key, wait_seconds
from ledger_node.api.problem import Problem, refused
from ledger_node.operations.fields import In, Out
from ledger_node.operations.shapes import REASON
from ledger_node.outbox.store import Submission, SubmissionStatus
from ledger_node.people.persons import message
from ledger_node.people.reasons import new_reason
from ledger_node.people.roles import Role

Answer = tuple[dict[str, Any], int, dict[str, str]]
WRITERS = tuple(role.value for role in Role if role is not Role.AUDITOR)
View = TypeVar("View", bound=Callable[..., Any])


class SigningOut(Out):
    """What persons have to sign before the ledger takes the command, and who has."""

    message: str = Field(description="Canonical JSON; sign SHA-256 of its UTF-8 bytes with ECDSA over P-256.")
    digest: str = Field(description="That SHA-256, 64 hex digits.")
    persons_needed: int
    signed_by: list[str] = Field(description="Ids of the persons who have signed.")


class SubmissionOut(Out):
    """A command on its way to the ledger, and what became of it."""

    id: str = Field(description="Id of the submission, and of the command on the ledger.")
    type: str = Field(examples=["RegisterInvoice"])
    status: str = Field(
        description="waiting, sent, awaiting_persons, applied, refused, failed or withdrawn; the last four are final."
    )
    code: str = Field(description="Why it was refused or failed; else empty.")
    text: str
    record_id: str = Field(description="Id of the record that this write makes or changes; empty when unknown.")
    resource: str = Field(description="Where that record can be read, once it is applied; empty when there is none.")
    result: dict[str, Any] | None = Field(description="The contract's answer, once applied.")
    transaction_id: str
    block_number: int | None
    created_at: str
    signing: SigningOut | None = Field(description="While persons have to sign it.")
    notes: list[str] = Field(description="Of an upload: what the file does not say and registering it has to state.")
    same_content: list[str] = Field(description="Of an upload: ids of the other own documents with the same content.")


EXAMPLE: dict[str, Any] = {
    "id": "9b2f6c1d4e8a47f0a1c3d5e7f9081726",
    "type": "RegisterInvoice",
    "status": "waiting",
    "code": "",
    "text": "",
    "record_id": "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c",
    "resource": "/v1/invoices/5f0c8b2e9a7d4e31b6c2a1908f7e6d5c",
    "result": None,
    "transaction_id": "",
    "block_number": None,
    "created_at": "2026-11-22T12:00:00.000000Z",
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
            current_node().outbox.require_room(_outbox_key())
            return view(*args, **kwargs)

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
    beside: Executable | None = None,
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
        beside: a statement for the same transaction of the state database; not together with a reason.

    Raises: Problem when it was refused, failed or was withdrawn.
    """
    node = current_node()
    # A salt that was lost with the outbox cannot be made again: what the ledger has under it must not be taken for the
    # effect of a repetition, which has another salt. Only of other requests the command's id follows.
    command_id = None if asked is None else secrets.token_hex(16)
    if reason:
        typed = new_reason(reason)
        # The salt is fresh at every try, so what makes two requests the same is the text without it.
        asked, beside = body | {REASON: typed.digest}, node.reasons.insertion(typed)
        body = body | {REASON: typed.commitment}
    submission = node.outbox.put(
        command_type,
        body,
        command_id=command_id,
        idempotency_key=_outbox_key(),
        request=asked,
        block_number_min=max(0, block_number_min()),
        beside=beside,
    )
    return answer(submission, resource=resource, record_id=record_id, created=created)


def _outbox_key() -> str:
    """The request's idempotency key, which is the principal's own: it survives its tokens, and two may use the same."""
    return f"{current_token().principal}/{idempotency_key()}"


def answer(submission: Submission, *, resource: str = "", record_id: str = "", created: bool = False) -> Answer:
    """The HTTP answer to a submission, after waiting for it as long as the caller prefers.

    Raises: Problem when it was refused, failed or was withdrawn.
    """
    headers = {"Location": url_for("submissions.show_submission", submission_id=submission.id)}
    seconds = wait_seconds()
    if seconds and not submission.rests:
        submission = current_node().outbox.wait(submission.id, seconds)
    if seconds:
        headers["Preference-Applied"] = f"wait={seconds}"
    if submission.status is SubmissionStatus.REFUSED:
        members = {"submission": headers["Location"], "transaction_id": submission.transaction_id}
        raise refused(submission.code, submission.text, **members)
    if submission.status is SubmissionStatus.FAILED:
        text = submission.text or "the ledger could not take this command"
        raise Problem(502, submission.code or "FAILED", text, submission=headers["Location"])
    if submission.status is SubmissionStatus.WITHDRAWN:
        remedy = "Write it anew, under a fresh Idempotency-Key, if it is wanted after all."
        text = f"the submission was {submission.text}"
        raise Problem(409, "SUBMISSION_WITHDRAWN", text, remedy, submission=headers["Location"])
    content = shown(submission) | {"resource": resource, "record_id": record_id}
    if submission.status is SubmissionStatus.APPLIED:
        return content, 201 if created else 200, headers
    return content, 202, headers if submission.rests else headers | {"Retry-After": "1"}


def shown(submission: Submission) -> dict[str, Any]:
    """A submission as the API shows it."""
    return {
        "id": submission.id,
        "type": submission.type,
        "status": submission.status.value,
        "code": submission.code,
        "text": submission.text,
        "record_id": "",
        "resource": "",
        "result": submission.result,
        "transaction_id": submission.transaction_id,
        "block_number": submission.block_number,
        "created_at": submission.created_at,
        "signing": _signing(submission) if submission.status is SubmissionStatus.AWAITING_PERSONS else None,
        "notes": [],
        "same_content": [],
    }


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
