"""Asking the API in this process, in the name of whoever is signed in: the pages' only way to the node's records.

So a page can show and do what the API allows that person, no more, by the same checks, and the audit log tells it the
same way.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import current_app, g, request
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from ledger_node.api.access import ACTING
from ledger_node.errors import NodeError
from ledger_node.people.roles import ADMIN, Role
from ledger_node.people.tokens import Token

EXTENSION = "ledger_node_api"
WAIT_SECONDS = 10
"""How long a page waits for the ledger's answer; then it says that the answer is still open."""
Plain = dict[str, Any]


class Refused(NodeError):
    """What the API answers instead of a record. `fields` maps names of the request to what is wrong with them."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")), str(problem.get("remedy", "")))
        self.status = status
        self.code = str(problem.get("code", ""))
        self.fields = {each["field"].split(".")[0]: each["fault"] for each in problem.get("fields", ())}


def is_over(refused: Refused) -> bool:
    """Whether nothing came of what was sent, and nothing will: corrected, it is another command, under another key.

    While the outcome is unknown, or what was sent under the key before may have been done, the key stays.
    """
    return refused.status < 500 and refused.code != "IDEMPOTENCY_KEY_REUSED"


def acting_as(roles: Collection[str] = ()) -> Token:
    """The credential of whoever is signed in, in one of some roles it has, or to read.

    Args:
        roles: of which the API takes any; none to read.
    """
    fit = [role for role in roles if role in g.login.roles and role != ADMIN]
    role = Role(fit[0]) if fit else Role.AUDITOR
    created = g.signed_in.created_at.isoformat(timespec="seconds")
    return Token(f"session {g.signed_in.id}", role, created, "", g.login.name, g.login.full_name, "")


def ask(path: str, **query: Any) -> Any:
    """What the API answers to a read. Raises: Refused.

    Args:
        path: of the API.
        query: parameters; empty ones are left out.
    """
    given = {name: value for name, value in query.items() if value not in ("", None)}
    return _sent(EnvironBuilder(path=quote(path), query_string=urlencode(given)), acting_as())


def file_of(path: str) -> Response:
    """What the API answers to a read, as it is: a file. Raises: Refused."""
    return _response(EnvironBuilder(path=quote(path), query_string=request.query_string.decode()), acting_as())


def awaited(submission_id: str, seconds: int) -> Plain:
    """A submission, as soon as the ledger has answered it, or as it stands after some seconds. Raises: Refused."""
    builder = EnvironBuilder(path=quote(f"/v1/submissions/{submission_id}"), headers=[("Prefer", f"wait={seconds}")])
    found: Plain = _sent(builder, acting_as())
    return found


def send(path: str, roles: Collection[str], body: Plain, key: str, *, wait: int = WAIT_SECONDS) -> Plain:
    """A write, and the ledger's answer if it comes in time. Raises: Refused.

    Args:
        path: of the API.
        roles: that it takes.
        body: of the request.
        key: makes the same form sent twice one write.
        wait: seconds.
    """
    headers = {"Idempotency-Key": key, "Prefer": f"wait={wait}"}
    builder = EnvironBuilder(method="POST", path=quote(path), json=body, headers=list(headers.items()))
    sent: Plain = _sent(builder, acting_as(roles))
    return sent


def upload(path: str, roles: Collection[str], form: Mapping[str, Any], key: str) -> Plain:
    """A form with a file; see `send`."""
    headers = {"Idempotency-Key": key, "Prefer": f"wait={WAIT_SECONDS}"}
    sent: Plain = _sent(
        EnvironBuilder(method="POST", path=quote(path), data=dict(form), headers=list(headers.items())),
        acting_as(roles),
    )
    return sent


def fresh_key() -> str:
    """A key for a form that is being shown."""
    return secrets.token_hex(16)


def _sent(builder: EnvironBuilder, token: Token) -> Any:
    return json.loads(_response(builder, token).get_data())


def _response(builder: EnvironBuilder, token: Token) -> Response:
    # The header says that there is a credential, which is in the environ: no browser can put one there.
    acting = {ACTING: token, "HTTP_AUTHORIZATION": "Bearer page", "REMOTE_ADDR": request.remote_addr or ""}
    environ = builder.get_environ() | acting
    response = Response.from_app(current_app.extensions[EXTENSION], environ)
    builder.close()
    if response.status_code >= 400:
        raise Refused(response.status_code, json.loads(response.get_data()))
    return response
