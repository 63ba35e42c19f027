"""The release classes about evidence: INTEGRITY, AMOUNT, DELIVERY, UNIQUE.

Each function takes the snapshot and the facility under consideration (None when the supplier has asked for nothing:
then the financier's statements count as missing). What is false already is said before what is missing still.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from chaincode.records import Facts, Invoice, Party, RuleCheck, Shipment, ShipmentEvent
from chaincode.rules.agreement import is_of_pair
from chaincode.rules.fingerprints import FINAL, Standing, standing
from chaincode.rules.goods import matched
from chaincode.rules.invoices import FINGERPRINTS_REQUIRED, paid_already
from chaincode.rules.parties import is_active
from chaincode.rules.snapshot import ATTESTATIONS_MIN, Candidate, Snapshot
from chaincode.rules.verdicts import HOLDS, Finding, Reason, indeterminate, invalid, worst

REASONS = {
    Standing.FOLLOWS: Reason.PREDECESSOR_UNCLEARED,
    Standing.ALIKE: Reason.DUPLICATE_CLAIM,
    Standing.ALIKE_FINANCED: Reason.ALREADY_FINANCED,
    Standing.FOLLOWS_FINANCED: Reason.PREDECESSOR_FINANCED,
    Standing.FINANCED: Reason.ALREADY_FINANCED,
}


def integrity(snapshot: Snapshot, candidate: Candidate | None) -> Finding:
    """An invoice document and a proof, each verified by parties of enough groups, and no current mismatch."""
    invoice = snapshot.invoice
    findings = [_document_integrity(snapshot, candidate, name) for name in (*invoice.document_ids, *invoice.proof_ids)]
    if not invoice.document_ids or not invoice.proof_ids:
        findings.append(indeterminate(Reason.NO_PROOF, "a shipping proof and an invoice are needed", invoice.supplier))
    return worst(findings)


def _document_integrity(snapshot: Snapshot, candidate: Candidate | None, document_id: str) -> Finding:
    document = snapshot.documents[document_id]
    if document.status != "current":
        text = f"{document.kind} {document_id} is {document.status}"
        return invalid(Reason.DOCUMENT_REVOKED, text, document.submitter)
    attestations = snapshot.independent_attestations(document_id)
    for attestation in attestations:
        if attestation.verdict == "mismatch":
            text = f"{attestation.party} read other bytes for {document.kind} {document_id} than were registered"
            return invalid(Reason.MISMATCH_ATTESTED, text, document.submitter)
    wanted = candidate.facility.attestations_min if candidate else ATTESTATIONS_MIN
    # A proof may be the carrier's; then the supplier, whom it brings money, is no witness to it either.
    interested = {snapshot.parties[document.submitter].group_id, *snapshot.supplier_groups(candidate)}
    groups = {name: snapshot.parties[name].group_id for name in document.entitled}
    verified = {groups[one.party] for one in attestations if one.verdict == "verified"} - interested
    if len(verified) >= wanted:
        return HOLDS
    waiting = [name for name, group_id in groups.items() if group_id not in verified | interested]
    text = f"{document.kind} {document_id} is verified by {len(verified)} of {wanted} independent groups"
    return indeterminate(Reason.ATTESTATIONS_MISSING, text, waiting[0] if waiting else document.submitter)


def amount(snapshot: Snapshot, candidate: Candidate | None) -> Finding:
    """The buyer's approval and the facts that buyer and financier recomputed agree on amount, dates and parties."""
    invoice = snapshot.invoice
    if invoice.status in ("settled", "recovered"):
        return invalid(Reason.ALREADY_SETTLED, "nothing is owed any more", "")
    if invoice.status == "disputed":
        return invalid(Reason.DISPUTED, f"{invoice.buyer} disputes the invoice", invoice.buyer)
    if invoice.status not in ("registered", "approved"):
        return invalid(Reason.NOT_OWED, f"the invoice is {invoice.status}", "")
    if invoice.settled_minor:
        return invalid(Reason.PARTLY_SETTLED, paid_already(invoice), "")
    differing = (
        _facts_that_differ(snapshot, candidate)
        or _rules_that_are_broken(snapshot, candidate)
        or _names_that_differ(snapshot)
    )
    if differing:
        return differing
    if invoice.approval is None:
        stated = f", whose due date {invoice.stated_due_date} only its supplier says" if invoice.stated_due_date else ""
        text = f"{invoice.buyer} has not approved the invoice{stated}"
        return indeterminate(Reason.NOT_APPROVED, text, invoice.buyer)
    for who in snapshot.verifiers(candidate):
        if not any(statement.facts for statement in snapshot.verified_by(who, invoice.document_ids)):
            whom = who or "financier"
            return indeterminate(Reason.FACTS_MISSING, f"the {whom} has not attested the invoice's facts", whom)
    return HOLDS if candidate is None or candidate.decided else _left_to_a_person(snapshot, candidate)


def _left_to_a_person(snapshot: Snapshot, candidate: Candidate) -> Finding:
    """What only a decision of the financier gets paid: unchecked by rules, or for goods that are still to come."""
    for who, check in _checked_by_rules(snapshot, candidate):
        if check.verdict == "indeterminate":
            text = f"{who} could not check the invoice by public rules: it is not paid early without a decision"
            return indeterminate(Reason.RULES_UNCHECKED, text, who)
    if "prepayment" in snapshot.invoice.facts.conditions:
        text = "it asks for a prepayment: it is not paid early without a decision"
        return indeterminate(Reason.PREPAYMENT, text, candidate.facility.financier)
    return HOLDS


def _rules_that_are_broken(snapshot: Snapshot, candidate: Candidate | None) -> Finding | None:
    for who, check in _checked_by_rules(snapshot, candidate):
        if check.verdict == "invalid":
            broken, by = ", ".join(check.broken), ", ".join(check.packs)
            text = f"{who} found that the invoice breaks {broken or 'rules'} of {by or 'public rules'}"
            return invalid(Reason.RULES_BROKEN, text, snapshot.invoice.supplier)
    return None


def _checked_by_rules(snapshot: Snapshot, candidate: Candidate | None) -> Iterator[tuple[str, RuleCheck]]:
    """What the verifiers of buyer and financier found by public rules, each of those that checks by them."""
    for who in snapshot.verifiers(candidate):
        for statement in snapshot.verified_by(who, snapshot.invoice.document_ids):
            if statement.rules:
                yield who, statement.rules


def _facts_that_differ(snapshot: Snapshot, candidate: Candidate | None) -> Finding | None:
    invoice = snapshot.invoice
    for who in snapshot.verifiers(candidate):
        for statement in snapshot.verified_by(who, invoice.document_ids):
            if statement.facts and statement.facts != invoice.facts:
                text = f"{who} read another {_differing(statement.facts, invoice.facts)} in the invoice than registered"
                return invalid(Reason.FACTS_DIFFER, text, invoice.supplier)
    approval = invoice.approval
    if approval and (
        (approval.amount_minor, approval.currency) != (invoice.amount_due_minor, invoice.facts.currency)
        or approval.due_date != invoice.due_date  # more time, which the supplier gives, was not approved yet
    ):
        return invalid(Reason.FACTS_DIFFER, "the approval is of another amount or due date", invoice.buyer)
    return None


def _differing(one: Facts, other: Facts) -> str:
    """The names of the facts that differ, for people."""
    names = [field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name)]
    return ", ".join(name.removesuffix("_minor").replace("_", " ") for name in names)


def _names_that_differ(snapshot: Snapshot) -> Finding | None:
    """The document must name these very parties, and no account but the supplier's, or what was it at registration.

    A former account counts for what was registered before it was replaced: so one that a thief had named, and its
    owner has replaced, is good for nothing new.
    """
    invoice = snapshot.invoice
    supplier, buyer = snapshot.parties[invoice.supplier], snapshot.parties[invoice.buyer]
    for role, named_by, party in (
        ("supplier", invoice.facts.supplier, supplier),
        ("buyer", invoice.facts.buyer, buyer),
    ):
        if named_by != party.identity_fingerprint:
            text = f"the invoice names another {role} than {party.msp_id}: {_looked_for(party)}"
            return invalid(Reason.PARTY_DIFFERS, text, invoice.supplier)
    if "collected" in invoice.facts.conditions:
        text = "the money is collected from the buyer, by direct debit or card: no holder can be paid by that"
        return invalid(Reason.COLLECTED, text, invoice.supplier)
    former = [one.fingerprint for one in supplier.former_payouts if invoice.day < one.replaced_on]
    own, named = {supplier.payout_fingerprint, *former}, {invoice.facts.payee, *invoice.facts.other_payees} - {""}
    if named and not named & own:
        return invalid(Reason.PAYEE_DIFFERS, "the invoice is payable to another account", invoice.supplier)
    if named - own:
        text = "the invoice is payable to another account too, which its supplier has not registered"
        return indeterminate(Reason.PAYEE_UNKNOWN, text, invoice.supplier)
    return None


def _looked_for(party: Party) -> str:
    """By what a document may name a party, and what to do where it does by something else, for people."""
    by = ", ".join(sorted(party.identities))
    registered = f"its registered identifiers ({by})" if by else "its one registered identifier"
    return f"looked for was {registered}; it registers another one by ChangeIdentities, then the invoice comes anew"


def delivery(snapshot: Snapshot, candidate: Candidate | None) -> Finding:
    """Each shipment is reported delivered in full by the buyer or the carrier it accepted, or by both if so asked.

    Goods that verifiers could count are besides as many as are billed.
    """
    invoice = snapshot.invoice
    if not snapshot.shipments:
        return indeterminate(Reason.NO_SHIPMENT, "the invoice names no shipment", invoice.supplier)
    threshold = candidate.facility.both_delivery_minor if candidate else 0
    both = 0 < threshold < (invoice.face_minor or invoice.amount_due_minor)
    found = [_shipment_delivery(snapshot, candidate, shipment, both) for shipment in snapshot.shipments]
    return worst([*found, matched(snapshot, candidate)])


def _shipment_delivery(snapshot: Snapshot, candidate: Candidate | None, shipment: Shipment, both: bool) -> Finding:
    events = [event for event in snapshot.events[shipment.shipment_id] if not event.withdrawn_on]
    deliveries = [event for event in events if event.type == "delivered"]
    witnesses = {shipment.buyer}
    if shipment.carrier_accepted and _carrier_is_independent(snapshot, candidate, shipment):
        witnesses.add(shipment.carrier)
    counting = [event for event in deliveries if event.party in witnesses]
    # Whose word does not count for a delivery counts against it: it speaks against its own interest.
    if any(event.partial and not _is_cured(snapshot.invoice, event) for event in deliveries):
        return invalid(Reason.PARTIAL_DELIVERY, f"shipment {shipment.shipment_id} came in part", shipment.supplier)
    if not counting and deliveries:
        text = f"only {deliveries[0].party} says that {shipment.shipment_id} was delivered, which does not count"
        return invalid(Reason.ONLY_SUPPLIER_SAYS_SO, text, shipment.buyer)
    if not counting:
        text = f"nobody has reported shipment {shipment.shipment_id} as delivered"
        return indeterminate(Reason.NOT_DELIVERED, text, shipment.carrier)
    reporters = {event.party for event in counting}
    for who in (shipment.buyer, shipment.carrier):
        if both and who not in reporters:
            return indeterminate(Reason.BOTH_REQUIRED, f"{who} must report the delivery too", who)
    return HOLDS


def _is_cured(invoice: Invoice, event: ShipmentEvent) -> bool:
    """A credit note, or a split since, has answered for it, and the buyer, who knew, has not approved before that."""
    is_split_since = invoice.split_from != "" and event.day <= invoice.day
    approved_before = invoice.approval is not None and invoice.approval.day < event.day
    return (is_split_since or event.shipment_id in invoice.cured_shipments) and not approved_before


def _carrier_is_independent(snapshot: Snapshot, candidate: Candidate | None, shipment: Shipment) -> bool:
    carrier = snapshot.parties.get(shipment.carrier)
    heard = is_active(carrier, "carrier")
    return heard and carrier is not None and carrier.group_id not in snapshot.supplier_groups(candidate)


def unique(snapshot: Snapshot, candidate: Candidate | None) -> Finding:
    """This invoice claims every fingerprint first, none is financed, and buyer and financier recomputed the same.

    What only looks like another one, and was cleared by persons of the buyer, waits for a financier's decision.
    """
    invoice, claimed = snapshot.invoice, snapshot.fingerprints
    found = standing(invoice, claimed)
    if found in FINAL:
        return invalid(REASONS[found], found.value, invoice.buyer)
    alike = found is not Standing.UNIQUE
    if alike and not invoice.clearance:
        text = f"{found.value}; persons of the buyer may say that it is no duplicate"
        finding = indeterminate if found is Standing.FOLLOWS else invalid
        return finding(REASONS[found], text, invoice.buyer)
    attested = _attested_fingerprints(snapshot, candidate, claimed=bool(claimed) and all(claimed))
    if attested is HOLDS and alike and not (candidate and candidate.decided):
        text = "it looks like another invoice and was cleared by a person: it is not paid without a decision"
        return indeterminate(Reason.CLEARED_BY_PERSON, text, candidate.facility.financier if candidate else "financier")
    return attested


def _attested_fingerprints(snapshot: Snapshot, candidate: Candidate | None, claimed: bool) -> Finding:
    """What a delivery is told by may be read in a proof; every other fingerprint must be in the invoice itself.

    An amount under the key of supplier and buyer is attested by the buyer alone: nobody else can compute it.
    """
    invoice = snapshot.invoice
    missing = [] if claimed else [invoice.supplier]
    parties = snapshot.parties[invoice.supplier], snapshot.parties[invoice.buyer]
    private = {"amount"} if is_of_pair(*parties, invoice.facts.issue_date) else set()
    for who in snapshot.verifiers(candidate):
        hidden = private if who != invoice.buyer else set()
        read = _fingerprints_read(snapshot, who, invoice.document_ids)
        attested = {item for item in read if item[0] not in hidden}
        if attested - set(invoice.fingerprints.items()):
            text = f"{who} computed another fingerprint of the invoice than was registered"
            return invalid(Reason.FINGERPRINTS_DIFFER, text, invoice.supplier)
        in_proofs = {item for item in _fingerprints_read(snapshot, who, invoice.proof_ids) if item[0] == "delivery"}
        if in_proofs - set(invoice.claimed_fingerprints):
            text = f"{who} read in a proof of a delivery that the invoice does not claim: register it anew with that"
            return invalid(Reason.DELIVERY_UNCLAIMED, text, invoice.supplier)
        kinds = {kind for kind, _ in attested | in_proofs}
        if not kinds >= {*FINGERPRINTS_REQUIRED, *invoice.fingerprints} - hidden:
            missing.append(who or "financier")
    if missing:
        return indeterminate(
            Reason.FINGERPRINTS_MISSING, f"the {missing[0]} has not attested all fingerprints", missing[0]
        )
    return HOLDS


def _fingerprints_read(snapshot: Snapshot, who: str, document_ids: tuple[str, ...]) -> set[tuple[str, str]]:
    """The kinds and values that a party has computed from these documents."""
    return {item for one in snapshot.verified_by(who, document_ids) for item in one.fingerprints.items()}
