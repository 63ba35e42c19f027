"""`/events` for browsers: the API's stream of blocks, for whoever is signed in."""

from __future__ import annotations

from flask import Blueprint, g
from werkzeug.wrappers import Response

from ledger_node.api.context import current_node
from ledger_node.api.events import stream

routes = Blueprint("live", __name__)


@routes.get("/events")
def events() -> Response:
    """Every block from now on, as server-sent events."""
    node, session_id, login_id = current_node(), g.signed_in.id, g.login.id
    return stream(
        f"login/{login_id}",
        lambda: node.sessions.goes_on(session_id) and node.logins.get(login_id) is not None,
    )
