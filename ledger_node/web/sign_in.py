"""Signing in and out, one-time links, and the sessions of whoever is signed in.

Who signs in gives a password, then a code of the second factor; wrong ones are counted by name and by address, before
they are looked at. A session begins under a fresh secret, so that one that somebody else knows is worth nothing.
Every sign-in, and every try that failed, is a line of the audit log.
"""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import segno
from flask import Blueprint, after_this_request, current_app, g, make_response, redirect, request, session, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.wrappers import Response

from ledger_node.api.access import write_down
from ledger_node.api.context import current_node
from ledger_node.errors import BadRequest
from ledger_node.people.logins import NAME, LinkSpent, Login, require_password, step_of
from ledger_node.people.sessions import fresh_id
from ledger_node.web.factor import holds, wanted
from ledger_node.web.guard import SESSION, Answered, is_open, local
from ledger_node.web.marks import gettext
from ledger_node.web.texts import LANGUAGE_COOKIE, LANGUAGES, page
from ledger_node.web.typed import go_on

routes = Blueprint("sign_in", __name__)

BY_NAME_FREE, BY_ADDRESS_FREE = 5, 50
"""Failures that are free before the next must wait: an office has one address."""
HALF, PENDING = "half", "pending_totp"
DEVICE_SECONDS = 90 * 24 * 3600
LANGUAGE_SECONDS = 365 * 24 * 3600


@routes.get("/sign-in")
@is_open
def show() -> Answered:
    """The form for name and password."""
    if g.login is not None:
        return redirect(local(request.args.get("next")))
    return _form("sign_in.html", 200)


@routes.post("/sign-in")
@is_open
def password() -> Answered:
    """The first factor."""
    name, typed = request.form.get("name", "").strip().lower(), request.form.get("password", "")
    if (wait := _counted(_by_name(name), name)) > 0:
        return _too_many(wait, "sign_in.html", name=name)
    login = current_node().logins.by_password(name, typed)
    if login is None:
        known = name if NAME.fullmatch(name) else ""  # whoever types a password in the wrong field tells it to nobody
        write_down(current_node(), act="sign-in refused", name=known, at="password", **_from())
        return _form("sign_in.html", 401, fault=gettext("That is not a name with its password."), name=name)
    current_node().guesses.forgive(_by_name(name), *_of_device(_by_name(name), name))
    session.clear()
    session[HALF] = current_node().logins.begin_half(login.id)
    if request.form.get("typed"):  # too much for an address
        return _code_form(login, 200)
    return redirect(url_for("sign_in.show_code", next=request.form.get("next") or None))


@routes.get("/sign-in/code")
@is_open
def show_code() -> Answered:
    """The form for the second factor."""
    login = _half()
    return redirect(url_for("sign_in.show")) if login is None else _code_form(login, 200)


@routes.post("/sign-in/code")
@is_open
def code() -> Answered:
    """The second factor by an authenticator, within five minutes of the first."""
    typed = request.form.get("code", "").replace(" ", "")
    fault = gettext("That code does not hold now. Each is good once, for half a minute.")
    return _second_factor(
        lambda login, _: current_node().logins.take_code(login.id, typed), fault, "password and second factor"
    )


@routes.post("/sign-in/passkey")
@is_open
def passkey() -> Answered:
    """The second factor by a passkey, in the same time."""
    return _second_factor(holds, gettext("That passkey does not hold here."), "password and passkey")


def _second_factor(is_right: Callable[[Login, str], bool], fault: str, by: str) -> Answered:
    """Sign in whoever gave the right password a moment ago, if the second factor holds; each try is counted.

    Args:
        is_right: whether it is, for that person and the secret that stands for the password.
        fault: what is said if it does not.
        by: for the audit log.
    """
    login = _half()
    if login is None:
        return _form("sign_in.html", 401, fault=gettext("That took too long. Begin again."))
    if (wait := _counted(_by_code(login), login.name)) > 0:
        return _too_many(wait, "sign_in_code.html")
    if not is_right(login, session[HALF]):
        write_down(current_node(), act="sign-in refused", name=login.name, at="second factor", **_from())
        return _code_form(login, 401, fault=fault)
    session_id = _tell(login, by)
    by_code = _by_code(login)
    current_node().guesses.forgive(by_code, *_of_device(by_code, login.name), _by_address())
    current_node().logins.end_half(session[HALF])
    begin(login, session_id)
    if request.form.get("typed"):
        return go_on(request.form["typed"]), 200
    return redirect(local(request.form.get("next")))


@routes.post("/sign-out")
def sign_out() -> Answered:
    """End this session."""
    current_node().sessions.end(g.login.id, g.signed_in.id)
    write_down(current_node(), act="signed out", name=g.login.name, session=g.signed_in.id, **_from())
    session.clear()
    return redirect(url_for("sign_in.show"))


@routes.get("/link/<secret>")
@is_open
def show_link(secret: str) -> Answered:
    """What a one-time link is for; looking at it does not use it, since programs that show a preview look."""
    try:
        login, purpose = current_node().logins.of_link(secret)
    except LinkSpent as error:
        return page("problem.html", status=410, code="LINK_SPENT", text=error.text, remedy=error.remedy), 410
    return _set_up_form(login, purpose, 200)


@routes.post("/link/<secret>")
@is_open
def use_link(secret: str) -> Answered:
    """Use it: choose password and second factor, or be signed in."""
    try:  # nobody guesses 32 random bytes, so these tries are not counted: whoever was locked out gets in by a link
        login, purpose = current_node().logins.of_link(secret)
        if purpose == "set-up" and (fault := _set_up_fault()):
            return _set_up_form(login, purpose, 400, fault)
        session_id = _tell(login, f"one-time link to {purpose}")
        chosen = (request.form["password"], session[PENDING]) if purpose == "set-up" else ()
        login = current_node().logins.spend(secret, *chosen)
    except LinkSpent as error:
        write_down(current_node(), act="sign-in refused", at="link", **_from())
        return page("problem.html", status=410, code="LINK_SPENT", text=error.text, remedy=error.remedy), 410
    current_node().guesses.forgive(_by_name(login.name), _by_code(login), _by_address())
    current_node().sessions.end(login.id)
    begin(login, session_id)
    return redirect(url_for("work.start"))


@routes.get("/sessions")
def sessions() -> Answered:
    """Where one is signed in."""
    return page("sessions.html", sessions=current_node().sessions.of(g.login.id), current=g.signed_in.id), 200


@routes.post("/sessions/end")
def end_session() -> Answered:
    """End one of the own sessions."""
    ended = request.form.get("session", "")
    if ended and current_node().sessions.end(g.login.id, ended):
        write_down(current_node(), act="session ended", name=g.login.name, session=ended, **_from())
    return redirect(url_for("sign_in.sessions"))


@routes.post("/language")
@is_open
def choose_language() -> Answered:
    """Show pages in another language from now on."""
    answer = make_response(redirect(local(request.form.get("next"))))
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, chosen, LANGUAGE_SECONDS, secure=True, httponly=True, samesite="Lax")
    return answer


def _tell(login: Login, by: str) -> str:
    """Tell the audit log who signs in, before anything is used up for it; the id of the session that is to begin."""
    session_id = fresh_id()
    write_down(current_node(), act="signed in", name=login.name, by=by, session=session_id, **_from())
    return session_id


def begin(login: Login, session_id: str) -> None:
    """A session of its own for this browser."""
    secret, _ = current_node().sessions.begin(login.id, request.remote_addr or "", _agent(), session_id)
    session.clear()
    session[SESSION] = secret
    known = _devices().dumps([login.name, fresh_id()])

    @after_this_request
    def _remember(answer: Response) -> Response:
        name = _device_cookie()
        answer.set_cookie(name, known, DEVICE_SECONDS, secure=True, httponly=True, samesite="Lax")
        return answer


def _half() -> Login | None:
    """Whose password was right a moment ago."""
    half = session.get(HALF)
    return current_node().logins.of_half(half) if isinstance(half, str) else None


def _counted(key: str, name: str) -> int:
    """Count a try: of a browser that this person signed in with before by itself, so that strangers lock out nobody."""
    keys = dict.fromkeys(_of_device(key, name), BY_NAME_FREE)
    return current_node().guesses.try_one(keys or {key: BY_NAME_FREE, _by_address(): BY_ADDRESS_FREE})


def counted_by_name(name: str) -> int:
    """Count a try at a person's password; for how many seconds it has to wait, 0 when it may go on."""
    return _counted(_by_name(name), name)


def forgive_by_name(name: str) -> None:
    """The password that was tried last was right."""
    current_node().guesses.forgive(_by_name(name), *_of_device(_by_name(name), name))


def _of_device(key: str, name: str) -> tuple[str, ...]:
    """Under what a browser's tries are counted that this person signed in with before; empty for any other browser."""
    try:
        owner, device = _devices().loads(request.cookies.get(_device_cookie(), ""), max_age=DEVICE_SECONDS)
    except BadSignature:
        return ()
    return (f"{key}/device/{device}",) if owner == name else ()


def _devices() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="device")


def _device_cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"


def _by_name(name: str) -> str:
    return f"name/{name[:60]}"


def _by_code(login: Login) -> str:
    """Whoever has the password guesses codes, and is counted apart: each right password would forgive that."""
    return f"code/{login.name}"


def _by_address() -> str:
    return f"address/{request.remote_addr}"


def _from() -> dict[str, str]:
    return {"from": request.remote_addr or ""}


def _agent() -> str:
    return request.headers.get("User-Agent", "")


def _form(template: str, status: int, **shown: str) -> tuple[str, int]:
    typed = request.form.get("typed", "")  # never from a link: it would show what somebody else has typed
    return page(template, next=request.values.get("next", ""), typed=typed, **shown), status


def _code_form(login: Login, status: int, **shown: str) -> Answered:
    return _form("sign_in_code.html", status, passkey=wanted(login, session[HALF]), **shown)


def _too_many(wait: int, template: str, **shown: str) -> Response:
    text = gettext("Too many tries. The next one counts in %(wait)d seconds.", wait=wait)
    answer = make_response(_form(template, 429, fault=text, **shown))
    answer.headers["Retry-After"] = str(wait)
    return answer


def _set_up_fault() -> str:
    """What is wrong with the chosen password or the shown code; empty when nothing is."""
    chosen = request.form.get("password", "")
    try:
        require_password(chosen)
    except BadRequest:
        return gettext("The password needs 12 to 200 characters. Take a few words that nobody else would put together.")
    if chosen != request.form.get("again", ""):
        return gettext("The two passwords differ.")
    typed = request.form.get("code", "").replace(" ", "")
    if PENDING not in session or step_of(session[PENDING], typed, current_node().clock) < 0:
        return gettext("That is not the code that the authenticator shows now.")
    return ""


def _set_up_form(login: Login, purpose: str, status: int, fault: str = "") -> tuple[str, int]:
    picture, secret = "", ""
    if purpose == "set-up":
        secret = session.setdefault(PENDING, pyotp.random_base32())
        uri = pyotp.TOTP(secret).provisioning_uri(name=login.name, issuer_name=f"Ledger Node {current_node().msp_id}")
        picture = Markup(segno.make(uri, micro=False).svg_inline(scale=4, border=2))  # noqa: S704 - made here
    shown = {"purpose": purpose, "picture": picture, "secret": secret, "fault": fault}
    return page("link.html", invited=login, **shown), status
