"""What is kept of each request: a line in the access log, its time as a figure, and of acts a line in the audit log.

An act is what is not merely asked (every method but GET and HEAD), and a document's content handed out.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

from ledger_node.api.problem import MEDIA_TYPE, Problem
from ledger_node.node import Node
from ledger_node.people.tokens import Token

ACTING = "ledger_node.acting"
"""Where a request that the pages make in this process has the token of whoever is signed in: no header gets there."""
ASKS = ("GET", "HEAD")
HANDED_OUT = ("documents.fetch_document",)
METHOD_CHARACTERS_MAX = 20
ID = re.compile(r"[0-9a-f]{4,64}")

_log = structlog.get_logger("access")


def install(app: Flask, node: Node, *, logged: bool) -> None:
    """Keep what is said above of each request to `app`.

    Args:
        app: the user API.
        node: whose audit log it is.
        logged: whether each request is a line in the node's log.
    """

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        seconds = time.perf_counter() - g.began if "began" in g else 0.0
        if logged and ACTING not in request.environ:  # the page that it is asked for is a line already
            _log.info("request", **_seen(response), milliseconds=round(1000 * seconds, 1), **who())
        if "asked" in g:
            _tell_end(node, response)
        return response


def who() -> dict[str, str]:
    """Whose token the request carries: its id, and who acts with it; nothing without a good one."""
    token = g.get("token")
    return {"token": token.id, "principal": token.principal} if isinstance(token, Token) else {}


def begin_act(node: Node, token: Token) -> None:
    """Tell the audit log who asks for what, before it is done; the route has not looked at it yet.

    Raises: Problem 503 when that cannot be written: then it is not done.
    """
    g.token = token
    if (request.method in ASKS and request.endpoint not in HANDED_OUT) or "asked" in g:
        return
    asked = {"method": request.method[:METHOD_CHARACTERS_MAX], "path": _path(), "from": request.remote_addr or ""}
    g.asked = write_down(node, act="asked", **who(), role=token.role.value, **asked)


def write_down(node: Node, **act: str) -> str:
    """Append to the audit log before something is done, and give the line's digest.

    Raises: Problem 503 when that cannot be written: then it is not done.
    """
    try:
        return node.audit.append(**act)
    except OSError as error:
        _log.error("the audit log cannot be written", path=str(node.audit.path), error=str(error))
        text = f"this node cannot write down who does what ({node.audit.trouble}), and does nothing meanwhile"
        remedy = "Mend that on the node's machine: is there room, and may the node write its audit log?"
        raise Problem(503, "AUDIT_LOG_FAILS", text, remedy, headers={"Retry-After": "5"}) from error


def say_of_act(**what: str) -> None:
    """Say more of the act that is being done, for the line at its end."""
    g.told = {**g.get("told", {}), **what}


def _tell_end(node: Node, response: Response) -> None:
    answered = {"act": "answered", "asked": g.asked, "status": response.status_code, **_code(response)}
    try:
        node.audit.append(**answered, **g.get("told", {}))
    except OSError as error:  # what was asked for is written down, and it is done by now
        _log.error("the audit log cannot be written", path=str(node.audit.path), error=str(error), **answered)


def _seen(response: Response) -> dict[str, Any]:
    # Neither the query nor the body: people search for names, and write amounts.
    method = request.method[:METHOD_CHARACTERS_MAX]
    return {"method": method, "path": _path(), "status": response.status_code, "from": request.remote_addr or ""}


def _path() -> str:
    """The address with the ids in it; a name that was given instead of an id stays out, as does what no route takes."""
    if request.url_rule is None:
        return "-"
    path = request.url_rule.rule
    for name, value in (request.view_args or {}).items():
        if ID.fullmatch(str(value)):
            path = re.sub(rf"<([a-z]+:)?{name}>", str(value), path)
    return path


def _code(response: Response) -> dict[str, str]:
    """The code of a problem."""
    if response.mimetype != MEDIA_TYPE:
        return {}
    return {"code": str(json.loads(response.get_data())["code"])}
