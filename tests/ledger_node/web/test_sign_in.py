"""Signing in, and the attacks on it: each with a control that differs in one step and goes through."""

from __future__ import annotations

import datetime as dt
import re

import pyotp
import pytest
from argon2 import PasswordHasher, extract_parameters
from page_world import PASSWORD, Browser, later_code, set_up, signed_in
from sign_in_world import Clock, acts, give_password

from ledger_node.errors import BadRequest
from ledger_node.node import Node, open_node
from ledger_node.people import logins
from ledger_node.people.guesses import Guesses
from ledger_node.people.logins import LinkSpent, Logins
from ledger_node.people.sessions import Sessions
from ledger_node.web.app import UserPort

pytest_plugins = ("sign_in_world",)
pytestmark = pytest.mark.usefixtures("node")


def test_an_invited_person_chooses_both_factors_and_signs_in_with_them_later(node: Node, port: UserPort) -> None:
    first = Browser(port)
    totp = set_up(node, first, "anna")
    assert "To do" in first.open("/")
    later = Browser(port)
    assert "Second factor" in give_password(later)
    assert "To do" in later.submit(later.form("code"), code=later_code(totp))
    assert acts(node).count("signed in") == 2
    said = later.open("/sessions")
    assert said.count("End it") == 1 and "this one" in said


def test_a_password_alone_shows_nothing_and_neither_does_a_code_that_was_used(node: Node, port: UserPort) -> None:
    totp = set_up(node, Browser(port), "anna")
    code = later_code(totp)
    thief, owner = Browser(port), Browser(port)
    give_password(thief)
    assert "Sign in" in thief.open("/") and thief.path.startswith("/sign-in")
    give_password(owner)
    owner.submit(owner.form("code"), code=code)
    assert "To do" in owner.open("/")
    give_password(thief)
    assert "does not hold now" in thief.submit(thief.form("code"), code=code)


def test_guessing_is_slowed_down_across_restarts_and_in_every_browser(node: Node, port: UserPort, clock: Clock) -> None:
    totp = set_up(node, Browser(port), "anna")
    for _ in range(5):
        assert "not a name with its password" in give_password(Browser(port), "wrong wrong wrong")
    again = open_node(node.settings)
    owner = Browser(UserPort(again))
    assert "Too many tries" in give_password(owner)
    assert owner.page.status_code == 429 and int(owner.page.headers["Retry-After"]) >= 1
    clock.ahead = dt.timedelta(seconds=120)
    assert "Second factor" in give_password(owner)
    owner.submit(owner.form("code"), code=pyotp.TOTP(totp).at(clock()))
    assert "To do" in owner.open("/")
    assert "Second factor" in give_password(Browser(UserPort(again))), "what turned out right is forgiven"
    again.close()
    assert "sign-in refused" in acts(node)


def test_guessing_codes_is_slowed_down_although_each_password_was_right(node: Node, port: UserPort) -> None:
    set_up(node, Browser(port), "anna")
    answers = []
    for _ in range(6):
        browser = Browser(port)
        give_password(browser)
        form = [each for each in browser.forms() if "code" in each.fields]
        answers.append(browser.submit(form[0], code="000000") if form else "Too many")
    assert "does not hold now" in answers[0]
    assert "Too many" in answers[-1]


def test_an_unknown_name_is_answered_as_a_wrong_password_is(node: Node, port: UserPort) -> None:
    set_up(node, Browser(port), "anna")
    assert give_password(Browser(port), "wrong wrong wrong") == give_password(
        Browser(port), "wrong wrong wrong", "nobody"
    ).replace("nobody", "anna")


def test_a_name_that_nobody_has_costs_the_same_work_as_one_that_exists() -> None:
    nobodys, somebodys = extract_parameters(logins._NO_PASSWORD), extract_parameters(PasswordHasher().hash(PASSWORD))
    assert nobodys == somebodys


def test_a_link_works_once_and_only_for_a_while(node: Node, port: UserPort, clock: Clock) -> None:
    secret = node.logins.invite("anna", "Anna", ["auditor"], 1, "sign-in")
    first, second = Browser(port), Browser(port)
    for browser in (first, second):  # looking does not use it
        assert "signs you in once" in browser.open(f"/link/{secret}")
    assert "To do" in first.submit(first.form("csrf_token"))
    assert "This link is spent" in second.submit(second.form("csrf_token"))
    assert second.page.status_code == 410
    old = node.logins.invite("anna", "Anna", ["auditor"], 1, "sign-in")
    assert "signs you in once" in Browser(port).open(f"/link/{old}")
    clock.ahead = dt.timedelta(hours=2)
    assert "This link is spent" in Browser(port).open(f"/link/{old}")


def test_a_new_link_ends_the_one_before(node: Node) -> None:
    first = node.logins.invite("anna", "", ["auditor"], 1)
    node.logins.invite("anna", "", ["auditor"], 1)
    with pytest.raises(LinkSpent):
        node.logins.of_link(first)


def test_a_session_that_was_planted_before_signing_in_is_worth_nothing_after(node: Node, port: UserPort) -> None:
    planted, victim = Browser(port), Browser(port)
    planted.open("/sign-in")
    cookie = planted.client.get_cookie("__Host-ledger-node-supplier")
    assert cookie is not None
    victim.client.set_cookie("__Host-ledger-node-supplier", cookie.value, secure=True)
    secret = node.logins.invite("anna", "Anna", ["auditor"], 1, "sign-in")
    victim.open(f"/link/{secret}")
    victim.submit(victim.form("csrf_token"))
    assert "To do" in victim.open("/")
    assert planted.open("/").startswith("Sign in")
    taken = victim.client.get_cookie("__Host-ledger-node-supplier")
    assert taken is not None and taken.value != cookie.value
    assert taken.secure and taken.http_only and taken.same_site == "Lax"


def test_a_form_of_another_site_does_nothing_and_the_own_one_does(node: Node, port: UserPort) -> None:
    browser = signed_in(node, port, "admin")
    browser.open("/persons")
    form = browser.form("full_name")
    filled = {**form.fields, "name": "eve", "roles": ["admin"]}
    for headers, changes, status in (
        ({"Origin": "https://evil.example"}, {}, 403),
        ({"Origin": "null"}, {}, 403),
        ({}, {"csrf_token": ""}, 400),
        ({}, {"csrf_token": "x" * 40}, 400),
    ):
        sent = browser.client.post("/persons", data=filled | changes, headers=headers)
        assert sent.status_code == status
        assert [each.name for each in node.logins.list()] == ["anna"]
    assert browser.client.post("/persons", data=filled, headers={"Origin": "http://localhost"}).status_code == 200
    assert [each.name for each in node.logins.list()] == ["anna", "eve"]


def test_the_api_takes_no_cookie(node: Node, port: UserPort) -> None:
    browser = signed_in(node, port)
    assert browser.client.get("/v1/tokens/current").status_code == 401
    token, _ = node.tokens.create("auditor", 1)
    assert browser.client.get("/v1/tokens/current", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    acting = {"Authorization": "Bearer page", "Ledger-Node.Acting": "anna"}
    assert browser.client.get("/v1/tokens/current", headers=acting).status_code == 401


@pytest.mark.parametrize(
    "next_page",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "\\/evil.example", "javascript:alert(1)", "/\tx"],
)
def test_nobody_is_sent_to_another_site_after_signing_in(node: Node, port: UserPort, next_page: str) -> None:
    browser = signed_in(node, port)
    sent = browser.client.get("/sign-in", query_string={"next": next_page})
    assert sent.headers["Location"] == "/"
    assert browser.client.get("/sign-in", query_string={"next": "/reports?x=1"}).headers["Location"] == "/reports?x=1"


def test_no_page_may_be_framed_or_run_what_is_not_its_own(node: Node, port: UserPort) -> None:
    browser = signed_in(node, port)
    for path in ("/", "/sign-in", "/nothing", "/static/pages.js", "/persons"):
        answer = browser.client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert not re.search(r"<script(?! src=\"/static)|\son\w+=|style=", answer.get_data(as_text=True))


def test_a_host_that_is_not_this_nodes_is_refused(node: Node, port: UserPort) -> None:
    browser = Browser(port)
    assert browser.client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 400
    assert browser.client.get("/sign-in", headers={"Host": "127.0.0.1:8001"}).status_code == 200


def test_a_person_that_is_ended_is_out_at_once_and_the_last_admin_stays(node: Node, port: UserPort) -> None:
    admin, ben = signed_in(node, port, "admin"), signed_in(node, port, "uploader", name="ben")
    assert "To do" in ben.open("/")
    admin.open("/persons")
    admin.submit(admin.form("csrf_token", action="/persons/end"), name="ben")
    assert ben.open("/").startswith("Sign in")
    with pytest.raises(BadRequest, match="only admin"):
        node.logins.end("anna")


def test_a_session_ends_by_itself_and_by_its_owner(node: Node) -> None:
    clock = [dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)]
    sessions = Sessions(node.state, lambda: clock[0], 30, 12)
    secret, _ = sessions.begin("a", "127.0.0.1", "browser")
    clock[0] += dt.timedelta(minutes=29)
    assert sessions.check(secret)
    clock[0] += dt.timedelta(minutes=31)
    assert sessions.check(secret) is None
    used, _ = sessions.begin("a", "127.0.0.1", "browser")
    for _ in range(36):
        clock[0] += dt.timedelta(minutes=20)
        assert sessions.check(used)
    clock[0] += dt.timedelta(minutes=1)
    assert sessions.check(used) is None, "used or not, it ends after twelve hours"
    other, shown = sessions.begin("a", "127.0.0.1", "browser")
    assert sessions.end("b", shown.id) == 0 and sessions.check(other)
    assert sessions.end("a", shown.id) == 1 and sessions.check(other) is None


def test_many_guesses_at_once_are_many(node: Node) -> None:
    guesses = Guesses(node.state, lambda: dt.datetime(2026, 11, 30, tzinfo=dt.UTC))
    assert [guesses.try_one({"name/a": 2, "address/b": 50}) > 0 for _ in range(4)] == [False, False, True, True]
    assert guesses.try_one({"name/c": 2, "address/b": 50}) == 0
    guesses.forgive("name/a")
    assert guesses.try_one({"name/a": 2}) == 0


@pytest.mark.parametrize("name", ["", "Anna", "a/b", "a" * 61, "änna", "a b"])
def test_a_name_that_is_none_is_refused(node: Node, name: str) -> None:
    logins = Logins(node.state, lambda: dt.datetime.now(dt.UTC))
    with pytest.raises(BadRequest):
        logins.invite(name, "", ["auditor"], 1)
    logins.invite("anna", "", ["auditor"], 1)


def test_nobody_sends_much_who_is_not_signed_in(port: UserPort) -> None:
    browser = Browser(port)
    large = {"name": "a", "password": "b" * 100_000}
    assert browser.client.post("/sign-in", data=large).status_code == 413
    assert browser.client.post("/sign-in", data={"name": "a", "password": "b"}).status_code == 400


def test_who_signs_out_is_out_and_another_session_goes_on(node: Node, port: UserPort) -> None:
    first = signed_in(node, port, "auditor")
    secret, other = node.sessions.begin(node.logins.list()[0].id, "127.0.0.1", "another")
    assert "another" in first.open("/sessions")
    cookie = first.client.get_cookie("__Host-ledger-node-supplier")
    assert cookie is not None
    assert first.submit(first.form("csrf_token", action="/sign-out")).startswith("Sign in")
    first.client.set_cookie("__Host-ledger-node-supplier", cookie.value, secure=True)
    assert first.open("/").startswith("Sign in"), "the cookie of before is worth nothing"
    assert node.sessions.check(secret) == other


def test_the_language_is_the_readers_own_or_the_one_that_was_chosen(node: Node, port: UserPort) -> None:
    browser = Browser(port, "de-AT,en;q=0.5")
    assert browser.open("/sign-in").startswith("Anmelden")
    assert browser.submit(browser.form("next", action="/language"), language="en").startswith("Sign in")
    assert browser.submit(browser.form("next", action="/language"), language="xx").startswith("Sign in")
    assert Browser(port, "fr").open("/sign-in").startswith("Sign in")


def test_an_admin_invites_others_and_revokes_tokens_but_gives_itself_nothing(node: Node, port: UserPort) -> None:
    admin = signed_in(node, port, "admin")
    token, made = node.tokens.create("uploader", 1, "erp")
    admin.open("/persons")
    said = admin.submit(admin.form("full_name"), name="anna", roles=["admin", "approver"])
    assert admin.page.status_code == 400 and "Ask another admin" in said
    said = admin.submit(admin.form("full_name"), name="ben", full_name="Ben", roles=["approver"])
    link = re.search(r"http://localhost:1(/link/\S+)", said)
    assert link is not None and "Choose a password" in Browser(port).open(link[1])
    assert "invited" in admin.open("/persons")
    admin.submit(admin.form("csrf_token", action="/tokens/revoke"), token=made.id)
    assert node.tokens.check(token) is None
    for act in ("person invited", "token revoke"):
        assert act in acts(node)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "short", "again": "short"}, "12 to 200 characters"),
        ({"again": "another password here"}, "The two passwords differ."),
        ({"code": "000000"}, "That is not the code"),
    ],
)
def test_what_is_wrong_with_a_first_password_is_said_and_the_link_stays_good(
    node: Node, port: UserPort, changes: dict[str, str], said: str
) -> None:
    secret = node.logins.invite("anna", "Anna", ["auditor"], 1)
    browser = Browser(port)
    browser.open(f"/link/{secret}")
    totp = re.search(r"<code>([A-Z2-7]{32})</code>", browser.page.get_data(as_text=True))
    assert totp is not None
    right = {"password": PASSWORD, "again": PASSWORD, "code": pyotp.TOTP(totp[1]).now()}
    assert said in browser.submit(browser.form("password"), **(right | changes))
    assert "To do" in browser.submit(browser.form("password"), **(right | {"code": pyotp.TOTP(totp[1]).now()}))
