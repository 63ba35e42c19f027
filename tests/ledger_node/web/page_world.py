"""The four nodes of `consortium`, used as people do: with a browser's cookies, forms and the texts of pages."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pyotp
from api_world import Caller, People
from werkzeug.test import Client, TestResponse

from ledger_node.node import Node
from ledger_node.people.logins import LOGIN_ROLES, STEP_SECONDS
from ledger_node.web.app import UserPort

PASSWORD = "correct horse battery"
ALL = tuple(role for role in LOGIN_ROLES if role != "auditor")


class Forms(HTMLParser):
    """The forms of a page: where each goes, and what it holds as it stands."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""
        self._area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get"), {}))
        if not self.forms or ("name" not in given and tag != "option"):
            return
        fields = self.forms[-1].fields
        is_box = given.get("type") == "checkbox"
        if tag == "input" and (not is_box or "checked" in given):
            fields.setdefault(given["name"], []).append(given.get("value", ""))
        if tag == "textarea":
            fields[given["name"]] = []
        if tag == "select":
            self._select = given["name"]
        if tag == "option" and self._select and ("selected" in given or self._select not in fields):
            fields[self._select] = [given.get("value", "")]


@dataclass
class Form:
    """One form."""

    action: str
    method: str
    fields: dict[str, list[str]]


class Browser:
    """A browser: its cookies, and where it is."""

    def __init__(self, port: UserPort, language: str = "en") -> None:
        self.client = Client(port)
        self.language = language
        self.path = "/"
        self.page: TestResponse

    def open(self, path: str, **more: Any) -> str:
        """Go there, and wherever one is sent on to."""
        self.path, headers = path, {"Accept-Language": self.language, **more.pop("headers", {})}
        self.page = self.client.get(path, headers=headers, **more)
        return self._followed()

    def forms(self) -> list[Form]:
        return Forms(self.page.get_data(as_text=True)).forms

    def form(self, *fields: str, action: str = "") -> Form:
        """The first form that has these fields."""
        found = [each for each in self.forms() if set(fields) <= each.fields.keys() and each.action.startswith(action)]
        assert found, f"no form with {fields} at {self.path}: {self.page.status}"
        return found[0]

    def submit(self, form: Form, files: Any = None, **changes: Any) -> str:
        """Send a form with some of its fields filled in."""
        filled: dict[str, Any] = {**form.fields, **changes}
        if files is not None:
            filled["files"] = [(io.BytesIO(content), name) for content, name in files]
        kind = {"content_type": "multipart/form-data"} if files is not None else {}
        headers = {"Accept-Language": self.language, "Origin": "http://localhost"}
        self.page = self.client.post(form.action or self.path, data=filled, headers=headers, **kind)
        return self._followed()

    def _followed(self) -> str:
        for _ in range(5):
            if self.page.status_code not in (301, 302, 303):
                break
            self.path = self.page.headers["Location"]
            self.page = self.client.get(self.path, headers={"Accept-Language": self.language})
        return text_of(self.page.get_data(as_text=True))


def text_of(html: str) -> str:
    """What a page says, without its marks."""
    bare = re.sub(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", " ", html, flags=re.S)
    for name, sign in (("&#39;", "'"), ("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("\xa0", " ")):
        bare = bare.replace(name, sign)
    return " ".join(bare.split())


def signed_in(node: Node, port: UserPort, *roles: str, name: str = "anna", language: str = "en") -> Browser:
    """Somebody who came by a one-time link."""
    browser = Browser(port, language)
    secret = node.logins.invite(name, name.capitalize(), roles or ALL, 1, "sign-in")
    browser.open(f"/link/{secret}")
    browser.submit(browser.form("csrf_token", action=""))
    assert browser.page.status_code == 200, browser.page.get_data(as_text=True)
    return browser


def set_up(node: Node, browser: Browser, name: str, *roles: str) -> str:
    """Somebody who has opened an invitation and chosen password and second factor; the secret of the latter."""
    secret = node.logins.invite(name, name.capitalize(), roles or ALL, 1)
    browser.open(f"/link/{secret}")
    totp = re.search(r"<code>([A-Z2-7]{32})</code>", browser.page.get_data(as_text=True))
    assert totp is not None
    form = browser.form("password", "again")
    browser.submit(form, password=PASSWORD, again=PASSWORD, code=pyotp.TOTP(totp[1]).now())
    return totp[1]


def later_code(totp: str, steps: int = 1) -> str:
    """The code of a later step, which the clock's tolerance takes already."""
    import time

    return pyotp.TOTP(totp).generate_otp(int(time.time()) // STEP_SECONDS + steps)


class Offices(People):
    """The people of four organisations, with browsers besides."""

    def ports(self) -> dict[str, UserPort]:
        """Each organisation's user port, made once."""
        made: dict[str, UserPort] = self.__dict__.setdefault("_ports", {})
        for caller in self.each():
            made.setdefault(caller.node.settings.organisation, UserPort(caller.node))
        return made

    def browser(self, caller: Caller, *roles: str, name: str = "anna", language: str = "en") -> Browser:
        return signed_in(
            caller.node, self.ports()[caller.node.settings.organisation], *roles, name=name, language=language
        )
