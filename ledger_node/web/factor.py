"""Whether a passkey is the second factor of who signs in: what its browser is asked, and whether the answer holds.

What is asked is made of the secret that stands for the right password, which is good once and for five minutes, so that
no answer of another sign-in is one of this.
Source: WebAuthn level 3 (section 7.2), by the library `webauthn`.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from flask import request
from webauthn import generate_authentication_options, options_to_json, verify_authentication_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from ledger_node.api.context import current_node
from ledger_node.people.logins import Login
from ledger_node.people.passkeys import Passkey

UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError, RecursionError)
"""What the library raises for answers that no browser gives."""


def wanted(login: Login, half: str) -> str:
    """What a browser needs to answer for one of a person's passkeys, JSON; empty where it has none."""
    known = current_node().passkeys.of(login.id)
    if not known:
        return ""
    allowed = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in known]
    asked = generate_authentication_options(rp_id=host(), challenge=_challenge(half), allow_credentials=allowed)
    return options_to_json(asked)


def holds(login: Login, half: str) -> bool:
    """Whether what was sent is the answer of one of the person's passkeys to what was asked with this password."""
    sent = request.form.get("passkey", "")
    return any(_is_of(known, sent, half) for known in current_node().passkeys.of(login.id))


def _is_of(known: Passkey, sent: str, half: str) -> bool:
    try:
        answered = verify_authentication_response(
            credential=sent,
            expected_challenge=_challenge(half),
            expected_rp_id=host(),
            expected_origin=origins(),
            credential_public_key=base64url_to_bytes(known.public_key),
            credential_current_sign_count=known.sign_count,
        )
    except UNREADABLE:
        return False
    is_it = bytes_to_base64url(answered.credential_id) == known.credential_id
    return is_it and current_node().passkeys.count(known.credential_id, answered.new_sign_count)


def _challenge(half: str) -> bytes:
    return hashlib.sha256(f"passkey {half}".encode()).digest()


def host() -> str:
    """What browsers keep a passkey for: the name of these pages, whatever the port."""
    return urlsplit(current_node().settings.web_url).hostname or ""


def origins() -> list[str]:
    """Where an answer may come from: these pages, as browsers reach them."""
    reached = request.host_url.rstrip("/")
    return [current_node().settings.web_url, *([reached] if urlsplit(reached).hostname == host() else [])]
