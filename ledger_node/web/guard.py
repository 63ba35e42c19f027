"""Before and after every page: who it is, whether it may, and what browsers are told to refuse.

Nothing is shown to whoever is not signed in, unless its route says so (`is_open`). Every form carries a token against
forgery; nothing may frame a page, and no script runs but the pages' own file.
Source: OWASP session management, CSP level 3, Flask-WTF.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, make_response, redirect, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as BaseResponse

from ledger_node.api.app import FORM_BYTES_MAX
from ledger_node.api.context import EXTENSION, current_node
from ledger_node.api.problem import Problem
from ledger_node.errors import NodeError
from ledger_node.node import Node
from ledger_node.web import typed
from ledger_node.web.asking import Refused, acting_as
from ledger_node.web.marks import gettext
from ledger_node.web.texts import page

SESSION = "signed in"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
View = TypeVar("View", bound=Callable[..., Any])
Answered = BaseResponse | tuple[str, int]


def is_open(view: View) -> View:
    """Decorator of a page that is shown to whoever is not signed in."""
    view.is_open = True  # type: ignore[attr-defined]
    return view


def takes_files(view: View) -> View:
    """Decorator of a page that whoever is signed in may send files to."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


def only(*roles: str) -> Callable[[View], View]:
    """Decorator of a page that is only for some roles; what the API allows is the API's to say."""

    def decorate(view: View) -> View:
        view.roles = roles  # type: ignore[attr-defined]
        return view

    return decorate


def install(app: Flask, node: Node) -> None:
    """Make `app` keep what is said above."""
    own = urlsplit(node.settings.web_url)
    app.config.update(
        SECRET_KEY=node.record_ids.page_key(),
        # The prefix makes browsers refuse the cookie from any other host or path, and without TLS but on this machine.
        # Ports share cookies, and the nodes of one machine a host: each has a name of its own.
        SESSION_COOKIE_NAME=f"__Host-ledger-node-{node.settings.organisation}",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        TRUSTED_HOSTS=[own.hostname or "", *LOOPBACK],
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form that was left open is not lost
        WTF_CSRF_SSL_STRICT=False,  # a proxy ends TLS; the Origin is compared below
    )
    app.before_request(_same_origin)
    app.before_request(_who)  # before a form is read: whoever is unknown may send a small one only
    CSRFProtect(app)
    app.after_request(_guarded)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Problem, _problem)
    app.log_exception = _log_exception  # type: ignore[method-assign]
    app.register_error_handler(NodeError, _node_error)
    app.register_error_handler(CSRFError, _of_another_session)
    app.register_error_handler(SecurityError, _wrong_host)
    app.register_error_handler(HTTPException, lambda error: problem_page(error.code or 500, ""))


def _same_origin() -> None:
    """A form of another site is refused by what the browser itself says of it, before anything is read."""
    origin = request.headers.get("Origin")
    if request.method in ("GET", "HEAD") or origin is None:
        return
    node: Node = current_app.extensions[EXTENSION]
    allowed = {node.settings.web_url, request.host_url.rstrip("/")}
    if origin not in allowed:
        abort(403)


def _who() -> Answered | None:
    """Find the session; refuse whoever has none where one is needed."""
    view: Any = current_app.view_functions.get(request.endpoint or "")
    by_itself = request.endpoint == "live.events" or "X-Live" in request.headers  # nobody need be there for that
    known = current_node().sessions.check(session[SESSION], note=not by_itself) if SESSION in session else None
    login = None if known is None else current_node().logins.get(known.login_id)
    g.login, g.signed_in = (login, known) if login is not None else (None, None)
    if login is not None:
        g.token = acting_as()
    if login is None or not getattr(view, "takes_files", False):
        request.max_content_length = FORM_BYTES_MAX
    if view is None or getattr(view, "is_open", False) or request.endpoint == "static":
        return None
    if login is None:
        session.pop(SESSION, None)
        return _sign_in()
    needed = getattr(view, "roles", ())
    if needed and not set(needed) & set(login.roles):
        return problem_page(403, "ROLE", needed=needed)
    return None


def _sign_in() -> Answered:
    """The way back to the page that was asked for, or to the form that was sent, with what was typed into it."""
    if what := typed.kept():
        fault = gettext("Your session has ended. Sign in again: nothing was done, and what you typed is kept.")
        return page("sign_in.html", next="", typed=what, fault=fault), 401
    here = request.full_path.rstrip("?") if request.method == "GET" else typed.came_from()
    return redirect(url_for("sign_in.show", next=here if here != "/" else None))


def _of_another_session(_error: CSRFError) -> Answered:
    """A form that this browser shows since before its last sign-in is shown again; one from elsewhere is refused."""
    what = typed.kept() if request.headers.get("Origin") and g.login is not None else ""
    return (typed.go_on(what), 400) if what else problem_page(400, "FORM_FORGED")


def local(address: str | None) -> str:
    """An address of these pages, for going there next; the start page for any other, such as another site's."""
    if address is None or not address.startswith("/") or address.startswith(("//", "/\\")) or "\\" in address:
        return url_for("work.start")
    parts = urlsplit(address)
    return url_for("work.start") if parts.scheme or parts.netloc or not address.isprintable() else address


def _guarded(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Cache-Control", "no-store")
    headers["Content-Security-Policy"] = POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def _wrong_host(_error: SecurityError) -> Answered:
    """By this name nobody reaches these pages: no address of theirs can be made for it."""
    text = "These pages are not reached by that name. Set web.url in node.toml to how browsers reach them.\n"
    return Response(text, 400, mimetype="text/plain")


def _refused(error: Refused) -> Answered:
    return problem_page(error.status, error.code, text=error.text, remedy=error.remedy)


def _problem(error: Problem) -> Answered:
    answer = make_response(problem_page(error.status, error.code, text=error.text, remedy=error.remedy))
    answer.headers.extend(error.headers)
    return answer


def _log_exception(exc_info: Any) -> None:
    """Flask's line has the address, and in that may be a link's secret: here is the route."""
    route = request.url_rule.rule if request.url_rule else "-"
    current_app.logger.error("Exception on %s [%s]", route, request.method, exc_info=exc_info)


def _node_error(error: NodeError) -> Answered:
    return problem_page(400, "", text=error.text, remedy=error.remedy)


def problem_page(status: int, code: str, **said: Any) -> Answered:
    """Every error is a page that says what is the matter and where to go on."""
    g.setdefault("login", None)
    return page("problem.html", status=status, code=code, **said), status
