"""Signing in, and the attacks on it: each with a control that differs in one step and goes through."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from consortium import organisations, write_settings
from page_world import PASSWORD, Browser, later_code, set_up, signed_in

from ledger_node.errors import BadRequest
from ledger_node.node import Node, open_node
from ledger_node.people import audit
from ledger_node.people.guesses import Guesses
from ledger_node.people.logins import LinkSpent, Logins
from ledger_node.people.sessions import Sessions
from ledger_node.web.app import UserPort

pytestmark = pytest.mark.usefixtures("node")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority")
    organisations(home)
    return home


class Clock:
    """The node's clock, which a test may put on."""

    ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("ledger_node.node.utc_now", clock)
    monkeypatch.setattr("ledger_node.people.logins._HASHER", PasswordHasher(1, 64, 1))  # as slow as need be elsewhere
    return clock


@pytest.fixture
def node(authority: Path, tmp_path: Path, clock: Clock) -> Iterator[Node]:
    node = open_node(write_settings(tmp_path, authority, "supplier"))
    yield node
    node.close()


@pytest.fixture
def port(node: Node) -> UserPort:
    return UserPort(node)


def give_password(browser: Browser, password: str = PASSWORD, name: str = "anna") -> str:
    browser.open("/sign-in")
    return browser.submit(browser.form("name", "password"), name=name, password=password)


def acts(node: Node) -> list[str]:
    return [str(act["act"]) for _, act in audit.read(node.audit.path)]


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


def test_a_half_sign_in_is_a_secret_that_nobody_makes_from_the_database(node: Node, port: UserPort) -> None:
    totp = set_up(node, Browser(port), "anna")
    forger, owner = Browser(port), Browser(port)
    forger.open("/sign-in")
    signed = port.pages.session_interface.get_signing_serializer(port.pages)  # type: ignore[attr-defined]
    for forged in (node.logins.list()[0].id, [node.logins.list()[0].id, node.clock.timestamp()], "x" * 43):
        forger.client.set_cookie("__Host-ledger-node-supplier", signed.dumps({"half": forged}), secure=True)
        assert forger.open("/sign-in/code").startswith("Sign in") and forger.path.startswith("/sign-in")
        assert not [each for each in forger.forms() if "code" in each.fields]
    give_password(owner)
    kept = owner.client.get_cookie("__Host-ledger-node-supplier")
    assert kept is not None
    half = signed.loads(kept.value)["half"]
    assert "This link is spent" in forger.open(f"/link/{half}"), "it is no link"
    assert "To do" in owner.submit(owner.form("code"), code=later_code(totp))
    assert node.logins.of_half(half) is None, "it stands for one sign-in"


def test_only_its_owner_reads_the_state_database(node: Node) -> None:
    signed_in(node, UserPort(node))
    files = [each for each in node.settings.directory.iterdir() if each.name.startswith("state.db")]
    assert len(files) >= 2, "the log that SQLite keeps beside it, too"
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


def test_strangers_behind_the_same_proxy_lock_out_nobody_who_signed_in_before(node: Node, port: UserPort) -> None:
    known, stranger = Browser(port), Browser(port)
    totp = set_up(node, known, "anna")
    known.submit(known.form("csrf_token", action="/sign-out"))
    for number in range(51):
        node.guesses.try_one({f"name/n{number}": 5, "address/127.0.0.1": 50, "name/anna": 5})
    assert "Too many tries" in give_password(stranger), "the control"
    assert "Second factor" in give_password(known)
    assert "To do" in known.submit(known.form("code"), code=later_code(totp))
    secret = node.logins.invite("ben", "Ben", ["auditor"], 1, "sign-in")
    stranger.open(f"/link/{secret}")
    assert "To do" in stranger.submit(stranger.form("csrf_token")), "a link goes by the bound, too"


def test_a_browser_that_signed_in_before_guesses_no_more_than_others(node: Node, port: UserPort) -> None:
    known = Browser(port)
    set_up(node, known, "anna")
    set_up(node, Browser(port), "ben")
    known.submit(known.form("csrf_token", action="/sign-out"))
    said = [give_password(known, "wrong wrong wrong") for _ in range(6)]
    assert "not a name with" in said[4] and "Too many tries" in said[5]
    said = [give_password(known, "wrong wrong wrong", "ben") for _ in range(6)]
    assert "Too many tries" in said[5], "what it may is for its own person"
    assert "Second factor" in give_password(Browser(port)), "and counts for nobody else"


def test_what_a_page_asks_by_itself_keeps_no_session(node: Node, port: UserPort, clock: Clock) -> None:
    left, used = signed_in(node, port), signed_in(node, port, name="ben")
    for minutes in (10, 20, 29):
        clock.ahead = dt.timedelta(minutes=minutes)
        left.client.get("/events", buffered=False).close()
        left.client.get("/", headers={"X-Live": "1"})
        assert "To do" in used.open("/")
    clock.ahead = dt.timedelta(minutes=35)
    assert left.open("/").startswith("Sign in") and "To do" in used.open("/")


def test_who_was_ended_and_is_invited_again_chooses_anew(node: Node, port: UserPort) -> None:
    node.logins.invite("root", "", ["admin"], 1)
    set_up(node, Browser(port), "ben", "approver")
    node.logins.invite("ben", "", [], 1)
    assert (node.logins.list()[0].roles, node.logins.list()[0].full_name) == (("approver",), "Ben"), "both stay"
    assert "Second factor" in give_password(Browser(port), name="ben"), "the control"
    node.logins.end("ben")
    node.logins.invite("ben", "New Ben", ["approver"], 72)
    assert "not a name with its password" in give_password(Browser(port), name="ben")
    assert not node.logins.list()[0].is_set_up


def test_a_link_is_not_used_up_by_what_cannot_be_written_down(
    node: Node, port: UserPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = node.logins.invite("anna", "Anna", ["auditor"], 1, "sign-in")
    browser = Browser(port)
    browser.open(f"/link/{secret}")
    form = browser.form("csrf_token")
    with monkeypatch.context() as full:
        full.setattr(node.audit, "append", _no_room)
        browser.submit(form)
    assert browser.page.status_code == 503 and browser.page.headers["Retry-After"] == "5"
    assert not node.sessions.of(node.logins.list()[0].id)
    assert "To do" in browser.submit(form)


def _no_room(**_act: str) -> str:
    raise OSError(28, "No space left on device")


def test_no_line_of_the_log_has_a_links_secret(
    node: Node, port: UserPort, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_given: str) -> None:
        raise RuntimeError("the database is gone")

    secret = node.logins.invite("anna", "Anna", ["auditor"], 1, "sign-in")
    browser = Browser(port)
    browser.open(f"/link/{secret}")
    monkeypatch.setattr(node.logins, "spend", fails)
    browser.submit(browser.form("csrf_token"))
    assert browser.page.status_code == 500
    assert "Exception on /link/<secret> [POST]" in caplog.text and secret not in caplog.text
