"""What signing in keeps, counts and writes down, and what it does not."""

from __future__ import annotations

import datetime as dt

import pytest
from page_world import Browser, later_code, set_up, signed_in
from sign_in_world import Clock, give_password

from ledger_node.errors import BadRequest
from ledger_node.node import Node
from ledger_node.web.app import UserPort

pytest_plugins = ("sign_in_world",)
pytestmark = pytest.mark.usefixtures("node")


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


def test_the_last_admin_stays_one_whoever_invites(node: Node) -> None:
    node.logins.invite("root", "Root", ["admin"], 1)
    with pytest.raises(BadRequest, match="root is the only admin"):
        node.logins.invite("root", "Renamed", ["auditor"], 1)
    assert (node.logins.list()[0].full_name, node.logins.list()[0].roles) == ("Root", ("admin",)), "nothing was changed"
    node.logins.invite("root", "", [], 1)
    node.logins.invite("root", "", ["admin", "auditor"], 1)
    node.logins.invite("anna", "", ["admin"], 1)
    node.logins.invite("root", "", ["auditor"], 1)
    assert {each.name: each.roles for each in node.logins.list()} == {"anna": ("admin",), "root": ("auditor",)}
