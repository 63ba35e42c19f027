"""`/events` for browsers: the API's stream of blocks, for whoever is signed in."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from ledger_node.api.events import stream

routes = Blueprint("live", __name__)


@routes.get("/events")
def events() -> Response:
    """Every block from now on, as server-sent events."""
    return stream()
