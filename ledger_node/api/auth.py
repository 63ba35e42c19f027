"""Who may ask: bearer tokens with a role. Every route needs one, except health, metrics and the API's description.

The pages ask in this process, in the name of whoever is signed in there; a request from outside cannot say so.

A token is looked up by its SHA-256, so comparing takes the same time whatever was sent. 401 means no valid token,
403 means its role does not allow this. Source: RFC 6750.
"""

from __future__ import annotations

from typing import Any

from apiflask import HTTPTokenAuth
from apiflask.exceptions import HTTPError
from flask import Response, current_app, g, request

from ledger_node.api.access import ACTING, begin_act
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem, response
from ledger_node.people.tokens import Token

bearer = HTTPTokenAuth(description="A token made by `ledger-node token create`.")
"""The one security scheme of the API."""


@bearer.verify_token  # type: ignore[untyped-decorator]
def _token(secret: str) -> Token | None:
    acting: Token | None = request.environ.get(ACTING)
    token = acting or (current_node().tokens.check(secret) if secret else None)
    if token is not None:
        begin_act(current_node(), token)
    return token


@bearer.get_user_roles  # type: ignore[untyped-decorator]
def _roles(token: Token) -> list[str]:
    return [token.role.value]


@bearer.error_processor
def _refuse(error: HTTPError) -> Response:
    if error.status_code == 403:
        return response(_wrong_role())
    sent = request.authorization is not None
    text = "the token is unknown, expired or revoked" if sent else "the request carries no token"
    remedy = "Make one with `ledger-node token create` and send it as Authorization: Bearer TOKEN."
    code = "TOKEN_INVALID" if sent else "TOKEN_MISSING"
    challenge = 'Bearer error="invalid_token"' if sent else "Bearer"
    return response(Problem(401, code, text, remedy, headers={"WWW-Authenticate": challenge}))


def _wrong_role() -> Problem:
    """The role that the token has, and the roles of which one is needed here."""
    token = g.get("token")
    has = f"this token has the role {token.role.value}, and " if token else ""
    view: Any = current_app.view_functions[request.endpoint or ""]
    needed = view._spec["roles"]  # where the framework keeps what the route asked for
    remedy = f"Use a token with such a role; make one with: ledger-node token create --role {needed[0]}"
    return Problem(403, "TOKEN_ROLE", f"{has}this needs the role {' or '.join(needed)}", remedy)


def current_token() -> Token:
    """The token of this request; only behind a route that needs one."""
    token = bearer.current_user
    assert isinstance(token, Token)
    return token


def derived_id(purpose: str, idempotency_key: str) -> str:
    """A record id, 32 hex characters, that a request repeated by its principal gets again, with whichever token.

    Nobody else can guess it.

    Args:
        purpose: what the id is for.
        idempotency_key: of the request.
    """
    return current_node().record_ids.derive(current_token().principal, purpose, idempotency_key)
