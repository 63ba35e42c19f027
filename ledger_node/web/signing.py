"""Four eyes in the browser: a person's signing key, its certificate, and what is to be signed, in words.

The key is made by the browser and stays there; here is who asks for a certificate. Whoever may enrol persons compares
the key's fingerprint with the person's, has the organisation's authority certify it, and enrols. What a person signs is
the submission's own message, byte for byte, as `ledger-node person sign` does; the node checks it when it comes.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Blueprint, Response, abort, g, redirect, request, url_for

from ledger_node.api.access import write_down
from ledger_node.api.context import current_node
from ledger_node.api.persons import status_of
from ledger_node.errors import BadRequest, NodeError
from ledger_node.operations.table import OPERATIONS
from ledger_node.people.key_requests import KeyRequest, fingerprint_of
from ledger_node.people.logins import Login
from ledger_node.people.persons import OwnPerson
from ledger_node.readmodel import PER_PAGE_MAX
from ledger_node.web.acts import after
from ledger_node.web.asking import Plain, Refused, ask, fresh_key, send
from ledger_node.web.guard import Answered, only
from ledger_node.web.texts import page
from ledger_node.web.typed import fills, is_again

routes = Blueprint("signing", __name__)
ENROL = next(row for row in OPERATIONS if row.command == "EnrolPerson")
SIGNERS = ("uploader", "approver", "funder", "issuer", "operator")


@routes.get("/signing-key")
@only(*SIGNERS)
def own_key() -> Answered:
    """The own signing key: whether this browser has it, and how it stands."""
    return _own_key(200)


@routes.post("/signing-key")
@only(*SIGNERS)
def ask_for_certificate() -> Answered:
    """Ask for a certificate of the key that this browser has made."""
    write_down(current_node(), act="signing key made", name=g.login.name)
    try:
        current_node().key_requests.put(g.login.id, g.login.name, request.form.get("request", ""))
    except BadRequest as error:
        return _own_key(400, fault=error)
    return redirect(url_for("signing.own_key"))


@routes.get("/signing-keys")
@only(*ENROL.roles)
def requests() -> Answered:
    """Who asks for a certificate."""
    return _requests(200)


@routes.get("/signing-keys/<login_id>/request.csr")
@only(*ENROL.roles)
def download(login_id: str) -> Response:
    """A request, as the organisation's authority takes it."""
    asked, login = _asked(login_id)
    _require_shown(asked)
    named = {"Content-Disposition": f'attachment; filename="{login.name}.csr"'}
    return Response(asked.request, mimetype="application/pkcs10", headers=named)


@routes.post("/signing-keys/<login_id>")
@only(*ENROL.roles)
@fills
def enrol(login_id: str) -> Answered:
    """Enrol the person whose key the authority has certified."""
    asked, login = _asked(login_id)
    if is_again():
        return _requests(200)
    pem = request.form.get("certificate", "").strip()
    try:
        _require_shown(asked)
        _require_fit(asked, login, pem)
        body = {"name": login.name, "certificate": pem}
        answer = send(ENROL.address, ENROL.roles, body, request.form.get("key", ""))
    except (BadRequest, Refused) as error:
        return _requests(getattr(error, "status", 400), fault=error)
    if answer["status"] == "applied":  # else persons have to sign it, or it waits: it may come to nothing
        current_node().key_requests.remove(login_id)
    return after(answer, url_for("signing.requests"))


@routes.post("/signing-keys/<login_id>/refusal")
@only(*ENROL.roles)
def refuse(login_id: str) -> Answered:
    """Take a request away."""
    write_down(current_node(), act="signing key refused", login=login_id, by=g.login.name)
    current_node().key_requests.remove(login_id)
    return redirect(url_for("signing.requests"))


@routes.post("/submissions/<submission_id>/signature")
@only(*SIGNERS)
def sign(submission_id: str) -> Answered:
    """Stand behind a command, by a signature that the browser has made with the key of whoever is signed in."""
    body = {"signature": request.form.get("signature", "")}
    _require_own(ask(f"/v1/submissions/{submission_id}")["signing"], body["signature"])
    answer = send(f"/v1/submissions/{submission_id}/signatures", SIGNERS, body, request.form.get("key", ""))
    return after(answer, None)


def _require_shown(asked: KeyRequest) -> None:
    """Raises: BadRequest where the key has changed since its fingerprint was shown: that one was compared."""
    if request.values.get("fingerprint") != asked.fingerprint:
        text = "this person asks for a certificate of another key now than the one whose fingerprint was shown"
        raise BadRequest(text, "Compare the fingerprint that is shown now, and save the request again.")


def _require_own(signing: Plain | None, signature: str) -> None:
    """Raises: BadRequest for a signature of somebody else who signs in: a browser may hold the keys of several."""
    if signing is None:
        return
    names = {each.name for each in current_node().persons.signers(signing["message"].encode(), signature)}
    if names and g.login.name not in names and names <= {each.name for each in current_node().logins.list()}:
        text = f"that is the signature of {' or '.join(sorted(names))}, and {g.login.name} is signed in"
        raise BadRequest(text, "Each person signs while signed in, with the own key.")


def _require_fit(asked: KeyRequest, login: Login, pem: str) -> None:
    """Raises: BadRequest for a certificate of another key, and where one would have the word of two."""
    if login.id == g.login.id:
        raise BadRequest("nobody enrols themselves here", "Another person who may enrol does it.")
    try:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadRequest("that is no certificate", "Give what the authority made, in PEM.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or fingerprint_of(key) != asked.fingerprint:
        raise BadRequest("that is a certificate of another key", "Have this person's request certified.")
    if _active(login):
        text = f"{login.name} acts for this organisation by another key already"
        raise BadRequest(text, "Retire that one first: one person has one word.")
    if _under_way(login):
        text = f"{login.name} is being enrolled already"
        raise BadRequest(text, "Wait for that, sign it, or take it back: one person has one word.")


def _active(login: Login) -> list[str]:
    """The fingerprints of the keys by which somebody acts for the organisation."""
    return [fingerprint_of(each.key) for each in _persons_of(login) if status_of(each) == "active"]


def _under_way(login: Login) -> str:
    """The submission that is to enrol somebody and is not over; empty where there is none."""
    own = {each.commitment for each in _persons_of(login)}
    for state in ("in_flight", "awaiting_persons"):
        for each in ask("/v1/submissions", type=ENROL.command, state=state, per_page=PER_PAGE_MAX)["items"]:
            if each["record_id"] in own:
                return str(each["id"])
    return ""


def _persons_of(login: Login) -> list[OwnPerson]:
    return [each for each in current_node().persons.all() if each.name == login.name]


def open_requests() -> list[tuple[KeyRequest, Login]]:
    """Who asks for a certificate, may sign in, and does not sign with that key yet."""
    node = current_node()
    pairs = [(each, node.logins.get(each.login_id)) for each in node.key_requests.all()]
    return [(each, login) for each, login in pairs if login is not None and each.fingerprint not in _active(login)]


def _asked(login_id: str) -> tuple[KeyRequest, Login]:
    asked, login = current_node().key_requests.get(login_id), current_node().logins.get(login_id)
    return (asked, login) if asked is not None and login is not None else abort(404)


def _own_key(status: int, fault: NodeError | None = None) -> Answered:
    asked = current_node().key_requests.get(g.login.id)
    return page("signing_key.html", asked=asked, enrolled=_active(g.login), fault=fault), status


def _requests(status: int, fault: NodeError | None = None) -> Answered:
    rows = [(asked, login, _under_way(login)) for asked, login in open_requests()]
    typed_for = (request.view_args or {}).get("login_id")
    shown = {"requests": rows, "typed_for": typed_for, "organisation": current_node().settings.organisation}
    return page("signing_keys.html", **shown, typed=request.form, fault=fault, key=fresh_key()), status
