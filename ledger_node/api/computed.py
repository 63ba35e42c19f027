"""What a request has computed before it is a command: one function an act, by the act's name.

Identifiers, accounts and references arrive here in clear and leave as keyed fingerprints or commitments: the ledger
never sees them. Facts and fingerprints of an invoice are read from the vault's own bytes, as the verifiers of the other
parties will read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Executable

from chaincode.money import deposit_currency
from chaincode.records import FacilityTerms, keys
from chaincode.records.bodies import RecordCreditNote, RecordShipmentEvent
from ledger_node.agreement import MAKE
from ledger_node.api.answers import existing, what_it_is
from ledger_node.api.context import current_node
from ledger_node.api.persons import require_key_of_its_own
from ledger_node.api.problem import Problem, refused
from ledger_node.api.rules import require_rules
from ledger_node.api.sealed import opened
from ledger_node.api.wire import Plain, in_ledger_form, limits_minor, to_minor
from ledger_node.api.writes import fresh_id
from ledger_node.documents.index import OwnDocument
from ledger_node.errors import ConfigError
from ledger_node.formats import CreditNoteFacts, Facts, InvoiceFacts, fingerprints, read_facts
from ledger_node.formats.ledger_facts import ledger_facts, require_credit, require_due_date, require_payable
from ledger_node.formats.naming import identities
from ledger_node.hashing import commitment, digest_batch
from ledger_node.operations import bodies
from ledger_node.operations.fields import In
from ledger_node.people.document_names import AGREEMENT, BUYER_REFERENCE, PAYMENT_REFERENCE, REFERENCE
from ledger_node.people.names import Name
from ledger_node.people.persons import read_person
from ledger_node.sealing import NotVisible, seal

Named = Mapping[str, str]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """The body of a command, and statements for the transaction of the state database that stores it."""

    body: Plain
    beside: Sequence[Executable] = ()


def record_shipment_events(body: bodies.EventsIn, named: Named) -> Command:
    """Each event with an id of its own, the same when the request is repeated."""
    events = [
        in_ledger_form(RecordShipmentEvent, each, {"event_id": fresh_id(f"event {number}")}, str)
        for number, each in enumerate(body.events)
    ]
    return Command({"events": events})


def found_consortium(body: bodies.FoundingIn, named: Named) -> Command:
    """The parties with their identifiers and accounts as fingerprints."""
    return Command({"parties": [_party(party) for party in body.parties], "privacy": body.privacy})


def propose_party(body: bodies.AdmissionIn, named: Named) -> Command:
    """As in the founding."""
    return Command({"change_id": fresh_id("change"), "party": _party(body.party)})


def change_identities(body: bodies.IdentitiesIn, named: Named) -> Command:
    """The identifiers as fingerprints."""
    return Command({"change_id": fresh_id("change"), "identities": _identities(body.identifiers)})


def change_payout_account(body: bodies.PayoutAccountIn, named: Named) -> Command:
    """The account as a fingerprint."""
    return Command({"payout_fingerprint": fingerprints.account(current_node().fingerprint_key, body.payout_account)})


def change_agreement_key(body: In, named: Named) -> Command:
    """A key whose private half is here: with any other one this party could compute no secret."""
    command, node = body.model_dump(), current_node()
    try:
        is_here = node.agreement.holds(command["agreement_key"])
    except ConfigError as error:
        raise _keys_missing(error) from error
    if not is_here:
        text = "the private half of this key is not on this node"
        raise Problem(422, "AGREEMENT_KEY_NOT_HERE", text, MAKE)
    return Command(command)


def enrol_person(body: bodies.PersonIn, named: Named) -> Command:
    """The certificate as a commitment; it is stored here beside the command."""
    node = current_node()
    person = read_person(body.name, body.certificate, node.authority, node.fingerprint_key)
    require_key_of_its_own(person)
    return Command({"commitment": person.commitment}, [node.persons.insertion(person)])


def retire_person(body: In, named: Named) -> Command:
    """A person's id is its commitment."""
    return Command({"commitment": named["person_id"]})


def seal_documents(body: In, named: Named) -> Command:
    """There is one algorithm."""
    sealed = body.model_dump()
    return Command({"seal_id": fresh_id("seal"), "algorithm": "SHA-256", **sealed})


def register_shipment(body: bodies.ShipmentIn, named: Named) -> Command:
    """The reference as a fingerprint."""
    node = current_node()
    reference = fingerprints.reference(node.fingerprint_key, node.msp_id, body.buyer, body.reference)
    command = {"shipment_id": fresh_id("shipment"), "buyer": body.buyer, "carrier": body.carrier}
    return Command(command | {"reference_fingerprint": reference}, _typed(reference, REFERENCE, body.reference))


def register_invoice(body: bodies.InvoiceIn, named: Named) -> Command:
    """What the stored file says, never what the caller says it contains; a due date only where the file names none."""
    node = current_node()
    own = _own_invoice(body.document_id)
    facts = _facts(own)
    require_due_date(facts, body.stated_due_date)
    day = node.readmodel.day()  # before the parties: they have every key that counts for what is settled by it
    supplier, buyer = (
        existing(node.readmodel.party(node.msp_id), "party", node.msp_id),
        node.readmodel.party(body.buyer),
    )
    if buyer:  # the contract itself says of any other that it is unknown
        require_payable(node.fingerprint_key, facts, supplier, buyer, node.readmodel.parties())
    require_rules(node.vault.path(own.digest))
    of_amount = _amount_key(supplier, buyer, facts, day) if buyer else None
    return Command(
        {
            "invoice_id": fresh_id("invoice"),
            "buyer": body.buyer,
            "document_ids": [body.document_id],
            "proof_ids": body.proof_ids,
            "shipment_ids": body.shipment_ids,
            "facts": ledger_facts(node.fingerprint_key, facts, supplier, buyer, node.readmodel.parties()),
            "fingerprints": fingerprints.fingerprints(node.fingerprint_key, facts, node.msp_id, body.buyer, of_amount),
            "epoch": node.settings.fingerprint_epoch,
            "stated_due_date": body.stated_due_date,
        }
    )


def approve_invoice(body: bodies.ApprovalIn, named: Named) -> Command:
    """The buyer's own reference as a fingerprint."""
    node = current_node()
    reference = fingerprints.order(node.fingerprint_key, node.msp_id, body.buyer_reference)
    command = {
        "invoice_id": named["invoice_id"],
        "amount_minor": to_minor(body.amount, body.currency, "amount"),
        "currency": body.currency,
        "due_date": body.due_date,
        "buyer_reference": reference,
    }
    return Command(command, _typed(reference, BUYER_REFERENCE, body.buyer_reference))


def split_invoice(body: bodies.SplitIn, named: Named) -> Command:
    """A fresh id for each part."""
    invoice_id = named["invoice_id"]
    currency = existing(current_node().readmodel.invoice(invoice_id), "invoice", invoice_id)["facts"]["currency"]
    parts = [
        {
            "invoice_id": fresh_id(f"part {number}"),
            "amount_minor": to_minor(part.amount, currency, "amount"),
            "shipment_ids": part.shipment_ids,
        }
        for number, part in enumerate(body.parts)
    ]
    return Command({"invoice_id": invoice_id, "parts": parts})


def record_credit_note(body: In, named: Named) -> Command:
    """What a credit note's own document says, where it is one that can be read, is what is registered."""
    node, invoice_id = current_node(), named["invoice_id"]
    invoice = existing(node.readmodel.invoice(invoice_id), "invoice", invoice_id)
    given = {"credit_note_id": fresh_id("credit note"), "invoice_id": invoice_id}
    command = in_ledger_form(RecordCreditNote, body, given, lambda: invoice["facts"]["currency"])
    own = node.documents.get(command["document_id"])
    if own is not None and own.kind == "credit_note":
        note = _stored_facts(own)
        assert isinstance(note, CreditNoteFacts)
        parties = [
            existing(node.readmodel.party(invoice[role]), "party", invoice[role]) for role in ("supplier", "buyer")
        ]
        require_credit(node.fingerprint_key, note, command["amount_minor"], invoice, *parties)
    return Command(command)


def request_early_payment(body: In, named: Named) -> Command:
    """`net_min` is in the currency of the facilities, which must be one."""
    readmodel, asked = current_node().readmodel, body.model_dump()
    facilities = [
        existing(readmodel.facility(facility_id), "facility", facility_id) for facility_id in asked["facility_ids"]
    ]
    currencies = {deposit_currency(facility["deposit"]) for facility in facilities}
    if len(currencies) != 1:
        text = f"the facilities have different currencies: {', '.join(sorted(currencies))}"
        raise Problem(422, "CURRENCY_DIFFERS", text, "Send one request for each currency.")
    return Command(
        {
            "invoice_id": named.get("invoice_id", ""),
            "facility_ids": asked["facility_ids"],
            "net_min_minor": to_minor(asked["net_min"], currencies.pop(), "net_min"),
            "valid_until": asked["valid_until"],
        }
    )


request_early_payment_for_all = request_early_payment


def offer_discount(body: bodies.DiscountIn, named: Named) -> Command:
    """Rate and day count as they are, or sealed for supplier and buyer where the consortium's terms are."""
    node, invoice_id = current_node(), named["invoice_id"]
    terms = {"rate_bps": body.rate_bps, "day_count": body.day_count}
    offer = {"invoice_id": invoice_id, "valid_until": body.valid_until}
    if not _is_sealed():
        return Command(offer | terms)
    invoice = existing(node.readmodel.invoice(invoice_id), "invoice", invoice_id)
    if invoice["supplier"] != node.msp_id:
        raise refused("NOT_THE_SUPPLIER", f"only {invoice['supplier']} can offer a discount on this invoice")
    readers = [existing(node.readmodel.party(invoice[role]), "party", invoice[role]) for role in ("supplier", "buyer")]
    record, day = keys.discount_offer(invoice_id), node.readmodel.day()
    try:
        sealed = seal(node.agreement, record, terms, readers, day, fresh_id("discount offer"))
    except ConfigError as error:
        raise _keys_missing(error) from error
    return Command(offer | dict.fromkeys(terms) | {"sealed": sealed})


def pay_early(body: In, named: Named) -> Command:
    """What the buyer pays by is shown to the contract where the supplier has sealed it."""
    node, invoice_id = current_node(), named["invoice_id"]
    command = {"invoice_id": invoice_id, **body.model_dump()}
    offer = node.readmodel.record(keys.discount_offer(invoice_id))
    if offer is None or offer["sealed"] is None:
        return Command(command)  # the contract itself says what is wrong, if anything is
    if existing(node.readmodel.invoice(invoice_id), "invoice", invoice_id)["buyer"] != node.msp_id:
        return Command(command)
    try:
        found = opened("discount_offer", invoice_id, offer)
    except NotVisible as reason:
        text = f"the terms of the supplier's offer: {reason}"
        raise Problem(
            409, "TERMS_NOT_VISIBLE", text, "Nothing was sent. Mend that, then pay; or pay without it."
        ) from reason
    return Command(command | {"opening": {"salt": found.salt, "terms": found.values}})


def accept_supplier(body: bodies.AcceptanceIn, named: Named) -> Command:
    """Salted with the consortium's key, since an agreement's number can be guessed: outsiders learn nothing."""
    agreed = commitment(current_node().fingerprint_key, hashlib.sha256(body.agreement.encode()).digest())
    command = body.model_dump(exclude={"agreement"}) | {"agreement_commitment": agreed.hex()}
    return Command(command, _typed(agreed.hex(), AGREEMENT, body.agreement))


def change_facility(body: In, named: Named) -> Command:
    """All terms, as one."""
    facility_id = named["facility_id"]
    facility = existing(current_node().readmodel.facility(facility_id), "facility", facility_id)
    terms = in_ledger_form(FacilityTerms, body, {}, lambda: deposit_currency(facility["deposit"]))
    return Command({"facility_id": facility_id, "terms": terms})


def issue_deposit(body: bodies.DepositIn, named: Named) -> Command:
    """The booked credit's reference as a fingerprint."""
    command = body.model_dump(exclude={"amount"})
    return Command(
        {
            **command,
            "amount_minor": to_minor(body.amount, deposit_currency(body.deposit), "amount"),
            **_references("credit_reference", body.credit_reference, body.booked_on),
        }
    )


def reverse_issue(body: bodies.ReversalIn, named: Named) -> Command:
    """The booked credit's reference as a fingerprint."""
    key = current_node().fingerprint_key
    return Command({"credit_reference": fingerprints.credit_reference(key, body.credit_reference, body.booked_on)})


def confirm_redemption(body: bodies.PaidOutIn, named: Named) -> Command:
    """The payment's reference as a fingerprint."""
    references = _references("payment_reference", body.payment_reference, body.booked_on)
    command = {"redemption_id": named["redemption_id"], **references, "again": body.again}
    return Command(command, _typed(references["payment_reference"], PAYMENT_REFERENCE, body.payment_reference))


def _is_sealed() -> bool:
    founding = current_node().readmodel.founding()
    return founding is not None and founding["privacy"] == "sealed"


def _amount_key(supplier: Plain, buyer: Plain, facts: InvoiceFacts, day: str) -> bytes:
    """The key of the amount's fingerprint. Raises: Problem 409 where this node has none, or not yet."""
    node, issued = current_node(), facts.issue_date.isoformat()
    try:
        found = node.agreement.amount_key(supplier, buyer, issued, day)
    except ConfigError as error:
        raise _keys_missing(error) from error
    if found is None:
        text = f"it is issued on {issued}: between parties with agreement keys that is too far ahead"
        raise refused("ISSUE_DATE_LATER", text)
    return found


def _keys_missing(error: ConfigError) -> Problem:
    _log.error("an agreement key is missing", reason=error.text)
    text = "the private agreement key that this needs cannot be read on this node"
    return Problem(409, "AGREEMENT_KEY_MISSING", text, "Whoever runs the node looks at: ledger-node crypto inventory")


def _typed(key: str, field: str, text: str) -> Sequence[Executable]:
    """What keeps a name that was typed, under what the ledger gets of it."""
    return current_node().names.insertion([Name(key, field, text)])


def _references(field: str, reference: str, booked_on: str) -> Plain:
    """A bank's reference as fingerprints: with its booking date, and alone."""
    key = current_node().fingerprint_key
    return {
        field: fingerprints.credit_reference(key, reference, booked_on),
        "reference_fingerprint": fingerprints.bank_reference(key, reference),
    }


def _party(party: bodies.PartyIn) -> Plain:
    key = current_node().fingerprint_key
    return {
        **party.model_dump(include={"msp_id", "name", "roles", "group_id", "peer_url", "agreement_key"}),
        "identity_fingerprint": fingerprints.identity(key, party.legal_id),
        "payout_fingerprint": fingerprints.account(key, party.payout_account),
        "issue_limits": limits_minor(party.issue_limits, "issue_limits"),
        "identities": _identities(party.identifiers),
    }


def _identities(named: Sequence[bodies.IdentifierIn]) -> Plain:
    return identities(current_node().fingerprint_key, [(each.scheme, each.id) for each in named])


def _own_invoice(document_id: str) -> OwnDocument:
    own = current_node().documents.get(document_id)
    if own is None:
        text = f"this organisation uploaded no document {document_id}"
        helps = f"{what_it_is(document_id)} Upload the invoice first: POST /v1/documents.".strip()
        raise Problem(404, "DOCUMENT_UNKNOWN", text, helps)
    if own.kind != "invoice":
        text = f"the document {document_id} is a {own.kind}, not an invoice"
        raise Problem(422, "DOCUMENT_KIND_WRONG", text, "Name the invoice's own document.")
    return own


def _facts(own: OwnDocument) -> InvoiceFacts:
    facts = _stored_facts(own)
    assert isinstance(facts, InvoiceFacts)
    return facts


def _stored_facts(own: OwnDocument) -> Facts:
    """What the stored bytes say, once they are known to be those that were uploaded.

    Raises: Problem 409 when they are not.
    """
    path = current_node().vault.path(own.digest)
    if digest_batch([path])[0] != own.digest:
        text = f"the vault's file of the document {own.document_id} is missing or not the one uploaded"
        raise Problem(409, "VAULT_DIFFERS", text, "Restore the vault from a backup.")
    return read_facts(own.kind, own.media_type, path)
