"""Passkeys as second factor: kept by a phone, a computer or a key on a ring, and good for these pages alone.

Whoever adds one gives the password once more, since it stays when the session has ended.
Source: WebAuthn level 3 (section 7.1), by the library `webauthn`.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, request, session, url_for
from webauthn import (
    generate_registration_options,
    options_to_json,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from ledger_node.api.access import write_down
from ledger_node.api.context import current_node
from ledger_node.errors import BadRequest
from ledger_node.people.logins import Login
from ledger_node.web import sign_in
from ledger_node.web.factor import UNREADABLE, host, origins
from ledger_node.web.guard import Answered
from ledger_node.web.marks import gettext
from ledger_node.web.texts import page

routes = Blueprint("passkeys", __name__)
CHALLENGE = "passkey to add"


@routes.get("/passkeys")
def show() -> Answered:
    """The own passkeys, and what a browser needs to make another one."""
    return _page(200)


@routes.post("/passkeys")
def add() -> Answered:
    """Keep a passkey that the browser has made."""
    login: Login = g.login
    if (wait := sign_in.counted_by_name(login.name)) > 0:
        return _page(429, gettext("Too many tries. The next one counts in %(wait)d seconds.", wait=wait))
    if current_node().logins.by_password(login.name, request.form.get("password", "")) is None:
        return _page(401, gettext("That is not your password."))
    sign_in.forgive_by_name(login.name)
    challenge = session.pop(CHALLENGE, "")
    try:
        made = verify_registration_response(
            credential=request.form.get("passkey", ""),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host(),
            expected_origin=origins(),
        )
        write_down(current_node(), act="passkey added", name=login.name)
        ids = bytes_to_base64url(made.credential_id), bytes_to_base64url(made.credential_public_key)
        name = request.form.get("name", "").strip() or gettext("Passkey")
        current_node().passkeys.add(login.id, *ids, made.sign_count, name)
    except (*UNREADABLE, BadRequest):
        return _page(400, gettext("That passkey could not be taken. Try again, or take another one."))
    flash(gettext("From now on you can sign in with it after your password."))
    return redirect(url_for("passkeys.show"))


@routes.post("/passkeys/remove")
def remove() -> Answered:
    """Take one of the own passkeys away."""
    if current_node().passkeys.remove(g.login.id, request.form.get("passkey", "")):
        write_down(current_node(), act="passkey removed", name=g.login.name)
    return redirect(url_for("passkeys.show"))


def _page(status: int, fault: str = "") -> Answered:
    login, known = g.login, current_node().passkeys.of(g.login.id)
    excluded = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in known]
    asked = generate_registration_options(
        rp_id=host(),
        rp_name=f"Ledger Node {current_node().msp_id}",
        user_name=login.name,
        user_id=login.id.encode(),
        user_display_name=login.full_name,
        exclude_credentials=excluded,
    )
    session[CHALLENGE] = bytes_to_base64url(asked.challenge)
    return page("passkeys.html", known=known, options=options_to_json(asked), fault=fault, typed=request.form), status
