"""Every command that a person can give, as a page: its form, the ledger's answer, and where to go on.

A form carries a key, so that sending it twice is one command; what is refused is shown in the form, with all that was
typed.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, request, url_for
from werkzeug.datastructures import MultiDict

from ledger_node.operations.operation import Operation
from ledger_node.operations.table import OPERATIONS
from ledger_node.web.asking import Plain, Refused, ask, fresh_key, is_over, send
from ledger_node.web.forms import FormField, body_of, called, digits_of, form_of, record_of, with_forms
from ledger_node.web.guard import Answered, local, problem_page
from ledger_node.web.marks import gettext
from ledger_node.web.signed_words import known_of
from ledger_node.web.texts import page
from ledger_node.web.typed import fills, is_again

routes = Blueprint("acts", __name__)
PAGES = {"invoices": "invoices.show", "shipments": "goods.show"}
"""Records with a page of their own, by the word in their address at the API."""


@routes.get("/do")
def index() -> Answered:
    """All that one may do, but what is about one record."""
    groups: dict[str, list[Operation]] = {}
    for operation in with_forms().values():
        if _may(operation) and not operation.in_address:
            groups.setdefault(operation.tag, []).append(operation)
    return page("acts.html", groups=groups), 200


@routes.get("/do/<name>")
def show(name: str) -> Answered:
    """The form of a command."""
    operation = with_forms().get(name) or abort(404)
    if not _may(operation):
        return problem_page(403, "ROLE", needed=operation.roles)
    return _form(operation, form_of(operation, request.args, typed=False), request.args, fresh_key(), None), 200


@routes.post("/do/<name>")
@fills
def do(name: str) -> Answered:
    """Give the command."""
    operation = with_forms().get(name) or abort(404)
    if not _may(operation):
        return problem_page(403, "ROLE", needed=operation.roles)
    key = request.form.get("key", "")
    fields = form_of(operation, request.form, typed=True)
    address = _address(operation, request.form)
    if is_again():
        return _form(operation, fields, request.form, key or fresh_key(), None), 200
    body = body_of(fields, digits_of(request.form) if any(each.kind == "amount" for each in fields) else 0)
    if body is None:
        return _form(operation, fields, request.form, key, None), 400
    try:
        answer = send(address, operation.roles, body, key)
    except Refused as refused:
        for each in fields:
            each.fault = refused.fields.get(each.name, "")
        again = fresh_key() if is_over(refused) else key
        return _form(operation, fields, request.form, again, refused), refused.status
    return after(answer, request.form.get("next"))


@routes.get("/submissions/<submission_id>")
def submission(submission_id: str) -> Answered:
    """What became of a command."""
    found = ask(f"/v1/submissions/{submission_id}")
    target = record_page(found)
    known = known_of(found["signing"]["message"]) if found["signing"] else {}
    shown = {"submission": found, "page": target if target != url_for("work.start") else "", "known": known}
    return page("submission.html", **shown, key=fresh_key()), 200


@routes.post("/submissions/<submission_id>/<step>")
def step(submission_id: str, step: str) -> Answered:
    """Take back a command that awaits persons, or let one that came to nothing go again."""
    if step not in ("withdrawal", "retry"):
        abort(404)
    of_command = [row.roles for row in OPERATIONS if row.command == ask(f"/v1/submissions/{submission_id}")["type"]]
    roles = of_command[0] if of_command else g.login.roles
    try:
        send(f"/v1/submissions/{submission_id}/{step}", roles, {}, request.form.get("key", ""))
    except Refused as refused:
        if refused.code == "TOKEN_ROLE":
            raise
        flash(refused.text, "bad")
    return redirect(url_for("acts.submission", submission_id=submission_id))


def after(answer: Plain, wanted: str | None) -> Answered:
    """Where to go once a command was taken: to its record if it is done, else to where one sees how it stands."""
    if answer["status"] != "applied":
        return redirect(url_for("acts.submission", submission_id=answer["id"]))
    flash(gettext("Done, and on the ledger in block %(block)d.", block=answer["block_number"]))
    return redirect(local(wanted) if wanted else record_page(answer))


def record_page(answer: Plain) -> str:
    """The page of the record that a command made or changed."""
    parts = str(answer["resource"]).split("/")
    if len(parts) == 4 and parts[2] in PAGES:
        return url_for(PAGES[parts[2]], record_id=parts[3])
    return url_for("work.start")


def _may(operation: Operation) -> bool:
    return bool(set(operation.roles) & set(g.login.roles))


def _address(operation: Operation, given: MultiDict[str, str]) -> str:
    """The address at the API; each part of it is one part, whatever was sent."""
    address = operation.address
    for name in operation.in_address:
        value = given.get(name, "")
        if not value or not value.replace("-", "").replace("_", "").replace(".", "").isalnum():
            abort(400)
        address = address.replace(f"<{name}>", value)
    return address


def _form(
    operation: Operation, fields: list[FormField], given: MultiDict[str, str], key: str, refused: Refused | None
) -> str:
    shown: dict[str, Any] = {"operation": operation, "fields": fields, "key": key, "refused": refused}
    places = {name: given.get(name, "") for name in operation.in_address}
    about = {name: record_of(name, value) for name, value in places.items()}
    return page("do.html", **shown, places=places, about=about, called=called, next=given.get("next", ""))
