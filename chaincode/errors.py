"""What can go wrong in the contract: a rule says no (`Refusal`), or stored bytes are not a record (`RecordError`).

A refusal is an answer: it has a code that clients may rely on, and it leaves no trace on the ledger. Everything else
that is raised is a failure: the whole transaction is answered as failed. A code's value never changes and is never
used again for another meaning, since programs and stored answers outlive a release of the contract.
"""

from __future__ import annotations

from enum import StrEnum


class RefusalCode(StrEnum):
    """Every name by which a command can be refused. `docs/reference/commands.md` says when, in which order."""

    MALFORMED = "MALFORMED"
    COMMAND_ID_REUSED = "COMMAND_ID_REUSED"
    NOT_FOUNDED = "NOT_FOUNDED"
    PARTY_NOT_ACTIVE = "PARTY_NOT_ACTIVE"
    ROLE_MISSING = "ROLE_MISSING"
    DAY_NOT_OPEN = "DAY_NOT_OPEN"
    PERSON_UNKNOWN = "PERSON_UNKNOWN"
    TWO_PERSONS_REQUIRED = "TWO_PERSONS_REQUIRED"

    ALREADY_FOUNDED = "ALREADY_FOUNDED"
    SENDER_NOT_LISTED = "SENDER_NOT_LISTED"
    FOUNDING_INVALID = "FOUNDING_INVALID"
    NOT_PROPOSED = "NOT_PROPOSED"
    DIGEST_DIFFERS = "DIGEST_DIFFERS"
    ALREADY_CONFIRMED = "ALREADY_CONFIRMED"
    DAY_NOT_LATER = "DAY_NOT_LATER"
    DAY_IN_FUTURE = "DAY_IN_FUTURE"

    PERSON_ENROLLED = "PERSON_ENROLLED"
    LAST_PERSONS = "LAST_PERSONS"

    ID_TAKEN = "ID_TAKEN"
    PARTY_UNKNOWN = "PARTY_UNKNOWN"
    SAME_PARTY = "SAME_PARTY"
    ALGORITHM_UNKNOWN = "ALGORITHM_UNKNOWN"
    DOCUMENT_UNKNOWN = "DOCUMENT_UNKNOWN"
    NOT_ENTITLED = "NOT_ENTITLED"
    NOT_INDEPENDENT = "NOT_INDEPENDENT"
    VERDICT_INCONSISTENT = "VERDICT_INCONSISTENT"
    COMMITMENT_DIFFERS = "COMMITMENT_DIFFERS"
    COMMITMENT_SAME = "COMMITMENT_SAME"

    SHIPMENT_UNKNOWN = "SHIPMENT_UNKNOWN"
    NOT_YOUR_SHIPMENT = "NOT_YOUR_SHIPMENT"
    SHIPMENT_DIFFERS = "SHIPMENT_DIFFERS"
    NOT_THE_BUYER = "NOT_THE_BUYER"
    ALREADY_ACCEPTED = "ALREADY_ACCEPTED"
    EVENT_IN_FUTURE = "EVENT_IN_FUTURE"
    EVENTS_EXHAUSTED = "EVENTS_EXHAUSTED"

    SCREENING_PASSED = "SCREENING_PASSED"
    TERMS_INVALID = "TERMS_INVALID"
    CURRENCY_UNKNOWN = "CURRENCY_UNKNOWN"

    AMOUNT_INVALID = "AMOUNT_INVALID"
    DUE_BEFORE_ISSUE = "DUE_BEFORE_ISSUE"
    DUE_DATE_PASSED = "DUE_DATE_PASSED"
    DOCUMENT_NOT_YOURS = "DOCUMENT_NOT_YOURS"
    DOCUMENT_KIND_WRONG = "DOCUMENT_KIND_WRONG"
    LINKS_EXHAUSTED = "LINKS_EXHAUSTED"
    FINGERPRINTS_INCOMPLETE = "FINGERPRINTS_INCOMPLETE"
    EPOCH_UNKNOWN = "EPOCH_UNKNOWN"
    CLAIMS_EXHAUSTED = "CLAIMS_EXHAUSTED"
    INVOICE_UNKNOWN = "INVOICE_UNKNOWN"
    NOT_THE_SUPPLIER = "NOT_THE_SUPPLIER"
    STATUS_WRONG = "STATUS_WRONG"
    APPROVAL_DIFFERS = "APPROVAL_DIFFERS"
    BUYER_REFERENCE_USED = "BUYER_REFERENCE_USED"

    FACILITY_UNKNOWN = "FACILITY_UNKNOWN"
    VALIDITY_PASSED = "VALIDITY_PASSED"
    NOT_THE_FINANCIER = "NOT_THE_FINANCIER"
    FACILITY_NOT_REQUESTED = "FACILITY_NOT_REQUESTED"
    NOT_RELEASABLE = "NOT_RELEASABLE"
    NO_NOTICE = "NO_NOTICE"
    ALREADY_ACKNOWLEDGED = "ALREADY_ACKNOWLEDGED"

    NOT_THE_ISSUER = "NOT_THE_ISSUER"
    ISSUE_TO_SELF = "ISSUE_TO_SELF"
    CREDIT_ALREADY_ISSUED = "CREDIT_ALREADY_ISSUED"
    ISSUE_LIMIT_EXCEEDED = "ISSUE_LIMIT_EXCEEDED"
    BOOKED_IN_FUTURE = "BOOKED_IN_FUTURE"
    SETTLEMENT_NOT_IN_FULL = "SETTLEMENT_NOT_IN_FULL"
    DEPOSIT_DIFFERS = "DEPOSIT_DIFFERS"
    FUNDS_MISSING = "FUNDS_MISSING"


class Refusal(Exception):
    """A rule said no.

    Args:
        code: the name that clients rely on.
        text: one sentence for people that says why, with the values that differ; never personal data.
    """

    def __init__(self, code: RefusalCode, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class RecordError(ValueError):
    """Bytes or values are not the record they should be; `path` says where ("early_payment.days")."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path}: {text}" if path else text)
        self.path = path
        self.text = text
