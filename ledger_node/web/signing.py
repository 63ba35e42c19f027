"""Four eyes in the browser: a person's signing key, its certificate, and what is to be signed, in words.

The key is made by the browser and stays there; here is who asks for a certificate. Whoever may enrol persons compares
the key's fingerprint with the person's, has the organisation's authority certify it, and enrols. What a person signs is
the submission's own message, byte for byte, as `ledger-node person sign` does; the node checks it when it comes.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Blueprint, Response, abort, g, redirect, request, url_for

from ledger_node.api.access import write_down
from ledger_node.api.context import current_node
from ledger_node.errors import BadRequest, NodeError
from ledger_node.operations.table import OPERATIONS
from ledger_node.people.key_requests import KeyRequest, fingerprint_of
from ledger_node.people.logins import Login
from ledger_node.web.acts import after
from ledger_node.web.asking import Refused, ask, fresh_key, send
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
        current_node().key_requests.put(g.login.id, request.form.get("request", ""))
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
        _require_fit(asked, login, pem)
        body = {"name": login.name, "certificate": pem}
        answer = send(ENROL.address, ENROL.roles, body, request.form.get("key", ""))
    except (BadRequest, Refused) as error:
        return _requests(getattr(error, "status", 400), fault=error)
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
    """Stand behind a command, by a signature that the browser has made."""
    body = {"signature": request.form.get("signature", "")}
    answer = send(f"/v1/submissions/{submission_id}/signatures", SIGNERS, body, request.form.get("key", ""))
    return after(answer, None)


def _require_fit(asked: KeyRequest, login: Login, pem: str) -> None:
    """Raises: BadRequest for a certificate of another key, and where one would have the word of two."""
    if login.id == g.login.id:
        raise BadRequest("nobody enrols themselves here", "Another person who may enrol does it.")
    try:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    except ValueError as error:
        raise BadRequest("that is no certificate", "Give what the authority made, in PEM.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or fingerprint_of(key) != asked.fingerprint:
        raise BadRequest("that is a certificate of another key", "Have this person's request certified.")
    if _active(login):
        text = f"{login.name} acts for this organisation by another key already"
        raise BadRequest(text, "Retire that one first: one person has one word.")


def _active(login: Login) -> list[str]:
    """The fingerprints of the keys by which somebody acts for the organisation."""
    listed = ask("/v1/persons")["items"]
    active = {each["person_id"] for each in listed if each["status"] == "active" and each["name"] == login.name}
    return [fingerprint_of(each.key) for each in current_node().persons.all() if each.commitment in active]


def _asked(login_id: str) -> tuple[KeyRequest, Login]:
    asked, login = current_node().key_requests.get(login_id), current_node().logins.get(login_id)
    return (asked, login) if asked is not None and login is not None else abort(404)


def _own_key(status: int, fault: NodeError | None = None) -> Answered:
    asked = current_node().key_requests.get(g.login.id)
    return page("signing_key.html", asked=asked, enrolled=_active(g.login), fault=fault), status


def _requests(status: int, fault: NodeError | None = None) -> Answered:
    node = current_node()
    pairs = [(each, node.logins.get(each.login_id)) for each in node.key_requests.all()]
    open_ones = [(each, login) for each, login in pairs if login is not None]
    shown = {"requests": open_ones, "typed": request.form, "organisation": node.settings.organisation}
    return page("signing_keys.html", **shown, fault=fault, key=fresh_key()), status
