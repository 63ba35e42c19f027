"""Four eyes in browsers: two persons' keys that nobody reads, what they sign in words, and the attacks on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_trade import registered
from browser import MISSING, chromium, opened_browser
from consortium import ORGANISATIONS, Consortium, organisations
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from page_world import Browser as Person
from page_world import Offices, signed_in
from pages_served import served
from people_world import human
from playwright.sync_api import Browser, Page, expect
from werkzeug.test import TestResponse

from network.identities import certify_person
from network.topology import demo_topology

PATIENCE_MS = 120_000.0
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
expect.set_options(timeout=PATIENCE_MS)
pytestmark = pytest.mark.skipif(not chromium(), reason=MISSING)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("offices")


@pytest.fixture(scope="module")
def offices(home: Path) -> Iterator[Offices]:
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = Offices(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def olga(offices: Offices) -> Person:
    """Who enrols persons of the buyer."""
    return signed_in(offices.buyer.node, offices.ports()["buyer"], "operator", name="olga")


class Signer:
    """A person of the buyer with a browser of its own."""

    def __init__(self, browser: Browser, offices: Offices, address: str, name: str) -> None:
        self.name, self.address, self.node = name, address, offices.buyer.node
        self.page: Page = browser.new_context(locale="en-GB").new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        secret = self.node.logins.invite(name, name.capitalize(), ["approver", "operator"], 1, "sign-in")
        self.page.goto(f"{address}/link/{secret}")
        self.page.get_by_role("main").get_by_role("button").click()
        self.page.wait_for_url(f"{address}/")

    @property
    def login_id(self) -> str:
        (login,) = [each for each in self.node.logins.list() if each.name == self.name]
        return login.id

    def make_key(self) -> str:
        """The fingerprint that the page shows once the key is made."""
        self.page.goto(f"{self.address}/signing-key")
        self.page.get_by_role("button", name="Make my key").click()
        expect(self.page.get_by_text("until then it signs nothing")).to_be_visible()
        return self.page.locator("[data-fingerprint]").inner_text().replace(" ", "")

    def look_at(self, submission_id: str) -> None:
        self.page.goto(f"{self.address}/submissions/{submission_id}")

    def sign(self) -> None:
        self.page.get_by_role("button", name="Sign it").click()


def certified(home: Path, request: str, name: str) -> str:
    """What the organisation's authority makes of a request."""
    topology = demo_topology(home, 20000)
    own = topology.organisation("buyer")
    return certify_person(own, topology.folders("buyer"), name, request.encode()).read_text()


def enrolled(olga: Person, home: Path, signer: Signer) -> None:
    """Compare fingerprints, certify, enrol."""
    shown = signer.make_key()
    assert f"Signing keys to certify 1 {signer.name.capitalize()}" in olga.open("/")
    said = olga.open("/signing-keys").replace(" ", "")
    assert shown in said and len(shown) == 32
    form = olga.form("certificate", action=f"/signing-keys/{signer.login_id}")
    request = downloaded(olga, signer.login_id, shown).get_data(as_text=True)
    assert downloaded(olga, signer.login_id, "0" * 32).status_code == 400
    other = olga.submit(form, certificate=human(home, "mallory", "buyer").certificate)
    assert "certificate of another key" in other and olga.page.status_code == 400
    unseen = olga.submit(form, certificate=certified(home, request, signer.name), fingerprint="0" * 32)
    assert "another key now" in unseen and olga.page.status_code == 400, "what was compared is enrolled, or nothing"
    assert "Done, and on the ledger" in olga.submit(form, certificate=certified(home, request, signer.name))
    assert "Nobody asks" in olga.open("/signing-keys")


def downloaded(olga: Person, login_id: str, fingerprint: str) -> TestResponse:
    return olga.client.get(f"/signing-keys/{login_id}/request.csr?fingerprint={fingerprint}")


def test_two_persons_in_two_browsers_stand_behind_one_payment(offices: Offices, olga: Person, home: Path) -> None:
    node = offices.buyer.node
    with opened_browser() as browser, served(offices) as addresses:
        anna, bert = (Signer(browser, offices, addresses["buyer"], name) for name in ("anna", "bert"))
        enrolled(olga, home, anna)
        enrolled(olga, home, bert)
        nobody_reads_the_key(anna)
        nobody_enrols_twice_or_alone(anna, olga, home)
        whose_enrolment_awaits_persons_is_told_and_enrolled_once(anna, olga, home)

        invoice_id = registered(offices, "INV-4E")
        owed = f"invoice_id={invoice_id}&amount=10000.00&currency=EUR&due_date={offices.due}&buyer_reference=AP+4E"
        anna.page.goto(f"{addresses['buyer']}/do/approve_invoice?{owed}")
        anna.page.get_by_role("button", name="Approve invoice").click()
        expect(anna.page.get_by_text("0 of 2")).to_be_visible()
        submission_id = anna.page.url.rpartition("/")[2]
        words = anna.page.locator("[data-part=words]")
        for text in ("Approve invoice", "INV-4E", invoice_id, "10,000.00 EUR", "AP 4E", submission_id):
            expect(words).to_contain_text(text)

        what_is_not_shown_is_not_signed(anna, submission_id)
        what_is_under_way_is_not_sent_again(anna, submission_id)
        anna.look_at(submission_id)
        anna.sign()
        expect(anna.page.get_by_text("1 of 2")).to_be_visible()
        nobody_signs_for_another(bert, anna, submission_id)

        bert.page.goto(addresses["buyer"])
        bert.page.get_by_role("link", name="Approve invoice").click()
        bert.sign()
        expect(bert.page.locator("h1 .badge")).to_have_text("approved")
        assert anna.faults == bert.faults == []

        kept = envelope(node, submission_id)
        assert len({each["person"] for each in kept}) == 2
        for each in kept:
            _r, s = decode_dss_signature(base64.b64decode(each["signature"]))
            assert s <= P256_ORDER // 2
        a_signature_is_of_one_command(anna, offices, kept)


def nobody_reads_the_key(anna: Signer) -> None:
    """Not even the page that uses it: the browser does not give it out."""
    said = anna.page.evaluate(
        """login => new Promise((resolve) => { const opening = indexedDB.open("ledger-node", 1);
        opening.onsuccess = () => { const asked = opening.result.transaction("keys").objectStore("keys").get(login);
        asked.onsuccess = () => crypto.subtle.exportKey("pkcs8", asked.result.privateKey)
          .then(() => resolve("read"), (error) => resolve(error.name)); }; })""",
        anna.login_id,
    )
    assert said == "InvalidAccessError"


def request_of(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """A request as the page makes it."""
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    asked = x509.CertificateSigningRequestBuilder().subject_name(named).sign(key, hashes.SHA256())
    return asked.public_bytes(serialization.Encoding.PEM).decode()


def nobody_enrols_twice_or_alone(anna: Signer, olga: Person, home: Path) -> None:
    """A second key of one person would be two persons, and who enrols oneself is asked by nobody."""
    second = human(home, "anna-again", "buyer")
    (own,) = [each for each in anna.node.logins.list() if each.name == "olga"]
    for login_id, said in ((anna.login_id, "Retire that one first"), (own.id, "nobody enrols themselves")):
        name = "anna" if login_id == anna.login_id else "olga"
        anna.node.key_requests.put(login_id, name, request_of(second.key, name))
        olga.open("/signing-keys")
        form = olga.form("certificate", action=f"/signing-keys/{login_id}")
        assert said in olga.submit(form, certificate=second.certificate)
        olga.open("/signing-keys")
        olga.submit(olga.form("csrf_token", action=f"/signing-keys/{login_id}/refusal"))
    assert "Nobody asks" in olga.open("/signing-keys")


def whose_enrolment_awaits_persons_is_told_and_enrolled_once(anna: Signer, olga: Person, home: Path) -> None:
    """A third person needs the word of two, who see whom they let in; meanwhile no other key of it is taken."""
    node = anna.node
    node.logins.invite("carl", "Carl", ["approver"], 1)
    (carl,) = [each for each in node.logins.list() if each.name == "carl"]
    first, other = human(home, "carl-1", "buyer"), human(home, "carl-2", "buyer")
    asked = node.key_requests.put(carl.id, "carl", request_of(first.key, "carl"))
    olga.open("/signing-keys")
    assert "0 of 2" in olga.submit(olga.form("certificate"), certificate=first.certificate)
    submission_id = olga.path.rpartition("/")[2]
    assert "The enrolment is under way" in olga.open("/signing-keys"), "it may come to nothing"
    node.key_requests.put(carl.id, "carl", request_of(other.key, "carl"))
    olga.open("/signing-keys")
    assert "carl is being enrolled already" in olga.submit(olga.form("certificate"), certificate=other.certificate)
    anna.look_at(submission_id)
    expect(anna.page.locator("[data-part=words]")).to_contain_text(f"carl, key {asked.fingerprint}")
    olga.open(f"/submissions/{submission_id}")
    olga.submit(olga.form("csrf_token", action=f"/submissions/{submission_id}/withdrawal"))
    node.key_requests.remove(carl.id)


def what_is_not_shown_is_not_signed(anna: Signer, submission_id: str) -> None:
    """Neither a page whose words were changed, nor one whose bytes were: each is the control of the other."""
    anna.page.evaluate("""() => { const amount = [...document.querySelectorAll("[data-part=words] dd")]
        .find((part) => part.textContent.includes("10,000.00")); amount.textContent = "1.00 EUR"; }""")
    anna.sign()
    expect(anna.page.get_by_text("is not what would be signed")).to_be_visible()
    assert anna.node.outbox.get(submission_id).signed_by == ()  # type: ignore[union-attr]

    def forged(route: object, request: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        body = answer.text().replace("1000000", "100")
        route.fulfill(response=answer, body=body)  # type: ignore[attr-defined]

    anna.page.route(f"**/submissions/{submission_id}", forged)
    anna.look_at(submission_id)
    expect(anna.page.locator("[data-part=words]")).to_contain_text("1.00 EUR")
    anna.sign()
    expect(anna.page.get_by_role("main")).to_contain_text("no signature of this command")
    anna.page.unroute(f"**/submissions/{submission_id}")
    assert anna.node.outbox.get(submission_id).signed_by == ()  # type: ignore[union-attr]


def what_is_under_way_is_not_sent_again(anna: Signer, submission_id: str) -> None:
    """The next click would send another signature, since no two are alike, and the ledger takes one of a person."""
    anna.look_at(submission_id)
    anna.page.evaluate("() => { HTMLFormElement.prototype.submit = () => { document.body.dataset.sent = 'yes'; }; }")
    anna.sign()
    expect(anna.page.locator("body[data-sent]")).to_be_visible()
    expect(anna.page.get_by_role("button", name="Sign it")).to_be_disabled()


def nobody_signs_for_another(bert: Signer, anna: Signer, submission_id: str) -> None:
    """What Anna has signed already counts once, whoever sends it again; Bert's browser has no key of hers."""
    kept = envelope(bert.node, submission_id)
    bert.look_at(submission_id)
    with bert.page.expect_navigation():
        bert.page.evaluate(
            "signature => { const form = document.querySelector('[data-part=sign]'); "
            "form.elements.signature.value = signature; form.submit(); }",
            kept[0]["signature"],
        )
    assert len(bert.node.outbox.get(submission_id).signed_by) == 1  # type: ignore[union-attr]
    expect(bert.page.get_by_role("main")).to_contain_text("that is the signature of anna, and bert is signed in")
    held = """() => new Promise((resolve) => { const opening = indexedDB.open("ledger-node", 1);
        opening.onsuccess = () => { const asked = opening.result.transaction("keys").objectStore("keys").getAllKeys();
        asked.onsuccess = () => resolve(asked.result); }; })"""
    assert bert.page.evaluate(held) == [bert.login_id] != [anna.login_id]


def a_signature_is_of_one_command(anna: Signer, offices: Offices, kept: list[dict[str, str]]) -> None:
    """Replayed for the next payment it is none."""
    invoice_id = registered(offices, "INV-4R")
    owed = {"amount": "10000.00", "currency": "EUR", "due_date": offices.due.isoformat(), "buyer_reference": "AP 4R"}
    asked = offices.buyer.post("approver", f"/v1/invoices/{invoice_id}/approval", owed)
    assert asked.body["status"] == "awaiting_persons"
    anna.look_at(asked.body["id"])
    expect(anna.page.locator("[data-part=words]")).to_contain_text("INV-4R")
    for each in kept:
        token = anna.page.locator("[data-part=sign] [name=csrf_token]").input_value()
        sent = anna.page.request.post(
            f"{anna.address}/submissions/{asked.body['id']}/signature",
            form={"csrf_token": token, "key": each["person"], "signature": each["signature"]},
            headers={"Origin": anna.address},
        )
        assert sent.status == 422 and "no signature of this command" in sent.text()


def envelope(node: object, submission_id: str) -> list[dict[str, str]]:
    """The persons that a command's envelope names, with their signatures."""
    with node.state.read() as session:  # type: ignore[attr-defined]
        text = session.connection().exec_driver_sql(f"SELECT persons FROM outbox WHERE command_id = '{submission_id}'")
        return list(json.loads(text.scalar_one()))
