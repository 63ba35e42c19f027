"""What was typed when the session had ended is there again for whoever signs in, and nothing of it was done."""

from __future__ import annotations

import pytest
from page_world import PASSWORD, Browser, Form, later_code, set_up, signed_in
from sign_in_world import acts

from ledger_node.node import Node
from ledger_node.web.app import UserPort

pytest_plugins = ("sign_in_world",)
pytestmark = pytest.mark.usefixtures("node")
TYPED = {"name": "ben", "full_name": "Ben <i>& Söhne", "roles": ["approver", "auditor"]}


def filled_form(browser: Browser) -> Form:
    """The form to invite somebody, with more than one value in a field and text that is no HTML."""
    browser.open("/persons")
    return browser.form("full_name")


def test_what_was_typed_when_the_session_had_ended_is_there_again_after_signing_in(node: Node, port: UserPort) -> None:
    browser = Browser(port)
    totp = set_up(node, browser, "anna", "admin")
    form = filled_form(browser)
    node.sessions.end(node.logins.list()[0].id)
    said = browser.submit(form, **TYPED)
    assert browser.page.status_code == 401 and "what you typed is kept" in said
    assert "not a name with its password" in browser.submit(browser.form("password"), name="anna", password="wrong")
    assert "Second factor" in browser.submit(browser.form("password"), name="anna", password=PASSWORD)
    assert "does not hold" in browser.submit(browser.form("code"), code="000000")
    assert "Go on where you were" in browser.submit(browser.form("code"), code=later_code(totp))
    assert "person invited" not in acts(node), "nothing is done by signing in"
    browser.submit(browser.form("full_name"), again="yes")
    again = browser.form("full_name", action="/persons")
    assert (again.fields["name"], again.fields["full_name"]) == (["ben"], ["Ben <i>& Söhne"])
    assert again.fields["roles"] == ["approver", "auditor"] and "person invited" not in acts(node)
    assert "Give this link" in browser.submit(again), "the control: now it is sent"
    assert [each.name for each in node.logins.list()] == ["anna", "ben"]


def test_a_form_of_before_another_sign_in_is_shown_again_and_one_of_elsewhere_is_not(
    node: Node, port: UserPort
) -> None:
    browser = signed_in(node, port, "admin")
    form = filled_form(browser)
    secret = node.logins.invite("anna", "", [], 1, "sign-in")
    browser.open(f"/link/{secret}")
    browser.submit(browser.form("csrf_token"))
    assert "Go on where you were" in browser.submit(form, **TYPED) and browser.page.status_code == 400
    token = {**form.fields, **TYPED}
    unsaid = browser.client.post("/persons", data=token)
    assert unsaid.status_code == 400 and "too old" in unsaid.get_data(as_text=True), "no browser said where it is from"
    assert len(node.logins.list()) == 1


def test_nobody_makes_up_what_is_to_be_gone_on_with(node: Node, port: UserPort) -> None:
    browser = Browser(port)
    totp = set_up(node, browser, "anna", "admin")
    browser.submit(browser.form("csrf_token", action="/sign-out"))
    browser.open("/sign-in")
    browser.submit(browser.form("password"), name="anna", password=PASSWORD, typed='["https://evil.example/", []]')
    said = browser.submit(browser.form("code"), code=later_code(totp))
    assert "To the start page" in said and "evil" not in browser.page.get_data(as_text=True)


def test_a_form_that_holds_nothing_typed_leads_back_to_its_page(node: Node, port: UserPort) -> None:
    browser = signed_in(node, port, "admin")
    browser.open("/persons?from=somewhere")
    form = browser.form("csrf_token", action="/tokens/revoke") if node.tokens.list() else browser.form("csrf_token")
    node.sessions.end(node.logins.list()[0].id)
    headers = {"Origin": "http://localhost", "Referer": "http://localhost/persons?from=somewhere"}
    sent = browser.client.post("/tokens/revoke", data=form.fields, headers=headers)
    assert (sent.status_code, sent.headers["Location"]) == (302, "/sign-in?next=/persons?from%3Dsomewhere")
    stranger = browser.client.post("/tokens/revoke", headers=headers | {"Referer": "http://evil.example/persons"})
    assert stranger.headers["Location"] == "/sign-in"


def test_who_is_invited_again_may_do_something_else_in_the_session_that_is_open(node: Node, port: UserPort) -> None:
    admin, ben = signed_in(node, port, "admin"), signed_in(node, port, "uploader", name="ben")
    assert ben.client.get("/invoices/new").status_code == 200
    admin.open("/persons")
    admin.submit(admin.form("full_name"), name="ben", full_name="Benjamin", roles=["admin", "approver"])
    assert ben.client.get("/invoices/new").status_code == 403
    assert "Benjamin" in ben.open("/persons") and ben.page.status_code == 200


def test_a_link_to_the_sign_in_brings_nothing_that_somebody_else_has_typed(node: Node, port: UserPort) -> None:
    set_up(node, Browser(port), "anna", "admin")
    stranger = Browser(port)
    refused = stranger.client.post("/persons", data=TYPED, headers={"Origin": "http://localhost"})
    stranger.page = refused
    (typed,) = stranger.form("typed").fields["typed"]
    victim = Browser(port)
    victim.open(f"/sign-in?typed={typed}")
    assert "typed" in stranger.form("password").fields and "typed" not in victim.form("password").fields


def test_a_referrer_that_is_no_address_leads_to_the_start_page(node: Node, port: UserPort) -> None:
    headers = {"Origin": "http://localhost", "Referer": "http://[x"}
    sent = Browser(port).client.post("/tokens/revoke", headers=headers)
    assert (sent.status_code, sent.headers["Location"]) == (302, "/sign-in")


def test_what_is_refused_before_a_page_is_reached_is_said_in_the_readers_language(node: Node, port: UserPort) -> None:
    browser = signed_in(node, port, "uploader", "admin", language="de")
    assert "Das ist nicht für Sie" in browser.open("/signing-keys")
    form = filled_form(browser)
    node.sessions.end(node.logins.list()[0].id)
    assert "Ihre Sitzung ist zu Ende" in browser.submit(form, **TYPED)
