"""A passkey as second factor, in a real browser with an authenticator of its own making; and the attacks on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
from browser import MISSING, chromium, opened_browser
from page_world import PASSWORD, set_up
from page_world import Browser as Person
from pages_served import serving
from playwright.sync_api import Page, expect
from sign_in_world import acts, give_password

from ledger_node.node import Node
from ledger_node.web.app import UserPort

pytest_plugins = ("sign_in_world",)
PATIENCE_MS = 120_000.0
pytestmark = [pytest.mark.usefixtures("node"), pytest.mark.skipif(not chromium(), reason=MISSING)]


@contextmanager
def authenticator(page: Page) -> Iterator[Any]:
    """A security key that answers at once; its counter grows with each answer."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": kind | {"automaticPresenceSimulation": True}})
    yield session, made["authenticatorId"]
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": made["authenticatorId"]})


def password(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()


def test_a_passkey_signs_in_after_the_password_and_nothing_else_does_in_its_place(node: Node, port: UserPort) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    set_up(node, Person(port), "anna", "auditor")
    set_up(node, Person(port), "ben", "auditor")
    with serving(port) as address, opened_browser() as browser:
        page = browser.new_context(locale="en-GB").new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}/link/{node.logins.invite('anna', '', [], 1, 'sign-in')}")
        page.get_by_role("main").get_by_role("button").click()
        with authenticator(page) as (session, authenticator_id):
            page.goto(f"{address}/passkeys")
            page.get_by_label("What you call it").fill("<b>my key")
            for typed, said in (("wrong wrong wrong", "not your password"), (PASSWORD, "From now on")):
                page.get_by_label("Your password").fill(typed)
                page.get_by_role("button", name="Add a passkey").click()
                expect(page.get_by_role("main")).to_contain_text(said)
            expect(page.get_by_role("listitem").filter(has_text="<b>my key")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()

            sent: list[str] = []
            page.on("request", lambda asked: sent.append(asked.post_data or "") if "passkey" in asked.url else None)
            password(page, address)
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("heading", name="To do")).to_be_visible()
            assert acts(node).count("passkey added") == 1
            answer = next(each for each in sent if "assertion" in each or "signature" in each)
            attacks(node, port, answer)

            page.get_by_role("button", name="Sign out").click()
            password(page, address)
            known = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator_id})["credentials"]
            session.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator_id})
            for each in known:  # a copy that was made before it was used
                copied = {**each, "signCount": 0}
                session.send("WebAuthn.addCredential", {"authenticatorId": authenticator_id, "credential": copied})
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("main")).to_contain_text("does not hold here")

    renewed = Person(port)
    set_up(node, renewed, "anna", "auditor")
    assert node.passkeys.of(node.logins.list()[0].id) == [], "who chooses anew has lost the devices of before"


def attacks(node: Node, port: UserPort, posted: str) -> None:
    """The answer that has just signed in, sent by somebody else who has the password."""
    answer = parse_qs(posted)["passkey"][0]
    strange = ("{}", "[1]", "", "[" * 20_000)
    for name, sent in (("anna", answer), ("ben", answer), *(("anna", each) for each in strange)):
        thief = Person(port)
        give_password(thief, name=name)
        token = thief.form("code").fields["csrf_token"][0]
        headers = {"Origin": "http://localhost"}
        data = {"csrf_token": token, "passkey": sent}
        refused = thief.client.post("/sign-in/passkey", data=data, headers=headers)
        assert refused.status_code == 401, (name, sent[:20])
        assert "does not hold here" in refused.get_data(as_text=True)
    assert acts(node).count("sign-in refused") >= 5
