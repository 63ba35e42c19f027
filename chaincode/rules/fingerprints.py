"""Rules of the duplicate defence: claims on fingerprints. The first claim is the unique one; financed is for ever."""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Claim, Fingerprint, Invoice, keys
from chaincode.records.books import ClaimState

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
        duplicate_of = duplicate_of or next((one.invoice_id for one in before if one.state != "cancelled"), "")
        claims = (*before, Claim(invoice.invoice_id, invoice.supplier, "registered"))
        claimed.append(Fingerprint(invoice.epoch, kind, claims))
    return claimed, duplicate_of


def finance(fingerprint: Fingerprint, invoice: Invoice) -> Fingerprint:
    """Mark an invoice's claim as financed. A part's claim is that of the whole, and stays as it is.

    Raises: Refusal: NOT_RELEASABLE: a claim on it is financed already. The release check has seen to it that none is.
    """
    if any(is_financed(claim, invoice) for claim in fingerprint.claims):
        raise Refusal(RefusalCode.NOT_RELEASABLE, "the fingerprint is financed already")
    return fingerprint if invoice.split_from else mark(fingerprint, invoice.invoice_id, "financed")


def is_financed(claim: Claim, invoice: Invoice) -> bool:
    """Whether a claim keeps `invoice` from being financed for ever: it is financed, or split into others' parts."""
    return claim.state == "financed" or (claim.state == "split" and claim.invoice_id != invoice.split_from)


def mark(fingerprint: Fingerprint, invoice_id: str, state: ClaimState) -> Fingerprint:
    """Give an invoice's claim another state; what is financed stays financed for ever."""
    claims = tuple(
        replace(claim, state=state) if claim.invoice_id == invoice_id and claim.state != "financed" else claim
        for claim in fingerprint.claims
    )
    return replace(fingerprint, claims=claims)
