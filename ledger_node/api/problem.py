"""Every error of the REST API as RFC 9457 `application/problem+json`, with a `code` that programs rely on.

A problem of the API itself has the type `urn:ledger-node:problem:CODE`; a refusal of the contract keeps the
contract's own code and has the type `urn:ledger-node:refusal:CODE`. Nothing of the inside of the program (traces,
SQL, paths) ever leaves through here. Source: RFC 9457, RFC 9110 section 15.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, current_app, request
from pydantic import ValidationError

from ledger_node.documents.vault import EmptyFile, TooLarge
from ledger_node.errors import BadRequest, NodeError, NotFound
from ledger_node.faults import faults
from ledger_node.formats import FormatCode, FormatError
from ledger_node.ledger.interface import EndorseError, LedgerError
from ledger_node.operations.refusals import http_status
from ledger_node.operations.remedies import remedy
from ledger_node.outbox.store import IdempotencyConflict, OutboxFull
from ledger_node.outbox.submission import RetryConflict, SignatureConflict, WithdrawalConflict
from ledger_node.verification.exchange import ExchangeError, NotEntitled
from ledger_node.verification.reading import Differs
from network.faults import described

MEDIA_TYPE = "application/problem+json"
PROBLEM_URN = "urn:ledger-node:problem:"
REFUSAL_URN = "urn:ledger-node:refusal:"

_FORMAT_STATUS = {
    FormatCode.EMPTY: 400,
    FormatCode.TOO_LARGE: 413,
    FormatCode.MEDIA_TYPE: 415,
    FormatCode.NOT_SUPPORTED: 415,
}
_HTTP_CODES = {
    400: "BAD_REQUEST",
    401: "TOKEN_REQUIRED",
    403: "TOKEN_ROLE",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
    415: "MEDIA_TYPE",
    500: "INTERNAL",
}
_REMEDIES = {
    401: "Send a valid token: Authorization: Bearer TOKEN (made by `ledger-node token create`).",
    403: "Use a token whose role allows this; the reference of the API names it.",
    404: "Look at /openapi.json for the addresses there are.",
    405: "Look at /openapi.json for the methods there are.",
    413: "Send less at once; what a document may have is limits.document_size_bytes_max in node.toml.",
    500: "Look at the node's log at this time; report it if it happens again.",
}
_ASK_OPERATOR = "Try again in a moment; whoever runs the node looks at its log and at: ledger-node network status"

_log = structlog.get_logger(__name__)


class Problem(NodeError):
    """An error that the API itself finds.

    Args:
        status: HTTP status.
        code: name for programs.
        text: what is wrong, in one sentence.
        remedy: what the caller can do.
        urn: the kind of code, PROBLEM_URN or REFUSAL_URN.
        headers: further headers of the answer.
        members: further members of the problem document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        remedy: str = "",
        *,
        urn: str = PROBLEM_URN,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(text, remedy)
        self.status, self.code, self.urn = status, code, urn
        self.headers = headers or {}
        self.members = members


def refused(code: str, text: str, helps: str = "", **members: Any) -> Problem:
    """The contract said no: 404 for what does not exist, 422 for what can never be right, else 409.

    Args:
        helps: what can be done about it, where more is known than about its code.
    """
    return Problem(http_status(code), code, text, helps or remedy(code), urn=REFUSAL_URN, **members)


def response(problem: Problem) -> Response:
    """The problem as an HTTP answer."""
    body = {
        "type": problem.urn + problem.code,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.text,
        "instance": request.path,
        "code": problem.code,
    }
    if problem.remedy:
        body["remedy"] = problem.remedy
    answer = Response(json.dumps(body | problem.members), problem.status, mimetype=MEDIA_TYPE)
    answer.headers.update(problem.headers)
    return answer


def problem_of(error: NodeError) -> Problem:
    """Any of the node's errors as a problem."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, FormatError):
        return Problem(_FORMAT_STATUS.get(error.code, 422), error.code, error.text, error.remedy)
    if isinstance(error, OutboxFull):
        return Problem(503, "OUTBOX_FULL", error.text, error.remedy, headers={"Retry-After": "5"})
    for family, status, code in (
        (IdempotencyConflict, 422, "IDEMPOTENCY_KEY_REUSED"),
        (SignatureConflict, 409, "SIGNATURE_NOT_TAKEN"),
        (WithdrawalConflict, 409, "WITHDRAWAL_NOT_TAKEN"),
        (RetryConflict, 409, "RETRY_NOT_TAKEN"),
        (TooLarge, 413, "TOO_LARGE"),
        (EmptyFile, 400, "EMPTY"),
        (NotEntitled, 403, "NOT_ENTITLED"),
        (Differs, 502, "DOCUMENT_DIFFERS"),
        (ExchangeError, 503, "DOCUMENT_UNAVAILABLE"),
        (BadRequest, 400, "BAD_REQUEST"),
        (NotFound, 404, "NOT_FOUND"),
        (EndorseError, 502, "NOT_ENDORSED"),
        (LedgerError, 503, "LEDGER_UNREACHABLE"),
    ):
        if isinstance(error, family):
            if isinstance(error, LedgerError):
                return Problem(status, code, of_ledger(error), error.remedy or _ASK_OPERATOR)
            return Problem(status, code, error.text, error.remedy)
    _log.error("unexpected error", kind=type(error).__name__, text=error.text, path=request.path)
    return Problem(500, "INTERNAL", "the node could not do this", _REMEDIES[500])


def of_ledger(error: LedgerError) -> str:
    """What users are told where the ledger could not be asked; what the network said in its own words is logged."""
    if error.remedy:
        return error.text
    _log.warning("the ledger could not be asked", text=error.text, path=request.path)
    return "the organisation's own peer does not answer, or not as it should"


def install(app: APIFlask) -> None:
    """Make `app` answer every error as a problem, its framework's own errors included."""

    @app.error_processor
    def _framework(error: HTTPError) -> Response:
        return response(_of_framework(error))

    @app.errorhandler(NodeError)
    def _ours(error: NodeError) -> Response:
        return response(problem_of(error))


def _of_framework(error: HTTPError) -> Problem:
    status = error.status_code
    headers = {name: str(value) for name, value in dict(error.headers or {}).items() if name not in _BODY_HEADERS}
    code, helps = _HTTP_CODES.get(status, f"HTTP_{status}"), _REMEDIES.get(status, "")
    if isinstance(error.__cause__, ValidationError):
        (place,) = error.detail
        return of_fields(error.__cause__, place)
    text = _TEXTS[status]() if status in _TEXTS else error.message or HTTPStatus(status).phrase
    return Problem(status, code, text, helps, headers=headers)


def of_fields(error: ValidationError, place: str = "form") -> Problem:
    """What is wrong with fields, each by its name.

    Args:
        place: where they stand: "json", "query" or "form".
    """
    found = faults(error)
    fields = [{"place": place, "field": field, "fault": fault} for field, fault in found]
    return Problem(400, "INVALID_INPUT", described(found), "Mend the named fields.", fields=fields)


def _too_large() -> str:
    """The limit that a request is over: of the whole, or of what a form has besides its file."""
    limit, length = request.max_content_length, request.content_length
    if limit is not None and (length is None or length > limit):
        return f"the request is larger than {limit} bytes"
    size, parts = request.max_form_memory_size, request.max_form_parts
    return f"the form has more than {parts} parts, or fields of more than {size} bytes in all"


def _no_such_method() -> str:
    """The methods that the address has; what asks for none has them all."""
    adapter = current_app.create_url_adapter(request)
    methods = sorted(adapter.allowed_methods()) if adapter else []
    return f"{request.method} is not among the methods of this address: {', '.join(methods)}"


_TEXTS = {
    404: lambda: f"there is nothing at {request.path[:200]}",
    405: _no_such_method,
    413: _too_large,
}
"""What the framework's own errors say here."""


_BODY_HEADERS = ("Content-Type", "Content-Length")
