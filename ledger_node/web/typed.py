"""What somebody typed before the session was over: it goes through the sign-in with its reader, and is shown again.

Nothing of it is stored at the node and nothing is done. Signed by this node it stands in the pages of the sign-in;
whoever is signed in then finds the form filled, and sends it or not. Files are not kept: a browser gives them once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer

from ledger_node.api.app import FORM_BYTES_MAX
from ledger_node.web.texts import page

View = TypeVar("View", bound=Callable[..., Any])
AGAIN = "again"
"""The field of a form that is only to be shown once more, as it was filled in."""
KEPT_SECONDS = 24 * 3600
KEPT_BYTES_MAX = FORM_BYTES_MAX - 8 * 1024
"""It travels as one field of a form, beside a password."""
_NOT_KEPT = ("csrf_token", AGAIN)


def fills(view: View) -> View:
    """Decorator of a page that shows its form filled in, and does nothing, where `is_again`."""
    view.fills = True  # type: ignore[attr-defined]
    return view


def is_again() -> bool:
    """Whether the form is only to be shown once more."""
    return AGAIN in request.form


def kept() -> str:
    """What was typed into the form that this request sends, as a field of another one; empty where it is not kept."""
    view: Any = current_app.view_functions.get(request.endpoint or "")
    size = request.content_length
    if request.method != "POST" or not getattr(view, "fills", False) or size is None or size > FORM_BYTES_MAX:
        return ""
    pairs = [(name, value) for name, value in request.form.items(multi=True) if name not in _NOT_KEPT]
    made = _signer().dumps([request.full_path.rstrip("?"), pairs])
    assert isinstance(made, str), "of the URL-safe alphabet"
    return made if len(made) <= KEPT_BYTES_MAX else ""


def go_on(typed: str) -> str:
    """The page from which one goes on to the form that was filled in; to the start page where nothing is kept."""
    try:
        address, pairs = _signer().loads(typed, max_age=KEPT_SECONDS)
    except BadSignature:
        address, pairs = url_for("work.start"), []
    return page("go_on.html", address=address, pairs=pairs, again=AGAIN)


def came_from() -> str | None:
    """The page of this node that a form was sent from, as the browser says it; None where it does not."""
    try:
        sent_from = urlsplit(request.referrer or "")
    except ValueError:
        return None
    if sent_from.netloc != request.host or not sent_from.path.startswith("/"):
        return None
    return sent_from.path + (f"?{sent_from.query}" if sent_from.query else "")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="typed")
