"""What admins and operators look at: the consortium and this node, persons who sign in, and tokens of programs."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request, url_for

from ledger_node.api.access import write_down
from ledger_node.api.context import current_node
from ledger_node.errors import BadRequest, NotFound
from ledger_node.people.logins import LOGIN_ROLES
from ledger_node.people.roles import ADMIN
from ledger_node.web.asking import ask
from ledger_node.web.guard import Answered, only
from ledger_node.web.texts import page
from ledger_node.web.typed import fills, is_again

routes = Blueprint("office", __name__)
INVITATION_HOURS = 72


@routes.get("/consortium")
def consortium() -> Answered:
    """Parties, changes of the membership, and how this node is."""
    shown = {"parties": ask("/v1/parties"), "changes": ask("/v1/membership-changes")["items"]}
    return page("consortium.html", health=current_node().health(), findings=ask("/v1/findings"), **shown), 200


@routes.get("/persons")
@only(ADMIN)
def persons() -> Answered:
    """Who may sign in, and the tokens of programs."""
    return _persons(200)


@routes.post("/persons")
@only(ADMIN)
@fills
def invite() -> Answered:
    """A one-time link for a person: a new one, or one that lost its password or second factor."""
    if is_again():
        return _persons(200)
    name, roles = request.form.get("name", "").strip().lower(), request.form.getlist("roles")
    if name == g.login.name:
        return _persons(400, fault=BadRequest("nobody says what they may do themselves", "Ask another admin."))
    write_down(current_node(), act="person invited", name=name, roles=",".join(sorted(roles)), by=g.login.name)
    try:
        secret = current_node().logins.invite(name, request.form.get("full_name", "").strip(), roles, INVITATION_HOURS)
    except BadRequest as error:
        return _persons(400, fault=error)
    link = current_node().settings.web_url + url_for("sign_in.show_link", secret=secret)
    return _persons(200, link=link, hours=INVITATION_HOURS)


@routes.post("/persons/end")
@only(ADMIN)
def end() -> Answered:
    """Let a person sign in no more, from now on."""
    name = request.form.get("name", "")
    write_down(current_node(), act="person ended", name=name, by=g.login.name)
    try:
        login = current_node().logins.end(name)
    except (BadRequest, NotFound) as error:
        return _persons(400, fault=error)
    current_node().sessions.end(login.id)
    return redirect(url_for("office.persons"))


@routes.post("/tokens/revoke")
@only(ADMIN)
def revoke_token() -> Answered:
    """Revoke a token of a program, at once."""
    token_id = request.form.get("token", "")
    write_down(current_node(), act="token revoke", revoked=token_id, by=g.login.name)
    current_node().tokens.revoke(token_id)
    return redirect(url_for("office.persons"))


def _persons(status: int, **shown: object) -> Answered:
    node = current_node()
    lists = {"logins": node.logins.list(), "tokens": node.tokens.list(), "all_roles": LOGIN_ROLES}
    return page("persons.html", **lists, typed=request.form, **shown), status
