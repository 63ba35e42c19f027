"""Rules of the duplicate defence: claims on fingerprints. The first claim is the unique one; financed is for ever."""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Claim, Fingerprint, Invoice, keys

CLAIMS_MAX = 50
"""How many invoices may claim one fingerprint: a release check reads them all."""


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
        duplicate_of = duplicate_of or (before[0].invoice_id if before else "")
        claims = (*before, Claim(invoice.invoice_id, invoice.supplier, "registered"))
        claimed.append(Fingerprint(invoice.epoch, kind, claims))
    return claimed, duplicate_of


def finance(fingerprint: Fingerprint, invoice_id: str) -> Fingerprint:
    """Mark an invoice's claim as financed.

    Raises: Refusal: NOT_RELEASABLE: a claim on it is financed already. The release check has seen to it that none is.
    """
    if any(claim.state == "financed" for claim in fingerprint.claims):
        raise Refusal(RefusalCode.NOT_RELEASABLE, "the fingerprint is financed already")
    return replace(
        fingerprint,
        claims=tuple(
            replace(claim, state="financed") if claim.invoice_id == invoice_id else claim
            for claim in fingerprint.claims
        ),
    )
