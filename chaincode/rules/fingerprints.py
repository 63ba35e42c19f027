"""Rules of the duplicate defence: claims on fingerprints. The first claim is the unique one; financed is for ever.

What has the number *and* the amount of a financed invoice is that invoice, and nobody makes it another one. All else
that fingerprints say is a careful guess, which persons of the buyer may clear: honest deliveries of one day look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Claim, Fingerprint, Invoice, keys
from chaincode.records.books import ClaimState
from chaincode.rules.invoices import FINGERPRINTS_REQUIRED

CLAIMS_MAX = 50
"""How many invoices may claim one fingerprint: a release check reads them all."""


class Standing(Enum):
    """What the claims on its fingerprints say of an invoice; the two in the middle are guesses."""

    UNIQUE = "nobody else has claimed a fingerprint before it, or is financed on one"
    ALIKE = "another invoice has claimed a fingerprint before it"
    ALIKE_FINANCED = "an invoice that shares a fingerprint with it has been financed"
    FINANCED = "it, or an invoice with its number and its amount, has been financed"


def standing(invoice: Invoice, claimed: Sequence[Fingerprint | None]) -> Standing:
    """How an invoice stands.

    Args:
        claimed: what stands under `claim_keys(invoice)`, in that order.
    """
    shared: dict[str, set[str]] = {}
    for fingerprint in filter(None, claimed):
        for claim in fingerprint.claims:
            if _is_taken(claim, invoice):
                shared.setdefault(claim.invoice_id, set()).add(fingerprint.kind)
    if invoice.funded_on or any(kinds.issuperset(FINGERPRINTS_REQUIRED) for kinds in shared.values()):
        return Standing.FINANCED
    if shared:
        return Standing.ALIKE_FINANCED
    own = invoice.split_from or invoice.invoice_id
    return Standing.UNIQUE if all(_first(one) == own for one in filter(None, claimed)) else Standing.ALIKE


def _is_taken(claim: Claim, invoice: Invoice) -> bool:
    """Whether somebody is financed by a claim: its invoice, or, but for `invoice` itself, the parts of it."""
    return claim.state == "financed" or (claim.state == "split" and claim.invoice_id != invoice.split_from)


def _first(fingerprint: Fingerprint) -> str:
    return next((claim.invoice_id for claim in fingerprint.claims if claim.state != "cancelled"), "")


def claim_keys(invoice: Invoice) -> list[str]:
    """The keys of the fingerprints that an invoice claims, by kind in alphabetical order."""
    return [
        keys.fingerprint(invoice.epoch, kind, invoice.supplier, value)
        for kind, value in sorted(invoice.fingerprints.items())
    ]


def claim(existing: list[Fingerprint | None], invoice: Invoice) -> tuple[list[Fingerprint], str]:
    """Claim all fingerprints of an invoice.

    Args:
        existing: what stands under `claim_keys(invoice)`, in that order.

    Returns: the fingerprints with the new claims, and the id of the first invoice that claimed one before, or "".
    Raises: Refusal: CLAIMS_EXHAUSTED.
    """
    duplicate_of = ""
    claimed = []
    for kind, fingerprint in zip(sorted(invoice.fingerprints), existing, strict=True):
        before = fingerprint.claims if fingerprint else ()
        if len(before) >= CLAIMS_MAX:
            raise Refusal(RefusalCode.CLAIMS_EXHAUSTED, f"{CLAIMS_MAX} invoices claim this {kind} fingerprint already")
        duplicate_of = duplicate_of or next((one.invoice_id for one in before if one.state != "cancelled"), "")
        claims = (*before, Claim(invoice.invoice_id, invoice.supplier, "registered"))
        claimed.append(Fingerprint(invoice.epoch, kind, claims))
    return claimed, duplicate_of


def finance(claimed: Sequence[Fingerprint], invoice: Invoice) -> list[Fingerprint]:
    """Mark an invoice's claims as financed. A part's claims are those of the whole, and stay as they are.

    Args:
        claimed: what stands under `claim_keys(invoice)`, in that order.

    Raises: Refusal: NOT_RELEASABLE: it is financed already, or looks like another one and nobody has cleared it. The
        release check has seen to it that it is not so.
    """
    found = standing(invoice, claimed)
    if found is Standing.FINANCED or (found is not Standing.UNIQUE and not invoice.clearance):
        raise Refusal(RefusalCode.NOT_RELEASABLE, found.value)
    return [one if invoice.split_from else mark(one, invoice.invoice_id, "financed") for one in claimed]


def mark(fingerprint: Fingerprint, invoice_id: str, state: ClaimState) -> Fingerprint:
    """Give an invoice's claim another state; what is financed stays financed for ever."""
    claims = tuple(
        replace(claim, state=state) if claim.invoice_id == invoice_id and claim.state != "financed" else claim
        for claim in fingerprint.claims
    )
    return replace(fingerprint, claims=claims)
