"""The release check: seven answers for each facility that the supplier asks, and the one that pays best.

Pure: takes a snapshot, gives an assessment. Money moves only on an assessment whose seven classes are all VALID on the
very state that is being written. Source: the seven classes of the product's description, section 4.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from chaincode.money import Quote, maturity, quote
from chaincode.records import Facility, Invoice
from chaincode.rules import evidence, terms
from chaincode.rules.funding import reserved_quote
from chaincode.rules.snapshot import Candidate, Snapshot
from chaincode.rules.verdicts import Finding, Reason, ReleaseClass, Verdict


@dataclass(frozen=True, slots=True)
class Assessment:
    """The findings of all seven classes for one facility; facility and quote are None while nothing is asked for."""

    findings: dict[ReleaseClass, Finding]
    facility: Facility | None
    quote: Quote | None

    @property
    def releasable(self) -> bool:
        """Whether all seven classes are VALID. Never true without a facility."""
        return self.facility is not None and self.valid_count == len(ReleaseClass)

    @property
    def valid_count(self) -> int:
        """How many classes are VALID."""
        return sum(self.findings[name].verdict == Verdict.VALID for name in ReleaseClass)

    def failing(self) -> str:
        """The classes that are not VALID, with their reasons, for people."""
        failing = [(name, self.findings[name]) for name in ReleaseClass]
        return "; ".join(f"{name} {of.reason}: {of.text}" for name, of in failing if of.verdict != Verdict.VALID)


def assess(snapshot: Snapshot) -> Assessment:
    """Check the release of an invoice that has not been paid early.

    Returns: among the candidates' assessments the one with most VALID classes, then with the highest net, then of the
        smallest facility id. So if any is releasable, it is the releasable one that pays the supplier most.
    """
    if not snapshot.candidates:
        return _assess_without_request(snapshot)
    assessed = [_assess_candidate(snapshot, candidate) for candidate in snapshot.candidates]
    return min(assessed, key=lambda pair: pair[0])[1]


def _assess_without_request(snapshot: Snapshot) -> Assessment:
    nothing_asked = terms.no_request(snapshot)
    findings = {
        ReleaseClass.PARTIES: nothing_asked,
        ReleaseClass.INTEGRITY: evidence.integrity(snapshot, None),
        ReleaseClass.AMOUNT: evidence.amount(snapshot, None),
        ReleaseClass.DELIVERY: evidence.delivery(snapshot, None),
        ReleaseClass.UNIQUE: evidence.unique(snapshot, None),
        ReleaseClass.FACILITY: nothing_asked,
        ReleaseClass.FUNDS: nothing_asked,
    }
    return Assessment(findings, None, None)


def _assess_candidate(snapshot: Snapshot, candidate: Candidate) -> tuple[tuple[int, int, str], Assessment]:
    """The assessment, behind the key by which candidates are ranked, the best one smallest."""
    facility = candidate.facility
    offer = _quote(snapshot, facility)
    findings = {
        ReleaseClass.PARTIES: terms.parties(snapshot, candidate),
        ReleaseClass.INTEGRITY: evidence.integrity(snapshot, candidate),
        ReleaseClass.AMOUNT: evidence.amount(snapshot, candidate),
        ReleaseClass.DELIVERY: evidence.delivery(snapshot, candidate),
        ReleaseClass.UNIQUE: evidence.unique(snapshot, candidate),
        ReleaseClass.FACILITY: terms.facility(snapshot, candidate, offer),
        ReleaseClass.FUNDS: terms.funds(candidate, offer),
    }
    assessment = Assessment(findings, facility, offer)
    return (-assessment.valid_count, -offer.net_minor, facility.facility_id), assessment


def _quote(snapshot: Snapshot, facility: Facility) -> Quote:
    """What is paid: the quote that money is set aside for, else that of the day."""
    reservation = snapshot.invoice.reservation
    if reservation and reservation.facility_id == facility.facility_id:
        return reserved_quote(reservation)
    return quote(
        face_minor=terms.face_minor(snapshot),
        rate_bps=facility.rate_bps,
        day_count=facility.day_count,
        fee_minor=facility.fee_minor,
        day=snapshot.day,
        maturity_date=maturity(snapshot.invoice.due_date, facility.grace_days, facility.holidays),
    )


def describe(invoice: Invoice, assessment: Assessment) -> dict[str, Any]:
    """The answer to a ReleaseCheck query; the quote is null too where nothing would be left to pay."""
    offer = assessment.quote
    return {
        "invoice_id": invoice.invoice_id,
        "status": invoice.status,
        "facility_id": assessment.facility.facility_id if assessment.facility else "",
        "classes": [_describe_class(name, assessment.findings[name]) for name in ReleaseClass],
        "quote": asdict(offer) if offer and offer.net_minor > 0 else None,
    }


def describe_paid(invoice: Invoice, facility_id: str, transaction_id: str) -> dict[str, Any]:
    """The answer for an invoice that was paid early, which nothing but seven VALID classes can have led to."""
    held = Finding(Verdict.VALID, Reason.PAID, f"held when paid in transaction {transaction_id}", "")
    return {
        "invoice_id": invoice.invoice_id,
        "status": invoice.status,
        "facility_id": facility_id,
        "classes": [_describe_class(name, held) for name in ReleaseClass],
        "quote": None,
    }


def _describe_class(name: ReleaseClass, finding: Finding) -> dict[str, Any]:
    return {
        "class": name.value,
        "verdict": finding.verdict.value,
        "reason": finding.reason.value,
        "text": finding.text,
        "who": finding.who,
    }
