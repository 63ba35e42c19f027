"""The seven classes of a release, the answers they can give, and why: the names that pages, clients and people see.

"Could not be checked yet" is INDETERMINATE, "was checked and is false" is INVALID; the two are never mixed up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReleaseClass(StrEnum):
    """What must hold before money moves, in the order in which it is shown."""

    PARTIES = "PARTIES"
    INTEGRITY = "INTEGRITY"
    AMOUNT = "AMOUNT"
    DELIVERY = "DELIVERY"
    UNIQUE = "UNIQUE"
    FACILITY = "FACILITY"
    FUNDS = "FUNDS"


class Verdict(StrEnum):
    """Only VALID counts."""

    VALID = "VALID"
    INVALID = "INVALID"
    INDETERMINATE = "INDETERMINATE"


class Reason(StrEnum):
    """Why a class answers as it does. `docs/reference/commands.md` lists them class by class, in order."""

    HOLDS = "HOLDS"
    PAID = "PAID"
    NO_REQUEST = "NO_REQUEST"

    PARTY_NOT_ACTIVE = "PARTY_NOT_ACTIVE"
    SAME_GROUP = "SAME_GROUP"
    FUNDING_HELD = "FUNDING_HELD"
    SCREENING_PASSED = "SCREENING_PASSED"
    ACCEPTANCE_MISSING = "ACCEPTANCE_MISSING"

    DOCUMENT_REVOKED = "DOCUMENT_REVOKED"
    MISMATCH_ATTESTED = "MISMATCH_ATTESTED"
    NO_PROOF = "NO_PROOF"
    ATTESTATIONS_MISSING = "ATTESTATIONS_MISSING"

    ALREADY_SETTLED = "ALREADY_SETTLED"
    DISPUTED = "DISPUTED"
    NOT_OWED = "NOT_OWED"
    PARTLY_SETTLED = "PARTLY_SETTLED"
    FACTS_DIFFER = "FACTS_DIFFER"
    RULES_BROKEN = "RULES_BROKEN"
    PARTY_DIFFERS = "PARTY_DIFFERS"
    COLLECTED = "COLLECTED"
    PAYEE_DIFFERS = "PAYEE_DIFFERS"
    PAYEE_UNKNOWN = "PAYEE_UNKNOWN"
    NOT_APPROVED = "NOT_APPROVED"
    FACTS_MISSING = "FACTS_MISSING"
    RULES_UNCHECKED = "RULES_UNCHECKED"
    PREPAYMENT = "PREPAYMENT"

    PARTIAL_DELIVERY = "PARTIAL_DELIVERY"
    ONLY_SUPPLIER_SAYS_SO = "ONLY_SUPPLIER_SAYS_SO"
    NO_SHIPMENT = "NO_SHIPMENT"
    NOT_DELIVERED = "NOT_DELIVERED"
    BOTH_REQUIRED = "BOTH_REQUIRED"
    MATCH_MISSING = "MATCH_MISSING"
    MATCH_UNCLEAR = "MATCH_UNCLEAR"

    ALREADY_FINANCED = "ALREADY_FINANCED"
    PREDECESSOR_FINANCED = "PREDECESSOR_FINANCED"
    DUPLICATE_CLAIM = "DUPLICATE_CLAIM"
    PREDECESSOR_UNCLEARED = "PREDECESSOR_UNCLEARED"
    FINGERPRINTS_DIFFER = "FINGERPRINTS_DIFFER"
    DELIVERY_UNCLAIMED = "DELIVERY_UNCLAIMED"
    FINGERPRINTS_MISSING = "FINGERPRINTS_MISSING"
    CLEARED_BY_PERSON = "CLEARED_BY_PERSON"

    REQUEST_EXPIRED = "REQUEST_EXPIRED"
    FACILITY_CLOSED = "FACILITY_CLOSED"
    FACILITY_SUSPENDED = "FACILITY_SUSPENDED"
    DECLINED = "DECLINED"
    BUYER_DIFFERS = "BUYER_DIFFERS"
    SUPPLIER_NOT_ACCEPTED = "SUPPLIER_NOT_ACCEPTED"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    TENOR_OUT_OF_BOUNDS = "TENOR_OUT_OF_BOUNDS"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    BUYER_OVERDUE = "BUYER_OVERDUE"
    ASSIGNMENT_UNACKNOWLEDGED = "ASSIGNMENT_UNACKNOWLEDGED"
    INSURANCE_PASSED = "INSURANCE_PASSED"
    NET_BELOW_MIN = "NET_BELOW_MIN"
    RESERVED = "RESERVED"
    DECISION_MISSING = "DECISION_MISSING"

    FUNDS_MISSING = "FUNDS_MISSING"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one class; `who` is the MSP id, or else the role, that can mend it."""

    verdict: Verdict
    reason: Reason
    text: str
    who: str


HOLDS = Finding(Verdict.VALID, Reason.HOLDS, "holds", "")


def invalid(reason: Reason, text: str, who: str) -> Finding:
    """It was checked and is false."""
    return Finding(Verdict.INVALID, reason, text, who)


def indeterminate(reason: Reason, text: str, who: str) -> Finding:
    """It is not there yet."""
    return Finding(Verdict.INDETERMINATE, reason, text, who)


def worst(findings: list[Finding]) -> Finding:
    """The first INVALID one, else the first INDETERMINATE one, else that it holds; `findings` is never empty."""
    assert findings, "an empty set is never VALID"
    for verdict in (Verdict.INVALID, Verdict.INDETERMINATE):
        for finding in findings:
            if finding.verdict == verdict:
                return finding
    return HOLDS
